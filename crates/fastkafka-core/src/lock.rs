//! Locks whose holder has panicked.

use std::sync::{LockResult, PoisonError};

/// The guard, also of a poisoned lock: nothing in this crate panics between two steps that belong
/// together while it holds one, so the value is whole.
pub(crate) fn unpoisoned<G>(guard: LockResult<G>) -> G {
    guard.unwrap_or_else(PoisonError::into_inner)
}
