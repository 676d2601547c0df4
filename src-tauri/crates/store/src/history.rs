//! What changed in which record, noted in the transaction that applies the page: which columns, from
//! what to what as it was delivered, when it was seen, and in which run. The rows of a table's first
//! full sync leave nothing: they are no news.

use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::{FxHashMap, FxHashSet};
use salesmirror_model::{ColumnMetadata, TableMetadata};
use uuid::Uuid;
use zstd::bulk::Decompressor;

use crate::codec::{self, Codec};
use crate::feed::{self, NEXT_NUMBER};
use crate::ids::StoredId;
use crate::properties::{Properties, is_equal};
use crate::schema::raw;
use crate::{Result, StoreError};

/// When and in which run something was seen.
#[derive(Debug, Clone, Copy)]
pub struct Noted {
    /// In ms since 1970.
    pub seen_at: i64,
    /// The run, where rows come in one.
    pub run: Option<i64>,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Columns changed.
    Changed,
    /// It was deleted.
    Deleted,
    /// It came back after its deletion.
    Returned,
    /// It came after its table had been synced in full: it is new, or the user may see it now.
    Created,
}

impl What {
    /// The number that is stored.
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Changed => 0,
            Self::Deleted => 1,
            Self::Returned => 2,
            Self::Created => 3,
        }
    }

    pub(crate) const fn read(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Changed),
            1 => Some(Self::Deleted),
            2 => Some(Self::Returned),
            3 => Some(Self::Created),
            _ => None,
        }
    }
}

/// Says of every change only that there was one.
const VERSION: &str = "versionnumber";

/// Notes what a page changes in a table's records. Costs nothing until something changed.
pub struct History<'t> {
    connection: &'t Connection,
    codec: &'t Codec,
    table: &'t TableMetadata,
    noted: Noted,
    open: Option<Open<'t>>,
}

/// What is needed once something changed.
struct Open<'t> {
    table_number: i64,
    /// Columns by the name that records carry.
    columns: FxHashMap<String, &'t ColumnMetadata>,
    /// Numbers of columns that changed already.
    numbers: FxHashMap<&'t str, i64>,
    decoders: FxHashMap<i64, Decompressor<'static>>,
}

impl<'t> History<'t> {
    pub fn new(
        connection: &'t Connection,
        codec: &'t Codec,
        table: &'t TableMetadata,
        noted: Noted,
    ) -> Self {
        Self {
            connection,
            codec,
            table,
            noted,
            open: None,
        }
    }

    /// Notes the difference between a row's kept record and the new one (its dictionary and bytes).
    pub fn replaced(&mut self, id: Uuid, what: What, rowid: i64, new: (i64, &[u8])) -> Result<()> {
        let sql = format!(
            "SELECT dictionary, bytes FROM {} WHERE _rowid = ?",
            raw(&self.table.logical_name)
        );
        let kept: Option<(i64, Vec<u8>)> = self
            .connection
            .prepare_cached(&sql)?
            .query_row([rowid], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let noted = self.noted;
        let (connection, codec) = (self.connection, self.codec);
        let open = self.open()?;
        let fields = match kept {
            Some(old) => match open.compare(connection, codec, (old.0, &old.1), new) {
                // A record that cannot be read is replaced, history or not.
                Err(StoreError::Damaged | StoreError::Unreadable(_)) => None,
                compared => compared?,
            },
            None => None,
        };
        if fields.is_none() && what == What::Changed {
            return Ok(());
        }
        insert(
            connection,
            open.table_number,
            id.into(),
            what,
            noted,
            fields.as_deref(),
        )
    }

    /// Notes that a record was deleted, or that it is new.
    pub fn happened(&mut self, id: Uuid, what: What) -> Result<()> {
        let (connection, noted) = (self.connection, self.noted);
        let number = self.open()?.table_number;
        insert(connection, number, id.into(), what, noted, None)
    }

    fn open(&mut self) -> Result<&mut Open<'t>> {
        if self.open.is_none() {
            self.open = Some(Open::new(self.connection, self.table)?);
        }
        self.open.as_mut().ok_or(StoreError::Damaged)
    }
}

impl<'t> Open<'t> {
    fn new(connection: &Connection, table: &'t TableMetadata) -> Result<Self> {
        let filling = filling(connection, &table.logical_name)?;
        let columns = table
            .columns
            .iter()
            .filter(|column| {
                column.logical_name != VERSION && !filling.contains(&column.logical_name)
            })
            .map(|column| (column.wire_name(), column))
            .collect();
        Ok(Self {
            table_number: table_number(connection, &table.logical_name)?,
            columns,
            numbers: FxHashMap::default(),
            decoders: FxHashMap::default(),
        })
    }

    fn compare(
        &mut self,
        connection: &Connection,
        codec: &Codec,
        old: (i64, &[u8]),
        new: (i64, &[u8]),
    ) -> Result<Option<String>> {
        let old = self.decode(connection, codec, old.0, old.1)?;
        let new = self.decode(connection, codec, new.0, new.1)?;
        self.difference(connection, &old, &new)
    }

