//! Applying rows: a page and the link that follows it commit in one transaction.

use std::collections::HashMap;

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension as _, Statement, Transaction, params};
use salesmirror_model::{Cell, Change, Lookup, Record, TableMetadata};
use uuid::Uuid;

use crate::codec::{Codec, Encoder, train};
use crate::database::quoted;
use crate::schema::{data, queue, raw, target_column};
use crate::{Result, checkpoint, schema};

/// What a page changed. Each row counts once in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageOutcome {
    /// New rows, and rows that came back after their deletion.
    pub inserted: u64,
    /// Changed rows.
    pub updated: u64,
    /// Rows that came and were equal.
    pub unchanged: u64,
    /// Rows that became tombstones.
    pub deleted: u64,
}

/// The links that follow a page.
pub struct Links {
    pub next: Option<String>,
    pub delta: Option<String>,
    pub metadata_version: Option<String>,
}

/// Changes with their records compressed, ready for the writing thread.
pub struct Prepared {
    encoder: i64,
    changes: Vec<(Change, Vec<u8>)>,
}

/// Compresses the records of a page. Runs on the caller's thread, beside the writer.
pub fn prepare(encoder: &Encoder, changes: Vec<Change>) -> Result<Prepared> {
    let mut compressor = encoder.compressor()?;
    let mut prepared = Vec::with_capacity(changes.len());
    for mut change in changes {
        let bytes = match &mut change {
            Change::Upsert(record) => {
                let bytes = compressor
                    .compress(&record.raw)
                    .map_err(|error| crate::StoreError::Unreadable(error.to_string()))?;
                // Only a record without a version is compared byte for byte; the others would hold
                // half of a page's memory until it is written.
                if record.version.is_some() {
                    record.raw = Box::default();
                }
                bytes
            }
            Change::Delete(_) => Vec::new(),
        };
        prepared.push((change, bytes));
    }
    Ok(Prepared {
        encoder: encoder.number,
        changes: prepared,
    })
}

/// Makes a table's dictionary from its first page, or finds the one it has.
pub fn encoder(
    connection: &mut Connection,
    codec: &Codec,
    table: &str,
    sample: &[Change],
) -> Result<Encoder> {
    if let Some(found) = codec.encoder(table) {
        return Ok(found);
    }
    let kept: Option<(i64, Vec<u8>)> = connection
        .query_row(
            "SELECT number, bytes FROM dictionary WHERE table_name = ? ORDER BY number DESC LIMIT 1",
            [table],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    if let Some((number, bytes)) = kept {
        return Ok(codec.remember(table, number, &bytes));
    }
    let records: Vec<&[u8]> = sample
        .iter()
        .filter_map(|change| match change {
            Change::Upsert(record) => Some(&*record.raw),
            Change::Delete(_) => None,
        })
        .take(2_000)
        .collect();
    let Some(bytes) = train(&records) else {
        return Ok(codec.remember(table, 0, &[]));
    };
    connection.execute(
        "INSERT INTO dictionary (table_name, bytes) VALUES (?, ?)",
        params![table, bytes],
    )?;
    Ok(codec.remember(table, connection.last_insert_rowid(), &bytes))
}

/// Applies changes, and with `links` moves the checkpoint, in one transaction.
pub fn apply(
    connection: &mut Connection,
    codec: &Codec,
    table: &TableMetadata,
    run: i64,
    prepared: &Prepared,
    links: Option<&Links>,
    now: i64,
) -> Result<PageOutcome> {
    let transaction = connection.transaction()?;
    let mut page = Page::new(&transaction, codec, table, run, now, prepared.encoder)?;
    for (change, bytes) in &prepared.changes {
        match change {
            Change::Upsert(record) => page.upsert(record, bytes)?,
            Change::Delete(id) => page.delete(*id)?,
        }
    }
    let (outcome, counts) = (page.outcome, page.counts);
    page.keep_names()?;
    drop(page);
    let name = &table.logical_name;
    transaction
        .prepare_cached(
            "UPDATE mirrored SET live = live + ?2, dead = dead + ?3, stale = stale + ?4, \
             metadata_version = coalesce(?5, metadata_version) WHERE name = ?1",
        )?
        .execute(params![
            name,
            counts.live,
            counts.dead,
            counts.stale,
            links.and_then(|links| links.metadata_version.as_deref())
        ])?;
    if let Some(links) = links {
        checkpoint::advance(
            &transaction,
            name,
            links.next.as_deref(),
            links.delta.as_deref(),
            now,
        )?;
    }
    transaction.commit()?;
    Ok(outcome)
}

/// How the table's counts change.
#[derive(Clone, Copy, Default)]
struct Counts {
    live: i64,
    dead: i64,
    stale: i64,
}

/// A row as it was before.
struct Known {
    rowid: i64,
    version: Option<i64>,
    run: i64,
    deleted: bool,
    stale: bool,
}

struct Page<'t> {
    transaction: &'t Transaction<'t>,
    codec: &'t Codec,
    table: &'t TableMetadata,
    run: i64,
    now: i64,
    encoder: i64,
    find: Statement<'t>,
    insert: Statement<'t>,
    update: Statement<'t>,
    seen: Statement<'t>,
    tombstone: Statement<'t>,
    put_raw: Statement<'t>,
    enqueue: Statement<'t>,
    targets: HashMap<Box<str>, i64>,
    names: HashMap<(i64, Uuid), Box<str>>,
    outcome: PageOutcome,
    counts: Counts,
}

