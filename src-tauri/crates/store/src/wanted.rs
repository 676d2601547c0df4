//! Rows that a comparison of ids found missing or changed: they are read again by id.

use rusqlite::{Connection, OptionalExtension as _, params};
use salesmirror_model::PageEnd;
use uuid::Uuid;

use crate::checkpoint::{self, MarkColumn};
use crate::database::quoted;
use crate::ids::StoredId;
use crate::schema::data;
use crate::seen::Seen;
use crate::{Result, StoreError, written};

/// A row as a scan of ids gives it: its id, and its `versionnumber` or `modifiedon` where there is one.
pub type IdRow = (Uuid, Option<i64>);

/// Compares a page of ids with the mirror and moves the checkpoint past it, in one transaction.
pub fn compare(
    connection: &mut Connection,
    table: &str,
    rows: &[IdRow],
    column: Option<MarkColumn>,
    end: &PageEnd,
    asked: i64,
    now: i64,
) -> Result<()> {
    let transaction = connection.transaction()?;
    {
        let (data, value) = (data(table), stored(column));
        let mut find = transaction.prepare_cached(&format!(
            "SELECT _rowid, _deleted_at IS NOT NULL, {value} FROM {data} WHERE _id = ?"
        ))?;
        let written = written::since(&transaction, table, asked)?;
        let mut seen = Seen::new(&transaction, table);
        for (id, value) in rows {
            let stored = StoredId::from(*id);
            let known: Option<(i64, bool, Option<i64>)> = find
                .query_row([&stored], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let is_as_it_was = match known {
                Some((rowid, is_deleted, own)) => {
                    seen.mark(rowid)?;
                    if let (Some(value), Some(own)) = (value, own)
                        && *value < own
                        && column == Some(MarkColumn::Version)
                        && !written.contains(&stored)
                    {
                        distrust(&transaction, &data, rowid)?;
                    }
                    !is_deleted && (value.is_none() || *value == own)
                }
                None => false,
            };
            if !is_as_it_was {
                add(&transaction, table, stored)?;
            }
        }
        seen.save()?;
    }
    transaction.execute(
        "UPDATE mirrored SET metadata_version = coalesce(?2, metadata_version) WHERE name = ?1",
        params![table, end.metadata_version],
    )?;
    checkpoint::advance(&transaction, table, end.next_link.as_deref(), None, now)?;
    transaction.commit()?;
    Ok(())
}

/// Notes a row to be read again.
pub fn add(connection: &Connection, table: &str, id: StoredId) -> Result<()> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO wanted VALUES (?, ?)")?
        .execute(params![table, id])?;
    Ok(())
}

/// A version that is higher than the organisation's own, as after a restored backup, is taken for
/// none: it would keep the row from being replaced.
fn distrust(connection: &Connection, data: &str, rowid: i64) -> Result<()> {
    connection
        .prepare_cached(&format!(
            "UPDATE {data} SET _version = NULL WHERE _rowid = ?"
        ))?
        .execute([rowid])?;
    Ok(())
}

/// The ids of live rows with their versions, by id; for a proof that nothing differs.
pub fn live_ids(
    connection: &Connection,
    table: &str,
    column: Option<MarkColumn>,
) -> Result<Vec<IdRow>> {
    let mut statement = connection.prepare(&format!(
        "SELECT _id, {} FROM {} WHERE _deleted_at IS NULL",
        stored(column),
        data(table)
    ))?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, StoredId>(0)?.into(), row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes rows to be read again, and takes their versions for none.
pub fn want(connection: &mut Connection, table: &str, ids: &[Uuid]) -> Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut distrust = transaction.prepare_cached(&format!(
            "UPDATE {} SET _version = NULL WHERE _id = ?",
            data(table)
        ))?;
        for id in ids {
            add(&transaction, table, StoredId::from(*id))?;
            distrust.execute([StoredId::from(*id)])?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Some of the rows to be read again.
pub fn some(connection: &Connection, table: &str, limit: u32) -> Result<Vec<Uuid>> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM wanted WHERE table_name = ? LIMIT ?")?;
    let ids = statement.query_map(params![table, limit], |row| {
        Ok(row.get::<_, StoredId>(0)?.into())
    })?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// How many rows are to be read again.
pub fn count(connection: &Connection, table: &str) -> Result<u64> {
    Ok(connection
        .prepare_cached("SELECT count(*) FROM wanted WHERE table_name = ?")?
        .query_row([table], |row| row.get(0))?)
}

/// A row was read.
pub fn got(connection: &Connection, table: &str, id: StoredId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM wanted WHERE table_name = ? AND id = ?")?
        .execute(params![table, id])?;
    Ok(())
}

/// Forgets what was to be read again: every row comes, or the table is gone.
pub fn forget(connection: &Connection, table: &str) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM wanted WHERE table_name = ?")?
        .execute([table])?;
    Ok(())
}

/// When a table's sync did what it does from time to time, in ms since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamps {
    /// Ids were compared.
    pub ids_checked: Option<i64>,
    /// Change tracking was asked for.
    pub tracking_asked: Option<i64>,
    /// Mirror and organisation were proved to be equal.
    pub verified: Option<i64>,
}

pub fn stamps(connection: &Connection, table: &str) -> Result<Stamps> {
    connection
        .prepare_cached(
            "SELECT ids_checked_at, tracking_asked_at, verified_at FROM mirrored WHERE name = ?",
        )?
        .query_row([table], |row| {
            Ok(Stamps {
                ids_checked: row.get(0)?,
                tracking_asked: row.get(1)?,
                verified: row.get(2)?,
            })
        })
        .optional()?
        .ok_or_else(|| StoreError::UnknownTable(table.to_owned()))
}

/// Notes that change tracking was asked for, or that equality was proved.
pub fn stamp(connection: &Connection, table: &str, what: Stamp, now: i64) -> Result<()> {
    let column = match what {
        Stamp::TrackingAsked => "tracking_asked_at",
        Stamp::Verified => "verified_at",
    };
    connection.execute(
        &format!("UPDATE mirrored SET {column} = ?2 WHERE name = ?1"),
        params![table, now],
    )?;
    Ok(())
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// Change tracking was asked for and refused.
    TrackingAsked,
    /// Mirror and organisation were proved to be equal.
    Verified,
}

fn stored(column: Option<MarkColumn>) -> String {
    column.map_or_else(|| "NULL".to_owned(), |column| quoted(column.stored()))
}
