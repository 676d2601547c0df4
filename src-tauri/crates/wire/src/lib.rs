//! What leaves the process: DTOs, error codes, the table of commands and their TypeScript.
//!
//! Core types do not serialise for the wire; the CLI and the desktop shell convert at the boundary.

mod api;
mod charts;
pub mod commands;
mod connection;
mod console;
mod error;
mod event;
mod history;
mod preference;
mod proof;
mod records;
mod setup;
mod typescript;

pub use api::{Api, ApiCall, ApiChange, ApiKey, ApiScope};
pub use charts::{Chart, ChartBar, ChartGroup, Charts};
pub use connection::{
    AppState, AvailableTable, Connection, Environment, FieldProblem, GuardQuestion, Progress,
    Requests, Run, RunStatus, SearchProgress, SignIn, Strategy, Table, TableState, Theme,
};
pub use console::{
    BodyKind, Console, ConsoleChange, ConsoleReply, ConsoleRequest, SavedRequest, SentRequest,
};
pub use error::ErrorReply;
pub use event::{Event, ExportProgress, Work};
pub use history::{FieldChange, Happening, What};
pub use preference::{AppSettings, AppSettingsChange, LeftData, Preference};
pub use proof::{Fix, Proof, ProofProgress};
pub use records::{
    Choice, Column, ColumnKind, Deleted, ExportFormat, ExportRequest, Filter, FilterOp, GridCell,
    HistogramBar, Picked, Record, RecordKey, Row, Sort, TableColumns, TableKey, View, ViewRequest,
    Window,
};
pub use setup::{
    Check, Checks, ConnectionChange, Finding, FirstSync, FoundEnvironment, FoundTenant,
    ListedEnvironment, Setup, SetupCloud, SetupDraft, SetupGuide, SetupStep, SetupWay, TableCount,
};
pub use typescript::typescript;
