//! Work that several threads share: what is read has to be decrypted, and each decrypts its own.

use std::num::NonZero;
use std::thread::ScopedJoinHandle;

use crate::Result;

/// More threads than this would wait for the one that takes what they make.
const MOST_THREADS: usize = 4;

/// Threads that read at once.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |count| NonZero::get(count).min(MOST_THREADS))
}

/// Does something in several threads, and gives what each of them found.
pub fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..count)
            .map(|part| scope.spawn(move || work(part)))
            .collect();
        workers.into_iter().map(joined).collect()
    })
}

/// What a thread found; its panic is this one's.
pub fn joined<T>(worker: ScopedJoinHandle<'_, T>) -> T {
    match worker.join() {
        Ok(found) => found,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
