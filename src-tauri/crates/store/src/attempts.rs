//! What a planner asks of the past: when each table was tried last, and how much was sent on a day.

use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use crate::{AppDb, Result};

/// Days of request counts that are kept.
const KEPT_DAYS: i64 = 400;

/// The last try to sync a table. The last is the one that began last, whatever the clock said then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Logical name of the table.
    pub table: String,
    /// Start, ms since 1970.
    pub started_at: i64,
    /// `running`, `success`, `failed`, `interrupted` or `needs_confirmation`.
    pub status: String,
    /// Why it failed, as JSON.
    pub error: Option<String>,
    /// How many tries have failed since one went well.
    pub failures: u32,
}

impl AppDb {
    /// The last try of each table of a connection.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn attempts(&self, connection: Uuid) -> Result<Vec<Attempt>> {
        let guard = self.lock();
        let mut statement = guard.prepare_cached(
            "SELECT table_name, started_at, status, error, \
             (SELECT count(*) FROM run AS two WHERE two.connection = ?1 \
              AND two.table_name = one.table_name AND two.status = 'failed' AND two.id > coalesce( \
              (SELECT max(id) FROM run AS three WHERE three.connection = ?1 \
               AND three.table_name = one.table_name \
               AND three.status IN ('success', 'needs_confirmation')), 0)) \
             FROM run AS one WHERE id IN \
             (SELECT max(id) FROM run WHERE connection = ?1 GROUP BY table_name)",
        )?;
        let rows = statement.query_map([connection], |row| {
            Ok(Attempt {
                table: row.get(0)?,
                started_at: row.get(1)?,
                status: row.get(2)?,
                error: row.get(3)?,
                failures: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Adds to the requests that were sent for a connection on a day (days since 1970, UTC).
    ///
    /// # Errors
    /// Where the connection is gone, or the disk refuses.
    pub fn add_requests(&self, connection: Uuid, day: i64, requests: u64) -> Result<()> {
        let guard = self.lock();
        guard.execute(
            "INSERT INTO request_count VALUES (?1, ?2, ?3) ON CONFLICT (connection, day) \
             DO UPDATE SET requests = requests + excluded.requests",
            params![connection, day, requests],
        )?;
        guard.execute(
            "DELETE FROM request_count WHERE connection = ?1 AND day < ?2",
            params![connection, day - KEPT_DAYS],
        )?;
        Ok(())
    }

    /// The requests that were sent for a connection on a day (days since 1970, UTC).
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn requests_on(&self, connection: Uuid, day: i64) -> Result<u64> {
        let found = self
            .lock()
            .query_row(
                "SELECT requests FROM request_count WHERE connection = ? AND day = ?",
                params![connection, day],
                |row| row.get(0),
            )
            .optional()?;
        Ok(found.unwrap_or_default())
    }
}
