//! The log of what happened: changes of records from the history, and runs that began and ended, in
//! one order. Numbers are given in the transaction that commits what they stand for, so that whoever
//! read up to a number has missed nothing below it; and never twice, even after the newest entry went.

use std::fmt;
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use crate::history::What;
use crate::ids::StoredId;
use crate::recall::{Happening, field_changes};
use crate::{Mirror, Result, StoreError};

/// The number of the next entry, as an SQL expression.
pub const NEXT_NUMBER: &str = "(SELECT 1 + max(lost, \
    (SELECT coalesce(max(number), 0) FROM history), \
    (SELECT coalesce(max(number), 0) FROM run_event)) FROM feed)";

/// Runs among which those are looked for that nobody ended: more never go on at once.
const NEWEST_RUNS: u32 = 100;

/// A place in the log, up to which a reader knows it. As text it goes through any protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventId {
    /// Which log it is of: another mirror, as after damage, counts otherwise.
    log: u32,
    /// The entry's number.
    number: i64,
    /// Tells the entry from another of the same number: after a power failure the newest entries may
    /// be gone from the disk, and their numbers are given again.
    check: u16,
    /// Up to here the reader was told that entries are gone.
    told_lost: i64,
}

/// Text that names no place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This is no event id.")]
pub struct BadEventId;

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            log,
            number,
            check,
            told_lost,
        } = self;
        write!(formatter, "{log:08x}-{number}-{check:04x}-{told_lost}")
    }
}

impl FromStr for EventId {
    type Err = BadEventId;

    fn from_str(text: &str) -> Result<Self, BadEventId> {
        let parts: Vec<&str> = text.trim().split('-').collect();
        let [log, number, check, told_lost] = parts.as_slice() else {
            return Err(BadEventId);
        };
        let number_of = |text: &str| text.parse().map_err(|_| BadEventId);
        Ok(Self {
            log: u32::from_str_radix(log, 16).map_err(|_| BadEventId)?,
            number: number_of(number)?,
            check: u16::from_str_radix(check, 16).map_err(|_| BadEventId)?,
            told_lost: number_of(told_lost)?,
        })
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// To a record.
    Record(RecordEvent),
    /// A run began.
    RunBegan(RunEvent),
    /// A run ended.
    RunEnded(RunEvent),
    /// What the reader has not seen is not all there any more: it has to look at everything anew.
    /// What is left follows.
    Gap,
}

/// What happened to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordEvent {
    /// Logical name of its table.
    pub table: String,
    /// Its id.
    pub record: Uuid,
    /// What it was.
    pub happening: Happening,
}

/// A run that began or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunEvent {
    /// Its number.
    pub run: i64,
    /// When, ms since 1970.
    pub at: i64,
}

/// The state of the log.
struct Log {
    id: u32,
    newest: i64,
    /// The highest number of an entry that is gone.
    lost: i64,
}

impl Mirror {
    /// The end of the log: what happens from now on comes after it.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn newest_event(&self) -> Result<EventId> {
        self.read(|connection| {
            let log = log(connection)?;
            let check = check(connection, log.newest)?.unwrap_or(0);
            Ok(EventId {
                log: log.id,
                number: log.newest,
                check,
                told_lost: log.lost,
            })
        })
    }

    /// What happened after a place in the log, in its order, `limit` at most, each with its own place.
    /// Where not all of it is there any more, or the place is in another log, a [`Event::Gap`] says
    /// so first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn events_after(&self, after: EventId, limit: u32) -> Result<Vec<(EventId, Event)>> {
        self.read(|connection| events_after(connection, after, limit))
    }

    /// Notes that a run began or ended; once for each run.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn note_run(&self, run: i64, has_ended: bool, now: i64) -> Result<()> {
        self.write(move |connection| {
            let sql = format!(
                "INSERT OR IGNORE INTO run_event (number, run, has_ended, at) \
                 VALUES ({NEXT_NUMBER}, ?, ?, ?)"
            );
            connection
                .prepare_cached(&sql)?
                .execute(params![run, has_ended, now])?;
            Ok(())
        })
    }

    /// Runs that the log says have begun and not ended, among the newest.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn open_runs(&self) -> Result<Vec<i64>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT run FROM (SELECT run FROM run_event WHERE NOT has_ended \
                 ORDER BY number DESC LIMIT ?) AS begun WHERE NOT EXISTS \
                 (SELECT 1 FROM run_event WHERE run = begun.run AND has_ended)",
            )?;
            let runs = statement.query_map([NEWEST_RUNS], |row| row.get(0))?;
            Ok(runs.collect::<Result<_, _>>()?)
        })
    }

    /// Lets go of what the log says of runs that are kept no more.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn forget_runs(&self, kept: Vec<i64>) -> Result<()> {
        self.write(move |connection| {
            let transaction = connection.transaction()?;
            let kept = rusqlite::types::Value::from(serde_json::to_string(&kept)?);
            let gone = "run NOT IN (SELECT value FROM json_each(?))";
            let sql = format!("SELECT max(number) FROM run_event WHERE {gone}");
            let newest: Option<i64> = transaction.query_row(&sql, [&kept], |row| row.get(0))?;
            let sql = format!("DELETE FROM run_event WHERE {gone}");
            transaction.execute(&sql, [&kept])?;
            lose(&transaction, newest)?;
            Ok(transaction.commit()?)
        })
    }
}

