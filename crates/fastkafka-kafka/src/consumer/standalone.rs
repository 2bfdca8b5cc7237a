//! A consumer without a group: it has all partitions, and looks for new ones itself.

use fastkafka_core::OffsetReset;
use fastkafka_runtime::platform::PartitionRef;
use std::collections::HashSet;
use std::time::Duration;

/// Between two looks while nothing is known of a topic.
const SOON: Duration = Duration::from_secs(1);

/// The partitions of a consumer without a group.
#[derive(Clone, Debug)]
pub(crate) struct Standalone {
    topics: Vec<String>,
    /// Between two looks for new partitions.
    refresh: Duration,
    /// `None`: it ends.
    look_at: Option<Duration>,
    known: HashSet<PartitionRef>,
    /// Those that were added to a topic that was known: nothing of them was ever read.
    new: HashSet<PartitionRef>,
}

impl Standalone {
    /// `topics` go by the cluster's names.
    pub(crate) fn new(topics: Vec<String>, refresh: Duration) -> Self {
        Self {
            topics,
            refresh,
            look_at: Some(Duration::ZERO),
            known: HashSet::new(),
            new: HashSet::new(),
        }
    }

    /// The topics whose partitions are to be listed, when it is time.
    pub(crate) fn due(&mut self, now: Duration) -> Option<Vec<String>> {
        self.look_at.filter(|at| *at <= now)?;
        self.look_at = Some(now + self.pause());
        Some(self.topics.clone())
    }

    fn pause(&self) -> Duration {
        let is_known = |topic: &String| self.known.iter().any(|p| p.on_cluster == *topic);
        if self.topics.iter().all(is_known) {
            self.refresh
        } else {
            SOON
        }
    }

    /// Those that were not there before, of all that there are; none once it ends.
    pub(crate) fn take_new(
        &mut self,
        mut places: Vec<PartitionRef>,
        now: Duration,
    ) -> Vec<PartitionRef> {
        if self.look_at.is_none() {
            return Vec::new();
        }
        let topics: HashSet<_> = self.known.iter().map(|p| &p.on_cluster).collect();
        let is_grown = |place: &PartitionRef| topics.contains(&place.on_cluster);
        let grown: Vec<_> = places.iter().copied().filter(is_grown).collect();
        places.retain(|place| self.known.insert(*place));
        let new = grown.into_iter().filter(|place| places.contains(place));
        self.new.extend(new);
        if !places.is_empty() {
            self.look_at = Some(now + self.pause());
        }
        places
    }

    /// The policies by which these start: the beginning for those that were added since.
    pub(crate) fn policies(
        &self,
        places: Vec<(PartitionRef, OffsetReset)>,
    ) -> Vec<(PartitionRef, OffsetReset)> {
        let policy = |(place, policy)| {
            if self.new.contains(&place) {
                (place, OffsetReset::Earliest)
            } else {
                (place, policy)
            }
        };
        places.into_iter().map(policy).collect()
    }

    pub(crate) fn end(&mut self) {
        self.look_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn place(partition: i32) -> PartitionRef {
        TopicPartition::intern("orders", partition)
    }

    #[test]
    fn it_looks_each_second_until_it_knows_a_partition_and_then_as_it_is_told() {
        let mut standalone = Standalone::new(vec!["orders".to_owned()], HOUR);
        let second = |n| SOON * n;
        assert!(standalone.due(second(0)).is_some());
        assert!(standalone.due(second(0)).is_none());
        assert!(standalone.due(second(1)).is_some());
        assert_eq!(standalone.take_new(vec![place(0)], second(1)), [place(0)]);
        assert!(standalone.due(second(2)).is_none());
        assert!(standalone.due(second(1) + HOUR).is_some());
        standalone.end();
        assert!(standalone.due(HOUR * 9).is_none());
        assert!(standalone.take_new(vec![place(1)], HOUR * 9).is_empty());
    }

    #[test]
    fn a_topic_that_is_found_late_begins_by_the_policy_and_is_looked_for_until_then() {
        let topics = ["orders", "payments"].map(str::to_owned).to_vec();
        let mut standalone = Standalone::new(topics, HOUR);
        assert!(standalone.due(Duration::ZERO).is_some());
        assert_eq!(standalone.take_new(vec![place(0)], SOON), [place(0)]);
        assert!(standalone.due(SOON * 2).is_some());
        let late = TopicPartition::intern("payments", 0);
        assert_eq!(standalone.take_new(vec![place(0), late], SOON * 2), [late]);
        let asked = vec![(late, OffsetReset::Latest)];
        assert_eq!(standalone.policies(asked.clone()), asked);
        assert!(standalone.due(SOON * 9).is_none());
    }

    #[test]
    fn a_partition_that_was_added_begins_at_its_beginning() {
        let mut standalone = Standalone::new(vec!["orders".to_owned()], HOUR);
        let asked = |partition| vec![(place(partition), OffsetReset::Latest)];
        standalone.take_new(vec![place(0)], SOON);
        let both = vec![place(0), place(1)];
        assert_eq!(standalone.take_new(both, HOUR), [place(1)]);
        assert_eq!(standalone.policies(asked(0)), asked(0));
        let earliest = [(place(1), OffsetReset::Earliest)];
        assert_eq!(standalone.policies(asked(1)), earliest);
    }
}
