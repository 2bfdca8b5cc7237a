//! Offsets that the broker has named, until they are begun with.

use crate::offsets::broker::OffsetAndEpoch;
use crate::offsets::topic_id::TopicId;
use fastkafka_runtime::platform::PartitionRef;

/// An offset with the incarnation of the log that it belongs to, as far as that is known.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) at: OffsetAndEpoch,
    pub(crate) topic: Option<TopicId>,
}

impl Known {
    /// An offset that nothing is known of.
    pub(crate) fn nothing(offset: i64) -> Self {
        Self {
            at: offset.into(),
            topic: None,
        }
    }
}

/// Offsets that the broker has named, with what they belong to: the driver knows offsets alone.
#[derive(Clone, Debug, Default, Hash, PartialEq, Eq)]
pub(crate) struct KnownOffsets(Vec<(PartitionRef, Known)>);

impl KnownOffsets {
    /// The broker has named this one; it is the only one of its partition.
    pub(crate) fn add(&mut self, place: PartitionRef, known: Known) {
        self.0.retain(|(other, _)| *other != place);
        self.0.push((place, known));
    }

    /// What is known of an offset; nothing when the broker has named another one last.
    pub(crate) fn get(&self, place: PartitionRef, offset: i64) -> Option<Known> {
        let found = self.0.iter().find(|(other, _)| *other == place);
        let known = found.map(|(_, known)| *known);
        known.filter(|known| known.at.offset == offset)
    }

    /// The partition is begun with at an offset.
    pub(crate) fn take(&mut self, place: PartitionRef, offset: i64) -> Option<Known> {
        let known = self.get(place, offset);
        self.0.retain(|(other, _)| *other != place);
        known
    }
}
