//! What syncs cost of the daily entitlement, and how long delta links live.

use std::time::Duration;

use jiff::civil::Date;
use salesmirror_dataverse::RetryPolicy;
use salesmirror_store::ConnectionRow;

use super::milliseconds;
use crate::app::{App, now_ms};
use crate::error::{Result, blocking};
use crate::session::{Session, TableStatus};

/// What a connection's requests came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    /// The day, in days since 1970 (UTC).
    pub day: i64,
    /// Requests that were sent on it.
    pub today: u64,
    /// Requests that a user with a paid Dynamics 365 licence has a day.
    pub entitlement: u64,
    /// Requests that reading every row of all mirrored tables would take, about.
    pub full_sync: u64,
    /// Requests a day that the schedule takes while nothing changes.
    pub scheduled: u64,
}

/// Something that the admin should know before it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// `delta_expires`, `interval_too_long` or `secret_expires`.
    pub code: &'static str,
    /// The table, where it is about one.
    pub table: Option<String>,
    /// What will happen, one sentence.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Paid Dynamics 365 licences: requests a user and day. From Microsoft's "Requests limits and
/// allocations".
pub(crate) const ENTITLEMENT: u64 = 40_000;
/// Rows of a page.
const PAGE_ROWS: u64 = 5_000;
/// What a full sync asks beside its pages: metadata, choices, lookups, counts.
const BESIDE_PAGES: u64 = 8;
const DAY_MS: i64 = 86_400_000;
/// Days that a delta link lives where the organisation does not say otherwise.
const USUAL_DAYS: u32 = 7;
/// The admin hears of the end of a delta link so long before, or in the last quarter of its life.
const NOTICE_MS: i64 = DAY_MS;
/// What can be asked tomorrow holds nobody up for longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Requests that reading all of so many rows takes, about.
pub(crate) fn full_sync_requests(rows: u64) -> u64 {
    rows.div_ceil(PAGE_ROWS).max(1) + BESIDE_PAGES
}

/// Days before the end of a client secret from which on the admin is told, and told urgently.
const SECRET_NOTICE: [i32; 2] = [30, 7];

/// What is to be said of a client secret that ends soon.
fn secret_warning(row: &ConnectionRow, today: Date) -> Option<Warning> {
    let last: Date = row.secret_expires.as_deref()?.parse().ok()?;
    let left = (last - today).get_days();
    let [soon, urgent] = SECRET_NOTICE;
    if row.public_client || left > soon {
        return None;
    }
    let day = last.strftime("%-d %b %Y");
    Some(Warning {
        code: "secret_expires",
        table: None,
        message: match left {
            ..0 => format!("The client secret has expired on {day}: no sync works until a new one is entered."),
            0 => "The client secret expires today: from tomorrow no sync works.".to_owned(),
            1 => format!("The client secret expires tomorrow, on {day}. Then no sync works."),
            left if left <= urgent => {
                format!("Only {left} days are left of the client secret ({day}). Then no sync works.")
            }
            left => format!("The client secret expires in {left} days, on {day}."),
        },
        hint: "Make a new one on the app's Certificates & secrets page, and enter it under Settings, Connections."
            .to_owned(),
    })
}

impl Session {
    /// What was sent today, and what a full sync would take.
    ///
    /// # Errors
    /// Where a database cannot be read.
    pub async fn requests(&self, tables: &[TableStatus]) -> Result<Requests> {
        self.keep_request_count().await?;
        let full_sync = tables
            .iter()
            .map(|table| full_sync_requests(table.rows))
            .sum();
        let scheduled = tables
            .iter()
            .map(|table| &table.plan)
            .filter(|plan| !plan.schedule.is_paused)
            .filter_map(|plan| Some(DAY_MS / milliseconds(plan.schedule.every?).max(1)))
            .sum::<i64>();
        let session = self.clone();
        blocking(move || {
            let day = now_ms().div_euclid(DAY_MS);
            Ok(Requests {
                day,
                today: session.db().requests_on(session.row().id, day)?,
                entitlement: ENTITLEMENT,
                full_sync,
                scheduled: scheduled.unsigned_abs(),
            })
        })
        .await
    }

