//! Requests of the admin's own: the last that were sent over each connection, and those with a name.

use rusqlite::{OptionalExtension as _, Row, params};
use uuid::Uuid;

use crate::{AppDb, Result};

/// Requests of a connection that are remembered.
const KEPT: u32 = 200;
/// Bytes of a body that are remembered; of a longer one only its size is.
const LONGEST_BODY: usize = 1 << 20;

/// A request as it was written, not yet encoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnRequest {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Relative to the Web API.
    pub path: String,
    /// Parameters of the query.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
}

/// A request that was sent. What came back is not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentRequest {
    /// Its number.
    pub id: i64,
    /// The request. A body that is too long to be kept is left out.
    pub request: OwnRequest,
    /// Size of the body that was sent, in bytes.
    pub body_bytes: u64,
    /// When it was sent, ms since 1970.
    pub sent_at: i64,
    /// How long it took, in ms; `None` where it is not known how it ended.
    pub duration_ms: Option<u64>,
    /// HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// Code of the error that came in place of an answer.
    pub error: Option<String>,
}

/// A request with a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedRequest {
    /// Its number.
    pub id: i64,
    /// Its name, unique within the connection whatever its case.
    pub name: String,
    /// The request.
    pub request: OwnRequest,
}

impl AppDb {
    /// Keeps that a request is sent, and forgets the oldest ones. Gives its number.
    ///
    /// # Errors
    /// Where the connection is gone, or the disk refuses.
    pub fn begin_request(
        &self,
        connection: Uuid,
        request: &OwnRequest,
        sent_at: i64,
    ) -> Result<i64> {
        let body = request.body.as_deref();
        let mut guard = self.lock();
        let transaction = guard.transaction()?;
        transaction.execute(
            "INSERT INTO sent_request (connection, method, path, query, headers, body, body_bytes, \
             sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                connection,
                request.method,
                request.path,
                serde_json::to_string(&request.query)?,
                serde_json::to_string(&request.headers)?,
                body.filter(|body| body.len() <= LONGEST_BODY),
                body.map_or(0, str::len) as i64,
                sent_at,
            ],
        )?;
        let id = transaction.last_insert_rowid();
        transaction.execute(
            "DELETE FROM sent_request WHERE connection = ?1 AND id <= coalesce((SELECT id FROM \
             sent_request WHERE connection = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2), 0)",
            params![connection, KEPT],
        )?;
        transaction.commit()?;
        Ok(id)
    }

    /// Keeps how a request ended: with a status, or with the code of an error.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn end_request(
        &self,
        id: i64,
        duration_ms: u64,
        status: Option<u16>,
        error: Option<&str>,
    ) -> Result<()> {
        self.lock().execute(
            "UPDATE sent_request SET duration_ms = ?, status = ?, error = ? WHERE id = ?",
            params![duration_ms as i64, status, error, id],
        )?;
        Ok(())
    }

    /// The requests that were sent, newest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn sent_requests(&self, connection: Uuid) -> Result<Vec<SentRequest>> {
        let guard = self.lock();
        let mut statement = guard
            .prepare_cached("SELECT * FROM sent_request WHERE connection = ? ORDER BY id DESC")?;
        let rows = statement.query_map([connection], |row| {
            Ok(SentRequest {
                id: row.get("id")?,
                request: read_request(row)?,
                body_bytes: row.get("body_bytes")?,
                sent_at: row.get("sent_at")?,
                duration_ms: row.get("duration_ms")?,
                status: row.get("status")?,
                error: row.get("error")?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets a request that was sent, or all of them.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn forget_requests(&self, connection: Uuid, id: Option<i64>) -> Result<()> {
        self.lock().execute(
            "DELETE FROM sent_request WHERE connection = ?1 AND (?2 IS NULL OR id = ?2)",
            params![connection, id],
        )?;
        Ok(())
    }

    /// The requests with a name, by name.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn saved_requests(&self, connection: Uuid) -> Result<Vec<SavedRequest>> {
        let guard = self.lock();
        let mut statement = guard
            .prepare_cached("SELECT * FROM saved_request WHERE connection = ? ORDER BY name, id")?;
        let rows = statement.query_map([connection], |row| {
            Ok(SavedRequest {
                id: row.get("id")?,
                name: row.get("name")?,
                request: read_request(row)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps a request under a name, in place of one that has it.
    ///
    /// # Errors
    /// Where the connection is gone, or the disk refuses.
    pub fn save_request(&self, connection: Uuid, name: &str, request: &OwnRequest) -> Result<()> {
        self.lock().execute(
            "INSERT INTO saved_request (connection, name, method, path, query, headers, body) \
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (connection, name) DO UPDATE SET \
             name = excluded.name, method = excluded.method, path = excluded.path, \
             query = excluded.query, headers = excluded.headers, body = excluded.body",
            params![
                connection,
                name,
                request.method,
                request.path,
                serde_json::to_string(&request.query)?,
                serde_json::to_string(&request.headers)?,
                request.body,
            ],
        )?;
        Ok(())
    }

    /// Gives a request another name; `false` where another one has it.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn rename_request(&self, connection: Uuid, id: i64, name: &str) -> Result<bool> {
        let guard = self.lock();
        let taken = guard
            .query_row(
                "SELECT 1 FROM saved_request WHERE connection = ? AND name = ? AND id <> ?",
                params![connection, name, id],
                |_| Ok(()),
            )
            .optional()?;
        if taken.is_some() {
            return Ok(false);
        }
        guard.execute(
            "UPDATE saved_request SET name = ? WHERE connection = ? AND id = ?",
            params![name, connection, id],
        )?;
        Ok(true)
    }

    /// Forgets a request with a name.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn remove_request(&self, connection: Uuid, id: i64) -> Result<()> {
        self.lock().execute(
            "DELETE FROM saved_request WHERE connection = ? AND id = ?",
            params![connection, id],
        )?;
        Ok(())
    }
}

fn read_request(row: &Row<'_>) -> rusqlite::Result<OwnRequest> {
    let pairs = |name: &str| -> rusqlite::Result<Vec<(String, String)>> {
        let text: String = row.get(name)?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    };
    Ok(OwnRequest {
        method: row.get("method")?,
        path: row.get("path")?,
        query: pairs("query")?,
        headers: pairs("headers")?,
        body: row.get("body")?,
    })
}
