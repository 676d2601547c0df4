//! The charts of Home.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Filter;

/// The four charts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Charts {
    /// Open opportunities by stage.
    pub pipeline: Chart,
    /// Opportunities won and lost in each of the last twelve months.
    pub closed: Chart,
    /// Leads by source.
    pub sources: Chart,
    /// Records that changed on each of the last fourteen days.
    pub changes: Chart,
}

/// A chart: groups of bars, in the order they are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Chart {
    /// The groups; empty where there is nothing to show.
    pub groups: Vec<ChartGroup>,
    /// Label of the column that amounts are of; `null` where rows are only counted.
    pub amount: Option<String>,
    /// Sign of the currency of amounts, where they have one in common.
    pub currency: Option<String>,
    /// What has to be known of it, or why there is nothing to show. A sentence.
    pub note: Option<String>,
}

/// Bars with a common label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ChartGroup {
    /// A value's label, a month as `2026-03`, or a day as `2026-03-12`.
    pub label: String,
    /// The bars.
    pub bars: Vec<ChartBar>,
}

/// A bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ChartBar {
    /// What tells it apart within its group.
    pub name: String,
    /// Rows.
    #[ts(type = "number")]
    pub rows: u64,
    /// What they add up to, where the chart has amounts.
    pub amount: f64,
    /// Logical name of the rows' table.
    pub table: String,
    /// The filters that show the rows; `null` where no filters do.
    pub filters: Option<Vec<Filter>>,
}
