//! Keys of the local API. A key is kept as its hash alone: whoever reads the database learns none.

use rusqlite::{Row, params};
use uuid::Uuid;

use crate::{AppDb, Result};

/// A key of the local API as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Stable id.
    pub id: Uuid,
    /// The admin's name for it, unique whatever its case.
    pub name: String,
    /// What it may do, words joined by blanks.
    pub scopes: String,
    /// The beginning of the key, by which its owner knows it again.
    pub hint: String,
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    /// When it was made, ms since 1970.
    pub created_at: i64,
    /// When it was used last, ms since 1970.
    pub last_used: Option<i64>,
}

impl AppDb {
    /// All keys, oldest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn api_keys(&self) -> Result<Vec<ApiKeyRow>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT id, name, scopes, hint, hash, created_at, last_used FROM api_key \
             ORDER BY created_at, rowid",
        )?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps a new key; gives whether its name was free.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn add_api_key(&self, key: &ApiKeyRow) -> Result<bool> {
        let added = self.lock().execute(
            "INSERT INTO api_key (id, name, scopes, hint, hash, created_at, last_used) \
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
            params![
                key.id,
                key.name,
                key.scopes,
                key.hint,
                key.hash,
                key.created_at,
                key.last_used,
            ],
        )?;
        Ok(added > 0)
    }

    /// Forgets a key; gives whether it was there.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn delete_api_key(&self, id: Uuid) -> Result<bool> {
        let deleted = self
            .lock()
            .execute("DELETE FROM api_key WHERE id = ?", [id])?;
        Ok(deleted > 0)
    }

    /// Notes that a key was used, `now` in ms since 1970.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn note_api_key_use(&self, id: Uuid, now: i64) -> Result<()> {
        self.lock().execute(
            "UPDATE api_key SET last_used = max(coalesce(last_used, 0), ?) WHERE id = ?",
            params![now, id],
        )?;
        Ok(())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<ApiKeyRow> {
    Ok(ApiKeyRow {
        id: row.get("id")?,
        name: row.get("name")?,
        scopes: row.get("scopes")?,
        hint: row.get("hint")?,
        hash: row.get("hash")?,
        created_at: row.get("created_at")?,
        last_used: row.get("last_used")?,
    })
}
