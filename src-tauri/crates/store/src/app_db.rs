//! `app.db`: connections, refresh tokens, settings, runs and the admin's own requests. Migrated, never
//! dropped.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::database::{self, PageHmac};
use crate::{DatabaseKey, Result};

/// Existing migrations never change.
pub const MIGRATIONS: [&str; 7] = [
    "
CREATE TABLE connection (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    environment TEXT NOT NULL,
    other_origins TEXT NOT NULL,
    authority TEXT NOT NULL,
    tenant TEXT NOT NULL,
    client_id TEXT NOT NULL,
    flow TEXT NOT NULL,
    public_client INTEGER NOT NULL,
    redirect_port INTEGER,
    user TEXT,
    organization TEXT,
    organization_version TEXT,
    environment_kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    signed_in INTEGER NOT NULL,
    refresh_token TEXT
) STRICT;
CREATE TABLE setting (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    connection BLOB NOT NULL REFERENCES connection(id) ON DELETE CASCADE,
    table_name TEXT NOT NULL,
    strategy TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    inserted INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    pages INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    throttled_ms INTEGER NOT NULL,
    error TEXT
) STRICT;
CREATE INDEX run_by_time ON run (connection, started_at DESC);
",
    "
CREATE INDEX run_by_table ON run (connection, table_name, started_at DESC);
",
    "
CREATE TABLE request_count (
    connection BLOB NOT NULL REFERENCES connection(id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (connection, day)
) STRICT, WITHOUT ROWID;
",
    "
ALTER TABLE connection ADD COLUMN secret_expires TEXT;
",
    "
CREATE TABLE api_key (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    scopes TEXT NOT NULL,
    hint TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    last_used INTEGER
) STRICT;
",
    "
CREATE TABLE sent_request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    connection BLOB NOT NULL REFERENCES connection(id) ON DELETE CASCADE,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT NOT NULL,
    headers TEXT NOT NULL,
    body TEXT,
    body_bytes INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    duration_ms INTEGER,
    status INTEGER,
    error TEXT
) STRICT;
CREATE INDEX sent_request_by_connection ON sent_request (connection, id DESC);
CREATE TABLE saved_request (
    id INTEGER PRIMARY KEY,
    connection BLOB NOT NULL REFERENCES connection(id) ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT NOT NULL,
    headers TEXT NOT NULL,
    body TEXT,
    UNIQUE (connection, name)
) STRICT;
",
    // A mirror that is kept without its connection names runs that are gone: none gets their numbers.
    "
CREATE TABLE numbered_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    connection BLOB NOT NULL REFERENCES connection(id) ON DELETE CASCADE,
    table_name TEXT NOT NULL,
    strategy TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    inserted INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    pages INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    throttled_ms INTEGER NOT NULL,
    error TEXT
) STRICT;
INSERT INTO numbered_run SELECT * FROM run;
DROP TABLE run;
ALTER TABLE numbered_run RENAME TO run;
CREATE INDEX run_by_time ON run (connection, started_at DESC);
CREATE INDEX run_by_table ON run (connection, table_name, started_at DESC);
",
];

/// A connection as it is kept. Its client secret is in the keychain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionRow {
    /// Stable id.
    pub id: Uuid,
    /// The admin's name for it, unique whatever its case.
    pub name: String,
    /// Environment URL, the origin with a slash.
    pub environment: String,
    /// Other origins of the same resource, to which tokens may go.
    pub other_origins: Vec<String>,
    /// Authority URL.
    pub authority: String,
    /// Tenant as entered.
    pub tenant: String,
    /// Application (client) id.
    pub client_id: String,
    /// `browser` or `client-credentials`.
    pub flow: String,
    /// Whether there is no client secret.
    pub public_client: bool,
    /// Fixed port of the redirect URI.
    pub redirect_port: Option<u16>,
    /// Who is signed in.
    pub user: Option<String>,
    /// Organisation's friendly name.
    pub organization: Option<String>,
    /// Organisation's version.
    pub organization_version: Option<String>,
    /// `production`, `sandbox`, `sample` or `other`.
    pub environment_kind: String,
    /// When it was made, ms since 1970.
    pub created_at: i64,
    /// Whether a sync can run without the admin.
    pub signed_in: bool,
    /// The last day of the client secret, as `YYYY-MM-DD`, where the admin said.
    pub secret_expires: Option<String>,
}

/// The open database; clones share it.
#[derive(Clone)]
pub struct AppDb {
    connection: Arc<Mutex<Connection>>,
}

