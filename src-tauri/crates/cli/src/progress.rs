//! Progress bars on stderr.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

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

    pub fn show(&self, name: &str, rows: u64, expected: Option<u64>) {
        let Some(all) = &self.all else { return };
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bars.entry(name.to_owned()).or_insert_with(|| {
            let style = ProgressStyle::with_template(
                "{prefix:24} {bar:32} {human_pos}/{human_len} rows  {per_sec}  {eta} left",
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
