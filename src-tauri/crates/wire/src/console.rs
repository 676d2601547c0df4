//! Requests of the admin's own.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ErrorReply;

/// A request as it was written, not yet encoded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConsoleRequest {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Relative to the Web API.
    pub path: String,
    /// Parameters of the query: name and value.
    pub query: Vec<(String, String)>,
    /// Headers: name and value.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
}

/// A request that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SentRequest {
    /// Its number.
    #[ts(type = "number")]
    pub id: i64,
    /// The request. A body that is too long to be kept is left out.
    pub request: ConsoleRequest,
    /// Size of the body that was sent, in bytes.
    #[ts(type = "number")]
    pub body_bytes: u64,
    /// When it was sent, ms since 1970.
    #[ts(type = "number")]
    pub sent_at: i64,
    /// How long it took, in ms; null where it is not known how it ended.
    #[ts(type = "number | null")]
    pub duration_ms: Option<u64>,
    /// HTTP status; null where no answer came.
    pub status: Option<u16>,
    /// What came in place of an answer, one sentence.
    pub error: Option<String>,
}

/// A request with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SavedRequest {
    /// Its number.
    #[ts(type = "number")]
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The request.
    pub request: ConsoleRequest,
}

/// The requests of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Console {
    /// The last that were sent, newest first.
    pub sent: Vec<SentRequest>,
    /// Those with a name, by name.
    pub saved: Vec<SavedRequest>,
}

/// A change of what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConsoleChange {
    /// Keeps a request under a name, in place of one that has it.
    Save {
        /// The name.
        name: String,
        /// The request.
        request: ConsoleRequest,
    },
    /// Gives a request another name.
    Rename {
        /// Its number.
        #[ts(type = "number")]
        id: i64,
        /// The name.
        name: String,
    },
    /// Forgets a request with a name.
    Remove {
        /// Its number.
        #[ts(type = "number")]
        id: i64,
    },
    /// Forgets a request that was sent, or all of them.
    Forget {
        /// Its number.
        #[ts(type = "number | null")]
        id: Option<i64>,
    },
}

/// What the body of a reply is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    /// There is none.
    #[default]
    Empty,
    /// JSON.
    Json,
    /// Other text.
    Text,
    /// Neither, so that it is shown in base64.
    Base64,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConsoleReply {
    /// The address that was asked.
    pub url: String,
    /// HTTP status.
    pub status: u16,
    /// Headers: name and value.
    pub headers: Vec<(String, String)>,
    /// What the body is.
    pub kind: BodyKind,
    /// The body as text: JSON over several lines, every digit as it came.
    pub text: String,
    /// Size of the body, in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// How long it took, with all waiting, in ms.
    #[ts(type = "number")]
    pub duration_ms: u64,
    /// How long the service made us wait, in ms.
    #[ts(type = "number")]
    pub waited_ms: u64,
    /// What the status means, where it is a refusal.
    pub problem: Option<ErrorReply>,
    /// The table that the mirror reads again, where a write has changed it.
    pub table: Option<String>,
    /// The record that a write has changed, where it is known.
    pub record: Option<String>,
}
