//! The encrypted mirror: SQLite, the only crate that knows rusqlite.
