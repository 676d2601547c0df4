//! Connections, their tables and runs.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ErrorReply, Setup};

/// Everything the window needs to draw its first screen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct AppState {
    /// Version of the app.
    pub version: String,
    /// Where the databases are.
    pub data_dir: String,
    /// All connections, in the order they were made.
    pub connections: Vec<Connection>,
    /// The set-up of a connection that is under way.
    pub setup: Option<Setup>,
    /// The chosen theme.
    pub theme: Theme,
    /// Why nothing can be opened, such as a locked keychain.
    pub problem: Option<ErrorReply>,
}

/// Colour scheme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system is set.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The word under which it is kept.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What kind of environment a connection goes to: acting on the wrong one is the costly mistake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Real data that people work with.
    Production,
    /// A sandbox.
    Sandbox,
    /// The simulated organisation.
    Sample,
    /// Not known.
    #[default]
    Other,
}

/// A connection to an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Connection {
    /// Stable id.
    pub id: String,
    /// The name the admin gave.
    pub name: String,
    /// Environment URL.
    pub environment: String,
    /// Kind of environment.
    pub kind: Environment,
    /// Authority URL.
    pub authority: String,
    /// Tenant as it was entered.
    pub tenant: String,
    /// Application (client) id.
    pub client_id: String,
    /// Whether there is no client secret.
    pub public_client: bool,
    /// Whether it signs in as the app itself.
    pub unattended: bool,
    /// The secret's last day, as `YYYY-MM-DD`, where it is known.
    pub secret_expires: Option<String>,
    /// Fixed port of the redirect URI.
    pub redirect_port: Option<u16>,
    /// Organisation's friendly name.
    pub organization: Option<String>,
    /// Organisation's version.
    pub organization_version: Option<String>,
    /// Who is signed in.
    pub user: Option<String>,
    /// Whether a sync can run without the admin.
    pub signed_in: bool,
    /// Whether a sync is running.
    pub syncing: bool,
    /// Mirrored tables.
    pub tables: Vec<Table>,
    /// What keeps the whole connection from syncing.
    pub problem: Option<ErrorReply>,
    /// What its requests came to today.
    pub requests: Requests,
    /// Until when the service asked to wait, ms since 1970.
    #[ts(type = "number | null")]
    pub throttled_until: Option<i64>,
    /// Why requests are sent again, where they are not answered at the moment.
    pub trouble: Option<String>,
    /// What the admin should know before it happens.
    pub warnings: Vec<String>,
    /// What has to be said of how it was opened, such as a damaged copy that was moved aside.
    pub notice: Option<String>,
}

/// What a connection's requests came to on a day (UTC).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Requests {
    /// Requests that were sent today.
    #[ts(type = "number")]
    pub today: u64,
    /// Requests that a user has a day.
    #[ts(type = "number")]
    pub entitlement: u64,
    /// Requests that reading every row would take, about.
    #[ts(type = "number")]
    pub full_sync: u64,
}

/// State of a mirrored table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TableState {
    /// Never synced.
    #[default]
    New,
    /// Equal to the organisation at the last sync.
    InSync,
    /// A sync is running.
    Syncing,
    /// The service asked to wait.
    Throttled,
    /// Some rows were invalidated.
    Stale,
    /// The last sync failed.
    Failed,
    /// A sync was interrupted; the next one goes on from its last page.
    Paused,
    /// The mass-delete guard asks.
    NeedsConfirmation,
}

/// How a sync reads a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Every row.
    #[default]
    Full,
    /// What changed since the last sync.
    Incremental,
}

/// A table that the organisation has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AvailableTable {
    /// Logical name.
    pub name: String,
    /// Plural label.
    pub label: String,
    /// Rows as the service counted them last; `null` where it does not say.
    #[ts(type = "number | null")]
    pub rows: Option<u64>,
    /// Whether change tracking is switched on.
    pub change_tracking: bool,
    /// Whether the signed-in user may read it, as far as the service tells.
    pub readable: bool,
    /// Whether it is mirrored.
    pub mirrored: bool,
}

