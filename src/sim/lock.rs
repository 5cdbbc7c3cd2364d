//! Locks of simulators.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock on poisoned data is fine here: a panicked request left it as it was.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
