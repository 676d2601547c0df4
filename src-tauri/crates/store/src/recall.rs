//! Reading the history back, and letting go of what is older than the admin keeps.

use rusqlite::{Connection, OptionalExtension as _, params};
use salesmirror_model::ColumnKind;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::history::What;
use crate::ids::StoredId;
use crate::schema::{self, data, queue, raw, search};
use crate::{Mirror, Result, StoreError, feed};

/// Something that happened to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// What it was.
    pub what: What,
    /// When it was seen, ms since 1970. The organisation changed it before.
    pub seen_at: i64,
    /// The run that it was seen in, where it was one.
    pub run: Option<i64>,
    /// The columns that changed.
    pub fields: Vec<FieldChange>,
}

/// A column that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Logical name.
    pub column: String,
    /// Its kind at that time.
    pub kind: ColumnKind,
    /// What it was; `None` for null.
    pub from: Option<Told>,
    /// What it became; `None` for null.
    pub to: Option<Told>,
}

/// A value as it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its JSON text, with the digits that were delivered.
    pub json: String,
    /// Its label, a lookup's name, or an amount as the organisation wrote it then.
    pub label: Option<String>,
    /// The table that a lookup pointed to.
    pub table: Option<String>,
}

/// What was let go of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Entries of the history.
    pub changes: u64,
    /// Deleted rows.
    pub rows: u64,
}

/// Deleted rows that go in one transaction: a tenth of a second's work.
const ROWS_AT_ONCE: u32 = 2_000;
/// Entries of the history that go in one transaction.
const CHANGES_AT_ONCE: u32 = 10_000;

impl Mirror {
    /// What happened to a record, the newest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn history(&self, table: &str, id: Uuid, limit: u32) -> Result<Vec<Happening>> {
        self.read(|connection| happenings(connection, table, id, limit))
    }

    /// How many deleted rows, and how many entries of the history, it holds: what no organisation
    /// gives again.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn irreplaceable(&self) -> Result<(u64, u64)> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT (SELECT coalesce(sum(dead), 0) FROM mirrored), \
                     (SELECT count(*) FROM history)",
                )?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
    }

    /// The number of the newest entry of the history; `None` where there is none.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn newest_change(&self) -> Result<Option<i64>> {
        self.read(|connection| {
            let sql = "SELECT max(number) FROM history";
            Ok(connection
                .prepare_cached(sql)?
                .query_row([], |row| row.get(0))?)
        })
    }

    /// Lets go of what was seen, or found deleted, before these times (ms since 1970). Call it while
    /// no sync is under way: numbers of rows that go are given again.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn purge(&self, changes: Option<i64>, deleted: Option<i64>) -> Result<Purged> {
        let mut purged = Purged::default();
        if let Some(before) = changes {
            purged.changes = in_steps(CHANGES_AT_ONCE, || {
                self.write(move |connection| purge_changes(connection, before))
            })?;
        }
        if let Some(before) = deleted {
            for state in self.tables()? {
                purged.rows += self.purge_deleted(&state.metadata.logical_name, before)?;
            }
        }
        Ok(purged)
    }

    /// Lets go of a table's rows that were found deleted before a time (ms since 1970), with all that
    /// is kept of them; gives how many. Call it while no sync is under way.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn purge_deleted(&self, table: &str, before: i64) -> Result<u64> {
        in_steps(ROWS_AT_ONCE, || {
            let table = table.to_owned();
            self.write(move |connection| purge_rows(connection, &table, before))
        })
    }
}

/// Repeats a step until it does less than it could; gives what all did.
fn in_steps(most: u32, mut step: impl FnMut() -> Result<u64>) -> Result<u64> {
    let mut all = 0;
    loop {
        let done = step()?;
        all += done;
        if done < u64::from(most) {
            return Ok(all);
        }
    }
}

/// Removes the oldest entries as far as they were seen before a time. Entries are numbered as they
/// are seen: those that are kept are not read.
fn purge_changes(connection: &mut Connection, before: i64) -> Result<u64> {
    let oldest: Option<i64> = connection
        .prepare_cached("SELECT seen_at FROM history ORDER BY number LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    if oldest.is_none_or(|seen_at| seen_at >= before) {
        return Ok(0);
    }
    let transaction = connection.transaction()?;
    let old = "seen_at < ?1 AND number IN (SELECT number FROM history ORDER BY number LIMIT ?2)";
    let which = params![before, CHANGES_AT_ONCE];
    let sql = format!("SELECT max(number) FROM history WHERE {old}");
    let newest = transaction.query_row(&sql, which, |row| row.get(0))?;
    let gone = transaction.execute(&format!("DELETE FROM history WHERE {old}"), which)?;
    feed::lose(&transaction, newest)?;
    transaction.commit()?;
    Ok(gone as u64)
}

