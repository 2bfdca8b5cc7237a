//! How an app runs, beside what its functions say.

use crate::control::handle::Handle;
use std::num::NonZeroUsize;
use std::time::Duration;

/// How an app runs, beside what its functions say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Consumers per group in this process.
    pub workers: NonZeroUsize,
    /// How long the start may take.
    pub start_timeout: Duration,
    /// How long the stop may take.
    pub shutdown_timeout: Duration,
    /// Records sent and not yet reported at which producers wait.
    pub max_in_flight: usize,
    /// The controls, which are connected to the app once it is started.
    pub handle: Handle,
}

impl Default for Options {
    /// One worker, 30 s to start, 25 s to stop, 30,000 records in flight.
    fn default() -> Self {
        Self {
            workers: NonZeroUsize::MIN,
            start_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(25),
            max_in_flight: 30_000,
            handle: Handle::default(),
        }
    }
}