impl<'t> Page<'t> {
    fn new(
        transaction: &'t Transaction<'t>,
        codec: &'t Codec,
        table: &'t TableMetadata,
        run: i64,
        now: i64,
        encoder: i64,
    ) -> Result<Self> {
        let data = data(&table.logical_name);
        let mut columns = Vec::new();
        for column in &table.columns {
            columns.push(quoted(&column.logical_name));
            if column.kind.is_lookup() {
                columns.push(target_column(&column.logical_name));
            }
        }
        let names: String = columns.iter().map(|column| format!(", {column}")).collect();
        let marks = ", ?".repeat(columns.len());
        let sets: String = columns
            .iter()
            .map(|column| format!(", {column} = ?"))
            .collect();
        Ok(Self {
            transaction,
            codec,
            table,
            run,
            now,
            encoder,
            find: transaction.prepare(&format!(
                "SELECT _rowid, _version, _run, _deleted_at IS NOT NULL, _stale_at IS NOT NULL \
                 FROM {data} WHERE _id = ?"
            ))?,
            insert: transaction.prepare(&format!(
                "INSERT INTO {data} (_id, _version, _run{names}) VALUES (?, ?, ?{marks})"
            ))?,
            update: transaction.prepare(&format!(
                "UPDATE {data} SET _deleted_at = NULL, _stale_at = NULL, _rowid = ?, _version = ?, \
                 _run = ?{sets} WHERE _rowid = ?1"
            ))?,
            seen: transaction.prepare(&format!(
                "UPDATE {data} SET _run = ?2, _stale_at = NULL WHERE _rowid = ?1"
            ))?,
            tombstone: transaction.prepare(&format!(
                "UPDATE {data} SET _run = ?2, _deleted_at = ?3, _stale_at = NULL WHERE _rowid = ?1"
            ))?,
            put_raw: transaction.prepare(&format!(
                "INSERT OR REPLACE INTO {} VALUES (?, ?, ?)",
                raw(&table.logical_name)
            ))?,
            enqueue: transaction.prepare(&format!(
                "INSERT OR IGNORE INTO {} VALUES (?)",
                queue(&table.logical_name)
            ))?,
            targets: HashMap::new(),
            names: HashMap::new(),
            outcome: PageOutcome::default(),
            counts: Counts::default(),
        })
    }

    fn known(&mut self, id: Uuid) -> Result<Option<Known>> {
        Ok(self
            .find
            .query_row([id], |row| {
                Ok(Known {
                    rowid: row.get(0)?,
                    version: row.get(1)?,
                    run: row.get(2)?,
                    deleted: row.get(3)?,
                    stale: row.get(4)?,
                })
            })
            .optional()?)
    }

    fn upsert(&mut self, record: &Record, bytes: &[u8]) -> Result<()> {
        let Some(known) = self.known(record.id)? else {
            let rowid = self.write_row(record, None)?;
            self.put_raw.execute(params![rowid, self.encoder, bytes])?;
            self.enqueue.execute([rowid])?;
            self.outcome.inserted += 1;
            self.counts.live += 1;
            return Ok(());
        };
        let first_time = known.run < self.run;
        self.counts.stale -= i64::from(known.stale);
        let older = matches!((record.version, known.version), (Some(new), Some(old)) if new < old);
        if !known.deleted && (older || self.is_equal(&known, record)?) {
            if first_time || known.stale {
                self.seen.execute([known.rowid, self.run])?;
            }
            self.outcome.unchanged += u64::from(first_time);
            return Ok(());
        }
        self.write_row(record, Some(known.rowid))?;
        self.put_raw
            .execute(params![known.rowid, self.encoder, bytes])?;
        self.enqueue.execute([known.rowid])?;
        if known.deleted {
            self.counts.dead -= 1;
            self.counts.live += 1;
            self.outcome.inserted += u64::from(first_time);
        } else {
            self.outcome.updated += u64::from(first_time);
        }
        Ok(())
    }

