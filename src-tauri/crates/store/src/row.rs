//! Reading rows back.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Statement};
use rustc_hash::FxHashMap;
use salesmirror_model::{Cell, ColumnKind, Lookup, TableMetadata};
use uuid::Uuid;

use crate::codec::Codec;
use crate::database::quoted;
use crate::ids::StoredId;
use crate::schema::{self, data, raw, target_column};
use crate::{Result, StoreError};

/// A row of the mirror.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The mirror's own number of the row.
    pub rowid: i64,
    /// Primary id.
    pub id: Uuid,
    /// `versionnumber`.
    pub version: Option<i64>,
    /// When it was found deleted, ms since 1970.
    pub deleted_at: Option<i64>,
    /// When it was invalidated, ms since 1970.
    pub stale_at: Option<i64>,
    /// One cell for each column asked for. Lookups carry the name that is current in the mirror.
    pub cells: Vec<Cell>,
    /// The JSON text as delivered, where it was asked for.
    pub raw: Option<Vec<u8>>,
}

/// Reads rows of one table by their numbers.
pub struct Reader<'c> {
    connection: &'c Connection,
    codec: &'c Codec,
    kinds: Vec<ColumnKind>,
    statement: Statement<'c>,
    raw: Option<Statement<'c>>,
    targets: Targets<'c>,
}

impl<'c> Reader<'c> {
    /// A reader of these columns (indexes into the metadata's).
    pub fn new(
        connection: &'c Connection,
        codec: &'c Codec,
        table: &TableMetadata,
        columns: &[usize],
        want_raw: bool,
    ) -> Result<Self> {
        let mut names = String::new();
        let mut kinds = Vec::with_capacity(columns.len());
        for index in columns {
            let column = &table.columns[*index];
            names.push_str(", ");
            names.push_str(&quoted(&column.logical_name));
            if column.kind.is_lookup() {
                names.push_str(", ");
                names.push_str(&target_column(&column.logical_name));
            }
            kinds.push(column.kind);
        }
        let name = &table.logical_name;
        Ok(Self {
            connection,
            codec,
            kinds,
            statement: connection.prepare(&format!(
                "SELECT _rowid, _id, _version, _deleted_at, _stale_at{names} FROM {} WHERE _rowid = ?",
                data(name)
            ))?,
            raw: if want_raw {
                let sql = format!("SELECT dictionary, bytes FROM {} WHERE _rowid = ?", raw(name));
                Some(connection.prepare(&sql)?)
            } else {
                None
            },
            targets: Targets::new(connection),
        })
    }

    /// The row of this number; `None` where it is gone.
    pub fn read(&mut self, rowid: i64) -> Result<Option<Row>> {
        let mut rows = self.statement.query([rowid])?;
        let Some(found) = rows.next()? else {
            return Ok(None);
        };
        let mut cells = Vec::with_capacity(self.kinds.len());
        let mut index = 5;
        for kind in &self.kinds {
            let value = found.get_ref(index)?;
            index += 1;
            if kind.is_lookup() {
                let target: Option<i64> = found.get(index)?;
                index += 1;
                cells.push(self.targets.lookup(value, target)?);
            } else {
                cells.push(cell(value));
            }
        }
        let row = Row {
            rowid,
            id: found.get::<_, StoredId>(1)?.into(),
            version: found.get(2)?,
            deleted_at: found.get(3)?,
            stale_at: found.get(4)?,
            cells,
            raw: None,
        };
        drop(rows);
        let raw = match &mut self.raw {
            None => None,
            Some(statement) => {
                let kept: Option<(i64, Vec<u8>)> = statement
                    .query_row([rowid], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                let (number, bytes) = kept.ok_or(StoreError::Damaged)?;
                Some(self.codec.decode(self.connection, number, &bytes)?)
            }
        };
        Ok(Some(Row { raw, ..row }))
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(text) => Cell::Text(match str::from_utf8(text) {
            Ok(text) => text.into(),
            Err(_) => String::from_utf8_lossy(text).into(),
        }),
        ValueRef::Blob(bytes) => StoredId::read(bytes).map_or(Cell::Null, Cell::Id),
    }
}

/// Names of lookups: the mirrored target's primary name, else what the annotation said.
struct Targets<'c> {
    connection: &'c Connection,
    known: HashMap<i64, Target<'c>>,
    fallback: Option<Statement<'c>>,
}

struct Target<'c> {
    table: Box<str>,
    primary_name: Option<Statement<'c>>,
    /// Names that were read: rows of a table share their owners and accounts.
    names: FxHashMap<Uuid, Option<Box<str>>>,
}

/// Names of one target that are remembered, some 5 MB of them.
const KNOWN_NAMES: usize = 50_000;

impl<'c> Targets<'c> {
    fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            known: HashMap::new(),
            fallback: None,
        }
    }

    fn lookup(&mut self, value: ValueRef<'_>, target: Option<i64>) -> Result<Cell> {
        let id = match value {
            ValueRef::Blob(bytes) => match StoredId::read(bytes) {
                Some(id) => id,
                None => return Ok(Cell::Null),
            },
            other => return Ok(cell(other)),
        };
        let Some(number) = target else {
            return Ok(Cell::Lookup(Box::new(Lookup {
                id,
                table: None,
                name: None,
            })));
        };
        if !self.known.contains_key(&number) {
            let found = Target::open(self.connection, number)?;
            self.known.insert(number, found);
        }
        let Some(target) = self.known.get_mut(&number) else {
            return Err(StoreError::Damaged);
        };
        let table = target.table.clone();
        if let Some(name) = target.names.get(&id) {
            let (table, name) = (Some(table), name.clone());
            return Ok(Cell::Lookup(Box::new(Lookup { id, table, name })));
        }
        let mut name: Option<String> = match &mut target.primary_name {
            Some(statement) => statement
                .query_row([StoredId::from(id)], |row| row.get(0))
                .optional()?
                .flatten(),
            None => None,
        };
        if name.is_none() {
            if self.fallback.is_none() {
                self.fallback = Some(
                    self.connection
                        .prepare("SELECT name FROM lookup_name WHERE target = ? AND id = ?")?,
                );
            }
            if let Some(statement) = &mut self.fallback {
                name = statement
                    .query_row(rusqlite::params![number, StoredId::from(id)], |row| {
                        row.get(0)
                    })
                    .optional()?;
            }
        }
        let name = name.map(String::into_boxed_str);
        if target.names.len() < KNOWN_NAMES {
            target.names.insert(id, name.clone());
        }
        let table = Some(table);
        Ok(Cell::Lookup(Box::new(Lookup { id, table, name })))
    }
}

impl<'c> Target<'c> {
    fn open(connection: &'c Connection, number: i64) -> Result<Self> {
        let table: String = connection.query_row(
            "SELECT name FROM target WHERE number = ?",
            [number],
            |row| row.get(0),
        )?;
        let primary_name = match schema::metadata(connection, &table)? {
            Some(TableMetadata {
                primary_name: Some(column),
                columns,
                ..
            }) if columns.iter().any(|found| found.logical_name == column) => {
                let sql = format!(
                    "SELECT {} FROM {} WHERE _id = ?",
                    quoted(&column),
                    data(&table)
                );
                Some(connection.prepare(&sql)?)
            }
            _ => None,
        };
        Ok(Self {
            table: table.into(),
            primary_name,
            names: FxHashMap::default(),
        })
    }
}