fn happenings(
    connection: &Connection,
    table: &str,
    id: Uuid,
    limit: u32,
) -> Result<Vec<Happening>> {
    let mut statement = connection.prepare_cached(
        "SELECT what, seen_at, run, fields FROM history WHERE id = ?2 AND table_number = \
         (SELECT number FROM target WHERE name = ?1) ORDER BY number DESC LIMIT ?3",
    )?;
    let mut rows = statement.query(params![table, StoredId::from(id), limit])?;
    let mut happenings = Vec::new();
    while let Some(row) = rows.next()? {
        let fields: Option<String> = row.get(3)?;
        happenings.push(Happening {
            what: What::read(row.get(0)?).ok_or(StoreError::Damaged)?,
            seen_at: row.get(1)?,
            run: row.get(2)?,
            fields: match fields {
                Some(json) => field_changes(connection, &json)?,
                None => Vec::new(),
            },
        });
    }
    Ok(happenings)
}

pub fn field_changes(connection: &Connection, json: &str) -> Result<Vec<FieldChange>> {
    let fields: Vec<(i64, &RawValue, &RawValue)> = serde_json::from_str(json)?;
    let mut column =
        connection.prepare_cached("SELECT name, kind FROM history_column WHERE number = ?")?;
    let mut changes = Vec::with_capacity(fields.len());
    for (number, from, to) in fields {
        let found: Option<(String, String)> = column
            .query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (name, kind) = found.ok_or(StoreError::Damaged)?;
        changes.push(FieldChange {
            column: name,
            kind: serde_json::from_str(&kind)?,
            from: told(from)?,
            to: told(to)?,
        });
    }
    Ok(changes)
}

fn told(json: &RawValue) -> Result<Option<Told>> {
    let Some(parts) = serde_json::from_str::<Option<Vec<&RawValue>>>(json.get())? else {
        return Ok(None);
    };
    let text = |place: usize| -> Option<String> {
        let part: &&RawValue = parts.get(place)?;
        serde_json::from_str(part.get()).ok()
    };
    let value = parts.first().ok_or(StoreError::Damaged)?;
    Ok(Some(Told {
        json: value.get().to_owned(),
        label: text(1),
        table: text(2),
    }))
}

/// Removes rows that were found deleted before a time, with all that is kept of them.
fn purge_rows(connection: &mut Connection, table: &str, before: i64) -> Result<u64> {
    let transaction = connection.transaction()?;
    if schema::metadata(&transaction, table)?.is_none() {
        return Ok(0);
    }
    let data = data(table);
    let rows: Vec<(i64, StoredId)> = transaction
        .prepare_cached(&format!(
            "SELECT _rowid, _id FROM {data} WHERE _deleted_at < ? LIMIT ?"
        ))?
        .query_map(params![before, ROWS_AT_ONCE], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    if rows.is_empty() {
        return Ok(0);
    }
    {
        let mut statements = Vec::new();
        for (name, column) in [
            (raw(table), "_rowid"),
            (queue(table), "_rowid"),
            (search(table), "rowid"),
            (data.clone(), "_rowid"),
        ] {
            let sql = format!("DELETE FROM {name} WHERE {column} = ?");
            statements.push(transaction.prepare(&sql)?);
        }
        let of_row = "id = ?2 AND table_number = (SELECT number FROM target WHERE name = ?1)";
        let sql = format!("SELECT max(number) FROM history WHERE {of_row}");
        let mut newest_of = transaction.prepare(&sql)?;
        let mut history = transaction.prepare(&format!("DELETE FROM history WHERE {of_row}"))?;
        let mut newest: Option<i64> = None;
        for (rowid, id) in &rows {
            for statement in &mut statements {
                statement.execute([rowid])?;
            }
            newest = newest.max(newest_of.query_row(params![table, id], |row| row.get(0))?);
            history.execute(params![table, id])?;
        }
        feed::lose(&transaction, newest)?;
    }
    // The number of a row that is gone is given again: search must not take it for indexed.
    transaction.execute(
        &format!(
            "UPDATE mirrored SET dead = dead - ?2, indexed_through = \
             min(indexed_through, coalesce((SELECT max(_rowid) FROM {data}), 0)) WHERE name = ?1"
        ),
        params![table, rows.len() as i64],
    )?;
    transaction.commit()?;
    Ok(rows.len() as u64)
}
