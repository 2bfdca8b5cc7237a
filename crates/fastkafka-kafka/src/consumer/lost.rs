//! Positions that are not in their logs: the broker is asked for the range until it answers.

use fastkafka_runtime::platform::PartitionRef;
use std::time::Duration;

/// Between two questions to a broker that did not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// A position that is out of range and not settled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lost {
    place: PartitionRef,
    position: i64,
    ask_at: Duration,
}

/// Positions that are out of range and not settled yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LostPositions(Vec<Lost>);

impl LostPositions {
    /// The client says that this position is not in the log. The broker is asked at once.
    pub(crate) fn add(&mut self, place: PartitionRef, position: i64, now: Duration) {
        self.0.push(Lost {
            place,
            position,
            ask_at: now,
        });
    }

    /// The partition is moved.
    pub(crate) fn forget(&mut self, place: PartitionRef) {
        self.0.retain(|lost| !std::ptr::eq(lost.place, place));
    }

    /// The broker has answered about this position. False when it is not lost any more: an answer may come
    /// twice, or be about a position that the partition has left.
    pub(crate) fn settle(&mut self, place: PartitionRef, position: i64) -> bool {
        let before = self.0.len();
        let is_it = |lost: &Lost| std::ptr::eq(lost.place, place) && lost.position == position;
        self.0.retain(|lost| !is_it(lost));
        self.0.len() < before
    }

    /// The positions to ask about now. Those of partitions that are gone are forgotten.
    pub(crate) fn due(
        &mut self,
        now: Duration,
        is_assigned: impl Fn(PartitionRef) -> bool,
    ) -> Vec<(PartitionRef, i64)> {
        self.0.retain(|lost| is_assigned(lost.place));
        let mut due = Vec::new();
        for lost in self.0.iter_mut().filter(|lost| lost.ask_at <= now) {
            lost.ask_at = now + AGAIN;
            due.push((lost.place, lost.position));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

    #[test]
    fn a_lost_position_is_asked_about_each_second_until_it_is_settled() {
        let place = |partition| TopicPartition::intern("orders", partition);
        let (all, mut lost) = (|_: PartitionRef| true, LostPositions::default());
        lost.add(place(0), 50, Duration::ZERO);
        let due = [(Duration::ZERO, 1), (AGAIN / 2, 0), (AGAIN, 1)];
        for (now, expected) in due {
            assert_eq!(lost.due(now, all).len(), expected, "at {now:?}");
        }
        assert!(!lost.settle(place(0), 45), "another position");
        assert!(lost.settle(place(0), 50));
        assert!(!lost.settle(place(0), 50), "it was settled");
        assert_eq!(lost.due(AGAIN * 9, all), []);
    }

    #[test]
    fn a_lost_position_of_a_partition_that_is_gone_is_forgotten() {
        let place = TopicPartition::intern("orders", 0);
        let mut lost = LostPositions::default();
        lost.add(place, 50, Duration::ZERO);
        assert_eq!(lost.due(Duration::ZERO, |_| false), []);
        assert!(!lost.settle(place, 50));
    }
}
