//! The time for which full partitions may keep the others waiting.
//!
//! All partitions share one queue of the client. Back-pressure is not to read: it costs nothing, where
//! a pause throws away what was prefetched. But while one partition is full, nothing is read of the
//! others either.

use fastkafka_engine::Time;
use std::time::Duration;

/// How long nothing is read for the sake of a full partition before it is paused for the others' sake.
const STARVED: Duration = Duration::from_millis(100);
/// How often a driver looks whether that time is over, at most.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Backpressure {
    full_since: Option<Time>,
}

impl Backpressure {
    /// No partition is full.
    pub(crate) fn end(&mut self) {
        self.full_since = None;
    }

    /// A partition is full: true when that has lasted.
    pub(crate) fn has_lasted(&mut self, now: Time) -> bool {
        let since = *self.full_since.get_or_insert(now);
        now.saturating_sub(since) >= STARVED
    }

    /// How long the driver may sleep.
    pub(crate) fn due(self, now: Time) -> Option<Duration> {
        let over = self.full_since? + STARVED;
        Some(over.saturating_sub(now).max(LOOK))
    }
}
