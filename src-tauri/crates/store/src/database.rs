//! Opening an encrypted database, and bringing its schema up to date.

use std::path::Path;
use std::time::Duration;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use secrecy::ExposeSecret as _;

use crate::{DatabaseKey, Result, StoreError};

/// How long a statement waits for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How the pages of a database are authenticated. A file is opened with what it was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageHmac {
    /// SQLCipher's default.
    Sha512,
    /// Processors have instructions for it: a mirror's millions of pages are written and read twice
    /// as fast, and are as well protected.
    Sha256,
}

/// Opens for writing, and creates where there is nothing.
pub fn open_writable(path: &Path, key: &DatabaseKey, hmac: PageHmac) -> Result<Connection> {
    let mut connection = Connection::open(path)?;
    prepare(&connection, key, hmac)?;
    // One that reads first and writes then would be refused at once, without waiting, where another
    // process wrote in between.
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // 16 MiB, in pages: a page of records is written to the log once, and its busiest pages go on to
    // the file together.
    connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
    // 64 MiB, in bytes: what a checkpoint left empty goes back to the disk.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // 16 MiB, in KiB: what a page of records touches stays in memory until it is committed.
    connection.pragma_update(None, "cache_size", -16_384)?;
    Ok(connection)
}

/// Opens for reading only.
pub fn open_readable(path: &Path, key: &DatabaseKey, hmac: PageHmac) -> Result<Connection> {
    reader(path, key, hmac, false)
}

/// Opens what is damaged for reading as much as can be read: a file that was cut off, or a schema of
/// which a part is nonsense, is no reason to read nothing.
pub fn open_damaged(path: &Path, key: &DatabaseKey, hmac: PageHmac) -> Result<Connection> {
    reader(path, key, hmac, true)
}

fn reader(path: &Path, key: &DatabaseKey, hmac: PageHmac, is_damaged: bool) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    if is_damaged {
        connection.pragma_update(None, "writable_schema", true)?;
    }
    prepare(&connection, key, hmac)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    Ok(connection)
}

fn prepare(connection: &Connection, key: &DatabaseKey, hmac: PageHmac) -> Result<()> {
    // A wrong key is an error of ours; the library would write about it to stderr too.
    connection.pragma_update(None, "cipher_log_level", "NONE")?;
    connection.pragma_update(None, "key", key.pragma_value().expose_secret())?;
    if hmac == PageHmac::Sha256 {
        connection.pragma_update(None, "cipher_hmac_algorithm", "HMAC_SHA256")?;
    }
    // Wiping every page buffer on release costs a third of a sync; the process's memory holds the
    // same records anyway.
    connection.pragma_update(None, "cipher_memory_security", false)?;
    // No record text in temporary files.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(128);
    // The first read tells whether the key fits.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    rusqlite::vtab::array::load_module(connection)?;
    add_functions(connection)
}

/// `folded_contains(text, needle)` and `folded_starts_with(text, needle)`, with a needle in lower
/// case: SQLite's `LIKE` ignores case for ASCII letters only.
fn add_functions(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let contains: fn(&str, &str) -> bool = |text, needle| text.contains(needle);
    let starts_with: fn(&str, &str) -> bool = |text, needle| text.starts_with(needle);
    for (name, test) in [
        ("folded_contains", contains),
        ("folded_starts_with", starts_with),
    ] {
        connection.create_scalar_function(name, 2, flags, move |context| {
            let text = context.get_raw(0).as_str_or_null().unwrap_or_default();
            let needle = context.get_raw(1).as_str_or_null().unwrap_or_default();
            Ok(match (text, needle) {
                (Some(text), Some(needle)) => Some(test(&text.to_lowercase(), needle)),
                _ => None,
            })
        })?;
    }
    Ok(())
}

/// Brings a database to the newest schema: each migration once, all in one transaction.
///
/// # Errors
/// [`StoreError::NewerVersion`] where the file has seen more migrations than there are.
pub fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: usize = transaction
        .query_row("SELECT user_version FROM pragma_user_version", [], |row| {
            row.get::<_, i64>(0)
        })?
        .try_into()
        .map_err(|_| StoreError::Damaged)?;
    if version > migrations.len() {
        return Err(StoreError::NewerVersion);
    }
    if version == migrations.len() {
        // Whoever only looks writes nothing: others may be writing.
        return Ok(());
    }
    for migration in &migrations[version..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", migrations.len() as i64)?;
    transaction.commit()?;
    Ok(())
}

/// The schema version of a database that exists.
pub fn version(connection: &Connection) -> Result<i64> {
    Ok(
        connection.query_row("SELECT user_version FROM pragma_user_version", [], |row| {
            row.get(0)
        })?,
    )
}

/// A name as SQL takes it, whatever is in it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
