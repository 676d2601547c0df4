//! Marking rows as stale.

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::ids::StoredId;
use crate::schema::{self, data};
use crate::{Result, StoreError};

/// Marks live rows as stale: all of them, or those with these ids. Gives how many are stale now
/// that were named.
pub fn invalidate(
    connection: &mut Connection,
    table: &str,
    ids: Option<&[Uuid]>,
    now: i64,
) -> Result<u64> {
    let transaction = connection.transaction()?;
    if schema::metadata(&transaction, table)?.is_none() {
        return Err(StoreError::UnknownTable(table.to_owned()));
    }
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
