//! Syncs that go on while people do something else.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::error::{Category, Error, Result};
use crate::schedule::{Watched, Watching};
use crate::session::Session;
use crate::sync::SyncOptions;

/// What runs beside the caller in a session.
#[derive(Default)]
pub struct Background {
    cancel: Mutex<CancellationToken>,
    /// Who syncs here holds it; those behind wait in the order in which they came.
    queue: Arc<tokio::sync::Mutex<()>>,
    /// Held while the choice of tables is read, changed and kept.
    choice: Mutex<()>,
    /// What stops the tables that are synced now, one by one.
    tables: Mutex<HashMap<String, CancellationToken>>,
    /// Tables that somebody stopped: they rest until their time comes or somebody syncs them.
    paused: Mutex<HashSet<String>>,
    syncs: AtomicUsize,
    problem: Mutex<Option<Error>>,
    /// Ends the schedule that runs.
    schedule: Mutex<Option<CancellationToken>>,
}

/// A sync that goes on; dropped when it ends.
pub struct Running<'a>(&'a Session);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.background().syncs.fetch_sub(1, Ordering::SeqCst);
        self.0.touch();
    }
}

impl Background {
    fn token(&self) -> CancellationToken {
        let cancel = self.cancel.lock().unwrap_or_else(PoisonError::into_inner);
        cancel.clone()
    }

    /// Stops what runs; what is started from now on goes ahead.
    fn cancel(&self) {
        let mut cancel = self.cancel.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *cancel).cancel();
    }

    pub(crate) fn queue(&self) -> Arc<tokio::sync::Mutex<()>> {
        self.queue.clone()
    }

    pub(crate) fn choice(&self) -> MutexGuard<'_, ()> {
        self.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stops one table's sync; it ends with all of them too.
    pub(crate) fn table_token(&self, table: &str, all: &CancellationToken) -> CancellationToken {
        let token = all.child_token();
        self.paused().remove(table);
        self.tables().insert(table.to_owned(), token.clone());
        token
    }

    fn tables(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn paused(&self) -> MutexGuard<'_, HashSet<String>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody stopped this table's last sync.
    pub(crate) fn is_paused(&self, table: &str) -> bool {
        self.paused().contains(table)
    }

    fn set_problem(&self, problem: Option<Error>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }
}

impl Session {
    /// Starts a sync and returns at once; the search index follows it. A sync that runs already is
    /// waited for first.
    pub fn start_sync(&self, options: SyncOptions) {
        let session = self.clone();
        let cancel = self.background().token();
        self.background().syncs.fetch_add(1, Ordering::SeqCst);
        self.background().set_problem(None);
        self.touch();
        tokio::spawn(async move {
            let ended = session.sync(&options, &cancel).await;
            if let Err(error) = ended
                && error.category != Category::Interrupted
            {
                session.background().set_problem(Some(error));
            }
            session.background().syncs.fetch_sub(1, Ordering::SeqCst);
            session.touch();
            session.follow_with_search(&cancel).await;
        });
    }

    /// Answers the mass-delete guard: the rows that did not come are marked as deleted by a sync that is
    /// started here, or kept.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub async fn answer_guard(&self, table: &str, remove: bool) -> Result<()> {
        if !remove {
            return self.keep_rows(table).await;
        }
        self.start_sync(SyncOptions {
            tables: vec![table.to_owned()],
            yes: true,
            ..SyncOptions::default()
        });
        Ok(())
    }

    /// Counts a sync as one that goes on.
    pub(crate) fn begin_running(&self) -> Running<'_> {
        self.background().syncs.fetch_add(1, Ordering::SeqCst);
        self.touch();
        Running(self)
    }

    /// Syncs by the schedule from now on, beside the caller; nothing where it does already.
    /// [`Session::stop_sync`] stops a round that goes on, and the next one comes in its time. It ends
    /// by itself where the mirror turns out to be damaged: begin anew with the session that is opened
    /// then.
    pub fn start_schedule(&self) {
        let ended = CancellationToken::new();
        {
            let mut schedule = self.schedule_token();
            if schedule.as_ref().is_some_and(|token| !token.is_cancelled()) {
                return;
            }
            *schedule = Some(ended.clone());
        }
        let session = self.clone();
        tokio::spawn(async move {
            while !ended.is_cancelled() {
                let stop = session.background().token().child_token();
                let mut watching = std::pin::pin!(session.watch(&[], true, &stop, |told| {
                    if let Watched::Round(Err(error)) = told {
                        session.background().set_problem(Some(error.clone()));
                    }
                }));
                let watched = tokio::select! {
                    watched = &mut watching => watched,
                    () = ended.cancelled() => {
                        stop.cancel();
                        watching.await
                    }
                };
                match watched {
                    Ok(Watching::Stopped) => {}
                    Ok(Watching::Damaged) => break,
                    Err(error) => {
                        tracing::warn!(%error, "the schedule cannot be read");
                        session.background().set_problem(Some(error));
                        break;
                    }
                }
            }
            ended.cancel();
        });
    }

    /// Ends the schedule. A round that goes on is stopped; what was committed stays.
    fn end_schedule(&self) {
        if let Some(token) = self.schedule_token().take() {
            token.cancel();
        }
    }

    fn schedule_token(&self) -> MutexGuard<'_, Option<CancellationToken>> {
        let schedule = self.background().schedule.lock();
        schedule.unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the search index catch up with what an earlier process left behind, without waiting.
    pub fn start_indexing(&self) {
        let session = self.clone();
        let cancel = self.background().token();
        tokio::spawn(async move { session.follow_with_search(&cancel).await });
    }

    async fn follow_with_search(&self, cancel: &CancellationToken) {
        // The rows are there and can be browsed: search says itself how far it is.
        if let Err(error) = self.index_search(cancel, |_, _, _| {}).await {
            tracing::warn!(%error, "the search index did not follow");
        }
    }

    /// Stops the running sync; what was committed stays, and the next sync goes on from there.
    pub fn stop_sync(&self) {
        let background = self.background();
        let synced: Vec<String> = background.tables().drain().map(|(name, _)| name).collect();
        background.paused().extend(synced);
        background.cancel();
    }

    /// The same for one table (its logical name); the others go on.
    pub fn stop_table(&self, table: &str) {
        let background = self.background();
        let token = background.tables().remove(table);
        if let Some(token) = token {
            background.paused().insert(table.to_owned());
            token.cancel();
        }
    }

    /// Whether a sync that was started here still runs.
    #[must_use]
    pub fn is_syncing(&self) -> bool {
        self.background().syncs.load(Ordering::SeqCst) > 0
    }

    /// Why the last sync could not even begin, such as another process that holds the connection.
    #[must_use]
    pub fn problem(&self) -> Option<Error> {
        let problem = self.background().problem.lock();
        problem.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the schedule and the running sync, and waits until that has ended.
    pub(crate) async fn end(&self) {
        self.end_schedule();
        let mut changes = self.changes();
        self.stop_sync();
        while self.is_syncing() && changes.changed().await.is_ok() {}
    }
}