    /// Whether the row is as it was: by its version, else byte for byte.
    fn is_equal(&self, known: &Known, record: &Record) -> Result<bool> {
        if record.version.is_some() {
            // An invalidated row is written again even so: the admin asked for that.
            return Ok(record.version == known.version && !known.stale);
        }
        let sql = format!(
            "SELECT dictionary, bytes FROM {} WHERE _rowid = ?",
            raw(&self.table.logical_name)
        );
        let kept: Option<(i64, Vec<u8>)> = self
            .transaction
            .prepare_cached(&sql)?
            .query_row([known.rowid], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((number, bytes)) = kept else {
            return Ok(false);
        };
        Ok(*self.codec.decode(self.transaction, number, &bytes)? == *record.raw)
    }

    /// Inserts the row, or writes over the one at `rowid`.
    fn write_row(&mut self, record: &Record, rowid: Option<i64>) -> Result<i64> {
        let mut targets = Vec::with_capacity(record.cells.len());
        for (cell, column) in record.cells.iter().zip(&self.table.columns) {
            targets.push(match cell {
                Cell::Lookup(lookup) => self.target(lookup, &column.targets)?,
                _ => None,
            });
        }
        let statement = if rowid.is_some() {
            &mut self.update
        } else {
            &mut self.insert
        };
        match rowid {
            Some(rowid) => statement.raw_bind_parameter(1, rowid)?,
            None => statement.raw_bind_parameter(1, record.id)?,
        }
        statement.raw_bind_parameter(2, record.version)?;
        statement.raw_bind_parameter(3, self.run)?;
        let mut index = 4;
        for ((cell, column), target) in record.cells.iter().zip(&self.table.columns).zip(targets) {
            statement.raw_bind_parameter(index, bound(cell))?;
            index += 1;
            if column.kind.is_lookup() {
                statement.raw_bind_parameter(index, target)?;
                index += 1;
            }
        }
        statement.raw_execute()?;
        Ok(rowid.unwrap_or_else(|| self.transaction.last_insert_rowid()))
    }

    /// The number of the lookup's table; remembers the name it came with.
    fn target(&mut self, lookup: &Lookup, targets: &[String]) -> Result<Option<i64>> {
        let only = match targets {
            [only] => Some(only.as_str()),
            _ => None,
        };
        let Some(table) = lookup.table.as_deref().or(only) else {
            return Ok(None);
        };
        let number = match self.targets.get(table) {
            Some(number) => *number,
            None => {
                let number = target_number(self.transaction, table)?;
                self.targets.insert(table.into(), number);
                number
            }
        };
        if let Some(name) = &lookup.name {
            self.names.insert((number, lookup.id), name.clone());
        }
        Ok(Some(number))
    }

    fn keep_names(&mut self) -> Result<()> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO lookup_name VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET name = excluded.name \
             WHERE name <> excluded.name",
        )?;
        for ((target, id), name) in self.names.drain() {
            statement.execute(params![target, id, name])?;
        }
        Ok(())
    }

    fn delete(&mut self, id: Uuid) -> Result<()> {
        // A row that was never seen leaves no tombstone: there is nothing to show of it.
        let Some(known) = self.known(id)? else {
            return Ok(());
        };
        if known.deleted {
            return Ok(());
        }
        self.tombstone
            .execute(params![known.rowid, self.run, self.now])?;
        self.outcome.deleted += 1;
        self.counts.live -= 1;
        self.counts.dead += 1;
        self.counts.stale -= i64::from(known.stale);
        Ok(())
    }
}

fn target_number(connection: &Connection, table: &str) -> Result<i64> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO target (name) VALUES (?)")?
        .execute([table])?;
    Ok(connection
        .prepare_cached("SELECT number FROM target WHERE name = ?")?
        .query_row([table], |row| row.get(0))?)
}

/// A cell as SQLite takes it.
fn bound(cell: &Cell) -> &dyn ToSql {
    match cell {
        Cell::Null => &rusqlite::types::Null,
        Cell::Integer(value) => value,
        Cell::Real(value) => value,
        Cell::Text(text) => text,
        Cell::Id(id) => id,
        Cell::Lookup(lookup) => &lookup.id,
    }
}

/// Marks live rows as stale: all of them, or those with these ids. Gives how many are stale now
/// that were named.
pub fn invalidate(
    connection: &mut Connection,
    table: &str,
    ids: Option<&[Uuid]>,
    now: i64,
) -> Result<u64> {
    let transaction = connection.transaction()?;
    if schema::metadata(&transaction, table)?.is_none() {
        return Err(crate::StoreError::UnknownTable(table.to_owned()));
    }
    let data = data(table);
    let fresh = "_deleted_at IS NULL AND _stale_at IS NULL";
    let (named, marked) = match ids {
        None => {
            let named: i64 = transaction.query_row(
                "SELECT live FROM mirrored WHERE name = ?",
                [table],
                |row| row.get(0),
            )?;
            let sql = format!("UPDATE {data} SET _stale_at = ?1 WHERE {fresh}");
            (named as u64, transaction.execute(&sql, [now])?)
        }
        Some(ids) => {
            let (mut named, mut marked) = (0, 0);
            let count =
                format!("SELECT count(*) FROM {data} WHERE _id = ? AND _deleted_at IS NULL");
            let mark = format!("UPDATE {data} SET _stale_at = ?1 WHERE _id = ?2 AND {fresh}");
            for id in ids {
                named += transaction
                    .prepare_cached(&count)?
                    .query_row([id], |row| row.get::<_, u64>(0))?;
                marked += transaction
                    .prepare_cached(&mark)?
                    .execute(params![now, id])?;
            }
            (named, marked)
        }
    };
    transaction.execute(
        "UPDATE mirrored SET stale = stale + ?2 WHERE name = ?1",
        params![table, marked as i64],
    )?;
    transaction.commit()?;
    Ok(named)
}
