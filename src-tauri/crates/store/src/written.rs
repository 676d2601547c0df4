//! Records that were written through this program lately. What was asked of the organisation before
//! such a write may tell how the record was before it, however late it is applied: a deleted record
//! would come back with it. Whatever is asked notes how many writes there had been, so that no clock
//! has to be trusted, in any number of processes.

use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::FxHashSet;
use uuid::Uuid;

use crate::ids::StoredId;
use crate::schema::{self, data};
use crate::{Mirror, Result, wanted};

/// How long a write is remembered, in ms: no answer takes a day.
const REMEMBERED: i64 = 86_400_000;
/// Writes that are forgotten with each new one.
const FORGOTTEN_AT_ONCE: u32 = 8;

impl Mirror {
    /// The number of the newest write. What is asked of the organisation from now on tells of it.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn newest_write(&self) -> Result<i64> {
        self.read(newest)
    }

    /// Notes that a record was written, or may have been, and that what became of it is not known:
    /// the next sync reads it by id. A live row is stale until then.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`](crate::StoreError::UnknownTable), or where the disk refuses.
    pub fn note_unread(&self, table: &str, id: Uuid, now: i64) -> Result<()> {
        let table = table.to_owned();
        self.write(move |connection| unread(connection, &table, id, now))
    }
}

/// The number of the newest write; 0 before the first.
pub fn newest(connection: &Connection) -> Result<i64> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'written'";
    let found = connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}

/// Records of a table that were written after this write.
pub fn since(connection: &Connection, table: &str, after: i64) -> Result<FxHashSet<StoredId>> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM written WHERE table_name = ? AND number > ?")?;
    let ids = statement.query_map(params![table, after], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Notes a write.
pub fn note(connection: &Connection, table: &str, id: StoredId, now: i64) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM written WHERE number IN \
             (SELECT number FROM written ORDER BY number LIMIT ?2) AND written_at < ?1",
        )?
        .execute(params![now - REMEMBERED, FORGOTTEN_AT_ONCE])?;
    connection
        .prepare_cached("INSERT INTO written (table_name, id, written_at) VALUES (?, ?, ?)")?
        .execute(params![table, id, now])?;
    Ok(())
}

/// Forgets a table's writes: it is mirrored no more.
pub fn forget(connection: &Connection, table: &str) -> Result<()> {
    connection.execute("DELETE FROM written WHERE table_name = ?", [table])?;
    Ok(())
}

fn unread(connection: &mut Connection, table: &str, id: Uuid, now: i64) -> Result<()> {
    let transaction = connection.transaction()?;
    schema::known(&transaction, table)?;
    let stored = StoredId::from(id);
    note(&transaction, table, stored, now)?;
    let data = data(table);
    let is_stale: Option<bool> = transaction
        .prepare_cached(&format!(
            "SELECT _stale_at IS NOT NULL FROM {data} WHERE _id = ? AND _deleted_at IS NULL"
        ))?
        .query_row([stored], |row| row.get(0))
        .optional()?;
    match is_stale {
        None => wanted::add(&transaction, table, stored)?,
        Some(true) => {}
        Some(false) => {
            transaction
                .prepare_cached(&format!("UPDATE {data} SET _stale_at = ? WHERE _id = ?"))?
                .execute(params![now, stored])?;
            transaction
                .prepare_cached("UPDATE mirrored SET stale = stale + 1 WHERE name = ?")?
                .execute([table])?;
        }
    }
    Ok(transaction.commit()?)
}
