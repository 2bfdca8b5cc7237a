//! Seeks on their way: partitions that are to be read from elsewhere, and are not yet.
//!
//! A partition is moved by giving it up and taking it again, which the client would take for the answer
//! to a rebalance: so a seek waits while one may. Until it is done, what the client gives of the partition
//! was read at the old position.
//!
//! | state | event | next |
//! |---|---|---|
//! | - | [`Seeks::add`] | waits |
//! | waits | the partition is given up | given up, waits |
//! | waits, also given up | it is taken again | done |
//! | waits, also given up | a call fails | failed: the driver is told, and seeks again |
//! | failed, also given up | `add` | waits, still given up |
//! | any | the partition is given away | forgotten |

use fastkafka_runtime::platform::PartitionRef;
use std::collections::BTreeMap;

/// Seeks on their way, one of a partition: the last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Seeks(BTreeMap<PartitionRef, Seek>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Seek {
    offset: i64,
    /// The client does not read it any more.
    given_up: bool,
    failed: bool,
}

impl Seeks {
    pub(crate) fn add(&mut self, place: PartitionRef, offset: i64) {
        let given_up = self.is_given_up(place);
        let seek = Seek {
            offset,
            given_up,
            failed: false,
        };
        self.0.insert(place, seek);
    }

    /// True while nothing that is read of the partition counts.
    pub(crate) fn is_under_way(&self, place: PartitionRef) -> bool {
        self.0.contains_key(&place)
    }

    /// True while the partition is to be moved away from this offset.
    pub(crate) fn leaves(&self, place: PartitionRef, offset: i64) -> bool {
        let seek = self.0.get(&place);
        seek.is_some_and(|seek| seek.offset != offset)
    }

    /// All that are to be made, without those that have failed.
    pub(crate) fn waiting(&self) -> Vec<(PartitionRef, i64)> {
        let waiting = self.0.iter().filter(|(_, seek)| !seek.failed);
        waiting.map(|(place, seek)| (*place, seek.offset)).collect()
    }

    pub(crate) fn is_given_up(&self, place: PartitionRef) -> bool {
        self.0.get(&place).is_some_and(|seek| seek.given_up)
    }

    pub(crate) fn set_given_up(&mut self, place: PartitionRef, given_up: bool) {
        if let Some(seek) = self.0.get_mut(&place) {
            seek.given_up = given_up;
        }
    }

    pub(crate) fn fail(&mut self, place: PartitionRef) {
        if let Some(seek) = self.0.get_mut(&place) {
            seek.failed = true;
        }
    }

    /// The seek to this offset is the last one of the partition, and has failed.
    pub(crate) fn has_failed(&self, place: PartitionRef, offset: i64) -> bool {
        let seek = self.0.get(&place);
        seek.is_some_and(|seek| seek.failed && seek.offset == offset)
    }

    pub(crate) fn end(&mut self, place: PartitionRef) {
        self.0.remove(&place);
    }

    /// These partitions are given away.
    pub(crate) fn forget(&mut self, places: &[PartitionRef]) {
        self.0.retain(|place, _| !places.contains(place));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
