//! What other rows say of some rows, asked for a page of rows at once.

use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::database::quoted;
use crate::history::What;
use crate::ids::StoredId;
use crate::row::{Reader, Row};
use crate::schema::{self, data};
use crate::view::column;
use crate::{Mirror, Result};

/// Below this many rows a table is read through as quickly as an index is.
const INDEX_FROM_ROWS: u64 = 5_000;

impl Mirror {
    /// Rows by their ids, with these columns; what the mirror has not is left out.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`](crate::StoreError::UnknownTable), [`StoreError::UnknownColumn`](crate::StoreError::UnknownColumn).
    pub fn rows_of(&self, table: &str, ids: &[Uuid], columns: &[&str]) -> Result<Vec<Row>> {
        self.read(|connection| {
            let sql = format!("SELECT _rowid FROM {} WHERE _id = ?", data(table));
            read(connection, self, table, columns, |_| {
                let mut find = connection.prepare_cached(&sql)?;
                let mut rowids = Vec::with_capacity(ids.len());
                for id in ids {
                    let found = find.query_row([StoredId::from(*id)], |row| row.get::<_, i64>(0));
                    rowids.extend(found.optional()?);
                }
                Ok(rowids)
            })
        })
    }

    /// Live rows whose lookup points to one of these ids, with these columns. [`Mirror::keep_lookup`]
    /// makes it quick for large tables.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`](crate::StoreError::UnknownTable), [`StoreError::UnknownColumn`](crate::StoreError::UnknownColumn).
    pub fn rows_pointing_to(
        &self,
        table: &str,
        lookup: &str,
        ids: &[Uuid],
        columns: &[&str],
    ) -> Result<Vec<Row>> {
        self.read(|connection| {
            read(connection, self, table, columns, |metadata| {
                let own = quoted(&column(metadata, lookup)?.logical_name);
                let sql = format!(
                    "SELECT _rowid FROM {} WHERE {own} IN rarray(?) AND +_deleted_at IS NULL",
                    data(table)
                );
                let stored = |id: &Uuid| Value::Blob(StoredId::from(*id).0.to_vec());
                let ids: Rc<Vec<Value>> = Rc::new(ids.iter().map(stored).collect());
                let mut statement = connection.prepare_cached(&sql)?;
                let rows = statement.query_map([ids], |row| row.get(0))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
        })
    }

    /// Makes the index that finds rows by a lookup, where the table is large. Call it after what it
    /// serves was answered.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`](crate::StoreError::UnknownTable), [`StoreError::UnknownColumn`](crate::StoreError::UnknownColumn), or where the disk refuses.
    pub fn keep_lookup(&self, table: &str, lookup: &str) -> Result<()> {
        let index = format!("lookup_{table}_{lookup}");
        let wanted = self.read(|connection| {
            let metadata = schema::known(connection, table)?;
            let own = quoted(&column(&metadata, lookup)?.logical_name);
            let (rows, is_there): (u64, bool) = connection.query_row(
                "SELECT live + dead, EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'index' \
                 AND name = ?2) FROM mirrored WHERE name = ?1",
                [table, &index],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let sql = format!(
                "CREATE INDEX IF NOT EXISTS {} ON {} ({own})",
                quoted(&index),
                data(table)
            );
            Ok((rows >= INDEX_FROM_ROWS && !is_there).then_some(sql))
        })?;
        match wanted {
            Some(sql) => self.write(move |connection| Ok(connection.execute_batch(&sql)?)),
            None => Ok(()),
        }
    }

    /// In which of some tables records are, each with the tables that it may be in.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn tables_of(&self, wanted: &HashMap<Uuid, Vec<String>>) -> Result<HashMap<Uuid, String>> {
        self.read(|connection| {
            let mut found = HashMap::new();
            let mut mirrored = HashMap::new();
            for (id, tables) in wanted {
                for table in tables {
                    let is_mirrored = match mirrored.get(table) {
                        Some(is_mirrored) => *is_mirrored,
                        None => {
                            let is_mirrored = schema::is_mirrored(connection, table)?;
                            mirrored.insert(table.clone(), is_mirrored);
                            is_mirrored
                        }
                    };
                    if !is_mirrored {
                        continue;
                    }
                    let sql = format!(
                        "SELECT EXISTS (SELECT 1 FROM {} WHERE _id = ?)",
                        data(table)
                    );
                    let mut find = connection.prepare_cached(&sql)?;
                    if find.query_row([StoredId::from(*id)], |row| row.get(0))? {
                        found.insert(*id, table.clone());
                        break;
                    }
                }
            }
            Ok(found)
        })
    }

    /// When a column of some records was last seen to become a value, ms since 1970. The value is JSON
    /// text.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn seen_to_become(
        &self,
        table: &str,
        column: &str,
        value: &str,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, i64>> {
        self.read(|connection| {
            let numbers = column_numbers(connection, table, column)?;
            let mut seen = HashMap::new();
            if numbers.is_empty() {
                return Ok(seen);
            }
            let mut statement = connection.prepare_cached(
                "SELECT seen_at, fields FROM history WHERE id = ?2 AND table_number = \
                 (SELECT number FROM target WHERE name = ?1) AND what <> ?3 \
                 AND fields IS NOT NULL ORDER BY number DESC",
            )?;
            for id in ids {
                let what = What::Deleted.number();
                let mut rows = statement.query(params![table, StoredId::from(*id), what])?;
                while let Some(row) = rows.next()? {
                    let fields = row.get_ref(1)?.as_str().unwrap_or_default();
                    let Some(became) = became(fields, &numbers)? else {
                        continue;
                    };
                    // The newest change of the column tells; an older one is of no more account.
                    if became.as_deref() == Some(value) {
                        seen.insert(*id, row.get(0)?);
                    }
                    break;
                }
            }
            Ok(seen)
        })
    }

    /// Mirrored tables that have a column, by its logical name.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn tables_with(&self, column: &str) -> Result<Vec<String>> {
        self.read(|connection| {
            // Metadata is JSON: a name stands there in quotes.
            let mut statement = connection.prepare_cached(
                "SELECT name FROM mirrored WHERE instr(metadata, ?) > 0 ORDER BY position",
            )?;
            let names = statement.query_map([format!("\"{column}\"")], |row| row.get(0))?;
            Ok(names.collect::<Result<_, _>>()?)
        })
    }

    /// A text column of all live rows, by their ids; for small tables.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`](crate::StoreError::UnknownTable), [`StoreError::UnknownColumn`](crate::StoreError::UnknownColumn).
    pub fn column_of_all(&self, table: &str, name: &str) -> Result<Vec<(Uuid, String)>> {
        self.read(|connection| {
            let metadata = schema::known(connection, table)?;
            let own = quoted(&column(&metadata, name)?.logical_name);
            let mut statement = connection.prepare_cached(&format!(
                "SELECT _id, {own} FROM {} WHERE typeof({own}) = 'text' AND _deleted_at IS NULL",
                data(table)
            ))?;
            let rows = statement.query_map([], |row| {
                Ok((row.get::<_, StoredId>(0)?.into(), row.get(1)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Ids that lookups into a table were seen with, where their names came along.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn named_targets(&self, table: &str) -> Result<Vec<Uuid>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id FROM lookup_name WHERE target = (SELECT number FROM target WHERE name = ?)",
            )?;
            let ids = statement.query_map([table], |row| Ok(row.get::<_, StoredId>(0)?.into()))?;
            Ok(ids.collect::<Result<_, _>>()?)
        })
    }
}

/// The numbers by which the history knows a column: one for each kind that it had.
fn column_numbers(connection: &Connection, table: &str, column: &str) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT number FROM history_column WHERE name = ?2 AND table_number = \
         (SELECT number FROM target WHERE name = ?1)",
    )?;
    let numbers = statement.query_map([table, column], |row| row.get(0))?;
    Ok(numbers.collect::<Result<_, _>>()?)
}

/// What a column became in an entry of the history; `None` where it did not change, and
/// `Some(None)` for null.
fn became(fields: &str, numbers: &[i64]) -> Result<Option<Option<String>>> {
    let fields: Vec<(i64, &RawValue, &RawValue)> = serde_json::from_str(fields)?;
    let Some((_, _, to)) = fields
        .into_iter()
        .find(|(number, ..)| numbers.contains(number))
    else {
        return Ok(None);
    };
    let parts: Option<Vec<&RawValue>> = serde_json::from_str(to.get())?;
    let value = parts.as_ref().and_then(|parts| parts.first());
    Ok(Some(value.map(|value| value.get().to_owned())))
}

/// Reads the rows whose numbers `find` gives.
fn read(
    connection: &Connection,
    mirror: &Mirror,
    table: &str,
    columns: &[&str],
    find: impl FnOnce(&salesmirror_model::TableMetadata) -> Result<Vec<i64>>,
) -> Result<Vec<Row>> {
    let metadata = schema::known(connection, table)?;
    let mut indexes = Vec::with_capacity(columns.len());
    for name in columns {
        let found = column(&metadata, name)?;
        let place = metadata
            .columns
            .iter()
            .position(|other| std::ptr::eq(other, found));
        indexes.extend(place);
    }
    let rowids = find(&metadata)?;
    let mut reader = Reader::new(connection, mirror.codec(), &metadata, &indexes, false)?;
    let mut rows = Vec::with_capacity(rowids.len());
    for rowid in rowids {
        rows.extend(reader.read(rowid)?);
    }
    Ok(rows)
}
