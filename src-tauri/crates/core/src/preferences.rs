//! What the admin decides for a connection: how long things are kept, and when the mass-delete guard
//! asks.

use salesmirror_store::{AppDb, Purged};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::now_ms;
use crate::error::{Error, Result, blocking};
use crate::session::Session;
use crate::sync::Measures;

/// A setting of a connection as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    /// Its name, such as `keep-history`.
    pub key: &'static str,
    /// Its value: `forever`, or a number in the setting's unit.
    pub value: String,
    /// The value where the admin said nothing.
    pub default: &'static str,
    /// What it does, one sentence with its unit.
    pub meaning: &'static str,
}

/// What a value may be.
#[derive(Clone, Copy)]
enum Kind {
    /// `forever`, or days from one on.
    Days,
    /// A whole number up to this.
    Number(u64),
    /// A whole number of rows, within what Dataverse takes.
    Page,
}

struct Row {
    key: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
}

const KEEP_DELETED: &str = "keep-deleted";
const KEEP_HISTORY: &str = "keep-history";
const KEEP_RUNS: &str = "keep-runs";
const GUARD_PERCENT: &str = "mass-delete-percent";
const GUARD_ROWS: &str = "mass-delete-rows";
const PAGE_SIZE: &str = "page-size";
/// Rows of a page: Dataverse gives 5,000 at most; below 250 requests are wasted.
const PAGES: std::ops::RangeInclusive<u64> = 250..=5_000;

/// All settings. Deleted rows stay until the admin says otherwise: nothing else has them any more.
const ALL: [Row; 6] = [
    Row {
        key: KEEP_DELETED,
        kind: Kind::Days,
        default: FOREVER,
        meaning: "How many days deleted rows are kept, with their history; \"forever\" until they are purged.",
    },
    Row {
        key: KEEP_HISTORY,
        kind: Kind::Days,
        default: "365",
        meaning: "How many days it is kept what changed in which record, or \"forever\".",
    },
    Row {
        key: KEEP_RUNS,
        kind: Kind::Days,
        default: "90",
        meaning: "How many days runs are listed, or \"forever\"; never more than the newest 20,000.",
    },
    Row {
        key: GUARD_PERCENT,
        kind: Kind::Number(100),
        default: "20",
        meaning: "A sync that would delete more than this percentage of a table's rows asks first, …",
    },
    Row {
        key: GUARD_ROWS,
        kind: Kind::Number(u32::MAX as u64),
        default: "100",
        meaning: "… where it is also more than this number of rows. A sync that brought no rows at all always asks.",
    },
    Row {
        key: PAGE_SIZE,
        kind: Kind::Page,
        default: "5000",
        meaning: "Rows that are asked for in one request. Smaller pages help on slow lines; pages that break are halved by themselves.",
    },
];

const FOREVER: &str = "forever";
/// The word that gives a setting its default back.
const DEFAULT: &str = "default";
/// A day, in ms.
const DAY_MS: i64 = 86_400_000;
/// A century: what is to be kept for longer is kept forever.
const MOST_DAYS: u64 = 36_500;
/// Runs of a connection at most: some megabytes.
const MOST_RUNS: u32 = 20_000;

impl Row {
    fn read(&self, text: &str) -> Option<String> {
        let text = text.trim().to_ascii_lowercase();
        match self.kind {
            Kind::Days if text == FOREVER => Some(text),
            Kind::Days => {
                let days: u64 = text.trim_end_matches('d').parse().ok()?;
                (1..=MOST_DAYS).contains(&days).then(|| days.to_string())
            }
            Kind::Number(most) => {
                let number: u64 = text.trim_end_matches('%').parse().ok()?;
                (number <= most).then(|| number.to_string())
            }
            Kind::Page => {
                let rows: u64 = text.parse().ok()?;
                PAGES.contains(&rows).then(|| rows.to_string())
            }
        }
    }

