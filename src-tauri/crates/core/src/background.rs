//! Syncs that go on while people do something else.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::error::{Category, Error};
use crate::session::Session;
use crate::sync::SyncOptions;

/// What runs beside the caller in a session.
#[derive(Default)]
pub struct Background {
    cancel: Mutex<CancellationToken>,
    syncs: AtomicUsize,
    problem: Mutex<Option<Error>>,
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
        self.background().cancel();
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

    /// Stops the running sync and waits until it has ended.
    pub async fn end_sync(&self) {
        let mut changes = self.changes();
        self.stop_sync();
        while self.is_syncing() && changes.changed().await.is_ok() {}
    }
}