/// A mirrored table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Table {
    /// Logical name.
    pub name: String,
    /// Singular label.
    pub label: String,
    /// Plural label.
    pub label_plural: String,
    /// The segment in addresses, once it is known.
    pub entity_set: Option<String>,
    /// Live rows.
    #[ts(type = "number")]
    pub rows: u64,
    /// Tombstones.
    #[ts(type = "number")]
    pub deleted: u64,
    /// Invalidated rows.
    #[ts(type = "number")]
    pub stale: u64,
    /// Rows that syncs changed in the last 24 hours.
    #[ts(type = "number")]
    pub changed_recently: u64,
    /// Rows that syncs found deleted in the last 24 hours.
    #[ts(type = "number")]
    pub deleted_recently: u64,
    /// State.
    pub state: TableState,
    /// How the last or running sync read the table.
    pub strategy: Option<Strategy>,
    /// End of the last successful sync, ms since 1970.
    #[ts(type = "number | null")]
    pub last_sync: Option<i64>,
    /// When the next sync is due by the schedule, ms since 1970; null where none follows by itself.
    #[ts(type = "number | null")]
    pub next_sync: Option<i64>,
    /// When mirror and organisation were last proved equal, ms since 1970.
    #[ts(type = "number | null")]
    pub verified: Option<i64>,
    /// The last sync's error.
    pub error: Option<ErrorReply>,
    /// The running sync.
    pub progress: Option<Progress>,
    /// The mass-delete guard's question.
    pub guard: Option<GuardQuestion>,
    /// The search index.
    pub search: SearchProgress,
}

/// How far a running sync has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Progress {
    /// Rows read so far.
    #[ts(type = "number")]
    pub rows: u64,
    /// Rows expected, where the organisation said.
    #[ts(type = "number | null")]
    pub expected: Option<u64>,
    /// Rows a second, lately.
    #[ts(type = "number")]
    pub rows_per_second: u64,
    /// Seconds left, where they can be estimated.
    #[ts(type = "number | null")]
    pub seconds_left: Option<u64>,
    /// Until when the service asked to wait, ms since 1970.
    #[ts(type = "number | null")]
    pub throttled_until: Option<i64>,
    /// Why requests are sent again, where they are not answered at the moment.
    pub trouble: Option<String>,
}

/// The mass-delete guard's question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GuardQuestion {
    /// Rows that were not in what the organisation sent.
    #[ts(type = "number")]
    pub would_delete: u64,
    /// Live rows before.
    #[ts(type = "number")]
    pub live_before: u64,
    /// Names of some of them.
    pub examples: Vec<String>,
}

/// How far the search index follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SearchProgress {
    /// Rows that search finds.
    #[ts(type = "number")]
    pub indexed: u64,
    /// Rows in all.
    #[ts(type = "number")]
    pub total: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Still going.
    Running,
    /// Done.
    Success,
    /// Failed; `error` says why.
    #[default]
    Failed,
    /// Cancelled, killed or cut off; the next sync goes on from there.
    Interrupted,
    /// The mass-delete guard asks.
    NeedsConfirmation,
}

/// One sync of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Run {
    /// Its number; history names it.
    #[ts(type = "number")]
    pub id: i64,
    /// Logical name of the table.
    pub table: String,
    /// How the table was read.
    pub strategy: Strategy,
    /// Why it was read so, one sentence.
    pub reason: String,
    /// How it ended.
    pub status: RunStatus,
    /// Start, ms since 1970.
    #[ts(type = "number")]
    pub started_at: i64,
    /// New rows.
    #[ts(type = "number")]
    pub inserted: u64,
    /// Changed rows.
    #[ts(type = "number")]
    pub updated: u64,
    /// Rows that became tombstones.
    #[ts(type = "number")]
    pub deleted: u64,
    /// Rows that came and were equal.
    #[ts(type = "number")]
    pub unchanged: u64,
    /// Pages read.
    #[ts(type = "number")]
    pub pages: u64,
    /// Requests sent.
    #[ts(type = "number")]
    pub requests: u64,
    /// Requests that were sent again.
    #[ts(type = "number")]
    pub retries: u64,
    /// Time the service made us wait, in ms.
    #[ts(type = "number")]
    pub throttled_ms: u64,
    /// Duration in ms.
    #[ts(type = "number")]
    pub duration_ms: u64,
    /// Why it failed.
    pub error: Option<ErrorReply>,
}

/// What is wrong with one field of what was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FieldProblem {
    /// The field's name in [`crate::SetupDraft`].
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// A sign-in that waits for the browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SignIn {
    /// The address the browser was sent to, for copying into another browser.
    pub authorization_url: String,
    /// The address the browser comes back to.
    pub redirect_uri: String,
    /// When the wait ends, ms since 1970.
    #[ts(type = "number")]
    pub expires_at: i64,
}
