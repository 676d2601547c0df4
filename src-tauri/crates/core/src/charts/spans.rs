//! Days and months of the calendar, as bounds of what is counted and as filters that show it.

use jiff::civil::Date;
use jiff::{ToSpan as _, Zoned};
use salesmirror_model::{ColumnKind, ColumnMetadata};

use crate::charts::ChartFilter;
use crate::period;

/// Days that are shown, today among them.
const DAYS: i64 = 14;
/// Months that are shown, the current one among them.
const MONTHS: i64 = 12;

/// Consecutive spans of the calendar.
pub struct Spans {
    /// How each is called.
    pub labels: Vec<String>,
    /// Where each begins, and where the last one ends.
    bounds: Vec<Zoned>,
}

/// The last days.
pub fn days(now: &Zoned) -> Spans {
    let first = now.date().saturating_sub((DAYS - 1).days());
    let dates = (0..=DAYS).map(|day| first.saturating_add(day.days()));
    spans(now, dates, "%Y-%m-%d")
}

/// The last months.
pub fn months(now: &Zoned) -> Spans {
    let this = now.date().first_of_month();
    let first = this.saturating_sub((MONTHS - 1).months());
    let dates = (0..=MONTHS).map(|month| first.saturating_add(month.months()));
    spans(now, dates, "%Y-%m")
}

fn spans(now: &Zoned, dates: impl Iterator<Item = Date>, format: &str) -> Spans {
    // What fails lies beyond the ends of the calendar, where there are no records either.
    let bounds: Vec<Zoned> = dates
        .filter_map(|date| date.to_zoned(now.time_zone().clone()).ok())
        .collect();
    let spans = bounds.len().saturating_sub(1);
    let labels = bounds.iter().take(spans);
    Spans {
        labels: labels
            .map(|begin| begin.strftime(format).to_string())
            .collect(),
        bounds,
    }
}

impl Spans {
    /// The bounds in ms since 1970.
    pub fn bounds_ms(&self) -> Vec<i64> {
        let ms = |bound: &Zoned| bound.timestamp().as_millisecond();
        self.bounds.iter().map(ms).collect()
    }

    /// The bounds as a column of this kind keeps them. A calendar day has no time zone.
    pub fn bounds(&self, kind: ColumnKind) -> Vec<i64> {
        if kind != ColumnKind::DateOnly {
            return self.bounds_ms();
        }
        let days = |bound: &Zoned| period::days_since_epoch(bound.date()).unwrap_or_default();
        self.bounds.iter().map(days).collect()
    }

    /// The filters that show what lies in one of them.
    pub fn filters(&self, span: usize, column: &ColumnMetadata) -> Vec<ChartFilter> {
        let filter = |bound: &Zoned, op| {
            let text = match column.kind {
                ColumnKind::DateOnly => bound.date().to_string(),
                _ => bound.timestamp().to_string(),
            };
            ChartFilter::new(column, op, vec![text])
        };
        match self.bounds.get(span..span + 2) {
            Some([begin, end]) => vec![filter(begin, "greater_or_equal"), filter(end, "less")],
            _ => Vec::new(),
        }
    }
}
