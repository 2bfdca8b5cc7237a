//! Ends of logs behind which no record comes: control records, and records of transactions that were aborted.
//!
//! librdkafka hands none of these out and does not say that it has passed them, so a group on a topic that
//! is written in transactions would never reach its end. A partition of which nothing comes, although its
//! log goes on, is looked at with a client of its own.

use fastkafka_runtime::platform::PartitionRef;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two looks: a partition has to be quiet for so long.
const LOOK: Duration = Duration::from_secs(5);
/// So many are looked at together.
const MOST: usize = 100;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    look_at: Duration,
    /// The queue was empty since the last look: nothing that was read waits to be handed out.
    drained: bool,
    /// The next offset of each partition at the last look.
    before: BTreeMap<PartitionRef, i64>,
    /// An answer is due.
    asked: bool,
}

impl Ends {
    /// All that was read has been handed out.
    pub(crate) fn drained(&mut self) {
        self.drained = true;
    }

    pub(crate) fn is_due(&self, now: Duration) -> bool {
        !self.asked && self.look_at <= now
    }

    /// The partitions to look at. `next` has the next offset of each, `end` knows the ends of logs.
    pub(crate) fn look(
        &mut self,
        now: Duration,
        next: &[(PartitionRef, i64)],
        end: impl Fn(PartitionRef) -> Option<i64>,
    ) -> Vec<(PartitionRef, i64)> {
        self.look_at = now + LOOK;
        let was_drained = std::mem::take(&mut self.drained);
        let before = std::mem::replace(&mut self.before, next.iter().copied().collect());
        if !was_drained {
            return Vec::new();
        }
        let is_quiet = |(place, next): &&(PartitionRef, i64)| {
            before.get(place) == Some(next) && end(place).is_some_and(|end| end > *next)
        };
        let quiet: Vec<_> = next.iter().filter(is_quiet).take(MOST).copied().collect();
        self.asked = !quiet.is_empty();
        quiet
    }

    pub(crate) fn answered(&mut self) {
        self.asked = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

    #[test]
    fn a_partition_is_looked_at_when_nothing_comes_of_a_log_that_goes_on() {
        let [at_end, reads, quiet] = [0, 1, 2].map(|p| TopicPartition::intern("orders", p));
        let end = |place: PartitionRef| Some(if place == at_end { 7 } else { 9 });
        let mut ends = Ends::default();
        ends.drained();
        let first = [(at_end, 7), (reads, 3), (quiet, 7)];
        assert_eq!(ends.look(LOOK, &first, end), [], "the first look");
        ends.drained();
        let next = [(at_end, 7), (reads, 4), (quiet, 7)];
        assert!(!ends.is_due(LOOK));
        assert_eq!(ends.look(2 * LOOK, &next, end), [(quiet, 7)]);
        assert!(!ends.is_due(9 * LOOK), "an answer is due");
        ends.answered();
        // Its records may wait in the client.
        assert_eq!(ends.look(9 * LOOK, &next, end), []);
    }
}
