//! Keeping a mirror up to date: full syncs, incremental syncs, and what is left of interrupted ones.

mod engine;
mod pages;
mod reason;
mod run;
#[cfg(test)]
mod simulation_tests;
mod steps;
mod turn;
mod verify;

pub(crate) use steps::Measures;
pub use verify::{Compared, Difference, Fix, Verification, VerifyOptions};

use std::time::Duration;

use salesmirror_store::Preview;
use tokio_util::sync::CancellationToken;

use crate::error::{Category, Error, Result, blocking};
use crate::session::Session;

/// What to sync.
#[derive(Debug, Clone, Default)]
pub struct SyncOptions {
    /// Logical names; all mirrored tables where empty.
    pub tables: Vec<String>,
    /// Read every row.
    pub full: bool,
    /// Answers the mass-delete guard with yes.
    pub yes: bool,
    /// Say "busy" at once where another process syncs, instead of waiting for it.
    pub no_join: bool,
}

/// How a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Every row.
    Full,
    /// What changed since the last sync.
    Incremental,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// Done.
    Success,
    /// Failed.
    Failed,
    /// Stopped; the next sync goes on from the last page.
    Interrupted,
    /// The mass-delete guard asks.
    NeedsConfirmation,
}

impl Strategy {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
        }
    }
}

impl RunStatus {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::NeedsConfirmation => "needs_confirmation",
        }
    }
}

/// How far a running sync has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// How the table is read.
    pub strategy: Strategy,
    /// Rows read so far.
    pub rows: u64,
    /// Rows expected, where the organisation said; up to a day old.
    pub expected: Option<u64>,
    /// Rows a second since the run began.
    pub rows_per_second: f64,
    /// For how long the service asked to wait.
    pub throttled: Option<Duration>,
    /// Why requests are sent again, where they are not answered at the moment.
    pub trouble: Option<String>,
}

/// What one sync of one table did.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// The number by which the history names it; 0 where it could not be kept.
    pub id: i64,
    /// Logical name.
    pub table: String,
    /// How it was read.
    pub strategy: Strategy,
    /// Why it was read so, one sentence.
    pub reason: &'static str,
    /// How it ended.
    pub status: RunStatus,
    /// Start, ms since 1970.
    pub started_at: i64,
    /// New rows.
    pub inserted: u64,
    /// Changed rows.
    pub updated: u64,
    /// Rows that became tombstones.
    pub deleted: u64,
    /// Rows that came and were equal.
    pub unchanged: u64,
    /// Pages read.
    pub pages: u64,
    /// Requests sent.
    pub requests: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Time the service made us wait, in ms.
    pub throttled_ms: u64,
    /// Duration in ms.
    pub duration_ms: u64,
    /// Why it failed, or what the guard asks.
    pub error: Option<Error>,
    /// What would be deleted, where the guard asks.
    pub guard: Option<Preview>,
}

/// Rows that the search index takes in one transaction: a quarter of a second's work.
const INDEX_BATCH: u32 = 5_000;

impl Session {
    /// Syncs tables side by side. Each gives a report, failed ones too.
    ///
    /// # Errors
    /// Where another process syncs this connection and does not end, or a database cannot be read.
    pub async fn sync(
        &self,
        options: &SyncOptions,
        cancel: &CancellationToken,
    ) -> Result<Vec<RunReport>> {
        let _turn = self.turn(options.no_join, cancel).await?;
        let reports = self.sync_tables(options, cancel).await;
        // The count that could not be kept is kept with the next.
        if let Err(error) = self.keep_request_count().await {
            tracing::debug!(%error, "the requests were not counted");
        }
        if self.mirror().is_damaged() {
            self.data_dir().note_damage(self.row().id)?;
        }
        reports
    }

    async fn sync_tables(
        &self,
        options: &SyncOptions,
        cancel: &CancellationToken,
    ) -> Result<Vec<RunReport>> {
        let tables = self.tables_to_sync(options).await?;
        let runs = tables.iter().map(async |table| {
            let stop = self.background().table_token(table, cancel);
            run::run(self, table, options, &stop).await
        });
        let reports = futures::future::join_all(runs).await;
        if self.mirror().is_damaged() {
            return Ok(reports);
        }
        let are_done = reports.iter().any(|run| run.status == RunStatus::Success);
        if are_done && !cancel.is_cancelled() {
            tokio::select! {
                ((), ()) = async { tokio::join!(self.note_tracking_days(), self.note_currencies()) } => {}
                () = cancel.cancelled() => {}
            }
        }
        if !cancel.is_cancelled() {
            self.keep_to_limits().await;
            self.keep_irreplaceable().await;
        }
        self.settle().await;
        Ok(reports)
    }

    /// Empties the mirror's log. What it holds is safe there too.
    async fn settle(&self) {
        let mirror = self.mirror().clone();
        if let Err(error) = blocking(move || Ok(mirror.settle()?)).await {
            tracing::debug!(%error, "the mirror's log was not emptied");
        }
    }

    /// Lets the search index follow what syncs brought; `progress` gets the table and how far.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub async fn index_search(
        &self,
        cancel: &CancellationToken,
        progress: impl Fn(&str, u64, u64),
    ) -> Result<()> {
        for status in self.status().await? {
            if status.metadata.is_none() {
                continue;
            }
            let mut done = status.search.indexed >= status.search.total;
            while !done && !cancel.is_cancelled() {
                let step = self
                    .on_mirror(&status.table, |mirror, table| {
                        mirror.index_search(table, INDEX_BATCH)
                    })
                    .await?;
                progress(&status.table, step.indexed, step.total);
                self.touch();
                done = step.indexed >= step.total;
            }
        }
        self.settle().await;
        Ok(())
    }

    /// Answers the mass-delete guard with "keep the rows": nothing becomes a tombstone, and the next
    /// sync reads every row.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub async fn keep_rows(&self, table: &str) -> Result<()> {
        self.on_mirror(table, |mirror, table| {
            mirror.finish_keeping_rows(table, crate::app::now_ms())
        })
        .await?;
        self.touch();
        Ok(())
    }

    async fn tables_to_sync(&self, options: &SyncOptions) -> Result<Vec<String>> {
        let mut tables = self.mirrored_tables().await?;
        if !options.tables.is_empty() {
            // A table may be mirrored no more by the time its sync has its turn.
            tables.retain(|table| options.tables.contains(table));
        }
        Ok(tables)
    }
}

/// The mass-delete guard's question as an error of a run.
pub(crate) fn guard_question(preview: &Preview, table: &str) -> Error {
    let examples = match preview.examples.as_slice() {
        [] => String::new(),
        names => format!(" Among them: {}.", names.join(", ")),
    };
    Error::new(
        Category::Confirmation,
        "mass_delete",
        format!(
            "{} of {} rows of {table} in your mirror were not in what Dynamics 365 sent. Nothing has \
             been marked yet.{examples}",
            preview.would_delete, preview.live_before
        ),
        "If they were really deleted, run the sync again with --yes. If not, check the user's \
         security role, then run it with --full.",
    )
}
