//! Marking rows as stale.

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use crate::ids::StoredId;
use crate::schema::{self, data};
use crate::{Mirror, Result};

impl Mirror {
    /// Marks all live rows of a table as stale; gives how many rows that are.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`](crate::StoreError::UnknownTable), or where the disk refuses.
    pub fn invalidate_table(&self, table: &str, now: i64) -> Result<u64> {
        let table = table.to_owned();
        self.write(move |connection| invalidate(connection, &table, None, now))
    }

    /// Marks live rows as stale; gives how many of the ids are live rows.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`](crate::StoreError::UnknownTable), or where the disk refuses.
    pub fn invalidate_records(&self, table: &str, ids: &[Uuid], now: i64) -> Result<u64> {
        let (table, ids) = (table.to_owned(), ids.to_vec());
        self.write(move |connection| invalidate(connection, &table, Some(&ids), now))
    }

    /// How many live rows are stale.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn stale_rows(&self, table: &str) -> Result<u64> {
        self.read(|connection| {
            let stale = connection
                .prepare_cached("SELECT stale FROM mirrored WHERE name = ?")?
                .query_row([table], |row| row.get(0))
                .optional()?;
            Ok(stale.unwrap_or(0))
        })
    }

    /// Ids of stale rows.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`](crate::StoreError::UnknownTable).
    pub fn stale_ids(&self, table: &str, limit: u32) -> Result<Vec<Uuid>> {
        self.read(|connection| {
            // The index on stale rows, not the one on live ones: the plus sign forbids it.
            let sql = format!(
                "SELECT _id FROM {} WHERE _stale_at IS NOT NULL AND +_deleted_at IS NULL LIMIT ?",
                data(table)
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let ids = statement.query_map([limit], |row| Ok(row.get::<_, StoredId>(0)?.into()))?;
            Ok(ids.collect::<Result<_, _>>()?)
        })
    }
}

/// Marks live rows as stale: all of them, or those with these ids. Gives how many are stale now
/// that were named.
fn invalidate(
    connection: &mut Connection,
    table: &str,
    ids: Option<&[Uuid]>,
    now: i64,
) -> Result<u64> {
    let transaction = connection.transaction()?;
    schema::known(&transaction, table)?;
    let data = data(table);
    let fresh = "_deleted_at IS NULL AND _stale_at IS NULL";
    let (named, marked) = match ids {
        None => {
            let named: i64 = transaction.query_row(
                "SELECT live FROM mirrored WHERE name = ?",
                [table],
                |row| row.get(0),
            )?;
            let sql = format!("UPDATE {data} SET _stale_at = ?1 WHERE {fresh}");
            (named as u64, transaction.execute(&sql, [now])?)
        }
        Some(ids) => {
            let (mut named, mut marked) = (0, 0);
            let count =
                format!("SELECT count(*) FROM {data} WHERE _id = ? AND _deleted_at IS NULL");
            let mark = format!("UPDATE {data} SET _stale_at = ?1 WHERE _id = ?2 AND {fresh}");
            for id in ids {
                let id = StoredId::from(*id);
                named += transaction
                    .prepare_cached(&count)?
                    .query_row([id], |row| row.get::<_, u64>(0))?;
                marked += transaction
                    .prepare_cached(&mark)?
                    .execute(params![now, id])?;
            }
            (named, marked)
        }
    };
    transaction.execute(
        "UPDATE mirrored SET stale = stale + ?2 WHERE name = ?1",
        params![table, marked as i64],
    )?;
    transaction.commit()?;
    Ok(named)
}
