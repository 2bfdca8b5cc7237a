//! The calls of a batch handler: which records one of them took.

use super::{DeliveryScope, index};
use crate::delivery::sync::Ordering::*;
use crate::lock::unpoisoned;

impl DeliveryScope {
    /// The call in hand takes so many records: one, unless it is a batch.
    pub(crate) fn take(&self, records: usize) {
        self.taken.store(index(records), Relaxed);
        let current = self.current();
        let mut ends = unpoisoned(self.batches.lock());
        // That of the call in hand may be known already, as shorter.
        if ends.last().is_some_and(|end| *end > current) {
            ends.pop();
        }
        ends.push(current + records);
    }

    /// The number of records in hand, from [`DeliveryScope::current`] on.
    pub fn taken(&self) -> usize {
        self.taken.load(Relaxed) as usize
    }

    /// The number of records in the batch that begins with the one at `at`: that one stands for all of them, and
    /// what any of them has sent keeps it open.
    pub fn batch(&self, at: usize) -> usize {
        let ends = unpoisoned(self.batches.lock());
        ends.iter().find(|end| **end > at).map_or(1, |end| end - at)
    }
}
