//! The order of a large table by a column without an index: each thread reads a share of the table and
//! sorts it, and the shares are merged. SQLite would decrypt and sort on one core alone.

use std::cmp::Ordering;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::mirror::Mirror;
use crate::order;
use crate::pieces::threads;
use crate::schema::{self, data};
use crate::view::{self, Sql, ViewSpec};
use crate::view_rows::INDEX_FROM_ROWS;
use crate::{Result, StoreError};

/// Bytes of text that a thread keeps to sort by; with more, SQLite sorts, which needs no room.
const MOST_BYTES: usize = 64 << 20;

/// The row numbers of a view that is sorted by a column without an index, nulls last; `None` where SQLite
/// is to find them.
pub fn sorted(mirror: &Mirror, spec: &ViewSpec) -> Result<Option<Vec<u32>>> {
    let Some(sort) = &spec.sort else {
        return Ok(None);
    };
    if spec.search.is_some() || spec.at_most.is_some() {
        return Ok(None);
    }
    let Some(last) = mirror.read(|connection| last_row(connection, spec, &sort.column))? else {
        return Ok(None);
    };
    let parts = threads().max(1) as i64;
    let share = |part: i64| (part * last / parts + 1, (part + 1) * last / parts);
    let read = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..parts)
            .map(|part| {
                scope.spawn(move || {
                    mirror.read(|connection| Share::read(connection, spec, share(part)))
                })
            })
            .collect();
        let mut shares = Vec::with_capacity(workers.len());
        for worker in workers {
            match worker.join() {
                Ok(read) => shares.push(read?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<_, StoreError>(shares)
    })?;
    let Some(shares) = read.into_iter().collect::<Option<Vec<Share>>>() else {
        return Ok(None);
    };
    let mut rowids = merged(&shares);
    let mut nulls: Vec<u32> = shares.into_iter().flat_map(|share| share.nulls).collect();
    if sort.descending {
        rowids.reverse();
        nulls.reverse();
    }
    rowids.append(&mut nulls);
    Ok(Some(rowids))
}

/// The highest row number of a large table whose column has no index; `None` of others.
fn last_row(connection: &Connection, spec: &ViewSpec, name: &str) -> Result<Option<i64>> {
    let table = schema::metadata(connection, &spec.table)?
        .ok_or_else(|| StoreError::UnknownTable(spec.table.clone()))?;
    let column = view::column(&table, name)?;
    let rows: u64 = connection.query_row(
        "SELECT live + dead FROM mirrored WHERE name = ?",
        [&spec.table],
        |row| row.get(0),
    )?;
    if rows < INDEX_FROM_ROWS || order::has_index(connection, &table, column)? {
        return Ok(None);
    }
    let sql = format!("SELECT max(_rowid) FROM {}", data(&spec.table));
    Ok(connection.query_row(&sql, [], |row| row.get(0))?)
}

/// What a row is sorted by. Numbers come before text, and text before ids, as in SQLite.
struct Key {
    class: u8,
    /// The beginning of the value, in an order of its own.
    prefix: u64,
    /// Where its text lies; of a number what tells apart what the prefix does not.
    start: u64,
    length: u32,
    rowid: u32,
}

const NUMBER: u8 = 0;
const TEXT: u8 = 1;
const BYTES: u8 = 2;

/// The rows of a share of the table, in their order.
#[derive(Default)]
struct Share {
    keys: Vec<Key>,
    texts: Vec<u8>,
    nulls: Vec<u32>,
}

