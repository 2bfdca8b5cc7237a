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
//! | begun again | records, or another client can read it | - |
//!
//! Without an error for ten seconds it is in doubt. That is no evidence of being read: it may be paused, or have
//! no leader. So the client that looks at the ends of logs looks at it (`ends.rs`).

use fastkafka_runtime::platform::PartitionRef;
use std::collections::BTreeMap;
use std::time::Duration;

/// The time from an error until the partition is begun again.
const AGAIN: Duration = Duration::from_secs(5);
/// A partition without an error for so long may be read again. librdkafka tries at least once a second.
const QUIET: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Broken { again: Duration },
    BegunAgain { quiet: Duration },
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
            let quiet = now + QUIET;
            *state = State::BegunAgain { quiet };
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

    /// Nothing was heard of it since it was begun again, for a while.
    pub(crate) fn is_in_doubt(&self, place: PartitionRef, now: Duration) -> bool {
        matches!(self.0.get(place), Some(State::BegunAgain { quiet }) if *quiet <= now)
    }

    /// Another client can read it. True if that was in doubt.
    pub(crate) fn is_readable(&mut self, place: PartitionRef, now: Duration) -> bool {
        self.is_in_doubt(place, now) && self.0.remove(place).is_some()
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
        assert!(!errors.is_readable(place, AGAIN + QUIET), "it is broken");
        errors.begun_again(place, 3 * AGAIN);
        assert!(!errors.is_in_doubt(place, 3 * AGAIN));
        // However long nothing is heard.
        for seconds in [0, 3_600] {
            let now = 3 * AGAIN + QUIET + Duration::from_secs(seconds);
            assert!(errors.is_in_doubt(place, now));
        }
        assert!(errors.is_readable(place, 3 * AGAIN + QUIET));
        assert_eq!(errors, Errors::default());
    }
}
