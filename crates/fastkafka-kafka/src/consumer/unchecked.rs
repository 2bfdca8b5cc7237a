//! Positions that the broker has not been asked about yet.

use super::raw::Offsets;
use crate::offsets::broker::OffsetAndEpoch;
use fastkafka_runtime::platform::PartitionRef;
use std::time::Duration;

/// A position waits no longer than this for the id of its topic, however many looks begin meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);
/// From the first time that a position cannot be sought until it is tried again; then twice as long, each time.
const AGAIN: Duration = Duration::from_millis(10);
/// Until it is tried again, at most. Where reading stands still after an error it is refused until the partition is
/// moved, which may be for ever, and each seek waits for another thread of the client.
const SELDOM: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct Position {
    place: PartitionRef,
    at: OffsetAndEpoch,
    since: Duration,
    /// When it may be sought, and the time from then until it is tried again.
    due: Duration,
    pause: Duration,
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
        self.0.push(Position {
            place,
            at,
            since: now,
            due: now,
            pause: AGAIN,
        });
    }

    pub(crate) fn contains(&self, place: PartitionRef) -> bool {
        self.0.iter().any(|unchecked| unchecked.place == place)
    }

    /// Those that the broker is to be asked about now, of those that were refused the ones that are tried again.
    /// While the ids of topics are awaited only those that have waited long enough.
    pub(crate) fn due(
        &self,
        now: Duration,
        ids_are_due: bool,
    ) -> Vec<(PartitionRef, OffsetAndEpoch)> {
        let has_waited = |one: &Position| now.saturating_sub(one.since) >= PATIENCE;
        let is_due = |one: &&Position| one.due <= now && (!ids_are_due || has_waited(one));
        let due = self.0.iter().filter(is_due);
        due.map(|one| (one.place, one.at)).collect()
    }

    /// The broker was to be asked about these, and is being asked about all but the `later` ones.
    pub(crate) fn asked(&mut self, places: &Offsets, later: &[PartitionRef], now: Duration) {
        let asked = places.iter().map(|(place, _)| *place);
        self.forget(asked.filter(|place| !later.contains(place)));
        let refused = self.0.iter_mut().filter(|one| later.contains(&one.place));
        for one in refused {
            one.due = now + one.pause;
            one.pause = SELDOM.min(one.pause * 2);
        }
    }

    /// Something comes of this one, so that it can be sought. False where it is no longer here.
    pub(crate) fn begins(&mut self, place: PartitionRef, now: Duration) -> bool {
        let mut all = self.0.iter_mut();
        let one = all.find(|unchecked| unchecked.place == place);
        one.is_some_and(|one| {
            one.due = now.min(one.due);
            true
        })
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
        unchecked.asked(&due, &[first], PATIENCE);
        assert!(
            unchecked.contains(first),
            "it is refused until reading has begun"
        );
        unchecked.asked(&due, &[], PATIENCE);
        assert!(!unchecked.contains(first) && unchecked.contains(second));
    }

    /// A poll may follow the other within a millisecond.
    #[test]
    fn a_position_that_is_refused_is_tried_again_ever_less_often_and_at_once_when_it_is_read() {
        let place = TopicPartition::intern("orders", 0);
        let mut unchecked = Unchecked::default();
        unchecked.add(place, 5.into(), Duration::ZERO);
        let tried = |unchecked: &mut Unchecked, now: Duration| {
            let due = unchecked.due(now, false);
            if !due.is_empty() {
                unchecked.asked(&due, &[place], now);
            }
            due.len()
        };
        let millis = (0..60_000).map(Duration::from_millis);
        let tries: usize = millis.map(|now| tried(&mut unchecked, now)).sum();
        assert!((60..70).contains(&tries), "{tries}");
        let now = Duration::from_secs(60);
        tried(&mut unchecked, now);
        assert_eq!(tried(&mut unchecked, now), 0);
        assert!(unchecked.begins(place, now));
        assert_eq!(tried(&mut unchecked, now), 1);
        unchecked.forget([place]);
        assert!(!unchecked.begins(place, now));
    }
}
