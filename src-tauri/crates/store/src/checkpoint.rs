//! Where a table's sync stands. Every step is committed with the rows it follows from.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::history::{self, Noted, Tombstones};
use crate::ids::StoredId;
use crate::schema::data;
use crate::seen::{self, Seen};
use crate::{Result, StoreError, naming, wanted};

/// Where a table's sync stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkpoint {
    /// No sync is under way.
    Idle {
        /// Where the next incremental sync begins.
        delta_link: Option<String>,
        /// From where the next increment is read, in a table without change tracking.
        mark: Option<Mark>,
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
    /// Rows that changed since the mark are read, in a table without change tracking.
    Reading {
        /// The run's number.
        run: i64,
        /// Where the increment begins.
        mark: Option<Mark>,
        /// The next page; `None` before the first.
        next_link: Option<String>,
    },
    /// Ids are read, to be compared with the mirror's.
    Comparing {
        /// The run's number.
        run: i64,
        /// The next page; `None` before the first.
        next_link: Option<String>,
    },
    /// Every row was read; rows that did not come wait to become tombstones.
    Reconciling {
        /// The run's number.
        run: i64,
    },
}

/// A column by which changed rows are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkColumn {
    /// `versionnumber`: moves with every change.
    Version,
    /// `modifiedon`, in ms since 1970: the next best.
    Modified,
}

/// How far a table's changes were read, in a table without change tracking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The column.
    pub column: MarkColumn,
    /// The highest value that was there before the scan began.
    pub value: i64,
}

impl MarkColumn {
    /// The column's logical name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Version => "versionnumber",
            Self::Modified => "modifiedon",
        }
    }

    /// The SQL column that holds it.
    pub(crate) const fn stored(self) -> &'static str {
        match self {
            Self::Version => "_version",
            Self::Modified => "modifiedon",
        }
    }
}

impl Mark {
    fn write(self) -> String {
        format!("{} {}", self.column.name(), self.value)
    }

    fn read(text: &str) -> Option<Self> {
        let (name, value) = text.split_once(' ')?;
        let column = [MarkColumn::Version, MarkColumn::Modified]
            .into_iter()
            .find(|column| column.name() == name)?;
        Some(Self {
            column,
            value: value.parse().ok()?,
        })
    }
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
            "SELECT phase, run, tracked, next_link, delta_link, needs_full, mark FROM mirrored \
             WHERE name = ?",
        )?
        .query_row([table], |row| {
            let phase: String = row.get(0)?;
            let run = row.get(1)?;
            let mark: Option<String> = row.get(6)?;
            let mark = mark.as_deref().and_then(Mark::read);
            Ok(match phase.as_str() {
                "scanning" => Checkpoint::Scanning {
                    run,
                    tracked: row.get(2)?,
                    next_link: row.get(3)?,
                },
                "following" => Checkpoint::Following {
                    run,
                    next_link: row.get(3)?,
                },
                "reading" => Checkpoint::Reading {
                    run,
                    mark,
                    next_link: row.get(3)?,
                },
                "comparing" => Checkpoint::Comparing {
                    run,
                    next_link: row.get(3)?,
                },
                "reconciling" => Checkpoint::Reconciling { run },
                _ => Checkpoint::Idle {
                    delta_link: row.get(4)?,
                    mark,
                    needs_full: row.get(5)?,
                },
            })
        })
        .optional()?
        .ok_or_else(|| StoreError::UnknownTable(table.to_owned()))
}

/// A sync that begins, in place of whatever was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// Reads every row.
    Full {
        /// Whether changes are tracked.
        tracked: bool,
        /// Without tracking: the highest mark before the scan.
        mark: Option<Mark>,
    },
    /// Follows the delta link.
    Following,
    /// Reads what changed since the table's mark, then compares ids.
    Reading {
        /// The highest mark before the scan: where the next increment begins.
        next: Mark,
    },
    /// Compares ids.
    Comparing {
        /// The highest mark before the scan, where the table goes by marks.
        next: Option<Mark>,
    },
}

