//! The one thread that writes to a mirror.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::names::Names;
use crate::{Result, StoreError};

/// Two pages wait at most: more would only hold memory.
const QUEUE: usize = 2;

/// What the writing thread works with.
pub struct Desk {
    /// The only connection that writes.
    pub connection: Connection,
    /// Names of lookups that are kept already.
    pub names: Names,
}

type Job = Box<dyn FnOnce(&mut Desk) + Send>;

/// Sends work to the writing thread, which ends when this is dropped.
pub struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(connection: Connection) -> Result<Self> {
        let (jobs, queue) = sync_channel::<Job>(QUEUE);
        let mut desk = Desk {
            connection,
            names: Names::default(),
        };
        let thread = std::thread::Builder::new()
            .name("mirror-writer".to_owned())
            .spawn(move || {
                for job in queue {
                    job(&mut desk);
                }
            })
            .map_err(|error| StoreError::Unreadable(error.to_string()))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs work on the writing thread and waits for it.
    pub fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Desk) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        let job: Job = Box::new(move |desk| {
            // Whoever asked may be gone; the work is done all the same.
            let _ = reply.send(work(desk));
        });
        self.jobs
            .as_ref()
            .ok_or(StoreError::Closed)?
            .send(job)
            .map_err(|_| StoreError::Closed)?;
        answer.recv().map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
