//! Comparing a mirror with its organisation by ids, and what follows from it.

use salesmirror_model::PageEnd;
use uuid::Uuid;

use crate::checkpoint::MarkColumn;
use crate::mirror::Mirror;
use crate::wanted::{self, IdRow, Stamp, Stamps};
use crate::{Result, schema};

impl Mirror {
    /// Compares a page of ids with the mirror: rows that are missing or differ in `column` are noted
    /// to be read again. The checkpoint moves past the page in the same transaction. `asked` is
    /// [`Mirror::newest_write`] of when the page was asked for.
    ///
    /// # Errors
    /// Where the disk refuses; then nothing of the page is noted.
    pub fn compare_page(
        &self,
        table: &str,
        rows: Vec<IdRow>,
        column: Option<MarkColumn>,
        end: PageEnd,
        asked: i64,
        now: i64,
    ) -> Result<()> {
        let table = table.to_owned();
        self.write(move |connection| {
            wanted::compare(connection, &table, &rows, column, &end, asked, now)
        })
    }

    /// The ids of live rows, each with its value of `column`.
    ///
    /// # Errors
    /// Where the table is not mirrored, or the database cannot be read.
    pub fn live_ids(&self, table: &str, column: Option<MarkColumn>) -> Result<Vec<IdRow>> {
        self.read(|connection| wanted::live_ids(connection, table, column))
    }

    /// Notes rows to be read again whatever their versions say.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn want(&self, table: &str, ids: Vec<Uuid>) -> Result<()> {
        let table = table.to_owned();
        self.write(move |connection| wanted::want(connection, &table, &ids))
    }

    /// How many live rows a table has.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn live_rows(&self, table: &str) -> Result<u64> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT coalesce(max(live), 0) FROM mirrored WHERE name = ?")?
                .query_row([table], |row| row.get(0))?)
        })
    }

    /// How many rows wait to be read again by id: invalidated ones, and those that a comparison found.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn wanted_rows(&self, table: &str) -> Result<u64> {
        let wanted = self.read(|connection| wanted::count(connection, table))?;
        Ok(wanted + self.stale_rows(table)?)
    }

    /// Some of them.
    ///
    /// # Errors
    /// Where the table is not mirrored, or the database cannot be read.
    pub fn wanted_ids(&self, table: &str, limit: u32) -> Result<Vec<Uuid>> {
        let mut ids = self.read(|connection| wanted::some(connection, table, limit))?;
        let left = limit.saturating_sub(ids.len() as u32);
        ids.extend(self.stale_ids(table, left)?);
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// When a table's sync did what it does from time to time.
    ///
    /// # Errors
    /// Where the table is not mirrored, or the database cannot be read.
    pub fn stamps(&self, table: &str) -> Result<Stamps> {
        self.read(|connection| wanted::stamps(connection, table))
    }

    /// Notes when something was done.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn stamp(&self, table: &str, what: Stamp, now: i64) -> Result<()> {
        let table = table.to_owned();
        self.write(move |connection| wanted::stamp(connection, &table, what, now))
    }

    /// The organisation's metadata version that a table's last page carried.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn metadata_version(&self, table: &str) -> Result<Option<String>> {
        self.read(|connection| schema::metadata_version(connection, table))
    }
}
