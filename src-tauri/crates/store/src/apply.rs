//! Applying rows: a page and the link that follows it commit in one transaction.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Transaction, params};
use rustc_hash::FxHashSet;
use salesmirror_model::TableMetadata;
use uuid::Uuid;

use crate::batch::{Batch, BatchRecord, BatchRow, BatchValue};
use crate::codec::{Codec, NO_DICTIONARY};
use crate::database::quoted;
use crate::history::{History, Noted, What, table_number};
use crate::ids::StoredId;
use crate::names::Names;
use crate::outcome::{Applied, Came, PageOutcome};
use crate::schema::{self, data, queue, raw, target_column};
use crate::seen::{self, Seen};
use crate::writer::Desk;
use crate::{Result, checkpoint, wanted, written};

/// Applies rows, and with a page's end moves the checkpoint, in one transaction.
pub fn apply(
    desk: &mut Desk,
    codec: &Codec,
    table: &TableMetadata,
    batch: &Batch,
    came: &Came,
    noted: Noted,
) -> Result<Applied> {
    let Desk { connection, names } = desk;
    let applied = apply_in_transaction(connection, names, codec, table, batch, came, noted);
    if applied.is_err() {
        names.forget();
    }
    applied
}

fn apply_in_transaction(
    connection: &mut Connection,
    names: &mut Names,
    codec: &Codec,
    table: &TableMetadata,
    batch: &Batch,
    came: &Came,
    noted: Noted,
) -> Result<Applied> {
    let dictionary = match batch.dictionary() {
        Some(dictionary) => dictionary.keep(connection, &table.logical_name)?,
        None => NO_DICTIONARY,
    };
    let transaction = connection.transaction()?;
    let name = &table.logical_name;
    let end = match came {
        Came::Page(end) => Some(end),
        _ => None,
    };
    if let Came::ById(ids) = came {
        for id in ids {
            wanted::got(&transaction, name, StoredId::from(*id))?;
        }
    }
    let mut page = Page::new(&transaction, names, codec, table, dictionary, noted)?;
    if let Came::Written { .. } = came
        && schema::metadata(&transaction, name)?.as_ref() != Some(table)
    {
        // Columns that are new would stay empty, and the row would pass for a whole one.
        page.is_outdated = true;
    }
    page.written = written::since(&transaction, name, batch.asked())?;
    page.notes_arrivals |= matches!(came, Came::Written { is_new: true });
    for row in batch.rows() {
        let id = match &row {
            BatchRow::Upsert(record) => record.id,
            BatchRow::Delete(id) => *id,
        };
        if let Came::Written { .. } = came {
            wanted::got(&transaction, name, StoredId::from(id))?;
        }
        match row {
            BatchRow::Upsert(record) => page.upsert(&record)?,
            BatchRow::Delete(id) => page.delete(id)?,
        }
        if let Came::Written { .. } = came {
            written::note(&transaction, name, StoredId::from(id), noted.seen_at)?;
        }
    }
    let is_doubtful = page.is_doubtful;
    let (outcome, counts) = page.finish()?;
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
            end.and_then(|end| end.metadata_version.as_deref())
        ])?;
    if let Some(end) = end {
        checkpoint::advance(
            &transaction,
            name,
            end.next_link.as_deref(),
            end.delta_link.as_deref(),
            noted.seen_at,
        )?;
    }
    transaction.commit()?;
    Ok(Applied {
        outcome,
        is_doubtful,
    })
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
    deleted: bool,
    stale: bool,
}

struct Page<'t> {
    transaction: &'t Transaction<'t>,
    names: &'t mut Names,
    codec: &'t Codec,
    table: &'t TableMetadata,
    dictionary: i64,
    now: i64,
    history: History<'t>,
    /// Every row of the table came in this run: what comes now is new until proven otherwise.
    is_first_scan: bool,
    /// A new row is news: the table was synced in full before.
    notes_arrivals: bool,
    /// Rows that were written after these were asked for.
    written: FxHashSet<StoredId>,
    is_doubtful: bool,
    /// The rows were read by columns that are others now.
    is_outdated: bool,
    /// Rows beyond it are indexed for search without being named.
    indexed_through: i64,
    /// The parameter of each column's value; a lookup's target has the next one.
    parameters: Vec<usize>,
    insert: CachedStatement<'t>,
    update: CachedStatement<'t>,
    seen: Seen<'t>,
    targets: HashMap<String, i64>,
    outcome: PageOutcome,
    counts: Counts,
}

