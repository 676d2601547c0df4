//! `mirror.db`: the copy of one organisation.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _};
use salesmirror_model::{PageEnd, TableMetadata};
use uuid::Uuid;

use crate::apply;
use crate::batch::Batch;
use crate::checkpoint::{self, Begin, Checkpoint, Preview};
use crate::codec::Codec;
use crate::damage::Damage;
use crate::database::{self, PageHmac};
use crate::history::Noted;
use crate::ids::StoredId;
use crate::outcome::{Applied, Came, PageOutcome};
use crate::row::{Reader, Row};
use crate::schema::{self, Definition, data};
use crate::search::{self, IndexProgress};
use crate::writer::{Desk, Writer};
use crate::{DatabaseKey, Result, StoreError, written};

/// Connections for reading that are kept in any case.
const FEWEST_IDLE: usize = 4;

/// The copy of one organisation; clones share it.
#[derive(Clone)]
pub struct Mirror {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    key: DatabaseKey,
    writer: Writer,
    /// Connections that nobody reads with at the moment.
    readers: Mutex<Vec<Connection>>,
    most_idle: usize,
    codec: Arc<Codec>,
    /// The run that each table's rows come in now, for the history.
    runs: Mutex<HashMap<String, i64>>,
    damage: Damage,
    /// Metadata as it was read last, each with the text that it was read from.
    known: Mutex<HashMap<String, (String, Arc<TableMetadata>)>>,
}

impl Inner {
    /// Keeps a connection for the next read. Those that many reads at once needed are closed: each has a
    /// cache of its own.
    fn put_back(&self, connection: Connection) {
        let mut readers = lock(&self.readers);
        if readers.len() < self.most_idle {
            readers.push(connection);
            return;
        }
        // Nobody waits for it to be closed.
        drop(readers);
        drop(connection);
    }
}

/// Connections that are kept for the next reads: more could not read at the same time.
fn most_idle() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    (2 * processors).max(FEWEST_IDLE)
}

/// A mirrored table as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct TableState {
    /// Its metadata.
    pub metadata: TableMetadata,
    /// The organisation's metadata version at the last sync.
    pub metadata_version: Option<String>,
    /// Where its sync stands.
    pub checkpoint: Checkpoint,
    /// Live rows.
    pub live: u64,
    /// Tombstones.
    pub deleted: u64,
    /// Invalidated rows.
    pub stale: u64,
    /// End of the last successful sync, ms since 1970.
    pub last_sync: Option<i64>,
    /// When mirror and organisation were proved to be equal, ms since 1970.
    pub verified: Option<i64>,
    /// The search index.
    pub search: IndexProgress,
}

