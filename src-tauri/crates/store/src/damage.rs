//! Damage that is found while a mirror is used.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Result, StoreError};

/// Remembers that something could not be read.
#[derive(Default)]
pub struct Damage {
    is_found: AtomicBool,
}

impl Damage {
    /// Passes a result on, and remembers what it says of the file.
    pub fn watch<T>(&self, result: Result<T>) -> Result<T> {
        if matches!(result, Err(StoreError::Damaged)) {
            self.is_found.store(true, Ordering::Relaxed);
        }
        result
    }

    pub fn is_found(&self) -> bool {
        self.is_found.load(Ordering::Relaxed)
    }
}
