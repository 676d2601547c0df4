//! Runs as they are kept: from their beginning on, so that one whose process dies is told too.

use std::time::{Duration, Instant};

use salesmirror_store::{AppDb, Mirror, RunRow};
use uuid::Uuid;

use crate::app::now_ms;
use crate::error::{Category, Error, Result, blocking};
use crate::session::Session;
use crate::sync::RunReport;

/// How often the figures of a run that goes on are kept.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// The status of a run that goes on.
pub(crate) const RUNNING: &str = "running";

/// The record of a run that goes on. While it lives, what changes in the table is the run's doing.
pub(crate) struct RunLog {
    db: AppDb,
    mirror: Mirror,
    row: RunRow,
    noted: Instant,
}

impl RunLog {
    /// Keeps that a run begins.
    pub async fn begin(session: &Session, table: &str) -> Self {
        let mut log = Self {
            db: session.db().clone(),
            mirror: session.mirror().clone(),
            row: RunRow {
                connection: session.row().id,
                table: table.to_owned(),
                strategy: "full".to_owned(),
                status: RUNNING.to_owned(),
                started_at: now_ms(),
                ..RunRow::default()
            },
            noted: Instant::now(),
        };
        log.put().await;
        if log.row.id != 0 {
            log.mirror.attribute(table, Some(log.row.id));
            log.note_in_log(false).await;
        }
        log
    }

    /// The run's number; 0 where it could not be kept.
    pub const fn id(&self) -> i64 {
        self.row.id
    }

    /// When it began, ms since 1970.
    pub const fn started_at(&self) -> i64 {
        self.row.started_at
    }

    /// Whether there is something to note: it goes on for another reason, or for long.
    pub fn is_due(&self, reason: &str) -> bool {
        self.row.reason != reason || self.noted.elapsed() > NOTE_EVERY
    }

    /// Keeps how far it has come.
    pub async fn note(&mut self, report: &RunReport) {
        self.noted = Instant::now();
        self.fill(report);
        self.put().await;
    }

    /// Keeps how it ended.
    pub async fn end(mut self, report: &RunReport) {
        self.fill(report);
        report.status.as_str().clone_into(&mut self.row.status);
        self.row.error = report.error.as_ref().map(error_text);
        self.put().await;
        self.note_in_log(true).await;
        self.tell(report.error.as_ref());
    }

    /// Lets readers of the log know that it began, or ended.
    async fn note_in_log(&self, has_ended: bool) {
        let (mirror, run) = (self.mirror.clone(), self.row.id);
        if run == 0 {
            return;
        }
        let noted = blocking(move || Ok(mirror.note_run(run, has_ended, now_ms())?)).await;
        if let Err(error) = noted {
            tracing::warn!(%error, run, "the log does not tell of the run");
        }
    }

    /// Tells the log. An error by its code and reference alone: its sentence may quote a record.
    fn tell(&self, error: Option<&Error>) {
        let row = &self.row;
        match error {
            None => tracing::info!(
                run = row.id,
                table = row.table,
                strategy = row.strategy,
                requests = row.requests,
                ms = row.duration_ms(),
                "a run ended: {}",
                row.status
            ),
            Some(error) => tracing::warn!(
                run = row.id,
                table = row.table,
                strategy = row.strategy,
                requests = row.requests,
                ms = row.duration_ms(),
                code = error.code,
                reference = error.reference,
                "a run ended: {}",
                row.status
            ),
        }
    }

    fn fill(&mut self, report: &RunReport) {
        self.row = RunRow {
            strategy: report.strategy.as_str().to_owned(),
            reason: report.reason.to_owned(),
            finished_at: Some(now_ms()),
            inserted: report.inserted,
            updated: report.updated,
            deleted: report.deleted,
            unchanged: report.unchanged,
            pages: report.pages,
            requests: report.requests,
            retries: report.retries,
            throttled_ms: report.throttled_ms,
            ..std::mem::take(&mut self.row)
        };
    }

    /// A run whose record cannot be kept goes on.
    async fn put(&mut self) {
        let (db, row) = (self.db.clone(), self.row.clone());
        match blocking(move || Ok(db.put_run(&row)?)).await {
            Ok(id) => self.row.id = id,
            Err(error) => tracing::warn!(%error, "the run was not recorded"),
        }
    }
}

impl Drop for RunLog {
    fn drop(&mut self) {
        self.mirror.attribute(&self.row.table, None);
    }
}

/// An error as runs keep it: as JSON.
fn error_text(error: &Error) -> String {
    serde_json::json!({
        "code": error.code, "message": error.message, "hint": error.hint,
        "reference": error.reference, "link": error.link,
    })
    .to_string()
}

impl Session {
    /// The newest runs, of one table (its logical name) or of all. One whose process died is told as
    /// interrupted.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn runs(&self, table: Option<&str>, limit: u32) -> Result<Vec<RunRow>> {
        let (session, table) = (self.clone(), table.map(str::to_owned));
        blocking(move || {
            session.ended(|db, connection| Ok(db.runs(connection, table.as_deref(), limit)?))
        })
        .await
    }

    /// The newest run of each table.
    pub(crate) fn last_runs(&self) -> Result<Vec<RunRow>> {
        self.ended(|db, connection| Ok(db.last_runs(connection)?))
    }

    /// Reads runs; again where some of them had been left by a process that died.
    fn ended(&self, read: impl Fn(&AppDb, Uuid) -> Result<Vec<RunRow>>) -> Result<Vec<RunRow>> {
        let id = self.row().id;
        let runs = read(self.db(), id)?;
        if runs.iter().all(|run| run.status != RUNNING) {
            return Ok(runs);
        }
        // Whoever syncs holds the lock.
        let Ok(Some(_lock)) = self.data_dir().try_lock(id) else {
            return Ok(runs);
        };
        // On a full disk they are told as they were kept.
        match self.end_dead_runs() {
            Ok(()) => read(self.db(), id),
            Err(_) => Ok(runs),
        }
    }

    /// Tells runs whose process died as interrupted. Only who holds the connection's lock knows that
    /// they did.
    pub(crate) fn end_dead_runs(&self) -> Result<()> {
        let died = Error::explained(
            Category::Interrupted,
            "killed",
            "The program ended before the sync did.",
        );
        let (id, mirror) = (self.row().id, self.mirror());
        let mut ended = self.db().end_runs(id, "interrupted", &error_text(&died))?;
        let noted = mirror.open_runs().and_then(|open| {
            // Those too whose process died before it could tell the log.
            ended.extend(open);
            let mut runs = ended.into_iter();
            runs.try_for_each(|run| mirror.note_run(run, true, now_ms()))
        });
        if let Err(error) = noted {
            tracing::warn!(%error, "the log does not tell of runs that died");
        }
        Ok(())
    }
}
