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
    /// The cluster's name; empty for the app's own, unless that has one.
    pub cluster: String,
}

impl TopicPartition {
    /// The one value for this partition of the app's own cluster. It lives as long as the process: a
    /// process meets few partitions, and every record of one refers to it.
    pub fn intern(topic: &str, partition: i32) -> &'static Self {
        Self::intern_on("", topic, "", partition)
    }

    /// The same on a cluster, of a topic that it knows by a longer name, the topic's and a suffix.
    pub fn intern_on(
        cluster: &str,
        on_cluster: &str,
        suffix: &str,
        partition: i32,
    ) -> &'static Self {
        type All = HashMap<(String, String, i32), &'static TopicPartition>;
        static ALL: OnceLock<Mutex<All>> = OnceLock::new();
        let mut all = ALL
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let topic = on_cluster.strip_suffix(suffix).unwrap_or(on_cluster);
        all.entry((cluster.to_owned(), on_cluster.to_owned(), partition))
            .or_insert_with(|| {
                Box::leak(Box::new(Self {
                    topic: topic.to_owned(),
                    partition,
                    on_cluster: on_cluster.to_owned(),
                    cluster: cluster.to_owned(),
                }))
            })
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.topic, self.partition)?;
        match &*self.cluster {
            "" => Ok(()),
            cluster => write!(f, " on `{cluster}`"),
        }
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
    fn one_topic_on_two_clusters_has_other_partitions() {
        let (own, payments) = (
            TopicPartition::intern("a", 1),
            TopicPartition::intern_on("payments", "a", "", 1),
        );
        assert!(!std::ptr::eq(own, payments));
        assert_eq!(own.to_string(), "a[1]");
        assert_eq!(payments.to_string(), "a[1] on `payments`");
    }

    #[test]
    fn a_topic_of_a_test_has_two_names() {
        let place = TopicPartition::intern_on("", "orders-1f", "-1f", 0);
        assert_eq!((&*place.topic, &*place.on_cluster), ("orders", "orders-1f"));
        assert_eq!(place.to_string(), "orders[0]");
        assert!(!std::ptr::eq(place, TopicPartition::intern("orders", 0)));
    }
}
