//! Runs: what each sync of a table did, and why.

use rusqlite::{OptionalExtension as _, Row, params};
use uuid::Uuid;

use crate::{AppDb, Result};

/// One sync of one table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunRow {
    /// Its number; 0 before it is kept. The history names runs by it.
    pub id: i64,
    /// The connection.
    pub connection: Uuid,
    /// Logical name of the table.
    pub table: String,
    /// `full` or `incremental`.
    pub strategy: String,
    /// Why that strategy.
    pub reason: String,
    /// `running`, `success`, `failed`, `interrupted` or `needs_confirmation`.
    pub status: String,
    /// Start, ms since 1970.
    pub started_at: i64,
    /// End, ms since 1970; while it is running, until when the figures are known.
    pub finished_at: Option<i64>,
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
    /// Why it failed, as JSON.
    pub error: Option<String>,
}

impl RunRow {
    /// How long it took, in ms; while it is running, until when the figures are known.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        let ended = self.finished_at.unwrap_or(self.started_at);
        u64::try_from(ended - self.started_at).unwrap_or_default()
    }
}

/// What a run that goes on is called.
const RUNNING: &str = "running";

/// Rows that a run brought, apart from those of its table's first copy, which are no changes. A copy may
/// take several runs: all that began before one of its table ended well.
const ARRIVED: &str = "iif(one.strategy = 'incremental' OR EXISTS (SELECT 1 FROM run AS earlier \
    WHERE earlier.connection = ?1 AND earlier.table_name = one.table_name \
    AND earlier.started_at < one.started_at AND earlier.status = 'success'), one.inserted, 0)";

impl AppDb {
    /// Keeps a run: inserts it where its id is 0, and gives the id.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn put_run(&self, run: &RunRow) -> Result<i64> {
        let connection = self.lock();
        connection.execute(
            "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                (run.id != 0).then_some(run.id),
                run.connection,
                run.table,
                run.strategy,
                run.reason,
                run.status,
                run.started_at,
                run.finished_at,
                run.inserted,
                run.updated,
                run.deleted,
                run.unchanged,
                run.pages,
                run.requests,
                run.retries,
                run.throttled_ms,
                run.error,
            ],
        )?;
        Ok(connection.last_insert_rowid())
    }

    /// A connection's newest runs, of one table or of all.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn runs(&self, connection: Uuid, table: Option<&str>, limit: u32) -> Result<Vec<RunRow>> {
        let guard = self.lock();
        let of_table = if table.is_some() {
            "table_name = ?2"
        } else {
            "?2 IS NULL"
        };
        let mut statement = guard.prepare_cached(&format!(
            "SELECT * FROM run WHERE connection = ?1 AND {of_table} \
             ORDER BY started_at DESC, id DESC LIMIT ?3"
        ))?;
        let rows = statement.query_map(params![connection, table, limit], read_run)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest run of each table of a connection.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn last_runs(&self, connection: Uuid) -> Result<Vec<RunRow>> {
        let guard = self.lock();
        let mut statement = guard.prepare_cached(
            "SELECT * FROM run AS one WHERE connection = ?1 AND id = \
             (SELECT id FROM run WHERE connection = ?1 AND table_name = one.table_name \
             ORDER BY started_at DESC, id DESC LIMIT 1)",
        )?;
        let rows = statement.query_map([connection], read_run)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ends the runs of a connection that nobody ends any more: their process died. Call it while
    /// the connection's lock is held. Gives their ids.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn end_runs(&self, connection: Uuid, status: &str, error: &str) -> Result<Vec<i64>> {
        let guard = self.lock();
        let mut statement = guard.prepare_cached(
            "UPDATE run SET status = ?2, error = ?3, finished_at = coalesce(finished_at, started_at) \
             WHERE connection = ?1 AND status = ?4 RETURNING id",
        )?;
        let ended = statement.query_map(params![connection, status, error, RUNNING], |row| {
            row.get(0)
        })?;
        Ok(ended.collect::<Result<_, _>>()?)
    }

    /// A run; `None` where it is kept no more.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn run(&self, connection: Uuid, id: i64) -> Result<Option<RunRow>> {
        let guard = self.lock();
        let mut statement =
            guard.prepare_cached("SELECT * FROM run WHERE connection = ? AND id = ?")?;
        let found = statement.query_row(params![connection, id], read_run);
        Ok(found.optional()?)
    }

    /// The ids of all runs of a connection.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn run_ids(&self, connection: Uuid) -> Result<Vec<i64>> {
        let guard = self.lock();
        let mut statement = guard.prepare_cached("SELECT id FROM run WHERE connection = ?")?;
        let ids = statement.query_map([connection], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Lets go of runs that began before a time (ms since 1970), and of those beyond the newest
    /// `most`. The newest run of each table stays. Gives how many went.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn purge_runs(&self, connection: Uuid, before: Option<i64>, most: u32) -> Result<u64> {
        let gone = self.lock().execute(
            "DELETE FROM run WHERE connection = ?1 AND (started_at < ?2 OR started_at < \
             (SELECT started_at FROM run WHERE connection = ?1 \
             ORDER BY started_at DESC LIMIT 1 OFFSET ?3)) AND id NOT IN \
             (SELECT max(id) FROM run WHERE connection = ?1 GROUP BY table_name)",
            params![connection, before, most.saturating_sub(1)],
        )?;
        Ok(gone as u64)
    }

    /// Per table, the rows that runs since `since` (ms since 1970) inserted or updated, and deleted.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn changes_since(&self, connection: Uuid, since: i64) -> Result<Vec<(String, u64, u64)>> {
        let guard = self.lock();
        let mut statement = guard.prepare_cached(&format!(
            "SELECT one.table_name, sum(one.updated + {ARRIVED}), sum(one.deleted) FROM run AS one \
             WHERE one.connection = ?1 AND one.started_at >= ?2 GROUP BY one.table_name",
        ))?;
        let rows = statement.query_map(params![connection, since], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Per table and span of time, the records that changed: those that runs inserted, updated and
    /// deleted. The rows of a table's first copy are no changes. Spans are given by where each begins
    /// and the last one ends, in ascending order, in ms since 1970.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn changes_by_span(
        &self,
        connection: Uuid,
        bounds: &[i64],
    ) -> Result<Vec<(String, usize, u64)>> {
        let [first, inner @ .., end] = bounds else {
            return Ok(Vec::new());
        };
        let guard = self.lock();
        let span: String = inner
            .iter()
            .map(|bound| format!(" + (one.started_at >= {bound})"))
            .collect();
        let mut statement = guard.prepare_cached(&format!(
            "SELECT one.table_name, 0{span} AS span, sum(one.updated + one.deleted + {ARRIVED}) \
             AS changed FROM run AS one WHERE one.connection = ?1 \
             AND one.started_at >= ?2 AND one.started_at < ?3 \
             GROUP BY 1, 2 HAVING changed > 0 ORDER BY 2, 3 DESC"
        ))?;
        let rows = statement.query_map(params![connection, first, end], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        id: row.get(0)?,
        connection: row.get(1)?,
        table: row.get(2)?,
        strategy: row.get(3)?,
        reason: row.get(4)?,
        status: row.get(5)?,
        started_at: row.get(6)?,
        finished_at: row.get(7)?,
        inserted: row.get(8)?,
        updated: row.get(9)?,
        deleted: row.get(10)?,
        unchanged: row.get(11)?,
        pages: row.get(12)?,
        requests: row.get(13)?,
        retries: row.get(14)?,
        throttled_ms: row.get(15)?,
        error: row.get(16)?,
    })
}
