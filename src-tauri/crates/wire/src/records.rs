//! Views over mirrored tables, their rows, and exports.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a column's values are stored, compared and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// One line of text.
    Text,
    /// Several lines of text.
    Memo,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Decimal,
    /// An amount of money.
    Money,
    /// Yes or no.
    Boolean,
    /// One of a list of labels.
    Choice,
    /// Several of a list of labels.
    MultiChoice,
    /// A moment.
    DateTime,
    /// A calendar day.
    Date,
    /// A reference to another record.
    Lookup,
    /// A GUID.
    Id,
    /// Anything else.
    Other,
}

/// A label of a choice column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Choice {
    /// The stored number.
    #[ts(type = "number")]
    pub value: i64,
    /// Its label.
    pub label: String,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Column {
    /// Logical name.
    pub name: String,
    /// Label.
    pub label: String,
    /// Kind.
    pub kind: ColumnKind,
    /// Labels of a choice column.
    pub choices: Vec<Choice>,
    /// Whether the organisation made it.
    pub custom: bool,
}

/// The columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TableColumns {
    /// Logical name of the table.
    pub table: String,
    /// The primary name column.
    pub primary_name: Option<String>,
    /// All columns, in the organisation's order.
    pub columns: Vec<Column>,
    /// Names of the columns to show first.
    pub shown: Vec<String>,
}

/// How a filter compares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FilterOp {
    /// Equal.
    #[default]
    Equal,
    /// Not equal.
    NotEqual,
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
    /// Contains, ignoring case.
    Contains,
    /// Does not contain, ignoring case.
    NotContains,
    /// Starts with, ignoring case.
    StartsWith,
    /// One of several values.
    In,
    /// None of several values, or empty.
    NotIn,
    /// In a span of days told from today, such as `last 30 days`.
    Within,
    /// Empty.
    IsNull,
    /// Not empty.
    IsNotNull,
}

/// A condition on a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Filter {
    /// Logical name of the column.
    pub column: String,
    /// How it compares.
    pub op: FilterOp,
    /// What it compares with, as people write it; several for `in`.
    pub values: Vec<String>,
}

impl Filter {
    /// The condition as people write it for the command line: `column op value`.
    #[must_use]
    pub fn expression(&self) -> String {
        let operator = match self.op {
            FilterOp::Equal => "=",
            FilterOp::NotEqual => "!=",
            FilterOp::Less => "<",
            FilterOp::LessOrEqual => "<=",
            FilterOp::Greater => ">",
            FilterOp::GreaterOrEqual => ">=",
            FilterOp::Contains => "contains",
            FilterOp::NotContains => "not-contains",
            FilterOp::Within => "within",
            FilterOp::StartsWith => "starts-with",
            FilterOp::In => "in",
            FilterOp::NotIn => "not-in",
            FilterOp::IsNull => "is-null",
            FilterOp::IsNotNull => "is-not-null",
        };
        let values: Vec<String> = self
            .values
            .iter()
            .map(|value| format!("\"{}\"", value.replace('"', "\"\"")))
            .collect();
        format!("{} {operator} {}", self.column, values.join(","))
    }
}

/// The order of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Sort {
    /// Logical name of the column.
    pub column: String,
    /// Largest first.
    pub descending: bool,
}

/// Whether deleted rows are in a view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Deleted {
    /// Live rows only.
    #[default]
    Exclude,
    /// Both.
    Include,
    /// Deleted rows only.
    Only,
}

/// Which rows of a table, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ViewRequest {
    /// Logical name of the table.
    pub table: String,
    /// Conditions, all of which hold.
    pub filters: Vec<Filter>,
    /// Text to search for in all text columns.
    pub search: Option<String>,
    /// Order.
    pub sort: Option<Sort>,
    /// Deleted rows.
    pub deleted: Deleted,
    /// Invalidated rows only.
    pub stale_only: bool,
}

/// An opened view. It holds still while the mirror changes, until it is opened again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct View {
    /// The handle for windows and exports.
    pub id: u32,
    /// Matching rows.
    #[ts(type = "number")]
    pub total: u64,
    /// Whether these are all, and not the first ones alone.
    pub whole: bool,
    /// Time it took to open, in ms.
    pub opened_ms: f64,
}

/// A value in the grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(untagged)]
pub enum GridCell {
    /// A reference to another record.
    Lookup {
        /// The target's id.
        id: String,
        /// The target's table.
        table: Option<String>,
        /// The target's name.
        name: Option<String>,
    },
    /// A value with the text that the organisation shows for it.
    Formatted {
        /// The value.
        value: f64,
        /// The text.
        text: String,
    },
    /// A number; moments are ms since 1970, days are days since 1970.
    Number(f64),
    /// Text.
    Text(String),
    /// Empty.
    Null,
}

/// A row of a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Row {
    /// The record's id.
    pub id: String,
    /// Whether the organisation deleted it.
    pub deleted: bool,
    /// Whether it was invalidated.
    pub stale: bool,
    /// One cell for each column asked for.
    pub cells: Vec<GridCell>,
}

/// Some consecutive rows of a view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Window {
    /// The rows.
    pub rows: Vec<Row>,
}

/// A bar of how rows are spread around a filter of dates: the rows of some days in sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct HistogramBar {
    /// The first day, as `2026-03-12`.
    pub first: String,
    /// The last day.
    pub last: String,
    /// How many rows.
    #[ts(type = "number")]
    pub rows: u64,
    /// Whether the filter asks for them.
    pub chosen: bool,
}

/// Which table of which connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TableKey {
    /// Id of the connection.
    pub connection: String,
    /// Logical name of the table.
    pub table: String,
}

/// Which record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RecordKey {
    /// Id of the connection.
    pub connection: String,
    /// Logical name of the table.
    pub table: String,
    /// The record's id.
    pub id: String,
}

/// One record in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Record {
    /// The record, one cell for each column of its table.
    pub row: Row,
    /// `versionnumber`.
    #[ts(type = "number | null")]
    pub version: Option<i64>,
    /// The record as the organisation delivered it, indented.
    pub raw: String,
    /// Its unified object as JSON, with all digits; null for tables that have none.
    pub unified: Option<String>,
    /// When it was found deleted, ms since 1970.
    #[ts(type = "number | null")]
    pub deleted_at: Option<i64>,
    /// Address of its form in Dynamics 365.
    pub link: String,
}

/// Rows of an open view, by their places in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Picked {
    /// The view's handle.
    pub view: u32,
    /// Ranges of places: the first, and the one after the last.
    pub places: Vec<(u32, u32)>,
}

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Comma-separated values.
    Csv,
    /// An Excel workbook.
    Xlsx,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

/// What to export, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ExportRequest {
    /// The rows.
    pub view: ViewRequest,
    /// Instead of all of them, these.
    pub picked: Option<Picked>,
    /// The format.
    pub format: ExportFormat,
    /// CSV: what is between two values.
    pub delimiter: char,
    /// CSV: quotes around every value.
    pub quote_all: bool,
    /// CSV: moments in this computer's time zone instead of UTC.
    pub local_dates: bool,
    /// The columns; all where empty.
    pub columns: Vec<String>,
    /// The file.
    pub path: String,
    /// Values as delivered instead of labels.
    pub raw_values: bool,
    /// A byte order mark, which Excel needs to see UTF-8.
    pub bom: bool,
    /// Keep a spreadsheet from running a cell as a formula.
    pub formula_guard: bool,
}
