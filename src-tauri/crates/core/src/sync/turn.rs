//! Whose turn it is to sync a connection: one sync at a time, over all processes.

use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use crate::data_dir::{DataDir, Lock};
use crate::error::{Error, Result, blocking};
use crate::session::Session;

/// How long a sync waits for that of another process.
const JOIN_PATIENCE: Duration = Duration::from_secs(900);
/// How often it looks.
const JOIN_STEP: Duration = Duration::from_millis(200);

/// The right to sync, until it is dropped.
pub(crate) struct Turn {
    _process: Lock,
    _here: OwnedMutexGuard<()>,
}

impl Session {
    /// Waits for its turn: behind those of this process as long as they take, which the window shows
    /// meanwhile, and for another process a quarter of an hour.
    ///
    /// # Errors
    /// Where another process holds the connection too long, or anybody does and `no_join` is set; where it is
    /// cancelled.
    pub(crate) async fn turn(&self, no_join: bool, cancel: &CancellationToken) -> Result<Turn> {
        let queue = self.background().queue();
        let here = match queue.clone().try_lock_owned() {
            Ok(here) => here,
            Err(_) if no_join => return Err(DataDir::busy()),
            Err(_) => tokio::select! {
                here = queue.lock_owned() => here,
                () = cancel.cancelled() => return Err(Error::interrupted()),
            },
        };
        let begun = tokio::time::Instant::now();
        loop {
            let (data_dir, id) = (self.data_dir().clone(), self.row().id);
            if let Some(lock) = blocking(move || data_dir.try_lock(id)).await? {
                let session = self.clone();
                let ended = blocking(move || session.end_dead_runs()).await;
                if let Err(error) = ended {
                    tracing::warn!(%error, "runs that died are not told as such");
                }
                return Ok(Turn {
                    _process: lock,
                    _here: here,
                });
            }
            if no_join || begun.elapsed() > JOIN_PATIENCE {
                return Err(DataDir::busy());
            }
            tokio::select! {
                () = tokio::time::sleep(JOIN_STEP) => {}
                () = cancel.cancelled() => return Err(Error::interrupted()),
            }
        }
    }
}