/// Notes that entries up to this one are not all there any more.
pub fn lose(connection: &Connection, newest: Option<i64>) -> Result<()> {
    if let Some(newest) = newest {
        connection
            .prepare_cached("UPDATE feed SET lost = max(lost, ?)")?
            .execute([newest])?;
    }
    Ok(())
}

fn log(connection: &Connection) -> Result<Log> {
    let sql = format!("SELECT id, {NEXT_NUMBER} - 1, lost FROM feed");
    Ok(connection.prepare_cached(&sql)?.query_row([], |row| {
        Ok(Log {
            id: row.get(0)?,
            newest: row.get(1)?,
            lost: row.get(2)?,
        })
    })?)
}

/// What tells an entry from another of its number; `None` where it is gone.
fn check(connection: &Connection, number: i64) -> Result<Option<u16>> {
    let sql = "SELECT seen_at FROM history WHERE number = ?1 \
               UNION ALL SELECT at FROM run_event WHERE number = ?1";
    let at: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row([number], |row| row.get(0))
        .optional()?;
    Ok(at.map(check_of))
}

const fn check_of(at: i64) -> u16 {
    (at & 0xffff) as u16
}

fn events_after(
    connection: &Connection,
    mut after: EventId,
    limit: u32,
) -> Result<Vec<(EventId, Event)>> {
    let log = log(connection)?;
    let kept = check(connection, after.number)?;
    let is_same = after.log == log.id
        && (0..=log.newest).contains(&after.number)
        && kept.is_none_or(|kept| kept == after.check);
    let mut events = Vec::new();
    if !is_same {
        // From the beginning: of another log nobody can say what its numbers stand for.
        after = EventId::default();
    }
    after.log = log.id;
    if !is_same || log.lost > after.number.max(after.told_lost) {
        after.told_lost = log.lost;
        events.push((after, Event::Gap));
    }
    let left = (limit as usize).saturating_sub(events.len());
    let mut found = records(connection, after, left)?;
    found.extend(runs(connection, after, left)?);
    found.sort_by_key(|(id, _)| id.number);
    found.truncate(left);
    events.extend(found);
    Ok(events)
}

fn records(connection: &Connection, after: EventId, limit: usize) -> Result<Vec<(EventId, Event)>> {
    let mut statement = connection.prepare_cached(
        "SELECT history.number, target.name, id, seen_at, run, what, fields FROM history \
         JOIN target ON target.number = table_number \
         WHERE history.number > ? ORDER BY history.number LIMIT ?",
    )?;
    let mut rows = statement.query(params![after.number, limit])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let seen_at = row.get(3)?;
        let fields: Option<String> = row.get(6)?;
        let event = RecordEvent {
            table: row.get(1)?,
            record: row.get::<_, StoredId>(2)?.into(),
            happening: Happening {
                what: What::read(row.get(5)?).ok_or(StoreError::Damaged)?,
                seen_at,
                run: row.get(4)?,
                fields: match fields {
                    Some(json) => field_changes(connection, &json)?,
                    None => Vec::new(),
                },
            },
        };
        let id = after.at(row.get(0)?, seen_at);
        events.push((id, Event::Record(event)));
    }
    Ok(events)
}

fn runs(connection: &Connection, after: EventId, limit: usize) -> Result<Vec<(EventId, Event)>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, run, has_ended, at FROM run_event WHERE number > ? ORDER BY number LIMIT ?",
    )?;
    let rows = statement.query_map(params![after.number, limit], |row| {
        let at = row.get(3)?;
        let event = RunEvent {
            run: row.get(1)?,
            at,
        };
        let event = match row.get(2)? {
            true => Event::RunEnded(event),
            false => Event::RunBegan(event),
        };
        Ok((after.at(row.get(0)?, at), event))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl EventId {
    /// The place of an entry in the same log.
    fn at(self, number: i64, at: i64) -> Self {
        Self {
            number,
            check: check_of(at),
            ..self
        }
    }
}
