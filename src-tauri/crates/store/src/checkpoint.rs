//! Where a table's sync stands. Every step is committed with the rows it follows from.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::database::quoted;
use crate::schema::data;
use crate::seen::{self, Seen};
use crate::{Result, StoreError};

/// Where a table's sync stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkpoint {
    /// No sync is under way.
    Idle {
        /// Where the next incremental sync begins.
        delta_link: Option<String>,
        /// The next sync has to read every row.
        needs_full: bool,
    },
    /// A full sync is under way.
    Scanning {
        /// Its number.
        run: i64,
        /// The next page; `None` before the first.
        next_link: Option<String>,
        /// Whether changes are tracked.
        tracked: bool,
    },
    /// An incremental sync is under way.
    Following {
        /// Its number.
        run: i64,
        /// The next page.
        next_link: String,
    },
    /// Every row was read; rows that did not come wait to become tombstones.
    Reconciling {
        /// The run's number.
        run: i64,
    },
}

/// What reconciliation would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Live rows that did not come.
    pub would_delete: u64,
    /// Live rows in all.
    pub live_before: u64,
    /// Rows that came.
    pub seen: u64,
    /// Names of some that did not come.
    pub examples: Vec<String>,
}

/// How many examples a preview names.
const EXAMPLES: usize = 5;

pub fn read(connection: &Connection, table: &str) -> Result<Checkpoint> {
    connection
        .prepare_cached(
            "SELECT phase, run, tracked, next_link, delta_link, needs_full FROM mirrored WHERE name = ?",
        )?
        .query_row([table], |row| {
            let phase: String = row.get(0)?;
            let run = row.get(1)?;
            Ok(match phase.as_str() {
                "scanning" => Checkpoint::Scanning { run, tracked: row.get(2)?, next_link: row.get(3)? },
                "following" => Checkpoint::Following { run, next_link: row.get(3)? },
                "reconciling" => Checkpoint::Reconciling { run },
                _ => Checkpoint::Idle { delta_link: row.get(4)?, needs_full: row.get(5)? },
            })
        })
        .optional()?
        .ok_or_else(|| StoreError::UnknownTable(table.to_owned()))
}

/// Begins a full sync, in place of whatever was under way.
pub fn begin_full(
    connection: &mut Connection,
    table: &str,
    tracked: bool,
    now: i64,
) -> Result<i64> {
    let transaction = connection.transaction()?;
    seen::forget(&transaction, table)?;
    transaction.execute(
        "UPDATE mirrored SET phase = 'scanning', run = run + 1, tracked = ?2, started_at = ?3, \
         next_link = NULL, delta_link = NULL, pending_link = NULL, needs_full = 1 WHERE name = ?1",
        params![table, tracked, now],
    )?;
    let run = current_run(&transaction, table)?;
    transaction.commit()?;
    Ok(run)
}

/// Begins an incremental sync at the table's delta link.
pub fn begin_incremental(connection: &mut Connection, table: &str, now: i64) -> Result<i64> {
    let transaction = connection.transaction()?;
    seen::forget(&transaction, table)?;
    transaction.execute(
        "UPDATE mirrored SET phase = 'following', run = run + 1, started_at = ?2, \
         next_link = delta_link WHERE name = ?1 AND delta_link IS NOT NULL",
        params![table, now],
    )?;
    let run = current_run(&transaction, table)?;
    transaction.commit()?;
    Ok(run)
}

fn current_run(connection: &Connection, table: &str) -> Result<i64> {
    connection
        .query_row("SELECT run FROM mirrored WHERE name = ?", [table], |row| {
            row.get(0)
        })
        .optional()?
        .ok_or_else(|| StoreError::UnknownTable(table.to_owned()))
}

/// Moves the checkpoint past a page, in the page's transaction.
pub fn advance(
    connection: &Connection,
    table: &str,
    next: Option<&str>,
    delta: Option<&str>,
    now: i64,
) -> Result<()> {
    if let Some(next) = next {
        connection
            .prepare_cached("UPDATE mirrored SET next_link = ?2 WHERE name = ?1")?
            .execute(params![table, next])?;
        return Ok(());
    }
    match read(connection, table)? {
        Checkpoint::Scanning { .. } => connection.execute(
            "UPDATE mirrored SET phase = 'reconciling', next_link = NULL, pending_link = ?2 \
             WHERE name = ?1",
            params![table, delta],
        )?,
        // Without a new delta link the used one is still good.
        Checkpoint::Following { .. } => connection.execute(
            "UPDATE mirrored SET phase = 'idle', next_link = NULL, needs_full = 0, last_sync = ?3, \
             delta_link = coalesce(?2, delta_link) WHERE name = ?1",
            params![table, delta, now],
        )?,
        _ => 0,
    };
    Ok(())
}

