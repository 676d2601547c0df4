//! What happens, as a log that can be read from any place on and waited for: changes of records and
//! syncs, whichever process saw or did them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use salesmirror_store::{Event, EventId, RecordEvent, RunEvent, RunRow};
use tokio::sync::watch;

use crate::error::{Result, blocking};
use crate::history::label_choices;
use crate::session::Session;

/// How often other processes' events are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long several events of this process are waited for together.
const TOGETHER: Duration = Duration::from_millis(50);

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fed {
    /// Its place; what comes after it is [`Session::events_after`] it.
    pub id: EventId,
    /// What happened.
    pub event: FeedEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedEvent {
    /// A record was created, changed, deleted, or came back.
    Record(RecordEvent),
    /// A sync of a table began. Its figures are those of now.
    RunBegan(RunRow),
    /// A sync of a table ended, with its figures.
    RunEnded(RunRow),
    /// What the reader has not seen is not all there any more, or its place is in another log, as
    /// after a damaged mirror: it has to read everything anew. What is left follows.
    Gap,
}

/// The end of the log as this process knows it.
#[derive(Default)]
pub(crate) struct Feed {
    newest: watch::Sender<EventId>,
    is_followed: AtomicBool,
}

impl Session {
    /// The end of the log: where a reader begins that has just read everything.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn newest_event(&self) -> Result<EventId> {
        let mirror = self.mirror().clone();
        blocking(move || Ok(mirror.newest_event()?)).await
    }

    /// What happened after a place in the log, in its order, `limit` events at most. From
    /// [`EventId::default`] on everything that is still there, behind a [`FeedEvent::Gap`].
    ///
    /// # Errors
    /// Where a database cannot be read.
    pub async fn events_after(&self, after: EventId, limit: u32) -> Result<Vec<Fed>> {
        let session = self.clone();
        blocking(move || session.read_events(after, limit)).await
    }

    /// Changes whenever there may be new events, within a second of what other processes do.
    #[must_use]
    pub fn feed_changes(&self) -> watch::Receiver<EventId> {
        let receiver = self.feed().newest.subscribe();
        if !self.feed().is_followed.swap(true, SeqCst) {
            let session = self.clone();
            tokio::spawn(async move { session.follow_feed().await });
        }
        receiver
    }

    /// Looks for new events while somebody waits for them.
    async fn follow_feed(&self) {
        let feed = self.feed();
        let mut changes = self.changes();
        loop {
            match self.newest_event().await {
                Ok(newest) => {
                    feed.newest.send_if_modified(|known| {
                        let is_new = *known != newest;
                        *known = newest;
                        is_new
                    });
                }
                Err(error) => tracing::debug!(%error, "the log cannot be read"),
            }
            tokio::time::sleep(TOGETHER).await;
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if feed.newest.receiver_count() > 0 {
                continue;
            }
            feed.is_followed.store(false, SeqCst);
            // Whoever came in between found it followed.
            if feed.newest.receiver_count() == 0 || feed.is_followed.swap(true, SeqCst) {
                return;
            }
        }
    }

    /// Empty at the end of the log alone: entries of runs that are kept no more are passed over, however
    /// many there are in a row.
    fn read_events(&self, mut after: EventId, limit: u32) -> Result<Vec<Fed>> {
        loop {
            let entries = self.mirror().events_after(after, limit)?;
            let Some((last, _)) = entries.last() else {
                return Ok(Vec::new());
            };
            after = *last;
            let events = self.told(entries)?;
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }

    fn told(&self, entries: Vec<(EventId, Event)>) -> Result<Vec<Fed>> {
        let mut tables = HashMap::new();
        let mut events = Vec::new();
        for (id, event) in entries {
            let event = match event {
                Event::Gap => FeedEvent::Gap,
                Event::Record(mut event) => {
                    let table = tables
                        .entry(event.table.clone())
                        .or_insert_with(|| self.mirror().metadata(&event.table).ok());
                    if let Some(table) = table {
                        label_choices(table, &mut event.happening);
                    }
                    FeedEvent::Record(event)
                }
                Event::RunBegan(event) => match self.run_of(event)? {
                    Some(run) => FeedEvent::RunBegan(run),
                    None => continue,
                },
                Event::RunEnded(event) => match self.run_of(event)? {
                    Some(run) => FeedEvent::RunEnded(run),
                    None => continue,
                },
            };
            events.push(Fed { id, event });
        }
        Ok(events)
    }

    fn run_of(&self, event: RunEvent) -> Result<Option<RunRow>> {
        Ok(self.db().run(self.row().id, event.run)?)
    }
}
