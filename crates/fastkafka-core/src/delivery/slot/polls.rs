//! The polls of a run's handler: how long one keeps its thread.

use super::DeliveryScope;
use crate::delivery::sync::Ordering::*;

impl DeliveryScope {
    /// A poll of the handler begins, and [ends](Self::end_poll) before the next one.
    pub fn begin_poll(&self) {
        // Only the task at hand counts, so no addition of another is lost.
        let polls = self.polls.load(Relaxed);
        self.polls.store(polls.wrapping_add(1) | 1, Relaxed);
    }

    /// A poll of the handler ends.
    pub fn end_poll(&self) {
        let polls = self.polls.load(Relaxed);
        self.polls.store(polls.wrapping_add(1) & !1, Relaxed);
    }

    /// The number of the poll that goes on: as long as it is the same, the handler keeps its thread.
    pub fn polling(&self) -> Option<u32> {
        let polls = self.polls.load(Relaxed);
        (polls & 1 == 1).then_some(polls)
    }
}
