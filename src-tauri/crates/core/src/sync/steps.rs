//! What the engine knows, hears and asks for.

use salesmirror_store::{Begin, Checkpoint, Mark, MarkColumn};

/// What the organisation says of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Change tracking is switched on.
    pub tracking: bool,
    /// The column by which changed rows are found otherwise.
    pub mark: Option<MarkColumn>,
}

/// Where a table stands when its run begins.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What was kept of the table's metadata; `None` before its first sync.
    pub facts: Option<Facts>,
    /// The metadata version that its last page carried.
    pub metadata_version: Option<String>,
    /// The committed checkpoint.
    pub checkpoint: Checkpoint,
    /// Rows that wait to be read again by id.
    pub wanted: u64,
    /// Live rows.
    pub live: u64,
    /// When ids were compared last, ms since 1970.
    pub ids_checked: Option<i64>,
    /// When change tracking was asked for last, ms since 1970.
    pub tracking_asked: Option<i64>,
}

/// What the admin wants.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    /// Read every row.
    pub full: bool,
    /// Answers the guard with yes.
    pub yes: bool,
}

/// The figures that decisions are made by.
#[derive(Debug, Clone, Copy)]
pub struct Measures {
    /// Rows a page.
    pub page_size: u32,
    /// A deletion of more than this share of the rows asks first …
    pub guard_share: f64,
    /// … where it is more than so many rows.
    pub guard_rows: u64,
    /// Up to so many rows are read again by id, whatever the size of their table …
    pub by_id_rows: u64,
    /// … and up to this part of a table: a request brings 100 rows by id and 5,000 in a scan.
    pub by_id_part: u64,
    /// Version numbers below the mark that are read again. A transaction lives for two minutes at
    /// most and can commit with a lower number than later ones; an organisation that writes 80 rows
    /// a second gives so many numbers meanwhile. What is missed even so, the comparison of ids finds.
    pub versions_below: i64,
    /// The same for times, in ms: two minutes, and clocks of servers that differ.
    pub time_below: i64,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            page_size: 5_000,
            guard_share: 0.2,
            guard_rows: 100,
            by_id_rows: 200,
            by_id_part: 50,
            versions_below: 10_000,
            time_below: 10 * 60_000,
        }
    }
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A table's first page.
    First {
        /// Whether changes are tracked.
        tracked: bool,
    },
    /// A next link or a delta link.
    Link(String),
    /// The first page of rows whose mark is at least this.
    Since(Mark),
    /// The first page of ids.
    Ids,
}

/// A page to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Where it begins.
    pub source: Source,
    /// It holds ids, with the mark of this column, and not rows.
    pub ids: bool,
    /// Ask for annotations.
    pub annotations: bool,
    /// Rows a page.
    pub page_size: u32,
}

/// What the driver is to do next. Each effect is answered by an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read the metadata, and let the mirror follow it: [`Event::Metadata`].
    ReadMetadata,
    /// Ask whether the table can be read with change tracking: [`Event::Tracking`].
    AskTracking,
    /// Read the highest mark: [`Event::Mark`].
    ReadMark(MarkColumn),
    /// Commit the beginning of a sync: [`Event::Committed`].
    Begin(Begin),
    /// Fetch a page and hold it: [`Event::Page`] or [`Event::Refused`].
    Fetch(Fetch),
    /// Commit the page in hand with the link behind it: [`Event::Committed`].
    Keep,
    /// Count what reconciliation would delete: [`Event::Weighed`].
    Weigh,
    /// Commit the deletions and the new link or mark: [`Event::Committed`].
    Reconcile,
    /// Read some of the waiting rows by id: [`Event::Refreshed`].
    Refresh,
    /// The guard asks: the run ends.
    Ask,
    /// The run ends with the refusal in hand.
    Fail,
    /// The run ends well.
    Finish,
}

/// Why a page was not had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The table cannot be read with change tracking.
    Tracking,
    /// The link, or a name in the request, is good for nothing any more.
    Gone,
    /// The link leads away from the environment.
    Foreign,
    /// Pages of this size break; smaller ones may pass.
    Smaller(u32),
    /// Anything that does not change what to do.
    Other,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The metadata was read; `changed` tells whether the columns are others now, so that all links
    /// are forgotten.
    Metadata {
        /// What it says.
        facts: Facts,
        /// Whether the columns are others.
        changed: bool,
    },
    /// Whether change tracking is granted.
    Tracking(bool),
    /// The highest mark; `None` where the service does not say.
    Mark(Option<i64>),
    /// A page was fetched.
    Page {
        /// The page behind it.
        next_link: Option<String>,
        /// The delta link.
        delta_link: Option<String>,
        /// The metadata version.
        metadata_version: Option<String>,
    },
    /// A page was refused.
    Refused(Refusal),
    /// Where the table stands after a commit.
    Committed {
        /// The checkpoint.
        checkpoint: Checkpoint,
        /// Rows that wait to be read again by id.
        wanted: u64,
        /// Live rows.
        live: u64,
    },
    /// What reconciliation would do.
    Weighed {
        /// Rows that would become tombstones.
        would_delete: u64,
        /// Live rows.
        live: u64,
        /// Rows that came.
        seen: u64,
    },
    /// Rows were read by id; so many are left.
    Refreshed {
        /// Left.
        left: u64,
    },
}