/// Begins a sync; gives the run's number.
pub fn begin(connection: &mut Connection, table: &str, begin: Begin, now: i64) -> Result<i64> {
    let transaction = connection.transaction()?;
    seen::forget(&transaction, table)?;
    let written = |mark: Option<Mark>| mark.map(Mark::write);
    match begin {
        Begin::Full { tracked, mark } => {
            wanted::forget(&transaction, table)?;
            transaction.execute(
                "UPDATE mirrored SET phase = 'scanning', run = run + 1, tracked = ?2, \
                 started_at = ?3, next_link = NULL, delta_link = NULL, pending_link = NULL, \
                 mark = NULL, pending_mark = ?4, needs_full = 1, \
                 tracking_asked_at = CASE WHEN ?2 THEN ?3 ELSE tracking_asked_at END \
                 WHERE name = ?1",
                params![table, tracked, now, written(mark)],
            )?
        }
        Begin::Following => transaction.execute(
            "UPDATE mirrored SET phase = 'following', run = run + 1, started_at = ?2, \
             next_link = delta_link, pending_mark = NULL WHERE name = ?1 AND delta_link IS NOT NULL",
            params![table, now],
        )?,
        Begin::Reading { next } => transaction.execute(
            "UPDATE mirrored SET phase = 'reading', run = run + 1, started_at = ?2, \
             next_link = NULL, pending_mark = ?3 WHERE name = ?1 AND mark IS NOT NULL",
            params![table, now, next.write()],
        )?,
        // A comparison that begins again keeps the mark that was taken before its increment.
        Begin::Comparing { next } => transaction.execute(
            "UPDATE mirrored SET phase = 'comparing', run = run + 1, started_at = ?2, \
             next_link = NULL, pending_mark = coalesce(?3, pending_mark) WHERE name = ?1",
            params![table, now, written(next)],
        )?,
    };
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
        // What came in an increment says nothing of what is still there.
        Checkpoint::Reading { .. } => {
            seen::forget(connection, table)?;
            connection.execute(
                "UPDATE mirrored SET phase = 'comparing', next_link = NULL WHERE name = ?1",
                [table],
            )?
        }
        Checkpoint::Comparing { .. } => connection.execute(
            "UPDATE mirrored SET phase = 'reconciling', next_link = NULL WHERE name = ?1",
            [table],
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
    let examples = missing.iter().take(EXAMPLES);
    let examples = examples
        .map(|rowid| naming::name(connection, table, primary_name, "_rowid", rowid))
        .collect::<Result<_>>()?;
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
pub fn reconcile(connection: &mut Connection, table: &str, noted: Noted) -> Result<u64> {
    let now = noted.seen_at;
    let transaction = connection.transaction()?;
    let Checkpoint::Reconciling { .. } = read(&transaction, table)? else {
        return Ok(0);
    };
    let data = data(table);
    let missing = missing(&transaction, table)?;
    let mut stale = 0;
    {
        let mut find = transaction.prepare(&format!(
            "SELECT _id, _stale_at IS NOT NULL FROM {data} WHERE _rowid = ?"
        ))?;
        let mut tombstones = Tombstones::new(&transaction, table, noted)?;
        let mut mark = transaction.prepare(&format!(
            "UPDATE {data} SET _deleted_at = ?2, _stale_at = NULL WHERE _rowid = ?1"
        ))?;
        for rowid in &missing {
            let (id, is_stale): (StoredId, i64) =
                find.query_row([rowid], |row| Ok((row.get(0)?, row.get(1)?)))?;
            stale += is_stale;
            mark.execute([rowid, &now])?;
            tombstones.note(id)?;
        }
    }
    transaction.execute(
        "UPDATE mirrored SET phase = 'idle', delta_link = coalesce(pending_link, delta_link), \
         pending_link = NULL, mark = coalesce(pending_mark, mark), pending_mark = NULL, \
         needs_full = (coalesce(pending_link, delta_link, pending_mark, mark) IS NULL), \
         ids_checked_at = ?2, last_sync = ?2, live = live - ?3, dead = dead + ?3, \
         stale = stale - ?4 WHERE name = ?1",
        params![table, now, missing.len() as i64, stale],
    )?;
    seen::forget(&transaction, table)?;
    history::end_filling(&transaction, table)?;
    transaction.commit()?;
    Ok(missing.len() as u64)
}

/// Ends a full sync without tombstones: the next sync reads every row again.
pub fn keep_rows(connection: &Connection, table: &str, now: i64) -> Result<()> {
    connection.execute(
        "UPDATE mirrored SET phase = 'idle', pending_link = NULL, delta_link = NULL, \
         mark = NULL, pending_mark = NULL, needs_full = 1, last_sync = ?2 WHERE name = ?1 AND phase = 'reconciling'",
        params![table, now],
    )?;
    Ok(())
}

/// Forgets all links: the next sync reads every row.
pub fn restart(connection: &Connection, table: &str) -> Result<()> {
    connection.execute(
        "UPDATE mirrored SET phase = 'idle', next_link = NULL, delta_link = NULL, \
         pending_link = NULL, mark = NULL, pending_mark = NULL, needs_full = 1 WHERE name = ?",
        [table],
    )?;
    Ok(())
}