impl<'t> Page<'t> {
    fn new(
        transaction: &'t Transaction<'t>,
        names: &'t mut Names,
        codec: &'t Codec,
        table: &'t TableMetadata,
        dictionary: i64,
        noted: Noted,
    ) -> Result<Self> {
        let name = &table.logical_name;
        let data = data(name);
        let (mut columns, mut parameters) = (Vec::new(), Vec::new());
        for column in &table.columns {
            parameters.push(columns.len() + FIRST_VALUE);
            columns.push(quoted(&column.logical_name));
            if column.kind.is_lookup() {
                columns.push(target_column(&column.logical_name));
            }
        }
        let listed: String = columns.iter().map(|column| format!(", {column}")).collect();
        let marks = ", ?".repeat(columns.len());
        let sets: String = columns
            .iter()
            .map(|column| format!(", {column} = ?"))
            .collect();
        let (rows, indexed_through, notes_arrivals): (u64, i64, bool) = transaction
            .prepare_cached(
                "SELECT live + dead, indexed_through, last_sync IS NOT NULL FROM mirrored \
                 WHERE name = ?",
            )?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(Self {
            transaction,
            names,
            codec,
            table,
            dictionary,
            now: noted.seen_at,
            history: History::new(transaction, codec, table, noted),
            is_first_scan: rows == seen::count(transaction, name)?,
            notes_arrivals,
            written: FxHashSet::default(),
            is_doubtful: false,
            is_outdated: false,
            indexed_through,
            parameters,
            insert: transaction.prepare_cached(&format!(
                "INSERT INTO {data} (_id, _version{listed}) VALUES (?, ?{marks}) \
                 ON CONFLICT (_id) DO NOTHING"
            ))?,
            update: transaction.prepare_cached(&format!(
                "UPDATE {data} SET _deleted_at = NULL, _stale_at = NULL, _rowid = ?, _version = ?\
                 {sets} WHERE _rowid = ?1"
            ))?,
            seen: Seen::new(transaction, name),
            targets: HashMap::new(),
            outcome: PageOutcome::default(),
            counts: Counts::default(),
        })
    }

    fn finish(self) -> Result<(PageOutcome, Counts)> {
        self.seen.save()?;
        Ok((self.outcome, self.counts))
    }

    fn known(&self, id: Uuid) -> Result<Option<Known>> {
        let mut find = self.transaction.prepare_cached(&format!(
            "SELECT _rowid, _version, _deleted_at IS NOT NULL, _stale_at IS NOT NULL \
             FROM {} WHERE _id = ?",
            data(&self.table.logical_name)
        ))?;
        let known = find.query_row([StoredId::from(id)], |row| {
            Ok(Known {
                rowid: row.get(0)?,
                version: row.get(1)?,
                deleted: row.get(2)?,
                stale: row.get(3)?,
            })
        });
        Ok(known.optional()?)
    }

    fn upsert(&mut self, record: &BatchRecord<'_>) -> Result<()> {
        let was_written = self.was_written(record.id);
        if self.is_outdated {
            return self.doubt(record.id);
        }
        if self.is_first_scan && !was_written && self.insert(record)? {
            return Ok(());
        }
        let known = self.known(record.id)?;
        let Some(known) = known else {
            if was_written {
                return self.doubt(record.id);
            }
            self.insert(record)?;
            return Ok(());
        };
        let first_time = self.seen.mark(known.rowid)?;
        // Versions tell which is newer, but not whether the row is there.
        let is_told = record.version().is_some() && known.version.is_some();
        if was_written && (known.deleted || known.stale || !is_told) {
            return self.doubt(record.id);
        }
        let older =
            matches!((record.version(), known.version), (Some(new), Some(old)) if new < old);
        if !known.deleted && (older || self.is_equal(&known, record)?) {
            if known.stale {
                self.refresh(known.rowid)?;
            }
            self.outcome.unchanged += u64::from(first_time);
            return Ok(());
        }
        self.counts.stale -= i64::from(known.stale);
        self.note(&known, record)?;
        self.bind_values(record, known.rowid)?;
        self.update.raw_execute()?;
        self.keep_record(known.rowid, record)?;
        if known.deleted {
            self.counts.dead -= 1;
            self.counts.live += 1;
            self.outcome.inserted += u64::from(first_time);
        } else if Self::is_same_version(&known, record) {
            // Written again because the admin asked for it, not because it changed.
            self.outcome.unchanged += u64::from(first_time);
        } else {
            self.outcome.updated += u64::from(first_time);
        }
        Ok(())
    }

    /// Whether a row was written after these were asked for.
    fn was_written(&self, id: Uuid) -> bool {
        !self.written.is_empty() && self.written.contains(&StoredId::from(id))
    }

    /// Leaves a row as it is, to be read again by id.
    fn doubt(&mut self, id: Uuid) -> Result<()> {
        self.is_doubtful = true;
        wanted::add(self.transaction, &self.table.logical_name, id.into())
    }

    fn is_same_version(known: &Known, record: &BatchRecord<'_>) -> bool {
        record.version().is_some() && record.version() == known.version
    }

    /// Notes what changed in a row, before its record is replaced.
    fn note(&mut self, known: &Known, record: &BatchRecord<'_>) -> Result<()> {
        let what = match known.deleted {
            true => What::Returned,
            false if Self::is_same_version(known, record) => return Ok(()),
            false => What::Changed,
        };
        let new = (self.dictionary, record.raw());
        self.history.replaced(record.id, what, known.rowid, new)
    }

