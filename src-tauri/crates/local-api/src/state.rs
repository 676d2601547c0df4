//! What all requests share.

use std::sync::Arc;

use salesmirror_core::{App, ConnectionRow, Session};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::calls::Calls;
use crate::cursor::Signer;
use crate::error::{ApiError, Result};
use crate::held::Held;

/// Reads of whole tables at once.
const LONG_READS: usize = 2;
/// Requests that wait for a long read at most: the next ones are told to come back.
const MOST_WAITING: usize = 64;

/// What all requests share; clones share it too.
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
}

pub struct Inner {
    pub app: App,
    pub connection: ConnectionRow,
    pub port: u16,
    pub calls: Calls,
    /// Ends streams that would not end by themselves.
    pub stop: CancellationToken,
    /// Who guesses keys guesses one after the other.
    pub wrong_keys: Mutex<()>,
    /// Signs cursors.
    pub signer: Signer,
    /// Lists that somebody pages through.
    pub held: Held,
    long: Semaphore,
    waiting: Semaphore,
}

impl std::ops::Deref for Api {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Api {
    pub fn new(
        app: App,
        connection: ConnectionRow,
        port: u16,
        signer: Signer,
        stop: CancellationToken,
    ) -> Self {
        let inner = Inner {
            app,
            connection,
            port,
            calls: Calls::default(),
            stop,
            wrong_keys: Mutex::default(),
            signer,
            held: Held::default(),
            long: Semaphore::new(LONG_READS),
            waiting: Semaphore::new(MOST_WAITING),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The open connection; opened anew where its mirror was found to be damaged.
    pub async fn session(&self) -> Result<Session> {
        Ok(self.app.session(&self.connection).await?)
    }

    /// Waits for a place among the reads that may go through a whole table.
    pub async fn long_read(&self) -> Result<tokio::sync::SemaphorePermit<'_>> {
        let Ok(_waiting) = self.waiting.try_acquire() else {
            return Err(ApiError::busy());
        };
        self.long.acquire().await.map_err(|_| ApiError::busy())
    }
}

/// Lets work go to its end even where the caller leaves before.
pub async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T> {
    let ended = tokio::spawn(work).await;
    ended.map_err(|_| ApiError::from(salesmirror_core::Error::interrupted()))
}