impl Mirror {
    /// Opens, creates or migrates a mirror.
    ///
    /// # Errors
    /// Where the key does not fit, the file is damaged or newer, or the disk refuses.
    pub fn open(path: &Path, key: &DatabaseKey) -> Result<Self> {
        let mut connection = database::open_writable(path, key, PageHmac::Sha256)?;
        database::migrate(&mut connection, &schema::MIGRATIONS)?;
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                key: key.clone(),
                writer: Writer::start(connection)?,
                readers: Mutex::new(Vec::new()),
                most_idle: most_idle(),
                codec: Arc::new(Codec::default()),
                runs: Mutex::default(),
                damage: Damage::default(),
                known: Mutex::default(),
            }),
        })
    }

    /// Opens another file with this one's key.
    pub(crate) fn beside(&self, path: &Path) -> Result<Self> {
        Self::open(path, &self.inner.key)
    }

    /// Runs work on a read-only connection that sees one state of the database throughout.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut connection = self.take_reader()?;
        let result = {
            let transaction = connection.transaction()?;
            work(&transaction)
        };
        self.put_back(connection);
        self.watched(result)
    }

    /// A connection to read with, which is to be put back.
    pub(crate) fn take_reader(&self) -> Result<Connection> {
        let pooled = lock(&self.inner.readers).pop();
        pooled.map_or_else(|| self.open_reader(), Ok)
    }

    pub(crate) fn put_back(&self, connection: Connection) {
        self.inner.put_back(connection);
    }

    /// The result, with a note where it says that the file is damaged.
    pub(crate) fn watched<T>(&self, result: Result<T>) -> Result<T> {
        self.inner.damage.watch(result)
    }

    pub(crate) fn codec(&self) -> &Codec {
        &self.inner.codec
    }

    /// Whether something in it could not be read, so that it has to be moved aside.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.inner.damage.is_found()
    }

    /// A read-only connection of one's own.
    pub(crate) fn open_reader(&self) -> Result<Connection> {
        database::open_readable(&self.inner.path, &self.inner.key, PageHmac::Sha256)
    }

    pub(crate) fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    {
        let result = self.inner.writer.run(|desk| work(&mut desk.connection));
        self.inner.damage.watch(result)
    }

    /// Creates a table, or makes it follow changed metadata. Rows stay; changed columns forget the
    /// links, so that a full sync follows.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn define_table(&self, table: &TableMetadata) -> Result<Definition> {
        let table = table.clone();
        self.write(move |connection| schema::define(connection, &table))
    }

    /// Drops a table with its rows, tombstones and index.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`], or where the disk refuses.
    pub fn drop_table(&self, table: &str) -> Result<()> {
        let table = table.to_owned();
        self.inner.codec.forget(&table);
        self.write(move |connection| schema::drop(connection, &table))
    }

    /// All mirrored tables, in the order they were added.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn tables(&self) -> Result<Vec<TableState>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT name, metadata, metadata_version, live, dead, stale, last_sync, \
                 verified_at FROM mirrored ORDER BY position, name",
            )?;
            let mut rows = statement.query([])?;
            let mut tables = Vec::new();
            while let Some(row) = rows.next()? {
                let name: String = row.get(0)?;
                tables.push(TableState {
                    metadata: serde_json::from_str(row.get_ref(1)?.as_str().unwrap_or_default())?,
                    metadata_version: row.get(2)?,
                    checkpoint: checkpoint::read(connection, &name)?,
                    live: row.get(3)?,
                    deleted: row.get(4)?,
                    stale: row.get(5)?,
                    last_sync: row.get(6)?,
                    verified: row.get(7)?,
                    search: search::progress(connection, &name)?,
                });
            }
            Ok(tables)
        })
    }

    /// The metadata of a mirrored table.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`].
    pub fn metadata(&self, table: &str) -> Result<TableMetadata> {
        self.read(|connection| schema::known(connection, table))
    }

    /// The same, shared: it is read anew only where it has changed, in whatever process.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`].
    pub fn shared_metadata(&self, table: &str) -> Result<Arc<TableMetadata>> {
        let text = self
            .read(|connection| schema::metadata_text(connection, table))?
            .ok_or_else(|| StoreError::UnknownTable(table.to_owned()))?;
        if let Some((known, metadata)) = lock(&self.inner.known).get(table)
            && *known == text
        {
            return Ok(Arc::clone(metadata));
        }
        let metadata: Arc<TableMetadata> = Arc::new(serde_json::from_str(&text)?);
        lock(&self.inner.known).insert(table.to_owned(), (text, Arc::clone(&metadata)));
        Ok(metadata)
    }

    /// Where a table's sync stands.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`].
    pub fn checkpoint(&self, table: &str) -> Result<Checkpoint> {
        self.read(|connection| checkpoint::read(connection, table))
    }

    /// Begins a sync in place of whatever was under way; gives the run's number.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`], or where the disk refuses.
    pub fn begin(&self, table: &str, begin: Begin, now: i64) -> Result<i64> {
        let table = table.to_owned();
        self.write(move |connection| checkpoint::begin(connection, &table, begin, now))
    }

    /// An empty batch for rows of a table that are asked for from now on: they are compressed as they
    /// are taken. Where the database cannot be read, applying it says so.
    #[must_use]
    pub fn batch(&self, table: &str) -> Batch {
        let codec = &self.inner.codec;
        let begun = self.read(|connection| {
            Ok((
                codec.newest(connection, table)?,
                written::newest(connection)?,
            ))
        });
        Batch::new(Arc::clone(codec), table, begun)
    }

    /// Applies a page and the link that follows it, in one transaction. The rows of a run count
    /// once, however often they come.
    ///
    /// # Errors
    /// Where the disk refuses; then nothing of the page is applied.
    pub fn apply_page(
        &self,
        table: &TableMetadata,
        batch: Batch,
        end: PageEnd,
        now: i64,
    ) -> Result<PageOutcome> {
        let noted = self.noted(&table.logical_name, now);
        Ok(self.apply(table, batch, Came::Page(end), noted)?.outcome)
    }

    /// Applies rows that were read by id, because these were waited for; the checkpoint stays.
    ///
    /// # Errors
    /// Where the disk refuses; then none is applied.
    pub fn apply_records(
        &self,
        table: &TableMetadata,
        batch: Batch,
        waited_for: Vec<Uuid>,
        now: i64,
    ) -> Result<PageOutcome> {
        let noted = self.noted(&table.logical_name, now);
        Ok(self
            .apply(table, batch, Came::ById(waited_for), noted)?
            .outcome)
    }

    /// Applies what a write of ours made of records, as it was read afterwards. Gives `false` where
    /// another write came between, so that it may be out of date: then it has to be read again, and
    /// the next sync does it at the latest.
    ///
    /// # Errors
    /// Where the disk refuses; then none is applied.
    pub fn apply_written(
        &self,
        table: &TableMetadata,
        batch: Batch,
        is_new: bool,
        now: i64,
    ) -> Result<bool> {
        let noted = Noted {
            seen_at: now,
            run: None,
        };
        let applied = self.apply(table, batch, Came::Written { is_new }, noted)?;
        Ok(!applied.is_doubtful)
    }

    fn apply(
        &self,
        table: &TableMetadata,
        mut batch: Batch,
        came: Came,
        noted: Noted,
    ) -> Result<Applied> {
        batch.finish()?;
        let (codec, table) = (Arc::clone(&self.inner.codec), table.clone());
        let result = self
            .inner
            .writer
            .run(move |desk: &mut Desk| apply::apply(desk, &codec, &table, &batch, &came, noted));
        self.inner.damage.watch(result)
    }

    /// Says in which run a table's rows come from now on; the history names it.
    pub fn attribute(&self, table: &str, run: Option<i64>) {
        let mut runs = lock(&self.inner.runs);
        match run {
            Some(run) => runs.insert(table.to_owned(), run),
            None => runs.remove(table),
        };
    }

    fn noted(&self, table: &str, now: i64) -> Noted {
        Noted {
            seen_at: now,
            run: lock(&self.inner.runs).get(table).copied(),
        }
    }

    /// What reconciliation would do.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`].
    pub fn reconcile_preview(&self, table: &str) -> Result<Preview> {
        self.read(|connection| {
            let metadata = schema::known(connection, table)?;
            checkpoint::preview(connection, table, metadata.primary_name.as_deref())
        })
    }

    /// Brings what was written from the log into the file, and empties the log: the next process would
    /// have to read it first.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn settle(&self) -> Result<()> {
        self.write(|connection| {
            // Readers may still need the log; then it is emptied another time.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(())
        })
    }

    /// Turns rows that did not come into tombstones and promotes the delta link, in one
    /// transaction; gives how many.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn reconcile(&self, table: &str, now: i64) -> Result<u64> {
        let (table, noted) = (table.to_owned(), self.noted(table, now));
        self.write(move |connection| checkpoint::reconcile(connection, &table, noted))
    }

    /// Ends a full sync without tombstones.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn finish_keeping_rows(&self, table: &str, now: i64) -> Result<()> {
        let table = table.to_owned();
        self.write(move |connection| checkpoint::keep_rows(connection, &table, now))
    }

    /// Forgets the links: the next sync reads every row.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn restart_scan(&self, table: &str) -> Result<()> {
        let table = table.to_owned();
        self.write(move |connection| checkpoint::restart(connection, &table))
    }

    /// One record with all columns; `None` where the mirror never saw it.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`].
    pub fn record(&self, table: &str, id: Uuid, want_raw: bool) -> Result<Option<Row>> {
        self.read(|connection| {
            let metadata = schema::known(connection, table)?;
            let sql = format!("SELECT _rowid FROM {} WHERE _id = ?", data(table));
            let rowid: Option<i64> = connection
                .prepare_cached(&sql)?
                .query_row([StoredId::from(id)], |row| row.get(0))
                .optional()?;
            let Some(rowid) = rowid else { return Ok(None) };
            let columns: Vec<usize> = (0..metadata.columns.len()).collect();
            Reader::new(connection, &self.inner.codec, &metadata, &columns, want_raw)?.read(rowid)
        })
    }

    /// Lets the search index follow by up to `limit` rows.
    ///
    /// # Errors
    /// [`StoreError::UnknownTable`], or where the disk refuses.
    pub fn index_search(&self, table: &str, limit: u32) -> Result<IndexProgress> {
        let metadata = self.metadata(table)?;
        self.write(move |connection| search::index(connection, &metadata, limit))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
