//! A second copy of what no organisation gives again: deleted rows and the history, in a file of its
//! own. A mirror is a large file, and damage to a few of its pages can put all of it out of reach.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};
use rustc_hash::FxHashMap;
use salesmirror_model::TableMetadata;

use crate::codec::Codec;
use crate::history::What;
use crate::ids::StoredId;
use crate::rescue::{self, Rescued, Tombstone};
use crate::schema::{data, raw};
use crate::{Mirror, Result, Stamp, StoreError};

/// Entries that are copied in one transaction.
const ENTRIES_AT_ONCE: u32 = 5_000;

/// An entry of the history as it is stored.
struct Line {
    number: i64,
    table_number: i64,
    id: StoredId,
    seen_at: i64,
    run: Option<i64>,
    what: i64,
    fields: Option<String>,
}

/// Numbers of tables and columns, as entries use them.
#[derive(Default)]
struct Names {
    tables: Vec<(i64, String)>,
    columns: Vec<(i64, i64, String, String)>,
}

impl Mirror {
    /// Opens the second copy at `path`, and makes it where there is none. A damaged one is made anew:
    /// the mirror has all that it had.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn second_copy(&self, path: &Path) -> Result<Self> {
        match self.beside(path) {
            Err(StoreError::Damaged | StoreError::NewerVersion) => {
                for suffix in ["-wal", "-shm", ""] {
                    let mut name = path.as_os_str().to_owned();
                    name.push(suffix);
                    // What cannot be removed cannot be opened either, and that is said.
                    let _ = std::fs::remove_file(name);
                }
                self.beside(path)
            }
            opened => opened,
        }
    }

    /// Brings the second copy up to date: what was deleted, what came back, and what was noted since
    /// it was last done. Call it while no sync is under way.
    ///
    /// # Errors
    /// Where this mirror cannot be read, or the disk refuses.
    pub fn copy_irreplaceable(&self, kept: &Self) -> Result<()> {
        self.follow_tables(kept)?;
        self.copy_names(kept)?;
        let mut touched = self.copy_entries(kept)?;
        let numbers: FxHashMap<String, i64> = self.read(|connection| {
            let tables = names(connection)?.tables.into_iter();
            Ok(tables.map(|(number, name)| (name, number)).collect())
        })?;
        for state in kept.tables()? {
            let table = &state.metadata;
            let number = numbers.get(&table.logical_name);
            let ids = number.and_then(|number| touched.remove(number));
            if state.verified.is_some() {
                self.copy_some(kept, table, ids.unwrap_or_default())?;
                continue;
            }
            self.copy_all(kept, table, state.deleted)?;
            // The copy has all deleted rows of this table from now on.
            kept.stamp(&table.logical_name, Stamp::Verified, 1)?;
        }
        Ok(())
    }

    /// Lets the copy have this mirror's tables.
    fn follow_tables(&self, kept: &Self) -> Result<()> {
        let (own, theirs) = (self.tables()?, kept.tables()?);
        for table in &theirs {
            let name = &table.metadata.logical_name;
            if own.iter().all(|own| own.metadata.logical_name != *name) {
                kept.drop_table(name)?;
            }
        }
        for table in &own {
            if theirs.iter().all(|known| known.metadata != table.metadata) {
                kept.define_table(&table.metadata)?;
            }
        }
        Ok(())
    }

    fn copy_names(&self, kept: &Self) -> Result<()> {
        let names = self.read(names)?;
        kept.write(move |connection| {
            let transaction = connection.transaction()?;
            for (number, name) in names.tables {
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO target VALUES (?, ?)")?
                    .execute(params![number, name])?;
            }
            for (number, table, name, kind) in names.columns {
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO history_column VALUES (?, ?, ?, ?)")?
                    .execute(params![number, table, name, kind])?;
            }
            Ok(transaction.commit()?)
        })
    }

    /// Copies entries that the copy has not; gives the records that were deleted or came back, by the
    /// number of their table.
    fn copy_entries(&self, kept: &Self) -> Result<FxHashMap<i64, Vec<StoredId>>> {
        let mut touched: FxHashMap<i64, Vec<StoredId>> = FxHashMap::default();
        let last = |connection: &Connection| -> Result<i64> {
            let sql = "SELECT coalesce(max(number), 0) FROM history";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        };
        let mut through = kept.read(last)?;
        if through > self.read(last)? {
            // This mirror counts anew.
            kept.write(|connection| Ok(connection.execute("DELETE FROM history", [])?))?;
            through = 0;
        }
        loop {
            let lines = self.read(|connection| lines(connection, through))?;
            let Some(newest) = lines.last() else {
                return Ok(touched);
            };
            through = newest.number;
            for line in &lines {
                let what = What::read(line.what);
                if matches!(what, Some(What::Deleted | What::Returned)) {
                    touched.entry(line.table_number).or_default().push(line.id);
                }
            }
            kept.write(move |connection| {
                let transaction = connection.transaction()?;
                for line in lines {
                    transaction
                        .prepare_cached(
                            "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?, ?, ?)",
                        )?
                        .execute(params![
                            line.number,
                            line.table_number,
                            line.id,
                            line.seen_at,
                            line.run,
                            line.what,
                            line.fields
                        ])?;
                }
                Ok(transaction.commit()?)
            })?;
        }
    }

    fn copy_all(&self, kept: &Self, table: &TableMetadata, dead: u64) -> Result<()> {
        self.read(|connection| {
            let targets = names(connection)?.tables.into_iter().collect();
            let mut copied = Rescued::default();
            rescue::rescue_rows(connection, kept, table, dead, &targets, &mut copied)
        })
    }

    /// Copies those of these records that are deleted, and removes the others from the copy.
    fn copy_some(&self, kept: &Self, table: &TableMetadata, ids: Vec<StoredId>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let rows: Vec<Tombstone> = self.read(|connection| {
            let targets = names(connection)?.tables.into_iter().collect();
            let codec = Codec::default();
            let sql = format!(
                "SELECT _rowid FROM {} WHERE _id = ?",
                data(&table.logical_name)
            );
            let mut rows = Vec::new();
            for id in &ids {
                let rowid = connection
                    .prepare_cached(&sql)?
                    .query_row([id], |row| row.get(0))
                    .optional()?;
                if let Some(rowid) = rowid {
                    let row = rescue::read_tombstone(connection, &codec, table, rowid, &targets)?;
                    rows.extend(row);
                }
            }
            Ok(rows)
        })?;
        let name = table.logical_name.clone();
        kept.write(move |connection| remove(connection, &name, &ids))?;
        rescue::write_tombstones(kept, table, rows)?;
        Ok(())
    }
}

