//! Seeks that wait until a rebalance is answered.

use fastkafka_runtime::platform::PartitionRef;

/// Seeks that wait. A partition is moved by giving it up and taking it again, which the client would take
/// for the answer to a rebalance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seeks(Vec<(PartitionRef, i64)>);

impl Seeks {
    pub(crate) fn add(&mut self, place: PartitionRef, offset: i64) {
        self.0.push((place, offset));
    }

    /// A seek of this partition waits.
    pub(crate) fn waits(&self, place: PartitionRef) -> bool {
        self.0.iter().any(|(waiting, _)| *waiting == place)
    }

    /// These partitions are given away.
    pub(crate) fn forget(&mut self, places: &[PartitionRef]) {
        self.0.retain(|(place, _)| !places.contains(place));
    }

    /// All that wait, in their order.
    pub(crate) fn take(&mut self) -> Vec<(PartitionRef, i64)> {
        std::mem::take(&mut self.0)
    }
}
