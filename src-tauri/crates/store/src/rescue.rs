//! What a damaged mirror holds that no organisation gives again: deleted rows and the history.
//!
//! Everything is read by its own number, so that a page that is gone takes only what was on it.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use salesmirror_model::{ColumnMetadata, TableMetadata};
use serde_json::value::RawValue;

use crate::codec::{Codec, NO_DICTIONARY, compressor};
use crate::database::{self, PageHmac, quoted};
use crate::history::{What, column_number, table_number};
use crate::ids::StoredId;
use crate::schema::{data, raw, target_column};
use crate::{DatabaseKey, Mirror, Result, StoreError};

/// What was saved of a damaged mirror.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rescued {
    /// Deleted rows.
    pub tombstones: u64,
    /// Entries of the history.
    pub changes: u64,
    /// Deleted rows and entries that could not be read.
    pub lost: u64,
    /// Even how many there were could not be read everywhere: `lost` is the least.
    pub is_uncounted: bool,
}

/// Rows that are written in one transaction.
const ROWS_AT_ONCE: usize = 500;
/// Stands for a record that cannot be read where the row's values can.
const NO_RECORD: &[u8] = b"{}";

/// A deleted row as it was read.
pub struct Tombstone {
    id: StoredId,
    version: Option<i64>,
    deleted_at: i64,
    values: Vec<Value>,
    /// Of each lookup: its table and its name.
    lookups: Vec<(Option<String>, Option<String>)>,
    record: Vec<u8>,
}

/// An entry of the history as it was read.
struct Entry {
    number: i64,
    table: String,
    id: StoredId,
    seen_at: i64,
    run: Option<i64>,
    what: What,
    fields: Option<Vec<Field>>,
}

/// A column's name and kind, what it was, what it became.
type Field = (String, String, Box<RawValue>, Box<RawValue>);

impl Mirror {
    /// Copies what can still be read of a damaged mirror's deleted rows and history into a new one,
    /// before its first sync. What is there already stays and is not counted as saved: a second copy
    /// ([`Mirror::copy_irreplaceable`]) gives what the mirror itself could not.
    ///
    /// # Errors
    /// Where the new mirror cannot be written. What cannot be read is counted, not an error.
    pub fn rescue(damaged: &Path, key: &DatabaseKey, into: &Self) -> Result<Rescued> {
        let mut rescued = Rescued::default();
        let Ok(old) = database::open_damaged(damaged, key, PageHmac::Sha256) else {
            rescued.is_uncounted = true;
            return Ok(rescued);
        };
        let targets = names(&old, "SELECT number, name FROM target", &mut rescued);
        let (tables, is_whole) = tables(&old);
        rescued.is_uncounted |= !is_whole;
        for (table, dead) in tables {
            into.define_table(&table)?;
            rescue_rows(&old, into, &table, dead, &targets, &mut rescued)?;
        }
        rescue_history(&old, into, &targets, &mut rescued)?;
        Ok(rescued)
    }
}

/// The tables whose metadata can be read with their deleted rows, and whether these are all.
fn tables(old: &Connection) -> (Vec<(TableMetadata, u64)>, bool) {
    let mut tables = Vec::new();
    let whole = (|| -> Result<()> {
        let mut statement = old.prepare("SELECT metadata, dead FROM mirrored ORDER BY position")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let metadata: String = row.get(0)?;
            tables.push((serde_json::from_str(&metadata)?, row.get(1)?));
        }
        Ok(())
    })();
    (tables, whole.is_ok())
}

fn names(old: &Connection, sql: &str, rescued: &mut Rescued) -> HashMap<i64, String> {
    let mut names = HashMap::new();
    let whole = (|| -> rusqlite::Result<()> {
        let mut statement = old.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            names.insert(row.get(0)?, row.get(1)?);
        }
        Ok(())
    })();
    rescued.is_uncounted |= whole.is_err();
    names
}

pub fn rescue_rows(
    old: &Connection,
    into: &Mirror,
    table: &TableMetadata,
    dead: u64,
    targets: &HashMap<i64, String>,
    rescued: &mut Rescued,
) -> Result<()> {
    let codec = Codec::default();
    let mut saved = 0;
    let mut waiting = Vec::new();
    for rowid in tombstone_numbers(old, table) {
        if let Ok(Some(found)) = read_tombstone(old, &codec, table, rowid, targets) {
            waiting.push(found);
        }
        if waiting.len() == ROWS_AT_ONCE {
            saved += write_tombstones(into, table, std::mem::take(&mut waiting))?;
        }
    }
    saved += write_tombstones(into, table, waiting)?;
    rescued.tombstones += saved;
    rescued.lost += dead.saturating_sub(saved);
    Ok(())
}

