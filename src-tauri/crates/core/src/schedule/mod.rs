//! When tables are synced: the plan, without clock or disk.

mod kept;
mod meter;
mod watch;

pub use kept::{Every, ScheduleChange, TableSchedule};
pub(crate) use meter::{ENTITLEMENT, full_sync_requests};
pub use meter::{Requests, Warning};
pub use watch::{Watched, Watching};

use std::time::Duration;

/// How often a table is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The time from the start of one sync to the start of the next; `None` where the admin syncs.
    pub every: Option<Duration>,
    /// Whether the plan rests until it is resumed.
    pub is_paused: bool,
}

/// How often where nobody said anything: Dataverse grants 40,000 requests a user and day, and five
/// tables without changes take 480 of them at this pace.
pub const USUALLY_EVERY: Duration = Duration::from_secs(15 * 60);
/// Below this, syncs would only overtake each other.
pub const SHORTEST: Duration = Duration::from_secs(5);
/// A year: whoever wants to wait longer wants no schedule.
pub const LONGEST: Duration = Duration::from_secs(365 * 86_400);
/// However often it failed, a sync is tried again after so long, or in its own time.
const LONGEST_BACKOFF: Duration = Duration::from_secs(6 * 3_600);
/// Doublings that are counted: 5 s become more than the longest backoff.
const MOST_DOUBLINGS: u32 = 13;
/// Two clocks of one computer differ by less; what began later than now by more was written when
/// the clock was wrong, or is wrong now. In ms.
const CLOCK_SLACK_MS: i64 = 60_000;

/// What is known of the last try to sync a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// When it began, ms since 1970.
    pub started_at: i64,
    /// How many tries have failed since one went well.
    pub failures: u32,
    /// Whether the mass-delete guard asks: the admin's answer is waited for.
    pub asks: bool,
}

impl Schedule {
    /// When the next sync is due, in ms since 1970; now or earlier where it is due. `None` where
    /// there will be none until the admin does something.
    ///
    /// However long nobody looked, one sync is due and not several. A try that seems to lie in the
    /// future says nothing, since a clock was wrong: one sync is due, and the next counts from it.
    #[must_use]
    pub fn next(&self, last: Option<Tried>, now: i64) -> Option<i64> {
        let every = self.every.filter(|_| !self.is_paused)?;
        let Some(last) = last else {
            return Some(now);
        };
        if last.asks {
            return None;
        }
        if last.started_at > now.saturating_add(CLOCK_SLACK_MS) {
            return Some(now);
        }
        let doubled = every.saturating_mul(1 << last.failures.min(MOST_DOUBLINGS));
        let wait = doubled.min(LONGEST_BACKOFF.max(every));
        Some(last.started_at.saturating_add(milliseconds(wait)))
    }
}

/// In ms; as many as fit.
pub(crate) fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const DAY: i64 = 86_400_000;
    const NOW: i64 = 1_700_000_000_000;

    fn every(minutes: u64) -> Schedule {
        Schedule {
            every: Some(Duration::from_secs(minutes * 60)),
            is_paused: false,
        }
    }

    fn tried(started_at: i64, failures: u32) -> Option<Tried> {
        Some(Tried {
            started_at,
            failures,
            asks: false,
        })
    }

    #[test]
    fn the_plan_says_when() {
        let off = Schedule {
            every: None,
            is_paused: false,
        };
        let paused = Schedule {
            is_paused: true,
            ..every(15)
        };
        let asks = tried(NOW, 0).map(|last| Tried { asks: true, ..last });
        for (what, schedule, last, expected) in [
            ("never tried", every(15), None, Some(NOW)),
            (
                "just done",
                every(15),
                tried(NOW, 0),
                Some(NOW + 15 * MINUTE),
            ),
            (
                "soon",
                every(15),
                tried(NOW - 14 * MINUTE, 0),
                Some(NOW + MINUTE),
            ),
            ("off", off, None, None),
            ("paused", paused, tried(NOW - DAY, 0), None),
            ("asks", every(15), asks, None),
            (
                "failed once",
                every(15),
                tried(NOW, 1),
                Some(NOW + 30 * MINUTE),
            ),
            (
                "failed thrice",
                every(15),
                tried(NOW, 3),
                Some(NOW + 120 * MINUTE),
            ),
            (
                "failed for long",
                every(15),
                tried(NOW, 400),
                Some(NOW + 360 * MINUTE),
            ),
            (
                "failed, but rare",
                every(3 * 1_440),
                tried(NOW, 5),
                Some(NOW + 3 * DAY),
            ),
            (
                "the clock is a day behind",
                every(15),
                tried(NOW + DAY, 0),
                Some(NOW),
            ),
            (
                "and it failed too",
                every(15),
                tried(NOW + DAY, 9),
                Some(NOW),
            ),
            (
                "two clocks",
                every(15),
                tried(NOW + 1, 0),
                Some(NOW + 1 + 15 * MINUTE),
            ),
        ] {
            assert_eq!(schedule.next(last, NOW), expected, "{what}");
        }
    }

    /// Syncs whenever one is due, looking every minute; gives when.
    fn lived(clock: impl Fn(i64) -> i64, minutes: i64) -> Vec<i64> {
        let mut last = None;
        let mut syncs = Vec::new();
        for minute in 0..minutes {
            let now = clock(minute);
            if every(15).next(last, now).is_some_and(|next| next <= now) {
                syncs.push(minute);
                last = tried(now, 0);
            }
        }
        syncs
    }

    #[test]
    fn sleep_and_clocks_that_jump_bring_one_sync_and_neither_a_storm_nor_a_standstill() {
        let jump = |by: i64| move |minute: i64| NOW + minute * MINUTE + (minute >= 100) as i64 * by;
        for by in [DAY, 7 * DAY, -DAY, -7 * DAY] {
            let syncs = lived(jump(by), 200);
            // Every 15 minutes, and one more at the jump, from which the next ones count.
            let expected: Vec<i64> = (0..100).step_by(15).chain((100..200).step_by(15)).collect();
            assert_eq!(syncs, expected, "a jump by {by} ms");
        }
        // Forth and back again.
        let wild = |minute: i64| NOW + minute * MINUTE + (minute / 50 % 2) * DAY;
        let syncs = lived(wild, 1_000);
        assert!((60..=90).contains(&syncs.len()), "{syncs:?}");
        let gaps = syncs.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.max() <= Some(15), "{syncs:?}");
    }
}
