//! Spans of days that are told from today, as people say them.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan as _};
use salesmirror_model::ColumnKind;

/// The day that stored days are counted from.
pub const EPOCH: Date = Date::constant(1970, 1, 1);

/// The beginning of a day as a column of dates or moments stores it: days or ms since 1970. A calendar
/// day has no time zone. `None` beyond the ends of the calendar.
pub fn stored(day: Date, kind: ColumnKind, zone: &TimeZone) -> Option<i64> {
    match kind {
        ColumnKind::DateOnly => days_since_epoch(day),
        _ => {
            let begin = day.to_zoned(zone.clone()).ok()?;
            Some(begin.timestamp().as_millisecond())
        }
    }
}

/// Days since 1970.
pub fn days_since_epoch(day: Date) -> Option<i64> {
    day.since(EPOCH).ok().map(|span| i64::from(span.get_days()))
}

/// What can be said.
pub const HELP: &str = "Write today, yesterday, tomorrow, this, last or next with week, month, \
    quarter or year, or last or next with a number of days, weeks, months or years.";

/// The first day of a span and the day after its last; `None` where it cannot be understood. Weeks
/// begin on Monday. `last 30 days` has today in it, as in Dynamics 365.
pub fn days(text: &str, today: Date) -> Option<(Date, Date)> {
    let text = text.trim().to_ascii_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let after = |day: Date, span: Span| day.checked_add(span).ok();
    let tomorrow = after(today, 1.day())?;
    match words.as_slice() {
        ["today"] => Some((today, tomorrow)),
        ["yesterday"] => Some((after(today, -1.day())?, today)),
        ["tomorrow"] => Some((tomorrow, after(tomorrow, 1.day())?)),
        [which @ ("this" | "last" | "next"), unit] => {
            let (start, length) = unit_of(unit, today)?;
            match *which {
                "last" => Some((after(start, -length)?, start)),
                "this" => Some((start, after(start, length)?)),
                _ => {
                    let start = after(start, length)?;
                    Some((start, after(start, length)?))
                }
            }
        }
        [which @ ("last" | "next"), count, unit] => {
            let count: i32 = count
                .parse()
                .ok()
                .filter(|count| (1..=9_999).contains(count))?;
            let span = match unit.trim_end_matches('s') {
                "day" => count.days(),
                "week" => count.weeks(),
                "month" => count.months(),
                "year" => count.years(),
                _ => return None,
            };
            match *which {
                "last" => Some((after(today, -span)?, tomorrow)),
                _ => Some((today, after(tomorrow, span)?)),
            }
        }
        _ => None,
    }
}

/// The first day of the unit that a day is in, and how long the unit is.
fn unit_of(unit: &str, day: Date) -> Option<(Date, Span)> {
    match unit {
        "week" => {
            let passed = day.weekday().since(Weekday::Monday);
            Some((day.checked_sub(i32::from(passed).days()).ok()?, 1.week()))
        }
        "month" => Some((day.first_of_month(), 1.month())),
        "quarter" => {
            let month = (day.month() - 1) / 3 * 3 + 1;
            Some((Date::new(day.year(), month, 1).ok()?, 3.months()))
        }
        "year" => Some((day.first_of_year(), 1.year())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn spans_are_what_people_mean() {
        let today = date(2026, 3, 11);
        for (text, from, until) in [
            ("today", today, date(2026, 3, 12)),
            ("Yesterday", date(2026, 3, 10), today),
            ("tomorrow", date(2026, 3, 12), date(2026, 3, 13)),
            ("this week", date(2026, 3, 9), date(2026, 3, 16)),
            ("last week", date(2026, 3, 2), date(2026, 3, 9)),
            ("last month", date(2026, 2, 1), date(2026, 3, 1)),
            ("next month", date(2026, 4, 1), date(2026, 5, 1)),
            ("this quarter", date(2026, 1, 1), date(2026, 4, 1)),
            ("last year", date(2025, 1, 1), date(2026, 1, 1)),
            ("last 30 days", date(2026, 2, 9), date(2026, 3, 12)),
            ("next 2 weeks", today, date(2026, 3, 26)),
            ("last 1 month", date(2026, 2, 11), date(2026, 3, 12)),
        ] {
            assert_eq!(days(text, today), Some((from, until)), "{text}");
        }
        for text in [
            "",
            "last",
            "last 0 days",
            "last x days",
            "soon",
            "last 99999 days",
            "next 9999 years",
        ] {
            assert_eq!(days(text, today), None, "{text}");
        }
        // The week of a Sunday is the one before it.
        assert_eq!(
            days("this week", date(2026, 3, 15)),
            Some((date(2026, 3, 9), date(2026, 3, 16)))
        );
    }
}
