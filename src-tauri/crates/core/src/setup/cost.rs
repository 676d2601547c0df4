//! What the first sync will take, before anybody starts it.

use salesmirror_model::tables::DEFAULT_TABLES;

use crate::examine::Check;
use crate::schedule::{ENTITLEMENT, full_sync_requests};

/// Rows a second that an environment gives to one user, about: four pages of 5,000 rows at once,
/// each of some four seconds. What the disk and the processor here do is several times as much.
const ROWS_PER_SECOND: u64 = 5_000;
/// Bytes that a row takes in the mirror with its search index, about, as measured on the sample
/// organisation.
const BYTES_PER_ROW: u64 = 900;

/// What a first sync takes, about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstSync {
    /// Rows by table, where they were counted.
    pub tables: Vec<(String, Option<u64>)>,
    /// Rows in all.
    pub rows: u64,
    /// Seconds.
    pub seconds: u64,
    /// Requests.
    pub requests: u64,
    /// Requests that a user has a day.
    pub entitlement: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// What reading these tables takes, from the counts among the checks.
#[must_use]
pub fn first_sync(checks: &[Check]) -> FirstSync {
    let counts = || checks.iter().flat_map(|check| &check.counts);
    let tables: Vec<(String, Option<u64>)> = DEFAULT_TABLES
        .into_iter()
        .map(|table| {
            let found = counts().find(|(name, _)| name == table);
            (table.to_owned(), found.map(|(_, rows)| *rows))
        })
        .collect();
    let rows = tables.iter().filter_map(|(_, rows)| *rows).sum();
    let each = tables.iter().map(|(_, rows)| rows.unwrap_or_default());
    FirstSync {
        rows,
        seconds: u64::div_ceil(rows, ROWS_PER_SECOND),
        requests: each.map(full_sync_requests).sum(),
        entitlement: ENTITLEMENT,
        bytes: rows * BYTES_PER_ROW,
        tables,
    }
}