impl Share {
    /// The rows with these numbers, from the first to the last; `None` where there is too much to sort.
    fn read(
        connection: &Connection,
        spec: &ViewSpec,
        (first, last): (i64, i64),
    ) -> Result<Option<Self>> {
        let table = schema::metadata(connection, &spec.table)?
            .ok_or_else(|| StoreError::UnknownTable(spec.table.clone()))?;
        let name = spec.sort.as_ref().map_or("", |sort| &sort.column);
        let key = view::sort_key(connection, view::column(&table, name)?)?;
        let mut sql = Sql::default();
        sql.push(&format!(
            "SELECT d._rowid, {key} FROM {} d WHERE d._rowid BETWEEN ",
            data(&spec.table)
        ));
        sql.bind(Value::Integer(first));
        sql.push(" AND ");
        sql.bind(Value::Integer(last));
        sql.push(view::deleted(spec.deleted));
        view::conditions(&mut sql, connection, &table, spec, None)?;
        let mut statement = connection.prepare_cached(&sql.text)?;
        let mut rows = statement.query(params_from_iter(sql.values))?;
        let mut share = Self::default();
        while let Some(row) = rows.next()? {
            share.add(row.get(0)?, row.get_ref(1)?);
            if share.texts.len() > MOST_BYTES {
                return Ok(None);
            }
        }
        let Self { keys, texts, .. } = &mut share;
        keys.sort_unstable_by(|one, other| compare(one, texts, other, texts));
        Ok(Some(share))
    }

    fn add(&mut self, rowid: u32, value: ValueRef<'_>) {
        let (class, bytes) = match value {
            ValueRef::Null => return self.nulls.push(rowid),
            ValueRef::Integer(number) => return self.number(rowid, number as f64, number),
            ValueRef::Real(number) => return self.number(rowid, number, number as i64),
            ValueRef::Text(text) => (TEXT, text),
            ValueRef::Blob(bytes) => (BYTES, bytes),
        };
        let start = self.texts.len();
        self.texts.extend_from_slice(bytes);
        let own = &mut self.texts[start..];
        if class == TEXT {
            own.make_ascii_lowercase();
        }
        let mut prefix = [0; 8];
        let length = own.len().min(8);
        prefix[..length].copy_from_slice(&own[..length]);
        self.keys.push(Key {
            class,
            prefix: u64::from_be_bytes(prefix),
            start: start as u64,
            length: bytes.len() as u32,
            rowid,
        });
    }

    fn number(&mut self, rowid: u32, number: f64, whole: i64) {
        const SIGN: u64 = 1 << 63;
        let bits = number.to_bits();
        // The bits of negative numbers ascend the other way.
        let prefix = if bits & SIGN == 0 { bits | SIGN } else { !bits };
        self.keys.push(Key {
            class: NUMBER,
            prefix,
            start: whole as u64 ^ SIGN,
            length: 0,
            rowid,
        });
    }
}

fn compare(one: &Key, texts: &[u8], other: &Key, others: &[u8]) -> Ordering {
    let bytes = |key: &Key, texts: &'_ [u8]| -> (usize, usize) {
        let start = key.start as usize;
        (start, (start + key.length as usize).min(texts.len()))
    };
    let rest = || match one.class {
        NUMBER => one.start.cmp(&other.start),
        _ => {
            let (from, until) = bytes(one, texts);
            let (other_from, other_until) = bytes(other, others);
            texts[from..until].cmp(&others[other_from..other_until])
        }
    };
    let begins = (one.class, one.prefix).cmp(&(other.class, other.prefix));
    begins
        .then_with(rest)
        .then_with(|| one.rowid.cmp(&other.rowid))
}

/// The rows of all shares, in their order.
fn merged(shares: &[Share]) -> Vec<u32> {
    let count = shares.iter().map(|share| share.keys.len()).sum();
    let mut rowids = Vec::with_capacity(count);
    let mut places = vec![0; shares.len()];
    loop {
        let mut least: Option<(usize, &Key)> = None;
        for (number, share) in shares.iter().enumerate() {
            let Some(key) = share.keys.get(places[number]) else {
                continue;
            };
            let is_less = least.is_none_or(|(known, best)| {
                compare(key, &share.texts, best, &shares[known].texts).is_lt()
            });
            if is_less {
                least = Some((number, key));
            }
        }
        let Some((number, key)) = least else {
            return rowids;
        };
        rowids.push(key.rowid);
        places[number] += 1;
    }
}