    /// Inserts a row; gives `false` where there is one of this id.
    fn insert(&mut self, record: &BatchRecord<'_>) -> Result<bool> {
        self.insert.clear_bindings();
        self.insert
            .raw_bind_parameter(1, StoredId::from(record.id))?;
        self.bind(record, true)?;
        if self.insert.raw_execute()? == 0 {
            return Ok(false);
        }
        let rowid = self.transaction.last_insert_rowid();
        self.keep_record(rowid, record)?;
        self.seen.mark(rowid)?;
        if self.notes_arrivals {
            self.history.happened(record.id, What::Created)?;
        }
        self.outcome.inserted += 1;
        self.counts.live += 1;
        Ok(true)
    }

    fn bind_values(&mut self, record: &BatchRecord<'_>, rowid: i64) -> Result<()> {
        self.update.clear_bindings();
        self.update.raw_bind_parameter(1, rowid)?;
        self.bind(record, false)
    }

    /// Binds a record's version and values; what is not bound is null.
    fn bind(&mut self, record: &BatchRecord<'_>, is_new: bool) -> Result<()> {
        let statement = if is_new {
            &mut self.insert
        } else {
            &mut self.update
        };
        statement.raw_bind_parameter(2, record.version())?;
        for (column, value) in record.values() {
            let parameter = self.parameters[column];
            match value {
                BatchValue::Integer(number) => statement.raw_bind_parameter(parameter, number)?,
                BatchValue::Real(number) => statement.raw_bind_parameter(parameter, number)?,
                BatchValue::Text(text) => statement.raw_bind_parameter(parameter, text)?,
                BatchValue::Id(id) => statement.raw_bind_parameter(parameter, id)?,
                BatchValue::Lookup { id, table, name } => {
                    statement.raw_bind_parameter(parameter, id)?;
                    let only = match self.table.columns[column].targets.as_slice() {
                        [only] => Some(only.as_str()),
                        _ => None,
                    };
                    let Some(table) = table.or(only) else {
                        continue;
                    };
                    let target = target(self.transaction, &mut self.targets, table)?;
                    statement.raw_bind_parameter(parameter + 1, target)?;
                    if let Some(name) = name {
                        self.names.keep(self.transaction, target, id, name)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Keeps the record as it was delivered, and lets search know.
    fn keep_record(&self, rowid: i64, record: &BatchRecord<'_>) -> Result<()> {
        let name = &self.table.logical_name;
        self.transaction
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO {} VALUES (?, ?, ?)",
                raw(name)
            ))?
            .execute(params![rowid, self.dictionary, record.raw()])?;
        if rowid <= self.indexed_through {
            self.transaction
                .prepare_cached(&format!("INSERT OR IGNORE INTO {} VALUES (?)", queue(name)))?
                .execute([rowid])?;
        }
        Ok(())
    }

    /// A row that was invalidated came as it was.
    fn refresh(&mut self, rowid: i64) -> Result<()> {
        self.counts.stale -= 1;
        self.transaction
            .prepare_cached(&format!(
                "UPDATE {} SET _stale_at = NULL WHERE _rowid = ?",
                data(&self.table.logical_name)
            ))?
            .execute([rowid])?;
        Ok(())
    }

    /// Whether the row is as it was: by its version, else byte for byte.
    fn is_equal(&self, known: &Known, record: &BatchRecord<'_>) -> Result<bool> {
        if record.version().is_some() {
            // An invalidated row is written again even so: the admin asked for that.
            return Ok(record.version() == known.version && !known.stale);
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
        let old = self.codec.decode(self.transaction, number, &bytes)?;
        Ok(old
            == self
                .codec
                .decode(self.transaction, self.dictionary, record.raw())?)
    }

    fn delete(&mut self, id: Uuid) -> Result<()> {
        let known = self.known(id)?;
        if self.was_written(id) && known.as_ref().is_none_or(|known| !known.deleted) {
            if let Some(known) = known {
                self.seen.mark(known.rowid)?;
            }
            return self.doubt(id);
        }
        // A row that was never seen leaves no tombstone: there is nothing to show of it.
        let Some(known) = known else {
            return Ok(());
        };
        self.seen.mark(known.rowid)?;
        if known.deleted {
            return Ok(());
        }
        self.transaction
            .prepare_cached(&format!(
                "UPDATE {} SET _deleted_at = ?2, _stale_at = NULL WHERE _rowid = ?1",
                data(&self.table.logical_name)
            ))?
            .execute(params![known.rowid, self.now])?;
        self.history.happened(id, What::Deleted)?;
        self.outcome.deleted += 1;
        self.counts.live -= 1;
        self.counts.dead += 1;
        self.counts.stale -= i64::from(known.stale);
        Ok(())
    }
}

/// The parameter of the first column's value, behind the row's number or id and its version.
const FIRST_VALUE: usize = 3;

/// The number of a lookup's table.
fn target(connection: &Connection, known: &mut HashMap<String, i64>, table: &str) -> Result<i64> {
    if let Some(number) = known.get(table) {
        return Ok(*number);
    }
    let number = table_number(connection, table)?;
    known.insert(table.to_owned(), number);
    Ok(number)
}
