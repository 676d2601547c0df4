//! Where a table's sync stands. Every step is committed with the rows it follows from.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::database::quoted;
use crate::schema::data;
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
const EXAMPLES: u32 = 5;

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
pub fn begin_full(connection: &Connection, table: &str, tracked: bool, now: i64) -> Result<i64> {
    connection.execute(
        "UPDATE mirrored SET phase = 'scanning', run = run + 1, tracked = ?2, started_at = ?3, \
         next_link = NULL, delta_link = NULL, pending_link = NULL, needs_full = 1 WHERE name = ?1",
        params![table, tracked, now],
    )?;
    current_run(connection, table)
}

/// Begins an incremental sync at the table's delta link.
pub fn begin_incremental(connection: &Connection, table: &str, now: i64) -> Result<i64> {
    connection.execute(
        "UPDATE mirrored SET phase = 'following', run = run + 1, started_at = ?2, \
         next_link = delta_link WHERE name = ?1 AND delta_link IS NOT NULL",
        params![table, now],
    )?;
    current_run(connection, table)
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
    let data = data(table);
    let run = current_run(connection, table)?;
    let (would_delete, seen) = connection.query_row(
        &format!(
            "SELECT count(*) FILTER (WHERE _run < ?1 AND _deleted_at IS NULL), \
             count(*) FILTER (WHERE _run >= ?1) FROM {data}"
        ),
        [run],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let live_before =
        connection.query_row("SELECT live FROM mirrored WHERE name = ?", [table], |row| {
            row.get(0)
        })?;
    let examples = match primary_name {
        None => Vec::new(),
        Some(column) => connection
            .prepare(&format!(
                "SELECT {column} FROM {data} WHERE _run < ?1 AND _deleted_at IS NULL \
                 AND {column} IS NOT NULL LIMIT {EXAMPLES}",
                column = quoted(column)
            ))?
            .query_map([run], |row| row.get(0))?
            .collect::<Result<_, _>>()?,
    };
    Ok(Preview {
        would_delete,
        live_before,
        seen,
        examples,
    })
}

/// Turns rows that did not come into tombstones and promotes the delta link, in one transaction.
pub fn reconcile(connection: &mut Connection, table: &str, now: i64) -> Result<u64> {
    let transaction = connection.transaction()?;
    let Checkpoint::Reconciling { run } = read(&transaction, table)? else {
        return Ok(0);
    };
    let data = data(table);
    let stale: i64 = transaction.query_row(
        &format!(
            "SELECT count(*) FROM {data} \
             WHERE _run < ?1 AND _deleted_at IS NULL AND _stale_at IS NOT NULL"
        ),
        [run],
        |row| row.get(0),
    )?;
    let deleted = transaction.execute(
        &format!(
            "UPDATE {data} SET _deleted_at = ?2, _stale_at = NULL \
             WHERE _run < ?1 AND _deleted_at IS NULL"
        ),
        [run, now],
    )?;
    transaction.execute(
        "UPDATE mirrored SET phase = 'idle', delta_link = pending_link, pending_link = NULL, \
         needs_full = (pending_link IS NULL), last_sync = ?2, live = live - ?3, dead = dead + ?3, \
         stale = stale - ?4 WHERE name = ?1",
        params![table, now, deleted as i64, stale],
    )?;
    transaction.commit()?;
    Ok(deleted as u64)
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
