//! The user's pauses.

use crate::lock::lock;
use fastkafka_core::TopicPartition;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

/// The user's pauses of a group in this process. They belong to no assignment: a partition that is
/// revoked and assigned again, to whichever worker, is still paused.
#[derive(Debug, Default)]
pub(crate) struct Pauses(Mutex<BTreeMap<String, Paused>>);

#[derive(Debug, Default)]
struct Paused {
    /// All partitions are paused, those to come as well.
    all: bool,
    /// The exceptions from that.
    but: BTreeSet<i32>,
}

impl Pauses {
    /// Pauses or resumes one partition, or all that the topic has and will have.
    pub(crate) fn set(&self, topic: &str, partition: Option<i32>, pause: bool) {
        let mut topics = self.topics();
        let paused = topics.entry(topic.to_owned()).or_default();
        match partition {
            None => {
                paused.all = pause;
                paused.but.clear();
            }
            Some(partition) if paused.all == pause => drop(paused.but.remove(&partition)),
            Some(partition) => drop(paused.but.insert(partition)),
        }
    }

    pub(crate) fn contain(&self, place: &TopicPartition) -> bool {
        let topics = self.topics();
        let paused = topics.get(&place.topic);
        paused.is_some_and(|paused| paused.all != paused.but.contains(&place.partition))
    }

    fn topics(&self) -> MutexGuard<'_, BTreeMap<String, Paused>> {
        lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paused(pauses: &Pauses) -> Vec<i32> {
        let place = |partition| TopicPartition::intern("in", partition);
        (0..3).filter(|p| pauses.contain(place(*p))).collect()
    }

    #[test]
    fn a_partition_may_differ_from_its_topic_until_the_topic_is_named_again() {
        let pauses = Pauses::default();
        pauses.set("in", Some(1), true);
        assert_eq!(paused(&pauses), [1]);
        pauses.set("in", None, true);
        assert_eq!(paused(&pauses), [0, 1, 2]);
        pauses.set("in", Some(0), false);
        pauses.set("in", Some(2), false);
        pauses.set("in", Some(2), true);
        assert_eq!(paused(&pauses), [1, 2]);
        pauses.set("in", None, false);
        assert_eq!(paused(&pauses), [0; 0]);
        pauses.set("other", None, true);
        assert_eq!(paused(&pauses), [0; 0]);
    }
}
