//! The rows of an opened view.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use uuid::Uuid;

use crate::codec::Codec;
use crate::ids::StoredId;
use crate::mirror::Mirror;
use crate::row::{Reader, Row};
use crate::schema::{self, data};
use crate::view::column;
use crate::{Result, StoreError};

/// An opened view. It holds still while the mirror changes; clones share it.
#[derive(Debug, Clone)]
pub struct View {
    /// Logical name of the table.
    pub table: Arc<str>,
    /// Time it took to open.
    pub opened_in: Duration,
    /// Whether all rows are there that match, and not the first of them alone.
    pub is_whole: bool,
    pub(crate) rowids: Arc<[u32]>,
}

impl View {
    /// Matching rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.rowids.len() as u64
    }

    /// The view of some of its rows, by their places. What reaches over its end is left out.
    #[must_use]
    pub fn pick(&self, places: &[Range<u32>]) -> Self {
        let picked = places.iter().flat_map(|range| {
            let end = (range.end as usize).min(self.rowids.len());
            let start = (range.start as usize).min(end);
            self.rowids[start..end].iter().copied()
        });
        Self {
            table: Arc::clone(&self.table),
            opened_in: self.opened_in,
            is_whole: true,
            rowids: picked.collect(),
        }
    }
}

impl Mirror {
    /// The ids of a view's rows, in its order; rows that are gone since are left out.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn ids_of(&self, view: &View) -> Result<Vec<Uuid>> {
        self.read(|connection| {
            let sql = format!("SELECT _id FROM {} WHERE _rowid = ?", data(&view.table));
            let mut statement = connection.prepare_cached(&sql)?;
            let mut ids = Vec::with_capacity(view.rowids.len());
            for rowid in view.rowids.iter() {
                let mut rows = statement.query([rowid])?;
                if let Some(row) = rows.next()? {
                    ids.push(row.get::<_, StoredId>(0)?.into());
                }
            }
            Ok(ids)
        })
    }
}

/// The rows `offset..offset + limit` of a view.
pub fn window(
    connection: &Connection,
    codec: &Codec,
    view: &View,
    offset: u64,
    limit: usize,
    columns: &[String],
    want_raw: bool,
) -> Result<Vec<Row>> {
    let start = usize::try_from(offset)
        .unwrap_or(usize::MAX)
        .min(view.rowids.len());
    let end = start.saturating_add(limit).min(view.rowids.len());
    let mut rows = Vec::with_capacity(end - start);
    each(
        connection,
        codec,
        view,
        start..end,
        columns,
        want_raw,
        |row| {
            rows.push(row);
            ControlFlow::Continue(())
        },
    )?;
    Ok(rows)
}

/// Calls `visit` with each row of a part of a view, in its order.
pub fn each(
    connection: &Connection,
    codec: &Codec,
    view: &View,
    part: Range<usize>,
    columns: &[String],
    want_raw: bool,
    mut visit: impl FnMut(Row) -> ControlFlow<()>,
) -> Result<()> {
    let table = schema::metadata(connection, &view.table)?
        .ok_or_else(|| StoreError::UnknownTable(view.table.to_string()))?;
    let mut indexes = Vec::with_capacity(columns.len());
    for name in columns {
        let found = column(&table, name)?;
        let index = table
            .columns
            .iter()
            .position(|other| std::ptr::eq(other, found));
        indexes.extend(index);
    }
    let mut reader = Reader::new(connection, codec, &table, &indexes, want_raw)?;
    for rowid in &view.rowids[part] {
        if let Some(row) = reader.read(i64::from(*rowid))?
            && visit(row).is_break()
        {
            break;
        }
    }
    Ok(())
}
