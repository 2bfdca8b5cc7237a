//! Positions that are not in their logs: the broker is asked for the range until it answers.

use super::fetch_position::FetchPosition;
use fastkafka_runtime::platform::PartitionRef;
use std::time::Duration;

/// Between two questions to a broker that did not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// A position that is out of range and not settled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lost {
    at: FetchPosition,
    ask_at: Duration,
}

/// Positions that are out of range and not settled yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LostPositions(Vec<Lost>);

impl LostPositions {
    /// The client says that this position is not in the log. The broker is asked at once.
    pub(crate) fn add(&mut self, at: FetchPosition, now: Duration) {
        self.0.push(Lost { at, ask_at: now });
    }

    /// The partition is moved.
    pub(crate) fn forget(&mut self, place: PartitionRef) {
        self.0.retain(|lost| !std::ptr::eq(lost.at.place, place));
    }

    /// The broker has answered about this position. False when it is not lost any more: an answer may come
    /// twice, or be about a position that the partition has left.
    pub(crate) fn settle(&mut self, at: &FetchPosition) -> bool {
        let before = self.0.len();
        self.0.retain(|lost| lost.at != *at);
        self.0.len() < before
    }

    /// The positions to ask about now. Those of partitions that are gone are forgotten.
    pub(crate) fn due(
        &mut self,
        now: Duration,
        is_assigned: impl Fn(PartitionRef) -> bool,
    ) -> Vec<FetchPosition> {
        self.0.retain(|lost| is_assigned(lost.at.place));
        let mut due = Vec::new();
        for lost in self.0.iter_mut().filter(|lost| lost.ask_at <= now) {
            lost.ask_at = now + AGAIN;
            due.push(lost.at);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::fetch_position::Move;
    use fastkafka_core::TopicPartition;

    fn at(next: i64, since: Move) -> FetchPosition {
        FetchPosition {
            place: TopicPartition::intern("orders", 0),
            next,
            since,
        }
    }

    #[test]
    fn a_lost_position_is_asked_about_each_second_until_it_is_settled() {
        let (all, mut lost) = (|_: PartitionRef| true, LostPositions::default());
        let mut moves = Move::default();
        let it = at(50, moves.next());
        lost.add(it, Duration::ZERO);
        let due = [(Duration::ZERO, 1), (AGAIN / 2, 0), (AGAIN, 1)];
        for (now, expected) in due {
            assert_eq!(lost.due(now, all).len(), expected, "at {now:?}");
        }
        assert!(!lost.settle(&at(45, it.since)), "another position");
        assert!(!lost.settle(&at(50, moves.next())), "it was moved there");
        assert!(lost.settle(&it));
        assert!(!lost.settle(&it), "it was settled");
        assert_eq!(lost.due(AGAIN * 9, all), []);
    }

    #[test]
    fn a_lost_position_of_a_partition_that_is_gone_is_forgotten() {
        let mut lost = LostPositions::default();
        let it = at(50, Move::default());
        lost.add(it, Duration::ZERO);
        assert_eq!(lost.due(Duration::ZERO, |_| false), []);
        assert!(!lost.settle(&it));
    }
}