    fn refusal(&self, text: &str) -> Error {
        let expected = match self.kind {
            Kind::Days => format!("a number of days from 1 to {MOST_DAYS}, or \"{FOREVER}\""),
            Kind::Number(most) => format!("a whole number from 0 to {most}"),
            Kind::Page => format!("a whole number from {} to {}", PAGES.start(), PAGES.end()),
        };
        Error::usage(
            "bad_setting",
            format!("\"{text}\" is no value of {}.", self.key),
            format!(
                "Give {expected}; \"{DEFAULT}\" stands for {}.",
                self.default
            ),
        )
    }

    fn value(&self, db: &AppDb, connection: Uuid) -> Result<String> {
        let kept = db.setting(&setting_name(self.key, connection))?;
        // What an older or newer version kept and this one cannot read counts as nothing said.
        let kept = kept.and_then(|text| self.read(&text));
        Ok(kept.unwrap_or_else(|| self.default.to_owned()))
    }
}

/// Settings of a connection are named `what/id`, and go with it.
fn setting_name(key: &str, connection: Uuid) -> String {
    format!("{key}/{connection}")
}

fn row(key: &str) -> Result<&'static Row> {
    ALL.iter()
        .find(|row| row.key.eq_ignore_ascii_case(key.trim()))
        .ok_or_else(|| {
            let names: Vec<&str> = ALL.iter().map(|row| row.key).collect();
            Error::usage(
                "unknown_setting",
                format!("There is no setting \"{key}\"."),
                format!("There is: {}.", names.join(", ")),
            )
        })
}

impl Session {
    /// All settings of this connection.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn preferences(&self) -> Result<Vec<Preference>> {
        let session = self.clone();
        blocking(move || {
            let read = |row: &Row| {
                Ok(Preference {
                    key: row.key,
                    value: row.value(session.db(), session.row().id)?,
                    default: row.default,
                    meaning: row.meaning,
                })
            };
            ALL.iter().map(read).collect()
        })
        .await
    }

    /// One setting, by its key.
    ///
    /// # Errors
    /// Where there is no such setting, or the database cannot be read.
    pub async fn preference(&self, key: &str) -> Result<Preference> {
        let key = row(key)?.key;
        let all = self.preferences().await?;
        all.into_iter()
            .find(|found| found.key == key)
            .ok_or_else(Error::interrupted)
    }

    /// Changes a setting, `default` gives it its default back; the next sync goes by it.
    ///
    /// # Errors
    /// Where there is no such setting, the value makes no sense, or the disk refuses.
    pub async fn set_preference(&self, key: &str, value: &str) -> Result<Preference> {
        let row = row(key)?;
        let wanted = match value.trim().eq_ignore_ascii_case(DEFAULT) {
            true => row.default,
            false => value,
        };
        let kept = row.read(wanted).ok_or_else(|| row.refusal(value))?;
        let (db, name) = (self.db().clone(), setting_name(row.key, self.row().id));
        blocking(move || Ok(db.set_setting(&name, &kept)?)).await?;
        self.touch();
        self.preference(row.key).await
    }

    /// Lets go of deleted rows that were found deleted longer than so many days ago, in these tables
    /// (logical names) or in all, with all that is kept of them. Zero days lets all go.
    ///
    /// # Errors
    /// Where a sync is under way and does not end, a table was never synced, or the disk refuses.
    pub async fn purge_deleted(
        &self,
        tables: &[String],
        days: u32,
        cancel: &CancellationToken,
    ) -> Result<u64> {
        let _turn = self.turn(false, cancel).await?;
        // Of the present moment too: deleted this very millisecond is deleted.
        let before = now_ms() + 1 - i64::from(days) * DAY_MS;
        let (session, tables) = (self.clone(), tables.to_vec());
        let rows = blocking(move || {
            let mirror = session.mirror();
            let mut rows = 0;
            if tables.is_empty() {
                rows = mirror.purge(None, Some(before))?.rows;
            }
            for table in &tables {
                rows += mirror.purge_deleted(table, before)?;
            }
            let copy = mirror.second_copy(&session.data_dir().second_copy(session.row().id))?;
            copy.purge(None, Some(before).filter(|_| tables.is_empty()))?;
            for table in &tables {
                copy.purge_deleted(table, before)?;
            }
            Ok(rows)
        })
        .await?;
        self.recount_irreplaceable().await;
        self.touch();
        Ok(rows)
    }

    /// Lets go of what is older than the admin keeps. Call it while the connection's lock is held.
    pub(crate) async fn keep_to_limits(&self) {
        let session = self.clone();
        let done = blocking(move || {
            let (mirror, id) = (session.mirror(), session.row().id);
            let limits = Limits::read(session.db(), id, now_ms())?;
            let purged = mirror.purge(limits.history, limits.deleted)?;
            if purged != Purged::default() {
                let copy = mirror.second_copy(&session.data_dir().second_copy(id))?;
                copy.purge(limits.history, limits.deleted)?;
            }
            if session.db().purge_runs(id, limits.runs, MOST_RUNS)? > 0 {
                mirror.forget_runs(session.db().run_ids(id)?)?;
            }
            Ok(purged)
        })
        .await;
        match done {
            Ok(purged) if purged != Purged::default() => {
                tracing::info!(?purged, "let go");
                self.recount_irreplaceable().await;
            }
            Ok(_) => {}
            // The next sync tries again.
            Err(error) => tracing::warn!(%error, "what is older than the limits stays for now"),
        }
    }

    /// The figures that a sync decides by: the guard's are the admin's.
    pub(crate) async fn measures(&self) -> Result<Measures> {
        let (db, id) = (self.db().clone(), self.row().id);
        blocking(move || {
            let number =
                |key: &str| -> Result<Option<u64>> { Ok(row(key)?.value(&db, id)?.parse().ok()) };
            let mut measures = Measures::default();
            if let Some(percent) = number(GUARD_PERCENT)? {
                measures.guard_share = percent as f64 / 100.0;
            }
            if let Some(rows) = number(GUARD_ROWS)? {
                measures.guard_rows = rows;
            }
            if let Some(rows) = number(PAGE_SIZE)?.and_then(|rows| u32::try_from(rows).ok()) {
                measures.page_size = rows;
            }
            Ok(measures)
        })
        .await
    }
}

