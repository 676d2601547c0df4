//! The product: connections, sync, views, export. Owns the asynchronous runtime's use; the command
//! line and the window sit on it and hold no state of their own.

mod app;
mod background;
mod browse;
mod charts;
mod choices;
mod connect;
mod console;
mod data_dir;
mod diagnostics;
mod discovery;
mod doctor;
mod error;
mod examine;
pub mod explanations;
mod export;
mod feed;
mod form;
mod histogram;
mod history;
mod links;
pub mod log;
mod memory;
mod objects;
mod ongoing;
mod period;
mod preferences;
mod query;
mod random;
mod render;
mod runs;
mod schedule;
mod selectors;
mod session;
mod setup;
mod sync;
mod tables;
mod tokens;
mod whereabouts;
mod writes;

pub use app::{
    ApiKey, App, AppSettings, AppSettingsChange, ConnectionChange, LeftData, NewApiKey, Rescue,
    Scope, Settings,
};
pub use browse::{RecordDetail, indented, record_ids};
pub use charts::{Bar, Chart, ChartFilter, Charts, Group};
pub use choices::Choice;
pub use connect::{Connected, Flow, PendingSignIn, Request};
pub use console::{Affected, BodyKind, Console, ConsoleChange, ConsoleReply};
pub use data_dir::DataDir;
pub use discovery::{DiscoveryRequest, Environment};
pub use doctor::Diagnosis;
pub use error::{Category, Error, Result, ServiceReply};
pub use examine::{Check, Finding};
pub use export::{ExportFormat, ExportOptions, ExportRows, Exported, base64_text, csv_line};
pub use feed::{Fed, FeedEvent};
pub use form::{FieldProblem, Form};
pub use histogram::HistogramBar;
pub use history::{happening_json, told_text, what_word};
pub use objects::{UnifiedCopy, UnifiedSlice, unified_object};
pub use ongoing::{Ongoing, OpenViews, Work};
pub use preferences::Preference;
pub use render::{Shown, ViewRow, grouped};
pub use schedule::{
    Every, Requests, Schedule, ScheduleChange, TableSchedule, Warning, Watched, Watching,
};
pub use selectors::{Selectors, compared, parts, usual_columns};
pub use session::{Session, TableStatus};
pub use setup::scripts::{Scripts, Wanted, scripts};
pub use setup::{Draft, FirstSync, FoundEnvironment, FoundTenant, Guide, Step, Way, first_sync};
pub use sync::{Compared, Difference, Fix, Verification, VerifyOptions};
pub use sync::{Progress, RunReport, RunStatus, Strategy, SyncOptions};
pub use tables::AvailableTable;

pub use salesmirror_auth::{ClientKind, Secret, SecretStore};
pub use writes::Written;

pub use salesmirror_dataverse::{
    Attributes, HttpConfig, Passthrough, PassthroughReply, RetryPolicy, selected,
};
pub use salesmirror_model::clouds::CLOUDS;
pub use salesmirror_model::unified;

pub use salesmirror_model::{
    Cell, ColumnKind, ColumnMetadata, Explanation, TableMetadata, parse_guid,
};
pub use salesmirror_store::{
    BadEventId, ConnectionRow, Deleted, Edge, EventId, FieldChange, Happening, IndexProgress,
    OwnRequest, Preview, QueryLimits, QueryResult, QueryValue, RecordEvent, Row, RunRow,
    SavedRequest, SentRequest, Told, View, ViewSpec, What,
};