    /// Adds the requests that were sent since the last call to the day's.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub(crate) async fn keep_request_count(&self) -> Result<()> {
        let sent = self.client().take_sent();
        if sent == 0 {
            return Ok(());
        }
        let (db, id) = (self.db().clone(), self.row().id);
        blocking(move || Ok(db.add_requests(id, now_ms().div_euclid(DAY_MS), sent)?)).await
    }

    /// What the admin should know: delta links that are about to end, and schedules under which they
    /// will.
    ///
    /// # Errors
    /// Where a database cannot be read.
    pub async fn warnings(&self, tables: &[TableStatus]) -> Result<Vec<Warning>> {
        let days = i64::from(self.tracking_days().await?);
        let now = now_ms();
        let today = jiff::Zoned::now().date();
        let mut warnings = Vec::from_iter(secret_warning(self.row(), today));
        for table in tables {
            let plan = &table.plan;
            let every = plan.schedule.every.filter(|_| !plan.schedule.is_paused);
            if every.is_some_and(|every| milliseconds(every) >= days * DAY_MS) {
                warnings.push(Warning {
                    code: "interval_too_long",
                    table: Some(table.table.clone()),
                    message: format!(
                        "{} is synced less often than its change tracking lives ({days} days): each sync will read every row.",
                        table.table
                    ),
                    hint: format!(
                        "Sync more often than every {days} days, or let the organisation keep changes for longer (expirechangetrackingindays)."
                    ),
                });
                continue;
            }
            let Some(ends) = table.delta_expires else {
                continue;
            };
            let notice = NOTICE_MS.min(days * DAY_MS / 4);
            let comes_late = plan.next.is_none_or(|next| next > ends);
            if now >= ends - notice && comes_late {
                let word = if now >= ends {
                    "may have ended"
                } else {
                    "ends soon"
                };
                warnings.push(Warning {
                    code: "delta_expires",
                    table: Some(table.table.clone()),
                    message: format!(
                        "The change tracking of {} {word} ({days} days after its last sync): the next sync will read every row then.",
                        table.table
                    ),
                    hint: "Sync now, or resume the schedule.".to_owned(),
                });
            }
        }
        Ok(warnings)
    }

    /// For how many days the organisation keeps what a delta link needs, as it said last.
    pub(crate) async fn tracking_days(&self) -> Result<u32> {
        let session = self.clone();
        blocking(move || session.kept_tracking_days()).await
    }

    /// The same, where waiting holds nothing up.
    pub(crate) fn kept_tracking_days(&self) -> Result<u32> {
        let kept = self.db().setting(&self.tracking_key())?;
        let days = kept.and_then(|text| text.split(' ').next()?.parse().ok());
        Ok(days.unwrap_or(USUAL_DAYS))
    }

    fn tracking_key(&self) -> String {
        format!("tracking-days/{}", self.row().id)
    }

    /// Asks the organisation how long it keeps changes, once a day at most. Whoever may not read it
    /// goes by the usual time.
    pub(crate) async fn note_tracking_days(&self) {
        let (db, key) = (self.db().clone(), self.tracking_key());
        let found = {
            let (db, key) = (db.clone(), key.clone());
            blocking(move || Ok(db.setting(&key)?)).await
        };
        let asked = match found {
            Ok(kept) => kept.and_then(|text| text.split(' ').nth(1)?.parse::<i64>().ok()),
            Err(_) => return,
        };
        let now = now_ms();
        if asked.is_some_and(|asked| (asked..asked + DAY_MS).contains(&now)) {
            return;
        }
        let client = self.client().metered().with_policy(RetryPolicy {
            max_wait: PATIENCE,
            ..RetryPolicy::default()
        });
        let days = match client.change_tracking_days().await {
            Ok(days) => days.unwrap_or(USUAL_DAYS),
            Err(error) => {
                tracing::debug!(%error, "how long changes are kept was not told");
                self.kept_tracking_days().unwrap_or(USUAL_DAYS)
            }
        };
        let kept = blocking(move || Ok(db.set_setting(&key, &format!("{days} {now}"))?)).await;
        if let Err(error) = kept {
            tracing::debug!(%error, "how long changes are kept was not noted");
        }
    }
}

impl App {
    /// Adds the requests that open connections sent to the day's. To be called before the end of a
    /// program.
    pub async fn keep_request_counts(&self) {
        for session in self.open_sessions() {
            if let Err(error) = session.keep_request_count().await {
                tracing::debug!(%error, "the requests were not counted");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_secret_is_said_thirty_and_seven_days_ahead() {
        let today: Date = "2026-11-25".parse().unwrap();
        for (last, word) in [
            (None, None),
            (Some("2026-12-26"), None),
            (Some("2026-12-25"), Some("in 30 days, on 25 Dec 2026")),
            (Some("2026-12-03"), Some("in 8 days")),
            (Some("2026-12-02"), Some("Only 7 days are left")),
            (Some("2026-11-26"), Some("tomorrow")),
            (Some("2026-11-25"), Some("today")),
            (Some("2026-11-24"), Some("has expired on 24 Nov 2026")),
            (Some("soon"), None),
        ] {
            let row = ConnectionRow {
                secret_expires: last.map(str::to_owned),
                ..ConnectionRow::default()
            };
            let said = secret_warning(&row, today).map(|warning| warning.message);
            assert_eq!(said.is_some(), word.is_some(), "{last:?}");
            if let (Some(said), Some(word)) = (said, word) {
                assert!(said.contains(word), "{said}");
            }
        }
    }
}
