//! Partitions by name, each known once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

/// A topic and one of its partitions, interned: two equal ones are the same reference.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// What the cluster calls the topic: the same, but where a test has topics of its own there.
    pub on_cluster: String,
}

impl TopicPartition {
    /// The one value for this partition. It lives as long as the process: a process meets few
    /// partitions, and every record of one refers to it.
    pub fn intern(topic: &str, partition: i32) -> &'static Self {
        Self::intern_as(topic, "", partition)
    }

    /// The same of a topic that the cluster knows by a longer name, the topic's and a suffix.
    pub fn intern_as(on_cluster: &str, suffix: &str, partition: i32) -> &'static Self {
        static ALL: OnceLock<Mutex<HashMap<(String, i32), &'static TopicPartition>>> =
            OnceLock::new();
        let mut all = ALL
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let topic = on_cluster.strip_suffix(suffix).unwrap_or(on_cluster);
        all.entry((on_cluster.to_owned(), partition))
            .or_insert_with(|| {
                Box::leak(Box::new(Self {
                    topic: topic.to_owned(),
                    partition,
                    on_cluster: on_cluster.to_owned(),
                }))
            })
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.topic, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_partitions_are_one_reference() {
        assert!(std::ptr::eq(
            TopicPartition::intern("a", 1),
            TopicPartition::intern("a", 1)
        ));
        assert!(!std::ptr::eq(
            TopicPartition::intern("a", 1),
            TopicPartition::intern("a", 2)
        ));
    }

    #[test]
    fn a_topic_of_a_test_has_two_names() {
        let place = TopicPartition::intern_as("orders-1f", "-1f", 0);
        assert_eq!((&*place.topic, &*place.on_cluster), ("orders", "orders-1f"));
        assert_eq!(place.to_string(), "orders[0]");
        assert!(!std::ptr::eq(place, TopicPartition::intern("orders", 0)));
    }
}
