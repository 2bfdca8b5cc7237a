//! The error of an app that did not run to a clean stop.

use super::Problems;
use std::fmt;

/// The reason that an app did not run to a clean stop.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It did not start. What a group had in hand by then is finished and committed.
    #[error(transparent)]
    Start(#[from] Problems),
    /// It was asked to stop before it was started, and has done so.
    #[error("the app was stopped before it was started")]
    Stopped,
    /// It ended by itself: a record under `on_failure = "exit"`, a background task that failed, or a client
    /// that cannot go on.
    #[error("the app ended: {0}")]
    Ended(String),
    /// It was asked to stop, and something did not end in time or could not be committed.
    #[error("the app did not stop cleanly: {0}")]
    Stop(String),
}

/// As it reads: `unwrap` and `main` print it.
impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
