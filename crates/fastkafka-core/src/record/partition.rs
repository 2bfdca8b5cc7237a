//! Partitions by name, each known once.

use crate::lock::unpoisoned;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, OnceLock};

/// A topic and one of its partitions, interned: two equal ones are the same reference.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The cluster's name of the topic, which need not be the app's.
    pub on_cluster: String,
    /// The cluster's name; empty for the app's own, unless that has one.
    pub cluster: String,
}

impl TopicPartition {
    /// The one value for this partition of the app's own cluster. It lives as long as the process: a
    /// process meets few partitions, and every record of one refers to it.
    pub fn intern(topic: &str, partition: i32) -> &'static Self {
        Self::intern_on("", topic, topic, partition)
    }

    /// The same on a cluster, which may have a name of its own for the topic.
    pub fn intern_on(
        cluster: &str,
        topic: &str,
        on_cluster: &str,
        partition: i32,
    ) -> &'static Self {
        type All = HashMap<([String; 3], i32), &'static TopicPartition>;
        static ALL: OnceLock<Mutex<All>> = OnceLock::new();
        let mut all = unpoisoned(ALL.get_or_init(Mutex::default).lock());
        // By both names: two apps of one process may have different ones for a topic of a cluster.
        let names = [cluster, topic, on_cluster].map(str::to_owned);
        all.entry((names, partition))
            .or_insert_with_key(|(names, _)| {
                let [cluster, topic, on_cluster] = names.clone();
                Box::leak(Box::new(Self {
                    topic,
                    partition,
                    on_cluster,
                    cluster,
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
            TopicPartition::intern_on("payments", "a", "a", 1),
        );
        assert!(!std::ptr::eq(own, payments));
        assert_eq!(own.to_string(), "a[1]");
        assert_eq!(payments.to_string(), "a[1] on `payments`");
    }

    #[test]
    fn two_apps_may_have_names_of_their_own_for_one_topic() {
        let ours = TopicPartition::intern_on("", "events", "events-2a", 0);
        let theirs = TopicPartition::intern_on("", "events-2a", "events-2a", 0);
        assert_eq!(
            (&*ours.topic, &*theirs.topic),
            ("events", "events-2a"),
            "the first to name it does not choose for all"
        );
    }

    #[test]
    fn a_topic_may_have_another_name_on_the_cluster() {
        let place = TopicPartition::intern_on("", "orders", "orders-1f", 0);
        assert_eq!((&*place.topic, &*place.on_cluster), ("orders", "orders-1f"));
        assert_eq!(place.to_string(), "orders[0]");
        assert!(!std::ptr::eq(place, TopicPartition::intern("orders", 0)));
    }
}