/// Numbers of rows that may be deleted ones: by the index, else all there can be.
fn tombstone_numbers(old: &Connection, table: &TableMetadata) -> Vec<i64> {
    let name = data(&table.logical_name);
    let by_index = || -> rusqlite::Result<Vec<i64>> {
        old.prepare(&format!(
            "SELECT _rowid FROM {name} WHERE _deleted_at IS NOT NULL"
        ))?
        .query_map([], |row| row.get(0))?
        .collect()
    };
    let last = |sql: &str| old.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
    by_index().unwrap_or_else(|_| {
        let last = last(&format!("SELECT max(_rowid) FROM {name}"))
            .or_else(|_| last("SELECT max(live + dead) FROM mirrored"));
        (1..=last.ok().flatten().unwrap_or(0)).collect()
    })
}

pub fn read_tombstone(
    old: &Connection,
    codec: &Codec,
    table: &TableMetadata,
    rowid: i64,
    targets: &HashMap<i64, String>,
) -> Result<Option<Tombstone>> {
    let name = &table.logical_name;
    let sql = format!(
        "SELECT _id, _version, _deleted_at{} FROM {} WHERE _rowid = ? AND _deleted_at IS NOT NULL",
        column_list(table),
        data(name)
    );
    let mut statement = old.prepare_cached(&sql)?;
    let mut rows = statement.query([rowid])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let (mut values, mut lookups) = (Vec::new(), Vec::new());
    let mut place = 3;
    for column in &table.columns {
        let value: Value = row.get(place)?;
        place += 1;
        if column.kind.is_lookup() {
            let number: Option<i64> = row.get(place)?;
            place += 1;
            lookups.push((
                number.and_then(|number| targets.get(&number).cloned()),
                number.and_then(|number| lookup_name(old, number, &value)),
            ));
        }
        values.push(value);
    }
    Ok(Some(Tombstone {
        id: row.get(0)?,
        version: row.get(1)?,
        deleted_at: row.get(2)?,
        values,
        lookups,
        record: read_record(old, codec, name, rowid).unwrap_or_else(|_| NO_RECORD.to_vec()),
    }))
}

fn read_record(old: &Connection, codec: &Codec, table: &str, rowid: i64) -> Result<Vec<u8>> {
    let sql = format!(
        "SELECT dictionary, bytes FROM {} WHERE _rowid = ?",
        raw(table)
    );
    let (number, bytes): (i64, Vec<u8>) = old
        .prepare_cached(&sql)?
        .query_row([rowid], |row| Ok((row.get(0)?, row.get(1)?)))?;
    codec.decode(old, number, &bytes)
}

fn lookup_name(old: &Connection, target: i64, id: &Value) -> Option<String> {
    let sql = "SELECT name FROM lookup_name WHERE target = ? AND id = ?";
    let mut statement = old.prepare_cached(sql).ok()?;
    let parameters: [&dyn rusqlite::ToSql; 2] = [&target, id];
    statement.query_row(parameters, |row| row.get(0)).ok()
}

fn column_list(table: &TableMetadata) -> String {
    let listed = |column: &ColumnMetadata| {
        let own = format!(", {}", quoted(&column.logical_name));
        match column.kind.is_lookup() {
            true => format!("{own}, {}", target_column(&column.logical_name)),
            false => own,
        }
    };
    table.columns.iter().map(listed).collect()
}

pub fn write_tombstones(into: &Mirror, table: &TableMetadata, rows: Vec<Tombstone>) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let table = table.clone();
    into.write(move |connection| {
        let transaction = connection.transaction()?;
        let mut saved = 0;
        for row in rows {
            saved += u64::from(write_tombstone(&transaction, &table, row)?);
        }
        transaction.execute(
            "UPDATE mirrored SET dead = dead + ?2 WHERE name = ?1",
            rusqlite::params![table.logical_name, saved],
        )?;
        transaction.commit()?;
        Ok(saved)
    })
}

fn write_tombstone(connection: &Connection, table: &TableMetadata, row: Tombstone) -> Result<bool> {
    let name = &table.logical_name;
    let mut values = vec![
        Value::Blob(row.id.0.to_vec()),
        row.version.map_or(Value::Null, Value::Integer),
        Value::Integer(row.deleted_at),
    ];
    let mut lookups = row.lookups.into_iter();
    for (column, value) in table.columns.iter().zip(row.values) {
        let target = match column.kind.is_lookup() {
            true => Some(lookups.next().unwrap_or_default()),
            false => None,
        };
        let Some((target, label)) = target else {
            values.push(value);
            continue;
        };
        let number = match &target {
            Some(target) => Some(table_number(connection, target)?),
            None => None,
        };
        if let (Some(number), Some(label), Value::Blob(id)) = (number, label, &value) {
            connection.execute(
                "INSERT OR IGNORE INTO lookup_name VALUES (?, ?, ?)",
                rusqlite::params![number, id, label],
            )?;
        }
        values.push(value);
        values.push(number.map_or(Value::Null, Value::Integer));
    }
    let marks = vec!["?"; values.len()].join(", ");
    let sql = format!(
        "INSERT OR IGNORE INTO {} (_id, _version, _deleted_at{}) VALUES ({marks})",
        data(name),
        column_list(table)
    );
    let written = connection
        .prepare_cached(&sql)?
        .execute(params_from_iter(values))?;
    if written == 0 {
        return Ok(false);
    }
    let rowid = connection.last_insert_rowid();
    let bytes = compressor(None)?
        .compress(&row.record)
        .map_err(|error| StoreError::Unreadable(error.to_string()))?;
    connection
        .prepare_cached(&format!("INSERT INTO {} VALUES (?, ?, ?)", raw(name)))?
        .execute(rusqlite::params![rowid, NO_DICTIONARY, bytes])?;
    Ok(true)
}

