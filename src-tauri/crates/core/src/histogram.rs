//! How rows are spread over the days around a condition on dates, before it is applied.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};
use salesmirror_model::{Cell, ColumnKind, ColumnMetadata, TableMetadata};
use salesmirror_store::{Condition, Sort, Test, ViewSpec};

use crate::error::{Result, blocking};
use crate::period::{self, EPOCH};
use crate::selectors::Selectors;
use crate::session::Session;

/// Bars that are drawn, about: what is told apart in the width of a popover.
const BARS: i32 = 64;
/// Days that are shown around a condition at least.
const LEAST_AROUND: i32 = 14;
/// Days before the end of a condition that has no beginning.
const BACK: i32 = 365;
/// Days after the beginning of one that has no end, and after the end of one that has no beginning, at least.
const AHEAD: i32 = 30;

/// A bar: the rows of some days in sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistogramBar {
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
    /// How many rows.
    pub rows: u64,
    /// Whether the condition holds for them.
    pub chosen: bool,
}

impl Session {
    /// How the rows that match the selectors are spread around a further filter on a column of dates or
    /// moments. Empty where the filter asks for no time. A large table gets an index for the column
    /// afterwards, so that the next time is quick.
    ///
    /// # Errors
    /// A bad selector or filter, an unknown column, a database that cannot be read.
    pub async fn histogram(
        &self,
        table: &str,
        selectors: &Selectors,
        filter: &str,
    ) -> Result<Vec<HistogramBar>> {
        let metadata = self.metadata(table).await?;
        let asked = Selectors {
            filters: vec![filter.to_owned()],
            ..Selectors::default()
        };
        let conditions = asked.view(&metadata)?.conditions;
        let Some(plan) = conditions
            .first()
            .and_then(|condition| Plan::of(condition, &metadata))
        else {
            return Ok(Vec::new());
        };
        let spec = selectors.view(&metadata)?;
        let Plan {
            column,
            asked,
            edges,
            bounds,
        } = plan;
        let (mirror, name, wanted) = (self.mirror().clone(), column.clone(), spec.clone());
        let counts = blocking(move || Ok(mirror.histogram(&wanted, &name, &bounds)?)).await?;
        self.keep_order(ViewSpec {
            sort: Some(Sort {
                column,
                descending: false,
            }),
            ..spec
        });
        let spans = edges.iter().zip(edges.iter().skip(1));
        let bars = spans.zip(counts).map(|((first, next), rows)| HistogramBar {
            first: *first,
            last: next.yesterday().unwrap_or(*next),
            rows,
            chosen: asked.from.is_none_or(|from| from <= *first)
                && asked.until.is_none_or(|until| *next <= until),
        });
        Ok(bars.collect())
    }
}

/// What is counted for a condition.
struct Plan {
    /// Logical name of the column.
    column: String,
    asked: Asked,
    /// Where the bars begin, and where the last one ends.
    edges: Vec<Date>,
    /// The same as the column stores it.
    bounds: Vec<i64>,
}

impl Plan {
    /// `None` where the condition asks for no time.
    fn of(condition: &Condition, table: &TableMetadata) -> Option<Self> {
        let column = table.column(&condition.column)?;
        let zone = zone(condition, column);
        let today = Zoned::now().with_time_zone(zone.clone()).date();
        let asked = Asked::of(condition, column, &zone)?;
        let edges = asked.edges(today)?;
        let bounds = edges
            .iter()
            .map(|day| period::stored(*day, column.kind, &zone))
            .collect::<Option<_>>()?;
        Some(Self {
            column: column.logical_name.clone(),
            asked,
            edges,
            bounds,
        })
    }
}

/// Days that a condition asks for: from the first one, until before another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    from: Option<Date>,
    until: Option<Date>,
}

impl Asked {
    fn of(condition: &Condition, column: &ColumnMetadata, zone: &TimeZone) -> Option<Self> {
        let day = |cell: &Cell| day(cell, column, zone);
        let (from, until) = match &condition.test {
            Test::Within(from, until) => (Some(day(from)?), Some(day(until)?)),
            Test::Greater(from) | Test::GreaterOrEqual(from) => (Some(day(from)?), None),
            Test::Less(until) | Test::LessOrEqual(until) => (None, Some(day(until)?)),
            _ => return None,
        };
        Some(Self { from, until })
    }

