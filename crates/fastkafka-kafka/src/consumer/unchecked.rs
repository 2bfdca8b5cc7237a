//! Positions that the broker has not been asked about yet.

use super::raw::Offsets;
use crate::offsets::broker::OffsetAndEpoch;
use fastkafka_runtime::platform::PartitionRef;

/// Positions that were begun with, and about which the broker is not asked yet whether its log still has
/// them. librdkafka asks at a seek and when a leader changes, and not at an assign: so each is
/// sought once more. That is refused until reading has begun, which waits for the end of the assignment
/// before; what is read until then does not count.
#[derive(Clone, Debug, Default, Hash, PartialEq, Eq)]
pub(crate) struct Unchecked(Vec<(PartitionRef, OffsetAndEpoch)>);

impl Unchecked {
    /// One that begins now.
    pub(crate) fn add(&mut self, place: PartitionRef, at: OffsetAndEpoch) {
        self.0.push((place, at));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, place: PartitionRef) -> bool {
        self.0.iter().any(|(unchecked, _)| *unchecked == place)
    }

    pub(crate) fn all(&self) -> &Offsets {
        &self.0
    }

    /// The broker is being asked about all but these.
    pub(crate) fn keep(&mut self, places: &[PartitionRef]) {
        self.0.retain(|(place, _)| places.contains(place));
    }

    /// These are given away.
    pub(crate) fn forget(&mut self, places: impl IntoIterator<Item = PartitionRef>) {
        for place in places {
            self.0.retain(|(unchecked, _)| *unchecked != place);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
