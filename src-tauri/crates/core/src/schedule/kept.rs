//! Schedules as the admin sets them, in `app.db`: one of the connection, and those of tables that
//! differ from it.

use std::time::Duration;

use salesmirror_store::{AppDb, Attempt, TableState};
use serde_json::Value;
use uuid::Uuid;

use super::{LONGEST, SHORTEST, Schedule, Tried, USUALLY_EVERY};
use crate::app::now_ms;
use crate::error::{Error, Result, blocking};
use crate::explanations::errors;
use crate::session::Session;

/// How often, as it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// As the connection says; for the connection, as usual.
    Default,
    /// So much from the start of one sync to the start of the next.
    Interval(Duration),
    /// Not by itself.
    Off,
}

/// What to change; the rest stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScheduleChange {
    /// How often.
    pub every: Option<Every>,
    /// Whether the plan rests.
    pub paused: Option<bool>,
}

/// The plan of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchedule {
    /// Logical name.
    pub table: String,
    /// The plan that holds, the connection's included.
    pub schedule: Schedule,
    /// Whether the table has an interval of its own.
    pub is_own: bool,
    /// When the next sync is due, ms since 1970; not after now where it is due. `None` where none
    /// follows by itself.
    pub next: Option<i64>,
}

/// Units of intervals, in s.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
const OFF: &str = "off";
const DEFAULT: &str = "default";
const PAUSED: &str = "paused";

impl Every {
    /// Reads `15m`, `2h`, `1d`, `30s`, `off` or `default`.
    ///
    /// # Errors
    /// Where it is neither, or shorter than 5 seconds or longer than a year.
    pub fn parse(text: &str) -> Result<Self> {
        let word = text.trim().to_ascii_lowercase();
        Self::read(&word).ok_or_else(|| {
            Error::usage(
                "bad_interval",
                format!("\"{text}\" is no interval."),
                "Write a number with its unit, such as 15m, 2h or 1d, from 5s to 365d; or off, or default.",
            )
        })
    }

    fn read(word: &str) -> Option<Self> {
        match word {
            OFF => return Some(Self::Off),
            DEFAULT => return Some(Self::Default),
            _ => {}
        }
        let unit = word.chars().last()?;
        let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let number: u64 = word.strip_suffix(unit)?.trim().parse().ok()?;
        let interval = Duration::from_secs(number.checked_mul(*seconds)?);
        (SHORTEST..=LONGEST)
            .contains(&interval)
            .then_some(Self::Interval(interval))
    }

    /// As [`Every::parse`] reads it.
    #[must_use]
    pub fn text(self) -> String {
        let Self::Interval(interval) = self else {
            return if self == Self::Off { OFF } else { DEFAULT }.to_owned();
        };
        let seconds = interval.as_secs();
        let fits = UNITS.iter().find(|(_, unit)| seconds.is_multiple_of(*unit));
        fits.map_or_else(String::new, |(name, unit)| {
            format!("{}{name}", seconds / unit)
        })
    }
}

/// What is kept of a connection or a table.
#[derive(Clone, Copy)]
struct Kept {
    every: Every,
    is_paused: bool,
}

impl Kept {
    fn read(db: &AppDb, key: &str) -> Result<Self> {
        let text = db.setting(key)?.unwrap_or_default();
        // What cannot be read counts as nothing said.
        let every = text.split(' ').next().and_then(Every::read);
        Ok(Self {
            every: every.unwrap_or(Every::Default),
            is_paused: text.ends_with(PAUSED),
        })
    }

    /// The plan that holds under the connection's own.
    fn within(self, connection: Self) -> Schedule {
        let every = match self.every {
            Every::Default => connection.every,
            own => own,
        };
        Schedule {
            every: match every {
                Every::Default => Some(USUALLY_EVERY),
                Every::Interval(interval) => Some(interval),
                Every::Off => None,
            },
            is_paused: self.is_paused || connection.is_paused,
        }
    }

    fn keep(self, db: &AppDb, key: &str) -> Result<()> {
        let rest = if self.is_paused { " paused" } else { "" };
        Ok(db.set_setting(key, &format!("{}{rest}", self.every.text()))?)
    }
}

/// Settings of a connection end in its id, and go with it.
fn key(table: Option<&str>, connection: Uuid) -> String {
    match table {
        Some(table) => format!("schedule.{table}/{connection}"),
        None => format!("schedule/{connection}"),
    }
}

/// Whether an error of this code is one of signing in.
fn ends_sign_in(code: &str) -> bool {
    let [entra, sign_in, ..] = errors();
    let mut rows = entra.rows.iter().chain(sign_in.rows);
    code == "not_signed_in" || rows.any(|row| row.code == code)
}