pub fn preview(
    connection: &Connection,
    table: &str,
    primary_name: Option<&str>,
) -> Result<Preview> {
    let missing = missing(connection, table)?;
    let live_before =
        connection.query_row("SELECT live FROM mirrored WHERE name = ?", [table], |row| {
            row.get(0)
        })?;
    let mut examples = Vec::new();
    if let Some(column) = primary_name {
        let mut name = connection.prepare(&format!(
            "SELECT {column} FROM {} WHERE _rowid = ? AND {column} IS NOT NULL",
            data(table),
            column = quoted(column)
        ))?;
        for rowid in &missing {
            if examples.len() == EXAMPLES {
                break;
            }
            examples.extend(name.query_row([rowid], |row| row.get(0)).optional()?);
        }
    }
    Ok(Preview {
        would_delete: missing.len() as u64,
        live_before,
        seen: seen::count(connection, table)?,
        examples,
    })
}

/// Live rows that did not come in the run.
fn missing(connection: &Connection, table: &str) -> Result<Vec<i64>> {
    let mut seen = Seen::new(connection, table);
    // The index on `_deleted_at` holds the row numbers: no wide row is read.
    let mut live = connection.prepare(&format!(
        "SELECT _rowid FROM {} WHERE _deleted_at IS NULL ORDER BY _rowid",
        data(table)
    ))?;
    let mut rows = live.query([])?;
    let mut missing = Vec::new();
    while let Some(row) = rows.next()? {
        let rowid = row.get(0)?;
        if !seen.contains(rowid)? {
            missing.push(rowid);
        }
    }
    Ok(missing)
}

/// Turns rows that did not come into tombstones and promotes the delta link, in one transaction.
pub fn reconcile(connection: &mut Connection, table: &str, now: i64) -> Result<u64> {
    let transaction = connection.transaction()?;
    let Checkpoint::Reconciling { .. } = read(&transaction, table)? else {
        return Ok(0);
    };
    let data = data(table);
    let missing = missing(&transaction, table)?;
    let mut stale = 0;
    {
        let mut is_stale = transaction.prepare(&format!(
            "SELECT _stale_at IS NOT NULL FROM {data} WHERE _rowid = ?"
        ))?;
        let mut mark = transaction.prepare(&format!(
            "UPDATE {data} SET _deleted_at = ?2, _stale_at = NULL WHERE _rowid = ?1"
        ))?;
        for rowid in &missing {
            stale += is_stale.query_row([rowid], |row| row.get::<_, i64>(0))?;
            mark.execute([rowid, &now])?;
        }
    }
    transaction.execute(
        "UPDATE mirrored SET phase = 'idle', delta_link = pending_link, pending_link = NULL, \
         needs_full = (pending_link IS NULL), last_sync = ?2, live = live - ?3, dead = dead + ?3, \
         stale = stale - ?4 WHERE name = ?1",
        params![table, now, missing.len() as i64, stale],
    )?;
    seen::forget(&transaction, table)?;
    transaction.commit()?;
    Ok(missing.len() as u64)
}

/// Ends a full sync without tombstones: the next sync reads every row again.
pub fn keep_rows(connection: &Connection, table: &str, now: i64) -> Result<()> {
    connection.execute(
        "UPDATE mirrored SET phase = 'idle', pending_link = NULL, delta_link = NULL, \
         needs_full = 1, last_sync = ?2 WHERE name = ?1 AND phase = 'reconciling'",
        params![table, now],
    )?;
    Ok(())
}

/// Forgets all links: the next sync reads every row.
pub fn restart(connection: &Connection, table: &str) -> Result<()> {
    connection.execute(
        "UPDATE mirrored SET phase = 'idle', next_link = NULL, delta_link = NULL, \
         pending_link = NULL, needs_full = 1 WHERE name = ?",
        [table],
    )?;
    Ok(())
}
