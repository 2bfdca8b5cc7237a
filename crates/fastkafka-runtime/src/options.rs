//! The settings of a run that no function sets.

use crate::control::handle::Handle;
use std::num::NonZeroUsize;
use std::time::Duration;

/// The settings of a run that no function sets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Consumers per group in this process.
    pub workers: NonZeroUsize,
    /// The longest time that the start may take.
    pub start_timeout: Duration,
    /// The longest time that the stop may take.
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
