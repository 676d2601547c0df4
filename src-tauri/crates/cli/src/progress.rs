//! Progress bars on stderr.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use salesmirror_core::{Progress, Session};
use tokio::task::JoinHandle;

/// How often bars are drawn anew.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// Shows how far a session's syncs have come, until it is aborted.
pub fn follow(session: &Session, bars: &Bars) -> JoinHandle<()> {
    let (session, bars) = (session.clone(), bars.clone());
    tokio::spawn(async move {
        let mut changes = session.changes();
        // What nobody sees is not worth reading the state of the tables for.
        while bars.are_seen() {
            // A countdown goes on though nothing changes.
            if let Ok(Err(_)) = tokio::time::timeout(COUNT_EVERY, changes.changed()).await {
                return;
            }
            if let Ok(tables) = session.status().await {
                for table in tables {
                    if let Some(progress) = &table.progress {
                        bars.show_table(&table.table, progress);
                    }
                }
            }
            tokio::time::sleep(DRAW_EVERY).await;
        }
    })
}

/// How often a countdown goes on.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// One bar a table, on stderr; nothing where stderr is no terminal.
#[derive(Clone)]
pub struct Bars {
    all: Option<MultiProgress>,
    bars: Arc<Mutex<HashMap<String, ProgressBar>>>,
}

impl Bars {
    pub fn new(quiet: bool) -> Self {
        Self {
            all: (!quiet && std::io::stderr().is_terminal()).then(MultiProgress::new),
            bars: Arc::default(),
        }
    }

    /// Whether anybody sees them.
    pub fn are_seen(&self) -> bool {
        self.all.is_some()
    }

    /// Shows how far a table has come, and for how long the service asked to wait.
    pub fn show_table(&self, name: &str, progress: &Progress) {
        self.show(name, progress.rows, progress.expected);
        let bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = bars.get(name) {
            let wait = progress
                .throttled
                .map(|left| format!("Dynamics 365 asks to wait: {} s", left.as_secs() + 1));
            bar.set_message(wait.unwrap_or_default());
        }
    }

    pub fn show(&self, name: &str, rows: u64, expected: Option<u64>) {
        let Some(all) = &self.all else { return };
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bars.entry(name.to_owned()).or_insert_with(|| {
            let style = ProgressStyle::with_template(
                "{prefix:24} {bar:32} {human_pos}/{human_len} rows  {per_sec}  {eta} left  {msg}",
            )
            .unwrap_or_else(|_| ProgressStyle::default_bar());
            all.add(ProgressBar::new(expected.unwrap_or(rows)).with_style(style))
                .with_prefix(name.to_owned())
        });
        bar.set_length(expected.unwrap_or(rows).max(rows));
        bar.set_position(rows);
    }

    pub fn clear(&self) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, bar) in bars.drain() {
            bar.finish_and_clear();
        }
    }
}
