//! SQLite: the only crate that knows `rusqlite`. Encrypted databases, mirrored tables, views,
//! search. Synchronous: one writer thread, and read-only connections beside it.

mod api_keys;
mod app_db;
mod apply;
mod attempts;
mod batch;
mod charts;
mod checkpoint;
mod codec;
mod comparison;
mod damage;
mod database;
mod delivered;
mod error;
pub mod explain;
mod feed;
mod histogram;
mod history;
mod ids;
mod invalidate;
mod keep;
mod key;
mod mirror;
mod names;
mod naming;
mod order;
mod outcome;
mod pieces;
mod properties;
mod query;
mod recall;
mod related;
mod requests;
mod rescue;
mod row;
mod runs;
mod schema;
mod search;
mod seen;
mod sorting;
#[cfg(feature = "testing")]
pub mod testing;
mod threads;
mod view;
mod view_rows;
mod wanted;
mod writer;
mod written;

#[cfg(test)]
mod tests;

pub use api_keys::ApiKeyRow;
pub use app_db::{AppDb, ConnectionRow};
pub use attempts::Attempt;
pub use batch::Batch;
pub use charts::{Tallied, Tally};
pub use checkpoint::{Begin, Checkpoint, Mark, MarkColumn, Preview};
pub use delivered::{DeliveredRow, Edge, Slice};
pub use error::StoreError;
pub use feed::{BadEventId, Event, EventId, RecordEvent, RunEvent};
pub use history::What;
pub use key::DatabaseKey;
pub use mirror::{Mirror, TableState};
pub use outcome::PageOutcome;
pub use query::{QueryLimits, QueryResult, QueryValue};
pub use recall::{FieldChange, Happening, Purged, Told};
pub use requests::{OwnRequest, SavedRequest, SentRequest};
pub use rescue::Rescued;
pub use row::Row;
pub use runs::RunRow;
pub use schema::Definition;
pub use search::IndexProgress;
pub use view::{Condition, Deleted, Sort, Test, ViewSpec};
pub use view_rows::View;
pub use wanted::{IdRow, Stamp, Stamps};

/// The result of this crate's operations.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
