//! What happened to a record.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ColumnKind;

/// What it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Columns changed.
    #[default]
    Changed,
    /// It was deleted.
    Deleted,
    /// It came back after its deletion.
    Returned,
    /// It came after its table's first full sync.
    Created,
}

/// Something that happened to a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Happening {
    /// What it was.
    pub what: What,
    /// When it was seen, ms since 1970.
    #[ts(type = "number")]
    pub seen_at: i64,
    /// The number of the run that saw it; null where it was written here, or a repair found it.
    #[ts(type = "number | null")]
    pub run: Option<i64>,
    /// The columns that changed.
    pub fields: Vec<FieldChange>,
}

/// A column that changed; values as people read them, null where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FieldChange {
    /// Logical name.
    pub column: String,
    /// Its kind at that time.
    pub kind: ColumnKind,
    /// What it was.
    pub from: Option<String>,
    /// What it became.
    pub to: Option<String>,
}
