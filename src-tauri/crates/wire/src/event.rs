//! The one stream of events to the window: first a snapshot, then changes.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{AppState, Checks, Connection, ErrorReply, ProofProgress, SignIn};

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Everything.
    Snapshot {
        /// The state.
        state: Box<AppState>,
    },
    /// A connection, its tables or their progress changed.
    Connection {
        /// The connection as it is now.
        connection: Box<Connection>,
    },
    /// A sign-in waits for the browser, or no longer does.
    SignIn {
        /// The sign-in.
        sign_in: Option<SignIn>,
    },
    /// The checks of a new connection go on.
    Checks {
        /// How far.
        checks: Checks,
    },
    /// An export goes on.
    Export {
        /// How far.
        progress: ExportProgress,
    },
    /// A comparison with the organisation goes on.
    Proof {
        /// How far.
        progress: ProofProgress,
    },
}

/// Long work that can be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A sign-in that waits for the browser.
    SignIn,
    /// An export.
    Export,
    /// A comparison with the organisation.
    Proof,
    /// The checks of a new connection.
    Check,
    /// A request of the admin's own.
    Request,
}

/// How far an export has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct ExportProgress {
    /// Rows written.
    #[ts(type = "number")]
    pub rows: u64,
    /// Rows in all.
    #[ts(type = "number")]
    pub total: u64,
    /// Bytes written.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The file, once it is there.
    pub path: Option<String>,
    /// Why it ended without a file.
    pub error: Option<ErrorReply>,
}
