//! Which partitions are ours, and by which assignment.
//!
//! A request may wait, and what it commits be answered for long. Meanwhile the partition may be given away,
//! and the broker would still take the commit: it looks at the membership, not at the partition. So each
//! assignment has a number, a request that commits carries it, and it is looked at right before.

use fastkafka_runtime::platform::PartitionRef;
use std::collections::BTreeMap;
use std::fmt;

/// The number of an assignment of this consumer. It says nothing beyond being another one.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Epoch(u64);

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Epoch")
    }
}

/// The partitions that are ours, each since its assignment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Epochs {
    last: Epoch,
    ours: BTreeMap<PartitionRef, Epoch>,
}

impl Epochs {
    /// The group gives these.
    pub(crate) fn begin(&mut self, places: &[PartitionRef]) {
        self.last.0 += 1;
        self.ours
            .extend(places.iter().map(|place| (*place, self.last)));
    }

    /// They are given away, or lost.
    pub(crate) fn end(&mut self, places: &[PartitionRef]) {
        for place in places {
            self.ours.remove(place);
        }
    }

    pub(crate) fn end_all(&mut self) {
        self.ours.clear();
    }

    /// By which assignment a partition is ours; `None` if it is not.
    pub(crate) fn since(&self, place: PartitionRef) -> Option<Epoch> {
        self.ours.get(&place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

    #[test]
    fn a_partition_that_went_and_came_back_is_ours_by_another_assignment() {
        let place = |partition| TopicPartition::intern("orders", partition);
        let mut epochs = Epochs::default();
        epochs.begin(&[place(0), place(1)]);
        let first = epochs.since(place(0));
        assert!(first.is_some());
        assert_eq!(epochs.since(place(1)), first);
        epochs.end(&[place(0)]);
        assert_eq!(epochs.since(place(0)), None);
        assert_eq!(epochs.since(place(1)), first, "it stays as it was");
        epochs.begin(&[place(0)]);
        assert!(epochs.since(place(0)) > first);
        epochs.end_all();
        assert_eq!(epochs.since(place(1)), None);
    }
}