fn names(connection: &Connection) -> Result<Names> {
    let mut names = Names::default();
    let mut tables = connection.prepare_cached("SELECT number, name FROM target")?;
    for row in tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
        names.tables.push(row?);
    }
    let sql = "SELECT number, table_number, name, kind FROM history_column";
    let mut columns = connection.prepare_cached(sql)?;
    let rows = columns.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    for row in rows {
        names.columns.push(row?);
    }
    Ok(names)
}

fn lines(connection: &Connection, after: i64) -> Result<Vec<Line>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, table_number, id, seen_at, run, what, fields FROM history \
         WHERE number > ? ORDER BY number LIMIT ?",
    )?;
    let rows = statement.query_map(params![after, ENTRIES_AT_ONCE], |row| {
        Ok(Line {
            number: row.get(0)?,
            table_number: row.get(1)?,
            id: row.get(2)?,
            seen_at: row.get(3)?,
            run: row.get(4)?,
            what: row.get(5)?,
            fields: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes rows from the copy, whose rows are all deleted ones.
fn remove(connection: &mut Connection, table: &str, ids: &[StoredId]) -> Result<()> {
    let transaction = connection.transaction()?;
    let (data, raw) = (data(table), raw(table));
    for id in ids {
        for sql in [
            format!("DELETE FROM {raw} WHERE _rowid = (SELECT _rowid FROM {data} WHERE _id = ?)"),
            format!("DELETE FROM {data} WHERE _id = ?"),
        ] {
            transaction.prepare_cached(&sql)?.execute([id])?;
        }
    }
    transaction.execute(
        &format!("UPDATE mirrored SET dead = (SELECT count(*) FROM {data}) WHERE name = ?"),
        [table],
    )?;
    Ok(transaction.commit()?)
}
