//! Records as they were delivered, without their columns: what programs read page by page.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Statement, params_from_iter};
use uuid::Uuid;
use zstd::bulk::Decompressor;

use crate::codec::{self, Codec};
use crate::ids::StoredId;
use crate::schema::{self, data, raw};
use crate::view::{self, Search, Sql};
use crate::{Deleted, Mirror, Result, StoreError, View, ViewSpec};

/// A record as it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredRow {
    /// Primary id.
    pub id: Uuid,
    /// When it was found deleted, ms since 1970.
    pub deleted_at: Option<i64>,
    /// When it was invalidated, ms since 1970.
    pub stale_at: Option<i64>,
    /// `versionnumber`.
    pub version: Option<i64>,
    /// Its JSON text.
    pub json: Vec<u8>,
}

/// Where a slice of a table in the order of ids begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// With the first row.
    Start,
    /// With the row after this id, whether there is a row of this id or not.
    After(Uuid),
    /// With the rows before this id, the nearest of them.
    Before(Uuid),
}

/// Some consecutive rows in the order of ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The rows, in ascending order of the service's ids.
    pub rows: Vec<DeliveredRow>,
    /// Whether there are more in the direction that was read.
    pub has_more: bool,
}

impl Mirror {
    /// Some consecutive rows of a view; rows that are gone since are left out.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`].
    pub fn delivered_window(
        &self,
        view: &View,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<DeliveredRow>> {
        self.read(|connection| {
            let start = usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .min(view.rowids.len());
            let end = start.saturating_add(limit).min(view.rowids.len());
            let mut reader = Reader::new(connection, self.codec(), &view.table)?;
            let mut rows = Vec::with_capacity(end - start);
            for rowid in &view.rowids[start..end] {
                rows.extend(reader.read(i64::from(*rowid))?);
            }
            Ok(rows)
        })
    }

    /// Some consecutive rows that a view's selectors leave, in the order of ids. Whoever goes on from
    /// the last id that came loses no row and gets none twice, whatever changes meanwhile. The order
    /// that the selectors name does not count.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`], [`StoreError::UnknownColumn`].
    pub fn delivered_slice(&self, spec: &ViewSpec, edge: Edge, limit: usize) -> Result<Slice> {
        self.read(|connection| {
            known(connection, &spec.table)?;
            let (mut rowids, has_more) = slice(connection, spec, edge, limit)?;
            if matches!(edge, Edge::Before(_)) {
                rowids.reverse();
            }
            let mut reader = Reader::new(connection, self.codec(), &spec.table)?;
            let mut rows = Vec::with_capacity(rowids.len());
            for rowid in rowids {
                rows.extend(reader.read(rowid)?);
            }
            Ok(Slice { rows, has_more })
        })
    }

    /// Live and deleted rows of a table, as they are kept: no row is read for it.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`].
    pub fn counts(&self, table: &str) -> Result<(u64, u64)> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT live, dead FROM mirrored WHERE name = ?")?
                .query_row([table], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?
                .ok_or_else(|| StoreError::UnknownTable(table.to_owned()))
        })
    }

    /// One record; `None` where the mirror never saw it.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`].
    pub fn delivered_record(&self, table: &str, id: Uuid) -> Result<Option<DeliveredRow>> {
        self.read(|connection| {
            let sql = format!("SELECT _rowid FROM {} WHERE _id = ?", data(table));
            known(connection, table)?;
            let rowid: Option<i64> = connection
                .prepare_cached(&sql)?
                .query_row([StoredId::from(id)], |row| row.get(0))
                .optional()?;
            match rowid {
                Some(rowid) => Reader::new(connection, self.codec(), table)?.read(rowid),
                None => Ok(None),
            }
        })
    }
}

fn known(connection: &Connection, table: &str) -> Result<()> {
    match schema::is_mirrored(connection, table)? {
        true => Ok(()),
        false => Err(StoreError::UnknownTable(table.to_owned())),
    }
}

