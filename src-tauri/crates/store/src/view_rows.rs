//! The rows of an opened view.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use uuid::Uuid;

use crate::Result;
use crate::codec::Codec;
use crate::ids::StoredId;
use crate::mirror::Mirror;
use crate::order;
use crate::row::{Reader, Row};
use crate::schema::{self, data};
use crate::sorting;
use crate::view::{self, ViewSpec, column};

/// Below this many rows a sort without an index is quick enough.
pub const INDEX_FROM_ROWS: u64 = 20_000;
/// More indexes than this would slow every sync down.
const MOST_INDEXES: i64 = 6;

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

    /// The places `offset..offset + limit`, as far as there are rows.
    fn part(&self, offset: u64, limit: usize) -> Range<usize> {
        let count = self.rowids.len();
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(count);
        start..start.saturating_add(limit).min(count)
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
    /// Opens a view. Sorting a large table by a new column leaves an index for the next time.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`](crate::StoreError::UnknownTable), [`StoreError::UnknownColumn`](crate::StoreError::UnknownColumn).
    pub fn open_view(&self, spec: &ViewSpec) -> Result<View> {
        let begun = Instant::now();
        let (rowids, is_whole) = match sorting::sorted(self, spec)? {
            Some(rowids) => (rowids, true),
            None => self.read(|connection| view::rowids(connection, spec))?,
        };
        let opened = View {
            table: spec.table.as_str().into(),
            opened_in: begun.elapsed(),
            rowids: rowids.into(),
            is_whole,
        };
        Ok(opened)
    }

    /// Makes the index that serves this view's order, where the table is large and has none yet.
    /// Takes seconds at a million rows: call it after the view was answered.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn keep_order(&self, spec: &ViewSpec) -> Result<()> {
        let Some(sort) = &spec.sort else {
            return Ok(());
        };
        let metadata = self.metadata(&spec.table)?;
        let Some(sql) = order::index_for(&metadata, &sort.column) else {
            return Ok(());
        };
        self.write(move |connection| {
            let (rows, indexes): (u64, i64) = connection.query_row(
                "SELECT live + dead, (SELECT count(*) FROM sqlite_schema WHERE type = 'index' \
                 AND tbl_name = ?2 AND name GLOB 'sort_*') FROM mirrored WHERE name = ?1",
                [
                    &metadata.logical_name,
                    &format!("data_{}", metadata.logical_name),
                ],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            if rows >= INDEX_FROM_ROWS && indexes < MOST_INDEXES {
                connection.execute_batch(&sql)?;
            }
            Ok(())
        })
    }

    /// Some consecutive rows of a view; rows that are gone since are left out.
    ///
    /// # Errors
    /// [`StoreError::UnknownColumn`](crate::StoreError::UnknownColumn).
    pub fn window(
        &self,
        view: &View,
        offset: u64,
        limit: usize,
        columns: &[String],
        want_raw: bool,
    ) -> Result<Vec<Row>> {
        let part = view.part(offset, limit);
        self.read(|connection| {
            let mut reader = reader(connection, self.codec(), view, columns, want_raw)?;
            let mut rows = Vec::with_capacity(part.len());
            for rowid in &view.rowids[part] {
                rows.extend(reader.read(i64::from(*rowid))?);
            }
            Ok(rows)
        })
    }

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

/// A reader of a view's rows.
pub fn reader<'c>(
    connection: &'c Connection,
    codec: &'c Codec,
    view: &View,
    columns: &[String],
    want_raw: bool,
) -> Result<Reader<'c>> {
    let table = schema::known(connection, &view.table)?;
    let mut indexes = Vec::with_capacity(columns.len());
    for name in columns {
        let found = column(&table, name)?;
        let index = table
            .columns
            .iter()
            .position(|other| std::ptr::eq(other, found));
        indexes.extend(index);
    }
    Reader::new(connection, codec, &table, &indexes, want_raw)
}
