//! The proof that mirror and organisation are equal.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ErrorReply;

/// The cheapest way to make mirror and organisation equal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Fix {
    /// They are equal.
    #[default]
    None,
    /// The next sync brings what differs.
    Sync,
    /// Rows that are gone are marked as deleted, and the others read again by id.
    Records,
    /// A full sync.
    Full,
}

/// What comparing one table found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Proof {
    /// Logical name.
    pub table: String,
    /// Rows of the organisation.
    #[ts(type = "number")]
    pub rows: u64,
    /// Rows that the mirror has not.
    #[ts(type = "number")]
    pub missing: u64,
    /// Rows that the organisation has not.
    #[ts(type = "number")]
    pub extra: u64,
    /// Rows of another version.
    #[ts(type = "number")]
    pub changed: u64,
    /// The cheapest fix.
    pub fix: Fix,
    /// Differences were found and are repaired.
    pub repaired: bool,
    /// Both are equal now.
    pub equal: bool,
    /// Requests sent.
    #[ts(type = "number")]
    pub requests: u64,
    /// Why it could not be proved or repaired.
    pub error: Option<ErrorReply>,
}

/// How far a comparison has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProofProgress {
    /// Logical name.
    pub table: String,
    /// Rows compared so far.
    #[ts(type = "number")]
    pub rows: u64,
}
