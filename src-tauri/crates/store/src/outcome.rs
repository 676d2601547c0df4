//! How rows came to the mirror, and what came of it.

use salesmirror_model::PageEnd;
use uuid::Uuid;

/// What a page changed. Each row counts once in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageOutcome {
    /// New rows, and rows that came back after their deletion.
    pub inserted: u64,
    /// Changed rows.
    pub updated: u64,
    /// Rows that came and were equal.
    pub unchanged: u64,
    /// Rows that became tombstones.
    pub deleted: u64,
}

/// How rows came.
pub enum Came {
    /// In a page, with what ends it.
    Page(PageEnd),
    /// By id, since these were waited for.
    ById(Vec<Uuid>),
    /// After a write of ours.
    Written {
        /// The write created them.
        is_new: bool,
    },
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Applied {
    pub outcome: PageOutcome,
    /// Some row may be out of date, since it was asked for before it was written: it was left as it
    /// was, and will be read again by id.
    pub is_doubtful: bool,
}
