//! Positions that the broker has not been asked about yet.

use super::raw::Offsets;
use crate::offsets::broker::OffsetAndEpoch;
use fastkafka_runtime::platform::PartitionRef;
use std::time::Duration;

/// A position waits no longer than this for the id of its topic, however many looks begin meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct Position {
    place: PartitionRef,
    at: OffsetAndEpoch,
    since: Duration,
}

/// Positions that were begun with, and about which the broker is not asked yet whether its log still has
/// them. librdkafka asks at a seek and when a leader changes, and not at an assign: so each is
/// sought once more. That is refused until reading has begun, which waits for the end of the assignment
/// before; what is read until then does not count.
#[derive(Clone, Debug, Default, Hash, PartialEq, Eq)]
pub(crate) struct Unchecked(Vec<Position>);

impl Unchecked {
    /// One that begins now.
    pub(crate) fn add(&mut self, place: PartitionRef, at: OffsetAndEpoch, now: Duration) {
        let since = now;
        self.0.push(Position { place, at, since });
    }

    pub(crate) fn contains(&self, place: PartitionRef) -> bool {
        self.0.iter().any(|unchecked| unchecked.place == place)
    }

    /// Those that the broker is to be asked about now: all of them, or while the ids of topics are awaited
    /// those that have waited long enough.
    pub(crate) fn due(
        &self,
        now: Duration,
        ids_are_due: bool,
    ) -> Vec<(PartitionRef, OffsetAndEpoch)> {
        let is_due = |one: &&Position| !ids_are_due || now.saturating_sub(one.since) >= PATIENCE;
        let due = self.0.iter().filter(is_due);
        due.map(|one| (one.place, one.at)).collect()
    }

    /// The broker was to be asked about these, and is being asked about all but the `later` ones.
    pub(crate) fn asked(&mut self, places: &Offsets, later: &[PartitionRef]) {
        let asked = places.iter().map(|(place, _)| *place);
        self.forget(asked.filter(|place| !later.contains(place)));
    }

    /// These are given away.
    pub(crate) fn forget(&mut self, places: impl IntoIterator<Item = PartitionRef>) {
        for place in places {
            self.0.retain(|unchecked| unchecked.place != place);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

    #[test]
    fn a_position_waits_for_ids_and_not_for_ever() {
        let [first, second] = [0, 1].map(|partition| TopicPartition::intern("orders", partition));
        let mut unchecked = Unchecked::default();
        unchecked.add(first, 5.into(), Duration::ZERO);
        unchecked.add(second, 6.into(), PATIENCE / 2);
        assert_eq!(unchecked.due(PATIENCE / 2, true), []);
        assert_eq!(unchecked.due(PATIENCE / 2, false).len(), 2);
        let due = unchecked.due(PATIENCE, true);
        assert_eq!(due, [(first, 5.into())]);
        unchecked.asked(&due, &[first]);
        assert!(
            unchecked.contains(first),
            "it is refused until reading has begun"
        );
        unchecked.asked(&due, &[]);
        assert!(!unchecked.contains(first) && unchecked.contains(second));
    }
}
