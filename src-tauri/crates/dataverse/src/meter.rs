//! What requests cost.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// What requests cost. Clones of a client count together; [`Client::metered`] begins a count.
#[derive(Debug, Default)]
pub struct Meter {
    pub(crate) requests: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) throttled_ms: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

impl Meter {
    /// Requests sent.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Requests sent again.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    /// Time the service made us wait, in ms.
    #[must_use]
    pub fn throttled_ms(&self) -> u64 {
        self.throttled_ms.load(Relaxed)
    }

    /// Bytes received, as they were sent.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }
}