impl AppDb {
    /// Opens, creates or migrates the file. An older file is copied beside it before it is migrated.
    ///
    /// # Errors
    /// Where the key does not fit, the file is damaged or newer, or the disk refuses.
    pub fn open(path: &Path, key: &DatabaseKey) -> Result<Self> {
        let mut connection = database::open_writable(path, key, PageHmac::Sha512)?;
        let version = database::version(&connection)?;
        if version > 0 && (version as usize) < MIGRATIONS.len() {
            // The copy is encrypted with the same key. Without a checkpoint it could miss the log.
            connection.pragma_update(None, "wal_checkpoint", "TRUNCATE")?;
            let _ = std::fs::copy(path, path.with_extension(format!("v{version}.db")));
        }
        database::migrate(&mut connection, &MIGRATIONS)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// All connections, oldest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn connections(&self) -> Result<Vec<ConnectionRow>> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached("SELECT * FROM connection ORDER BY created_at, rowid")?;
        let rows = statement.query_map([], read_connection)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The connection of this name, whatever its case.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn connection(&self, name: &str) -> Result<Option<ConnectionRow>> {
        Ok(self
            .lock()
            .prepare_cached("SELECT * FROM connection WHERE name = ?")?
            .query_row([name], read_connection)
            .optional()?)
    }

    /// Keeps a new connection, or the new state of one that is there.
    ///
    /// # Errors
    /// Where the name is taken by another connection, or the disk refuses.
    pub fn put_connection(&self, row: &ConnectionRow) -> Result<()> {
        let origins = serde_json::to_string(&row.other_origins)?;
        self.lock().execute(
            "INSERT INTO connection (id, name, environment, other_origins, authority, tenant, \
             client_id, flow, public_client, redirect_port, user, organization, \
             organization_version, environment_kind, created_at, signed_in, secret_expires) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
             environment = excluded.environment, other_origins = excluded.other_origins, \
             user = excluded.user, organization = excluded.organization, \
             organization_version = excluded.organization_version, \
             environment_kind = excluded.environment_kind, signed_in = excluded.signed_in, \
             redirect_port = excluded.redirect_port, secret_expires = excluded.secret_expires",
            params![
                row.id,
                row.name,
                row.environment,
                origins,
                row.authority,
                row.tenant,
                row.client_id,
                row.flow,
                row.public_client,
                row.redirect_port,
                row.user,
                row.organization,
                row.organization_version,
                row.environment_kind,
                row.created_at,
                row.signed_in,
                row.secret_expires,
            ],
        )?;
        Ok(())
    }

    /// Forgets a connection with its refresh token, its runs and its requests.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn delete_connection(&self, id: Uuid) -> Result<()> {
        let connection = self.lock();
        connection.execute("DELETE FROM connection WHERE id = ?", [id])?;
        // Settings of a connection are named `what/id`.
        connection.execute(
            "DELETE FROM setting WHERE key LIKE '%/' || ?",
            [id.to_string()],
        )?;
        Ok(())
    }

    /// The setting that holds which tables a connection mirrors; goes with the connection.
    #[must_use]
    pub fn tables_key(id: Uuid) -> String {
        format!("tables/{id}")
    }

    /// A connection's refresh token.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn refresh_token(&self, id: Uuid) -> Result<Option<SecretString>> {
        let token: Option<Option<String>> = self
            .lock()
            .query_row(
                "SELECT refresh_token FROM connection WHERE id = ?",
                [id],
                |row| row.get(0),
            )
            .optional()?;
        Ok(token.flatten().map(SecretString::from))
    }

    /// Keeps a connection's refresh token; `None` forgets it, and with it a user is signed out.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn set_refresh_token(&self, id: Uuid, token: Option<&SecretString>) -> Result<()> {
        self.lock().execute(
            "UPDATE connection SET refresh_token = ?1, \
             signed_in = ?1 IS NOT NULL OR flow = 'client-credentials' WHERE id = ?2",
            params![token.map(ExposeSecret::expose_secret), id],
        )?;
        Ok(())
    }

    /// A setting.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn setting(&self, key: &str) -> Result<Option<String>> {
        Ok(self
            .lock()
            .query_row("SELECT value FROM setting WHERE key = ?", [key], |row| {
                row.get(0)
            })
            .optional()?)
    }

    /// Keeps a setting.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn set_setting(&self, key: &str, value: &str) -> Result<()> {
        self.lock()
            .execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", [key, value])?;
        Ok(())
    }

    /// Settings whose names begin like this.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn settings_under(&self, beginning: &str) -> Result<Vec<(String, String)>> {
        let guard = self.lock();
        let mut statement = guard.prepare_cached(
            "SELECT key, value FROM setting WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key",
        )?;
        let rows = statement.query_map([beginning], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets a setting.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn delete_setting(&self, key: &str) -> Result<()> {
        self.lock()
            .execute("DELETE FROM setting WHERE key = ?", [key])?;
        Ok(())
    }
}

fn read_connection(row: &Row<'_>) -> rusqlite::Result<ConnectionRow> {
    let origins: String = row.get("other_origins")?;
    Ok(ConnectionRow {
        id: row.get("id")?,
        name: row.get("name")?,
        environment: row.get("environment")?,
        other_origins: serde_json::from_str(&origins).unwrap_or_default(),
        authority: row.get("authority")?,
        tenant: row.get("tenant")?,
        client_id: row.get("client_id")?,
        flow: row.get("flow")?,
        public_client: row.get("public_client")?,
        redirect_port: row.get("redirect_port")?,
        user: row.get("user")?,
        organization: row.get("organization")?,
        organization_version: row.get("organization_version")?,
        environment_kind: row.get("environment_kind")?,
        created_at: row.get("created_at")?,
        signed_in: row.get("signed_in")?,
        secret_expires: row.get("secret_expires")?,
    })
}
