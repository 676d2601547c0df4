//! Ids, table metadata, values, and the rules on URLs and origins.
//!
//! Nothing in this crate performs I/O: every other crate may depend on it.

pub mod clouds;
pub mod explanation;
pub mod ids;
pub mod metadata;
pub mod network;
pub mod record;
pub mod tables;
pub mod unified;
pub mod urls;

pub use clouds::Cloud;
pub use explanation::{Explanation, Page, Place};
pub use ids::parse_guid;
pub use metadata::{Choice, ColumnKind, ColumnMetadata, TableMetadata};
pub use record::{Cell, Change, Collect, Lookup, PageEnd, Record, Value};
