//! When librdkafka commits, and when it is told the next offset.

use std::time::Duration;

/// Once one of several equal requests is answered the coordinator is there, and librdkafka sends those again
/// that wait for it within its longest pause (`retry.backoff.max.ms`).
pub(super) const QUIET: Duration = Duration::from_secs(1);

/// The rounds in which librdkafka's timer commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rounds {
    pub(super) every: Duration,
    /// From a round to the middle between two.
    half: Duration,
}

impl Rounds {
    pub(crate) fn new(every: Duration) -> Self {
        let half = every / 2;
        Self { every, half }
    }

    /// Those of a client that answers in time, whenever that is.
    #[cfg(any(test, feature = "proof"))]
    pub(crate) const fn simulated() -> Self {
        Self {
            every: Duration::from_secs(3_600),
            half: Duration::ZERO,
        }
    }

    /// The time from an answer until the next offset is told.
    pub(super) fn pause(&self, is_late: bool) -> Duration {
        let mut pause = self.half;
        while is_late && pause < QUIET {
            pause += self.every;
        }
        pause
    }
}