    fn decode(
        &mut self,
        connection: &Connection,
        codec: &Codec,
        dictionary: i64,
        bytes: &[u8],
    ) -> Result<Vec<u8>> {
        use std::collections::hash_map::Entry;
        let decoder = match self.decoders.entry(dictionary) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(codec.decompressor(connection, dictionary)?),
        };
        codec::decompress(decoder, bytes)
    }

    /// The columns that differ, as JSON: `[[column, from, to], …]`; `None` where none does.
    fn difference(
        &mut self,
        connection: &Connection,
        old: &[u8],
        new: &[u8],
    ) -> Result<Option<String>> {
        let old: Properties<'_> = serde_json::from_slice(old)?;
        let new: Properties<'_> = serde_json::from_slice(new)?;
        let mut fields = String::new();
        // A page's records mostly list the same properties in the same order.
        for (place, (name, value)) in new.0.iter().enumerate() {
            let Some(column) = self.columns.get(&**name).copied() else {
                continue;
            };
            let before = match old.0.get(place) {
                Some((same, before)) if same == name => Some(*before),
                _ => old.value(name),
            };
            if is_equal(column.kind, before, Some(value)) {
                continue;
            }
            self.field(connection, &mut fields, column, &old, &new)?;
        }
        // What is left out is null.
        if new.0.len() < old.0.len() {
            for (name, value) in &old.0 {
                if let Some(column) = self.columns.get(&**name).copied()
                    && new.value(name).is_none()
                    && !is_equal(column.kind, Some(value), None)
                {
                    self.field(connection, &mut fields, column, &old, &new)?;
                }
            }
        }
        if fields.is_empty() {
            return Ok(None);
        }
        fields.push(']');
        Ok(Some(fields))
    }

    fn field(
        &mut self,
        connection: &Connection,
        fields: &mut String,
        column: &'t ColumnMetadata,
        old: &Properties<'_>,
        new: &Properties<'_>,
    ) -> Result<()> {
        let number = match self.numbers.get(column.logical_name.as_str()) {
            Some(number) => *number,
            None => {
                let kind = serde_json::to_string(&column.kind)?;
                let name = &column.logical_name;
                let number = column_number(connection, self.table_number, name, &kind)?;
                self.numbers.insert(&column.logical_name, number);
                number
            }
        };
        fields.push(if fields.is_empty() { '[' } else { ',' });
        fields.push_str(&format!("[{number},"));
        old.write(fields, column);
        fields.push(',');
        new.write(fields, column);
        fields.push(']');
        Ok(())
    }
}

/// Notes deletions that a comparison found.
pub struct Tombstones<'c> {
    connection: &'c Connection,
    table_number: i64,
    noted: Noted,
}

impl<'c> Tombstones<'c> {
    pub fn new(connection: &'c Connection, table: &str, noted: Noted) -> Result<Self> {
        Ok(Self {
            connection,
            table_number: table_number(connection, table)?,
            noted,
        })
    }

    pub fn note(&mut self, id: StoredId) -> Result<()> {
        insert(
            self.connection,
            self.table_number,
            id,
            What::Deleted,
            self.noted,
            None,
        )
    }
}

/// Appends an entry.
fn insert(
    connection: &Connection,
    table_number: i64,
    id: StoredId,
    what: What,
    noted: Noted,
    fields: Option<&str>,
) -> Result<()> {
    connection
        .prepare_cached(&format!(
            "INSERT INTO history VALUES ({NEXT_NUMBER}, ?, ?, ?, ?, ?, ?)"
        ))?
        .execute(params![
            table_number,
            id,
            noted.seen_at,
            noted.run,
            what.number(),
            fields
        ])?;
    Ok(())
}

/// The number of a table, which lookups share.
pub fn table_number(connection: &Connection, table: &str) -> Result<i64> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO target (name) VALUES (?)")?
        .execute([table])?;
    Ok(connection
        .prepare_cached("SELECT number FROM target WHERE name = ?")?
        .query_row([table], |row| row.get(0))?)
}

/// The number of a column of this kind: a retyped column is another one.
pub fn column_number(
    connection: &Connection,
    table_number: i64,
    name: &str,
    kind: &str,
) -> Result<i64> {
    let key = params![table_number, name, kind];
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO history_column (table_number, name, kind) VALUES (?, ?, ?)",
        )?
        .execute(key)?;
    Ok(connection
        .prepare_cached(
            "SELECT number FROM history_column WHERE table_number = ? AND name = ? AND kind = ?",
        )?
        .query_row(key, |row| row.get(0))?)
}

/// Columns that are new: until a full sync has filled them, their values are no changes.
pub fn begin_filling<'n>(
    connection: &Connection,
    table: &str,
    columns: impl Iterator<Item = &'n String>,
) -> Result<()> {
    let mut note = connection.prepare("INSERT OR IGNORE INTO filling VALUES (?, ?)")?;
    for column in columns {
        note.execute([table, column])?;
    }
    Ok(())
}

/// Every row came with every column.
pub fn end_filling(connection: &Connection, table: &str) -> Result<()> {
    connection.execute("DELETE FROM filling WHERE table_name = ?", [table])?;
    Ok(())
}

fn filling(connection: &Connection, table: &str) -> Result<FxHashSet<String>> {
    let mut statement =
        connection.prepare_cached("SELECT column_name FROM filling WHERE table_name = ?")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Forgets a table's history: the admin mirrors it no more.
pub fn forget(connection: &Connection, table: &str) -> Result<()> {
    end_filling(connection, table)?;
    let of_table = "table_number = (SELECT number FROM target WHERE name = ?)";
    let sql = format!("SELECT max(number) FROM history WHERE {of_table}");
    feed::lose(
        connection,
        connection.query_row(&sql, [table], |row| row.get(0))?,
    )?;
    for kept in ["history", "history_column"] {
        connection.execute(&format!("DELETE FROM {kept} WHERE {of_table}"), [table])?;
    }
    Ok(())
}
