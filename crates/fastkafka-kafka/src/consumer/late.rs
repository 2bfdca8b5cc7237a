//! Partitions that are begun with once no rebalance waits for its answer.

use fastkafka_runtime::platform::PartitionRef;

/// Partitions whose starts came late. The client would take their assign for the answer to a rebalance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LateStarts(Vec<(PartitionRef, i64)>);

impl LateStarts {
    pub(crate) fn add(&mut self, starts: &[(PartitionRef, i64)]) {
        self.0.extend_from_slice(starts);
    }

    pub(crate) fn contains(&self, place: PartitionRef) -> bool {
        self.0.iter().any(|(late, _)| *late == place)
    }

    /// One that waits is to begin elsewhere. False if it does not wait.
    pub(crate) fn seek(&mut self, place: PartitionRef, offset: i64) -> bool {
        let late = self.0.iter_mut().find(|(late, _)| *late == place);
        late.is_some_and(|(_, start)| {
            *start = offset;
            true
        })
    }

    /// These partitions are given away.
    pub(crate) fn forget(&mut self, places: &[PartitionRef]) {
        self.0.retain(|(place, _)| !places.contains(place));
    }

    /// All that wait.
    pub(crate) fn take(&mut self) -> Vec<(PartitionRef, i64)> {
        std::mem::take(&mut self.0)
    }
}