/// What is older than these times goes, in ms since 1970.
struct Limits {
    deleted: Option<i64>,
    history: Option<i64>,
    runs: Option<i64>,
}

impl Limits {
    fn read(db: &AppDb, connection: Uuid, now: i64) -> Result<Self> {
        let before = |key: &str| -> Result<Option<i64>> {
            let days = row(key)?.value(db, connection)?.parse::<i64>().ok();
            Ok(days.map(|days| now - days * DAY_MS))
        };
        Ok(Self {
            deleted: before(KEEP_DELETED)?,
            history: before(KEEP_HISTORY)?,
            runs: before(KEEP_RUNS)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Category;

    #[test]
    fn values_are_taken_as_people_write_them_and_nonsense_is_not() {
        let rows = [
            (KEEP_HISTORY, "30", Some("30")),
            (KEEP_HISTORY, " 30d ", Some("30")),
            (KEEP_HISTORY, "Forever", Some("forever")),
            (KEEP_HISTORY, "0", None),
            (KEEP_HISTORY, "-1", None),
            (KEEP_HISTORY, "36501", None),
            (KEEP_HISTORY, "a while", None),
            (GUARD_PERCENT, "25%", Some("25")),
            (GUARD_PERCENT, "0", Some("0")),
            (GUARD_PERCENT, "101", None),
            (GUARD_PERCENT, "forever", None),
            (GUARD_ROWS, "5000", Some("5000")),
            (GUARD_ROWS, "0.5", None),
            (PAGE_SIZE, "250", Some("250")),
            (PAGE_SIZE, "249", None),
            (PAGE_SIZE, "5001", None),
        ];
        for (key, text, expected) in rows {
            let read = row(key).unwrap().read(text);
            assert_eq!(read.as_deref(), expected, "{key} {text}");
        }
        for row in &ALL {
            assert_eq!(row.read(row.default).as_deref(), Some(row.default));
        }
        assert_eq!(row("nothing").err().unwrap().category, Category::Usage);
    }
}