    /// Where the bars begin, and where the last one ends: what is asked for, and as much around it as
    /// lets one see what is left out. One of the edges is where the condition begins, else where it ends.
    fn edges(self, today: Date) -> Option<Vec<Date>> {
        let after = |day: Date, days: i32| day.checked_add(days.days()).ok();
        let tomorrow = after(today, 1)?;
        let (anchor, start, end) = match (self.from, self.until) {
            (Some(from), until) => {
                let end = match until {
                    Some(until) => until,
                    None => tomorrow.max(after(from, AHEAD)?),
                };
                let around = days_between(from, end).max(LEAST_AROUND);
                (from, after(from, -around)?, end)
            }
            (None, Some(until)) => {
                let end = tomorrow.min(after(until, BACK)?).max(after(until, AHEAD)?);
                (until, after(until, -BACK)?, end)
            }
            (None, None) => return None,
        };
        let each = (days_between(start, end) + BARS - 1) / BARS;
        let each = each.max(1);
        let before = (days_between(start, anchor) + each - 1) / each;
        let mut edges = vec![after(anchor, -before * each)?];
        while let Some(last) = edges.last().copied().filter(|last| *last < end) {
            edges.push(after(last, each)?.min(end));
        }
        Some(edges)
    }
}

/// The calendar that a condition's days are of. Spans that are told from today are those of this
/// computer; a day that was written stands for its beginning in UTC, and calendar days have no zone.
fn zone(condition: &Condition, column: &ColumnMetadata) -> TimeZone {
    match (&condition.test, column.kind) {
        (Test::Within(..), ColumnKind::DateTime) => TimeZone::system(),
        _ => TimeZone::UTC,
    }
}

fn days_between(from: Date, until: Date) -> i32 {
    until.since(from).map_or(0, |span| span.get_days())
}

fn day(cell: &Cell, column: &ColumnMetadata, zone: &TimeZone) -> Option<Date> {
    let Cell::Integer(number) = cell else {
        return None;
    };
    match column.kind {
        ColumnKind::DateOnly => EPOCH.checked_add(i32::try_from(*number).ok()?.days()).ok(),
        ColumnKind::DateTime => {
            let moment = Timestamp::from_millisecond(*number).ok()?;
            Some(moment.to_zoned(zone.clone()).date())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn edges(from: Option<Date>, until: Option<Date>) -> Vec<Date> {
        Asked { from, until }.edges(date(2026, 3, 12)).unwrap()
    }

    #[test]
    fn as_much_is_shown_before_a_span_as_it_is_long() {
        let found = edges(Some(date(2026, 2, 11)), Some(date(2026, 3, 13)));
        assert_eq!(found.len(), 61, "thirty days twice");
        assert_eq!(found[0], date(2026, 1, 12));
        assert_eq!(found[30], date(2026, 2, 11));
        assert_eq!(found[60], date(2026, 3, 13));
        // A day alone has days before it.
        let found = edges(Some(date(2026, 3, 12)), Some(date(2026, 3, 13)));
        assert_eq!(found.len(), 16);
        assert_eq!(found[14], date(2026, 3, 12));
    }

    #[test]
    fn long_spans_have_bars_of_several_days_that_end_where_the_span_does() {
        let (from, until) = (date(2025, 1, 1), date(2026, 1, 1));
        let found = edges(Some(from), Some(until));
        assert!((50..=65).contains(&found.len()), "{}", found.len());
        assert!(found.contains(&from));
        assert_eq!(found.last(), Some(&until));
        assert!(found.is_sorted());
    }

    #[test]
    fn open_spans_reach_today_or_a_month_ahead() {
        let from = date(2026, 1, 1);
        let found = edges(Some(from), None);
        assert!(found.contains(&from));
        assert_eq!(found.last(), Some(&date(2026, 3, 13)), "until today");
        let found = edges(Some(date(2026, 4, 1)), None);
        assert_eq!(found.last(), Some(&date(2026, 5, 1)));
        let until = date(2026, 3, 1);
        let found = edges(None, Some(until));
        assert!(found.contains(&until));
        assert!(found[0] <= date(2025, 3, 1));
        assert_eq!(found.last(), Some(&date(2026, 3, 31)));
    }

    #[test]
    fn the_ends_of_the_calendar_are_no_place_for_bars() {
        let asked = Asked {
            from: Some(Date::MIN),
            until: None,
        };
        assert_eq!(asked.edges(date(2026, 3, 12)), None);
    }
}
