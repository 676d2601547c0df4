//! What can go wrong with a database, in words.

use rusqlite::ErrorCode;

use crate::explain::DATABASE;

/// An error of the store. `Display` is a sentence for the user.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is no database, is damaged, or was encrypted with another key.
    #[error("The database cannot be read: it is damaged, or its key is another one.")]
    Damaged,
    /// The file was written by a newer version of the app.
    #[error("The database was written by a newer version of Salesmirror.")]
    NewerVersion,
    /// No space left.
    #[error("The disk is full.")]
    DiskFull,
    /// Another process writes.
    #[error("The database is in use by another program.")]
    Busy,
    /// The file or its folder cannot be written.
    #[error("The database cannot be written.")]
    ReadOnly,
    /// The table is not mirrored.
    #[error("The table \"{0}\" is not mirrored.")]
    UnknownTable(String),
    /// The table has no such column.
    #[error("The table \"{table}\" has no column \"{column}\".")]
    UnknownColumn {
        /// Logical name of the table.
        table: String,
        /// The name that was asked for.
        column: String,
    },
    /// A statement that would do more than read the mirror's tables.
    #[error("This statement does more than read the mirrored tables, so it was not run.")]
    QueryRefused,
    /// A statement that SQLite does not understand.
    #[error("The statement cannot be run: {0}.")]
    BadQuery(String),
    /// A statement ran longer than it may.
    #[error("The statement ran longer than it may.")]
    QueryTooLong,
    /// The mirror was closed.
    #[error("The database was closed.")]
    Closed,
    /// Anything else that SQLite says.
    #[error("The database reported: {0}.")]
    Sqlite(rusqlite::Error),
    /// A stored value that this version cannot read.
    #[error("The database holds something unreadable: {0}.")]
    Unreadable(String),
}

impl StoreError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Damaged => "database_damaged",
            Self::NewerVersion => "database_newer",
            Self::DiskFull => "disk_full",
            Self::Busy => "database_busy",
            Self::ReadOnly => "not_writable",
            Self::UnknownTable(_) => "unknown_table",
            Self::UnknownColumn { .. } => "unknown_column",
            Self::QueryRefused => "query_refused",
            Self::BadQuery(_) => "bad_query",
            Self::QueryTooLong => "query_too_long",
            Self::Closed => "interrupted",
            Self::Sqlite(_) => "database_failed",
            Self::Unreadable(_) => "database_unreadable",
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::UnknownTable(_) => "`salesmirror status` lists the mirrored tables.",
            Self::UnknownColumn { .. } => {
                "`salesmirror records TABLE --limit 1 --json` lists them."
            }
            other => DATABASE
                .iter()
                .find(|row| row.code == other.code())
                .map_or("Try again.", |row| row.fix),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged,
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::ReadOnly
            }
            _ => Self::Sqlite(error),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}
