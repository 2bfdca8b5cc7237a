//! Partitions of which librdkafka has told an error in the place of records.
//!
//! Its batch calls take an error for a record: the position that it keeps for pauses and rebalances moves one
//! too far (decision 37). So nothing that comes of such a partition counts until it is begun again.
//!
//! | state | event | next |
//! |---|---|---|
//! | - | an error | broken |
//! | broken | five seconds later | begun again |
//! | begun again | an error | broken |
//! | begun again | records, or ten seconds without an error | - |

use fastkafka_runtime::platform::PartitionRef;
use std::collections::BTreeMap;
use std::time::Duration;

/// The time from an error until the partition is begun again.
const AGAIN: Duration = Duration::from_secs(5);
/// A partition without an error for so long is read. librdkafka tries at least once a second.
const WELL: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Broken { again: Duration },
    BegunAgain { well: Duration },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Errors(BTreeMap<PartitionRef, State>);

impl Errors {
    /// The client has told an error.
    pub(crate) fn add(&mut self, place: PartitionRef, now: Duration) {
        let again = now + AGAIN;
        self.0.insert(place, State::Broken { again });
    }

    /// What comes of this partition does not count.
    pub(crate) fn is_broken(&self, place: PartitionRef) -> bool {
        matches!(self.0.get(place), Some(State::Broken { .. }))
    }

    /// The partition is begun again, for whatever reason.
    pub(crate) fn begun_again(&mut self, place: PartitionRef, now: Duration) {
        if let Some(state) = self.0.get_mut(place) {
            let well = now + WELL;
            *state = State::BegunAgain { well };
        }
    }

    /// Those that are to be begun again now.
    pub(crate) fn due(&self, now: Duration) -> Vec<PartitionRef> {
        let due = |state: &State| matches!(state, State::Broken { again } if *again <= now);
        let due = self.0.iter().filter(|(_, state)| due(state));
        due.map(|(place, _)| *place).collect()
    }

    /// There are records of it.
    pub(crate) fn read(&mut self, place: PartitionRef) {
        self.0.remove(place);
    }

    /// Those that have been read for a while without an error.
    pub(crate) fn take_well(&mut self, now: Duration) -> Vec<PartitionRef> {
        let is_well = |state: &State| matches!(state, State::BegunAgain { well } if *well <= now);
        let well = self.0.extract_if(.., |_, state| is_well(state));
        well.map(|(place, _)| place).collect()
    }

    /// These partitions are given away.
    pub(crate) fn forget(&mut self, places: &[PartitionRef]) {
        self.0.retain(|place, _| !places.contains(place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

    #[test]
    fn a_partition_is_begun_again_after_each_error_until_none_comes_any_more() {
        let place = TopicPartition::intern("orders", 0);
        let mut errors = Errors::default();
        errors.add(place, Duration::ZERO);
        assert!(errors.is_broken(place));
        assert!(errors.due(AGAIN / 2).is_empty());
        assert_eq!(errors.due(AGAIN), [place]);
        errors.begun_again(place, AGAIN);
        assert!(!errors.is_broken(place));
        errors.add(place, 2 * AGAIN);
        assert!(errors.take_well(AGAIN + WELL).is_empty());
        errors.begun_again(place, 3 * AGAIN);
        assert_eq!(errors.take_well(3 * AGAIN + WELL), [place]);
        assert_eq!(errors, Errors::default());
    }
}