/// What a planner needs to know of a try.
fn tried(attempt: &Attempt, is_signed_in: bool) -> Tried {
    let error: Value = attempt
        .error
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    // The admin has signed in again since: what failed for want of that is tried in its usual time.
    let is_mended = is_signed_in && error["code"].as_str().is_some_and(ends_sign_in);
    Tried {
        started_at: attempt.started_at,
        failures: if is_mended { 0 } else { attempt.failures },
        asks: attempt.status == "needs_confirmation",
    }
}

impl Session {
    /// The connection's own plan, by which tables go that have none.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn schedule(&self) -> Result<Schedule> {
        let session = self.clone();
        blocking(move || {
            let kept = Kept::read(session.db(), &key(None, session.row().id))?;
            Ok(kept.within(kept))
        })
        .await
    }

    /// The plans of all mirrored tables, with what is due when.
    ///
    /// # Errors
    /// Where a database cannot be read.
    pub async fn table_schedules(&self) -> Result<Vec<TableSchedule>> {
        let tables = self.mirrored_tables().await?;
        let session = self.clone();
        blocking(move || session.plans(&tables, &session.mirror().tables()?, now_ms())).await
    }

    /// Changes the plan of a table (its logical name) or of the connection. Whoever watches goes by
    /// it within seconds, in other processes too.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub async fn set_schedule(&self, table: Option<&str>, change: ScheduleChange) -> Result<()> {
        let (session, table) = (self.clone(), table.map(str::to_owned));
        blocking(move || {
            let key = key(table.as_deref(), session.row().id);
            let kept = Kept::read(session.db(), &key)?;
            let changed = Kept {
                every: change.every.unwrap_or(kept.every),
                is_paused: change.paused.unwrap_or(kept.is_paused),
            };
            changed.keep(session.db(), &key)
        })
        .await?;
        self.touch();
        Ok(())
    }

    pub(crate) fn plans(
        &self,
        tables: &[String],
        states: &[TableState],
        now: i64,
    ) -> Result<Vec<TableSchedule>> {
        let id = self.row().id;
        let attempts = self.db().attempts(id)?;
        let row = self.db().connection(&self.row().name)?;
        let is_signed_in = row.is_none_or(|row| row.signed_in);
        let connection = Kept::read(self.db(), &key(None, id))?;
        // A mirror that took a damaged one's place has nothing of what went well before it.
        let is_there = |table: &str| {
            let mut states = states.iter();
            states.any(|state| state.metadata.logical_name == table && state.last_sync.is_some())
        };
        let plan = |table: &String| {
            let own = Kept::read(self.db(), &key(Some(table), id))?;
            let schedule = own.within(connection);
            let last = attempts
                .iter()
                .find(|attempt| attempt.table == *table)
                .filter(|attempt| attempt.status != "success" || is_there(table));
            let last = last.map(|attempt| tried(attempt, is_signed_in));
            Ok(TableSchedule {
                table: table.clone(),
                schedule,
                is_own: own.every != Every::Default,
                // Without a sign-in nothing can go well.
                next: schedule.next(last, now).filter(|_| is_signed_in),
            })
        };
        tables.iter().map(plan).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Category;

    #[test]
    fn intervals_are_read_as_people_write_them_and_written_as_they_are_read() {
        for (text, seconds, written) in [
            ("15m", 900, "15m"),
            (" 2 H ", 7_200, "2h"),
            ("1d", 86_400, "1d"),
            ("48h", 172_800, "2d"),
            ("90s", 90, "90s"),
            ("5s", 5, "5s"),
            ("365d", 31_536_000, "365d"),
        ] {
            let every = Every::parse(text).unwrap();
            assert_eq!(
                every,
                Every::Interval(Duration::from_secs(seconds)),
                "{text}"
            );
            assert_eq!(every.text(), written, "{text}");
            assert_eq!(Every::parse(written).unwrap(), every, "{text}");
        }
        assert_eq!(Every::parse("Off").unwrap().text(), "off");
        assert_eq!(Every::parse("default").unwrap().text(), "default");
        for text in [
            "",
            "m",
            "15",
            "4s",
            "0m",
            "366d",
            "-5m",
            "1.5h",
            "1w",
            "99999999999999999999d",
            "5ü",
        ] {
            let error = Every::parse(text).unwrap_err();
            assert_eq!(
                (error.code.as_str(), error.category),
                ("bad_interval", Category::Usage),
                "{text}"
            );
        }
    }
}