/// The numbers of a slice's rows, the nearest to its edge first, and whether more follow.
fn slice(
    connection: &Connection,
    spec: &ViewSpec,
    edge: Edge,
    limit: usize,
) -> Result<(Vec<i64>, bool)> {
    let mut sql = Sql::default();
    sql.push(&format!(
        "SELECT d._rowid FROM {} d WHERE ",
        data(&spec.table)
    ));
    // The plus keeps the index on `_deleted_at` out: the order is that of the ids.
    sql.push(match spec.deleted {
        Deleted::Exclude => "+d._deleted_at IS NULL",
        Deleted::Include => "1",
        Deleted::Only => "+d._deleted_at IS NOT NULL",
    });
    let (order, from) = match edge {
        Edge::Start => ("ASC", None),
        Edge::After(id) => ("ASC", Some((" AND d._id > ", id))),
        Edge::Before(id) => ("DESC", Some((" AND d._id < ", id))),
    };
    if let Some((test, id)) = from {
        sql.push(test);
        sql.bind(Value::Blob(StoredId::from(id).0.to_vec()));
    }
    // Metadata of hundreds of columns is read only where a selector names one.
    if spec.search.is_some() || spec.stale_only || !spec.conditions.is_empty() {
        let table = schema::known(connection, &spec.table)?;
        let search = spec.search.as_deref();
        let search = search.map(|text| Search::run(connection, &table, text, None));
        let search = search.transpose()?;
        view::conditions(&mut sql, connection, &table, spec, search.as_ref())?;
    }
    sql.push(&format!(" ORDER BY d._id {order} LIMIT "));
    sql.bind(Value::Integer(
        i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1),
    ));
    let mut statement = connection.prepare_cached(&sql.text)?;
    let rows = statement.query_map(params_from_iter(sql.values), |row| row.get(0))?;
    let mut rowids: Vec<i64> = rows.collect::<Result<_, _>>()?;
    let has_more = rowids.len() > limit;
    rowids.truncate(limit);
    Ok((rowids, has_more))
}

/// Reads records of one table by their numbers.
struct Reader<'c> {
    connection: &'c Connection,
    codec: &'c Codec,
    row: rusqlite::CachedStatement<'c>,
    decoders: HashMap<i64, Decompressor<'static>>,
}

impl<'c> Reader<'c> {
    fn new(connection: &'c Connection, codec: &'c Codec, table: &str) -> Result<Self> {
        known(connection, table)?;
        Ok(Self {
            connection,
            codec,
            row: connection.prepare_cached(&format!(
                "SELECT d._id, d._version, d._deleted_at, d._stale_at, r.dictionary, r.bytes \
                 FROM {} d LEFT JOIN {} r ON r._rowid = d._rowid WHERE d._rowid = ?",
                data(table),
                raw(table)
            ))?,
            decoders: HashMap::new(),
        })
    }

    /// The record of this number; `None` where it is gone.
    fn read(&mut self, rowid: i64) -> Result<Option<DeliveredRow>> {
        let statement: &mut Statement<'_> = &mut self.row;
        let mut rows = statement.query([rowid])?;
        let Some(found) = rows.next()? else {
            return Ok(None);
        };
        let number: i64 = found.get::<_, Option<i64>>(4)?.ok_or(StoreError::Damaged)?;
        let decoder = match self.decoders.entry(number) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(vacant) => {
                vacant.insert(self.codec.decompressor(self.connection, number)?)
            }
        };
        let bytes = found
            .get_ref(5)?
            .as_blob()
            .map_err(|_| StoreError::Damaged)?;
        Ok(Some(DeliveredRow {
            id: found.get::<_, StoredId>(0)?.into(),
            version: found.get(1)?,
            deleted_at: found.get(2)?,
            stale_at: found.get(3)?,
            json: codec::decompress(decoder, bytes)?,
        }))
    }
}
