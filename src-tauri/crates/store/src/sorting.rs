//! The order of a large table, found by several threads. Where the column has an index each walks a share
//! of it; else each reads a share of the table and sorts it, and the shares are merged. SQLite would decrypt
//! and sort on one core alone.

use std::cmp::Ordering;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::Result;
use crate::mirror::Mirror;
use crate::order;
use crate::schema::{self, data};
use crate::threads::{at_once, threads};
use crate::view::{self, Condition, Sql, ViewSpec};
use crate::view_rows::INDEX_FROM_ROWS;

/// Bytes of text that a thread keeps to sort by; with more, SQLite sorts, which needs no room.
const MOST_BYTES: usize = 64 << 20;

/// Rows whose values are looked at to cut an index into shares.
const SAMPLES: i64 = 64;

/// The row numbers of a large view in the order of a column, nulls last; `None` where one thread is to
/// find them.
pub fn sorted(mirror: &Mirror, spec: &ViewSpec) -> Result<Option<Vec<u32>>> {
    let Some(sort) = &spec.sort else {
        return Ok(None);
    };
    if spec.search.is_some() || spec.at_most.is_some() {
        return Ok(None);
    }
    let parts = threads().max(1);
    match mirror.read(|connection| Plan::of(connection, spec, &sort.column, parts))? {
        Plan::OneThread => Ok(None),
        Plan::Sort { last } => {
            let (last, count) = (last, parts as i64);
            let share = |part: usize| {
                let part = part as i64;
                (part * last / count + 1, (part + 1) * last / count)
            };
            let read = |part| mirror.read(|connection| Share::read(connection, spec, share(part)));
            let shares: Option<Vec<Share>> = at_once(parts, read)?.into_iter().collect();
            Ok(shares.map(|shares| joined(shares, sort.descending)))
        }
        Plan::Index { cuts } => {
            // One share more, for the rows without a value.
            let count = cuts.len() + 1;
            let read = |part| {
                let bounds = (part < count).then(|| Bounds::of(&cuts, part));
                mirror.read(|connection| in_order(connection, spec, bounds))
            };
            let mut shares = at_once(count + 1, read)?;
            if sort.descending {
                shares[..count].reverse();
            }
            Ok(Some(shares.concat()))
        }
    }
}

/// How a view is put in order.
enum Plan {
    /// Small, or with conditions that need the rows themselves.
    OneThread,
    /// By sorting the rows up to this number.
    Sort { last: i64 },
    /// By the index of the column, cut at these values.
    Index { cuts: Vec<Value> },
}

impl Plan {
    fn of(connection: &Connection, spec: &ViewSpec, name: &str, parts: usize) -> Result<Self> {
        let table = schema::known(connection, &spec.table)?;
        let column = view::column(&table, name)?;
        let rows: u64 = connection.query_row(
            "SELECT live + dead FROM mirrored WHERE name = ?",
            [&spec.table],
            |row| row.get(0),
        )?;
        if rows < INDEX_FROM_ROWS {
            return Ok(Self::OneThread);
        }
        let data = data(&spec.table);
        let sql = format!("SELECT coalesce(max(_rowid), 0) FROM {data}");
        let last: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        if !order::has_index(connection, &table, column)? {
            return Ok(Self::Sort { last });
        }
        let is_covered = |condition: &Condition| {
            view::column(&table, &condition.column)
                .is_ok_and(|column| order::covers(spec, condition, column))
        };
        if !spec.conditions.iter().all(is_covered) {
            return Ok(Self::OneThread);
        }
        let key = view::sort_key(connection, column)?;
        let numbers: Vec<String> = (0..SAMPLES)
            .map(|sample| (1 + sample * last / SAMPLES).to_string())
            .collect();
        let sql = format!(
            "SELECT {key} FROM {data} d WHERE d._rowid IN ({}) AND {key} IS NOT NULL ORDER BY 1 COLLATE NOCASE",
            numbers.join(",")
        );
        let mut statement = connection.prepare(&sql)?;
        let samples = statement.query_map([], |row| row.get(0))?;
        let samples: Vec<Value> = samples.collect::<rusqlite::Result<_>>()?;
        let cuts = (1..parts).filter_map(|part| samples.get(part * samples.len() / parts).cloned());
        Ok(Self::Index {
            cuts: cuts.collect(),
        })
    }
}

/// A share of an index: from a value on, and below another one.
#[derive(Clone, Copy)]
struct Bounds<'v> {
    from: Option<&'v Value>,
    below: Option<&'v Value>,
}

impl<'v> Bounds<'v> {
    fn of(cuts: &'v [Value], part: usize) -> Self {
        Self {
            from: part.checked_sub(1).and_then(|before| cuts.get(before)),
            below: cuts.get(part),
        }
    }
}

/// A share of the rows in the order of their index; without bounds those that have no value.
fn in_order(
    connection: &Connection,
    spec: &ViewSpec,
    bounds: Option<Bounds<'_>>,
) -> Result<Vec<u32>> {
    let table = schema::known(connection, &spec.table)?;
    let sort = spec.sort.as_ref();
    let name = sort.map_or("", |sort| &sort.column);
    let order = match sort.is_some_and(|sort| sort.descending) {
        true => "DESC",
        false => "ASC",
    };
    let key = view::sort_key(connection, view::column(&table, name)?)?;
    let mut sql = Sql::default();
    sql.push(&format!(
        "SELECT d._rowid FROM {} d WHERE 1",
        data(&spec.table)
    ));
    sql.push(view::deleted(spec.deleted));
    view::conditions(&mut sql, connection, &table, spec, None)?;
    match bounds {
        None => sql.push(&format!(" AND {key} IS NULL ORDER BY d._rowid {order}")),
        Some(Bounds { from, below }) => {
            for (operator, value) in [(">=", from), ("<", below)] {
                if let Some(value) = value {
                    sql.push(&format!(" AND {key} {operator} "));
                    sql.bind(value.clone());
                }
            }
            sql.push(&format!(
                " AND {key} IS NOT NULL ORDER BY {key} {order}, d._rowid {order}"
            ));
        }
    }
    let mut statement = connection.prepare_cached(&sql.text)?;
    let mut rows = statement.query(params_from_iter(sql.values))?;
    let mut rowids = Vec::new();
    while let Some(row) = rows.next()? {
        rowids.push(row.get(0)?);
    }
    Ok(rowids)
}

/// The rows of all shares, and behind them those without a value.
fn joined(shares: Vec<Share>, descending: bool) -> Vec<u32> {
    let mut rowids = merged(&shares);
    let mut nulls: Vec<u32> = shares.into_iter().flat_map(|share| share.nulls).collect();
    if descending {
        rowids.reverse();
        nulls.reverse();
    }
    rowids.append(&mut nulls);
    rowids
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
        let table = schema::known(connection, &spec.table)?;
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
