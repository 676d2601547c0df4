//! Syncing what is due, for as long as somebody watches.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{SHORTEST, TableSchedule};
use crate::app::now_ms;
use crate::error::{Category, Result, blocking};
use crate::runs::RUNNING;
use crate::session::Session;
use crate::sync::{RunReport, SyncOptions};

/// How often the plan is looked at: so soon are changes of other processes, clocks that jumped and
/// the end of a computer's sleep noticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Doublings of the shortest interval for a table that is due again and again though it was just
/// tried, as when the disk is full and no run can be kept: 5 s become some ten minutes.
const MOST_HOLDS: u32 = 7;

/// What a watch tells of.
#[derive(Debug)]
pub enum Watched<'a> {
    /// Nothing is due before this time (ms since 1970), and then these tables; `None` where nothing
    /// will be until the admin does something.
    Waiting {
        /// When.
        next: Option<i64>,
        /// Logical names of what is due then.
        tables: &'a [String],
    },
    /// Another process syncs this connection; what is still due afterwards follows.
    Busy,
    /// A round of syncs has ended.
    Round(&'a Result<Vec<RunReport>>),
}

/// Why a watch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// It was stopped; what was committed is kept.
    Stopped,
    /// The mirror is damaged: it has to be opened anew, and can be watched again then.
    Damaged,
}

/// Tables that were started here, by the clock that nobody sets: when last, and how often too soon.
type Started = HashMap<String, (Instant, u32)>;

impl Session {
    /// Syncs what is due by the plan, until it is stopped: these tables (logical names), or all
    /// mirrored ones where none is named. `tell` hears what it waits for whenever that changes, and
    /// of each round. The search index follows each round where it is wanted. What was interrupted
    /// before somebody watched goes on at once, where its schedule lets it.
    ///
    /// # Errors
    /// Where the plan cannot be read.
    pub async fn watch(
        &self,
        tables: &[String],
        with_search: bool,
        cancel: &CancellationToken,
        mut tell: impl FnMut(Watched<'_>),
    ) -> Result<Watching> {
        let mut started = Started::new();
        let mut told = None;
        let mut is_busy = false;
        let mut stopped = self.stopped().await?;
        while !cancel.is_cancelled() {
            let now = now_ms();
            let plans = self.plans_of(tables, now).await?;
            let mut due = due(&plans, &started, now);
            for plan in &plans {
                let is_stopped = stopped.contains(&plan.table) && !due.contains(&plan.table);
                if is_stopped && plan.next.is_some() {
                    due.push(plan.table.clone());
                }
            }
            if due.is_empty() {
                let next = upcoming(&plans, now);
                if told.as_ref() != Some(&next) {
                    let (next, tables) = &next;
                    tell(Watched::Waiting {
                        next: *next,
                        tables,
                    });
                    told = Some((*next, tables.clone()));
                }
                pause(cancel).await;
                continue;
            }
            let options = SyncOptions {
                tables: due.clone(),
                no_join: true,
                ..SyncOptions::default()
            };
            let running = self.begin_running();
            let round = self.sync(&options, cancel).await;
            drop(running);
            if let Err(error) = &round
                && error.category == Category::Busy
            {
                if !is_busy {
                    tell(Watched::Busy);
                }
                is_busy = true;
                pause(cancel).await;
                // What seemed to be stopped may be under way there, or that process was just ending.
                stopped = self.stopped().await?;
                continue;
            }
            is_busy = false;
            stopped.clear();
            told = None;
            note(&mut started, &due, &plans);
            tell(Watched::Round(&round));
            if self.mirror().is_damaged() {
                return Ok(Watching::Damaged);
            }
            if with_search && !cancel.is_cancelled() {
                // The rows are there; the next round lets the index follow once more.
                if let Err(error) = self.index_search(cancel, |_, _, _| {}).await {
                    tracing::warn!(%error, "the search index did not follow");
                }
            }
        }
        Ok(Watching::Stopped)
    }

    /// Tables whose last sync was stopped on its way, as by the end of the program.
    async fn stopped(&self) -> Result<Vec<String>> {
        let session = self.clone();
        let attempts = blocking(move || Ok(session.db().attempts(session.row().id)?)).await?;
        let stopped = attempts
            .into_iter()
            .filter(|attempt| matches!(attempt.status.as_str(), "interrupted" | RUNNING))
            .map(|attempt| attempt.table);
        // What somebody stopped here rests.
        Ok(stopped
            .filter(|table| !self.background().is_paused(table))
            .collect())
    }

    async fn plans_of(&self, tables: &[String], now: i64) -> Result<Vec<TableSchedule>> {
        let tables = match tables {
            [] => self.mirrored_tables().await?,
            named => named.to_vec(),
        };
        let session = self.clone();
        blocking(move || session.plans(&tables, &session.mirror().tables()?, now)).await
    }
}

/// What is due, and was not started a moment ago.
fn due(plans: &[TableSchedule], started: &Started, now: i64) -> Vec<String> {
    let is_due = |plan: &&TableSchedule| {
        let is_held = started.get(&plan.table).is_some_and(|(at, holds)| {
            at.elapsed() < SHORTEST.saturating_mul(1 << (*holds).min(MOST_HOLDS))
        });
        plan.next.is_some_and(|next| next <= now) && !is_held
    };
    let due = plans.iter().filter(is_due);
    due.map(|plan| plan.table.clone()).collect()
}

/// When something is due next, and what.
fn upcoming(plans: &[TableSchedule], now: i64) -> (Option<i64>, Vec<String>) {
    let next = plans.iter().filter_map(|plan| plan.next).min();
    let at = plans.iter().filter(|plan| plan.next == next);
    let tables = match next {
        Some(_) => at.map(|plan| plan.table.clone()).collect(),
        None => Vec::new(),
    };
    // What is held back is due now, whenever "now" is.
    (next.filter(|next| *next > now), tables)
}

/// Notes what was started, and whether that was sooner than planned.
fn note(started: &mut Started, due: &[String], plans: &[TableSchedule]) {
    for table in due {
        let plan = plans.iter().find(|plan| plan.table == *table);
        let every = plan
            .and_then(|plan| plan.schedule.every)
            .unwrap_or(SHORTEST);
        let holds = match started.get(table) {
            Some((at, holds)) if at.elapsed() < every / 2 => holds + 1,
            _ => 0,
        };
        started.insert(table.clone(), (Instant::now(), holds));
    }
}

async fn pause(cancel: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(LOOK_EVERY) => {}
        () = cancel.cancelled() => {}
    }
}
