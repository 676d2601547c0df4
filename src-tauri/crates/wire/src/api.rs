//! The local API, for the page on it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ErrorReply;

/// How a connection's local API stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Api {
    /// Whether it was switched on.
    pub on: bool,
    /// The port that it has, or would have.
    pub port: u16,
    /// Where it answers; null where it does not.
    pub url: Option<String>,
    /// Why it does not, though it was switched on.
    pub problem: Option<ErrorReply>,
    /// The keys, oldest first.
    pub keys: Vec<ApiKey>,
    /// The key that was made just now: the only time that it is shown.
    pub made: Option<String>,
    /// The newest calls, the newest first.
    pub calls: Vec<ApiCall>,
}

/// A key, without itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApiKey {
    /// Stable id.
    pub id: String,
    /// The admin's name for it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<ApiScope>,
    /// The beginning of the key, by which its owner knows it again.
    pub hint: String,
    /// When it was made, ms since 1970.
    #[ts(type = "number")]
    pub created_at: i64,
    /// When it was used last, ms since 1970; to half a minute.
    #[ts(type = "number | null")]
    pub last_used: Option<i64>,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ApiScope {
    /// Read records, events, syncs and runs.
    Read,
    /// Create, update and delete records.
    Write,
    /// Send requests of the caller's own to the organisation.
    Passthrough,
    /// Start, pause and resume syncs, and invalidate records.
    Manage,
}

/// A call that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApiCall {
    /// Counts up from one.
    #[ts(type = "number")]
    pub number: u64,
    /// When it came, ms since 1970.
    #[ts(type = "number")]
    pub at: i64,
    /// HTTP method.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// Time until the answer began, in ms.
    #[ts(type = "number")]
    pub duration_ms: u64,
    /// Name of the key; null where there was none, or a wrong one.
    pub key: Option<String>,
}

/// What the admin does with the local API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ApiChange {
    /// Switches it on or off, or moves it to another port.
    Switch {
        /// Whether it is on.
        on: bool,
        /// Its port.
        port: u16,
    },
    /// Makes a key.
    MakeKey {
        /// The admin's name for it.
        name: String,
        /// What it may do.
        scopes: Vec<ApiScope>,
    },
    /// Revokes a key.
    RevokeKey {
        /// Its id.
        id: String,
    },
}
