//! Which rows came in the run that is under way, so that each counts once, and so that a full sync
//! knows which did not come. Kept beside the wide rows: a row that came unchanged is not rewritten.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{Result, StoreError};

/// Row numbers of one table; loaded and kept by parts of 65,536, since a page touches one or two.
pub struct Seen<'c> {
    connection: &'c Connection,
    table: &'c str,
    parts: BTreeMap<u32, Part>,
}

struct Part {
    rows: RoaringBitmap,
    changed: bool,
}

impl<'c> Seen<'c> {
    pub fn new(connection: &'c Connection, table: &'c str) -> Self {
        Self {
            connection,
            table,
            parts: BTreeMap::new(),
        }
    }

    /// Notes a row; gives whether it came for the first time.
    pub fn mark(&mut self, rowid: i64) -> Result<bool> {
        let (part, low) = split(rowid)?;
        let part = self.part(part)?;
        let first = part.rows.insert(low);
        part.changed |= first;
        Ok(first)
    }

    /// Whether a row came.
    pub fn contains(&mut self, rowid: i64) -> Result<bool> {
        let (part, low) = split(rowid)?;
        Ok(self.part(part)?.rows.contains(low))
    }

    fn part(&mut self, number: u32) -> Result<&mut Part> {
        use std::collections::btree_map::Entry;
        let vacant = match self.parts.entry(number) {
            Entry::Occupied(found) => return Ok(found.into_mut()),
            Entry::Vacant(vacant) => vacant,
        };
        let kept: Option<Vec<u8>> = self
            .connection
            .prepare_cached("SELECT bits FROM seen WHERE table_name = ? AND part = ?")?
            .query_row(params![self.table, number], |row| row.get(0))
            .optional()?;
        let rows = match kept {
            Some(bits) => {
                RoaringBitmap::deserialize_from(&*bits).map_err(|_| StoreError::Damaged)?
            }
            None => RoaringBitmap::new(),
        };
        Ok(vacant.insert(Part {
            rows,
            changed: false,
        }))
    }

    /// Keeps what was noted.
    pub fn save(self) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO seen (table_name, part, bits, size) VALUES (?, ?, ?, ?)",
        )?;
        for (number, part) in self.parts.iter().filter(|(_, part)| part.changed) {
            let mut bits = Vec::with_capacity(part.rows.serialized_size());
            part.rows
                .serialize_into(&mut bits)
                .map_err(|error| StoreError::Unreadable(error.to_string()))?;
            statement.execute(params![self.table, number, bits, part.rows.len()])?;
        }
        Ok(())
    }
}

/// How many rows came.
pub fn count(connection: &Connection, table: &str) -> Result<u64> {
    Ok(connection
        .prepare_cached("SELECT coalesce(sum(size), 0) FROM seen WHERE table_name = ?")?
        .query_row([table], |row| row.get(0))?)
}

/// Forgets what came: another run begins, or none is under way.
pub fn forget(connection: &Connection, table: &str) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM seen WHERE table_name = ?")?
        .execute([table])?;
    Ok(())
}

/// The part of a row number, and its place there.
fn split(rowid: i64) -> Result<(u32, u32)> {
    let rowid = u64::try_from(rowid).map_err(|_| StoreError::Damaged)?;
    let part = u32::try_from(rowid >> 16).map_err(|_| StoreError::Damaged)?;
    Ok((part, (rowid & 0xffff) as u32))
}
