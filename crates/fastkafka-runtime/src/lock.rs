//! Locking what no panic leaves half changed.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks also after a panic: everything under a lock of this crate is true at any time.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