fn rescue_history(
    old: &Connection,
    into: &Mirror,
    targets: &HashMap<i64, String>,
    rescued: &mut Rescued,
) -> Result<()> {
    let has_history = old.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name = 'history'",
        [],
        |row| row.get::<_, i64>(0),
    );
    // An older mirror kept none.
    if has_history == Ok(0) {
        return Ok(());
    }
    let columns = names(
        old,
        "SELECT number, json_array(name, kind) FROM history_column",
        rescued,
    );
    let count = |sql: &str| old.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
    let last = count("SELECT max(number) FROM history")
        .or_else(|_| count("SELECT count(*) FROM history INDEXED BY history_by_record"));
    let Ok(last) = last else {
        rescued.is_uncounted = true;
        return Ok(());
    };
    let mut waiting = Vec::new();
    for number in 1..=last.unwrap_or(0) {
        match read_entry(old, number, targets, &columns) {
            Ok(Some(entry)) => waiting.push(entry),
            Ok(None) => {}
            Err(_) => rescued.lost += 1,
        }
        if waiting.len() == ROWS_AT_ONCE {
            rescued.changes += write_entries(into, std::mem::take(&mut waiting))?;
        }
    }
    rescued.changes += write_entries(into, waiting)?;
    Ok(())
}

fn read_entry(
    old: &Connection,
    number: i64,
    targets: &HashMap<i64, String>,
    columns: &HashMap<i64, String>,
) -> Result<Option<Entry>> {
    let found = old
        .prepare_cached(
            "SELECT table_number, id, seen_at, run, what, fields FROM history WHERE number = ?",
        )?
        .query_row([number], |row| {
            let table: i64 = row.get(0)?;
            let fields: Option<String> = row.get(5)?;
            let entry = Entry {
                number,
                table: targets.get(&table).cloned().unwrap_or_default(),
                id: row.get(1)?,
                seen_at: row.get(2)?,
                run: row.get(3)?,
                what: What::read(row.get(4)?).unwrap_or(What::Changed),
                fields: None,
            };
            Ok((entry, fields))
        })
        .optional()?;
    let Some((mut entry, fields)) = found else {
        return Ok(None);
    };
    if entry.table.is_empty() {
        return Err(StoreError::Damaged);
    }
    if let Some(json) = fields {
        let numbered: Vec<(i64, Box<RawValue>, Box<RawValue>)> = serde_json::from_str(&json)?;
        let mut fields = Vec::with_capacity(numbered.len());
        for (number, from, to) in numbered {
            let column = columns.get(&number).ok_or(StoreError::Damaged)?;
            let (name, kind) = serde_json::from_str(column)?;
            fields.push((name, kind, from, to));
        }
        entry.fields = Some(fields);
    }
    Ok(Some(entry))
}

/// Writes entries under the numbers that they had; gives how many were not there yet.
fn write_entries(into: &Mirror, entries: Vec<Entry>) -> Result<u64> {
    if entries.is_empty() {
        return Ok(0);
    }
    into.write(move |connection| {
        let transaction = connection.transaction()?;
        let mut saved = 0;
        for entry in entries {
            saved += write_entry(&transaction, entry)? as u64;
        }
        transaction.commit()?;
        Ok(saved)
    })
}

fn write_entry(connection: &Connection, entry: Entry) -> Result<usize> {
    let table = table_number(connection, &entry.table)?;
    let fields = match entry.fields {
        None => None,
        Some(named) => {
            let mut numbered = Vec::with_capacity(named.len());
            for (name, kind, from, to) in named {
                let number = column_number(connection, table, &name, &kind)?;
                numbered.push((number, from, to));
            }
            Some(serde_json::to_string(&numbered)?)
        }
    };
    Ok(connection
        .prepare_cached("INSERT OR IGNORE INTO history VALUES (?, ?, ?, ?, ?, ?, ?)")?
        .execute(rusqlite::params![
            entry.number,
            table,
            entry.id,
            entry.seen_at,
            entry.run,
            entry.what.number(),
            fields
        ])?)
}
