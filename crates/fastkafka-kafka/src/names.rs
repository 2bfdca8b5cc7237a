//! The names of topics and groups: in the app, and on a cluster.

use fastkafka_core::{Pattern, TopicPartition};
use fastkafka_runtime::platform::PartitionRef;
use std::fmt;
use std::sync::Arc;

/// How the names of topics and groups on a cluster follow from those that the app uses: the same, or
/// with a suffix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicNames {
    suffix: Arc<str>,
}

impl TopicNames {
    /// Names on the cluster end with this.
    pub fn with_suffix(suffix: &str) -> Self {
        Self {
            suffix: suffix.into(),
        }
    }

    /// The cluster's name of a topic or a group.
    pub fn on_cluster(&self, name: &str) -> String {
        format!("{name}{}", self.suffix)
    }

    /// The app's name of a topic.
    pub fn topic<'a>(&self, on_cluster: &'a str) -> &'a str {
        on_cluster.strip_suffix(&*self.suffix).unwrap_or(on_cluster)
    }

    /// The subscription to these names, of which the broker finds the topics.
    pub(crate) fn subscription_of_broker(&self, names: Pattern) -> String {
        names.with_suffix(&self.suffix).anchored()
    }

    /// The subscription to a topic, or to a pattern that begins with `^`, on the cluster.
    pub(crate) fn subscription(&self, name: &str) -> String {
        let suffix = &self.suffix;
        if suffix.is_empty() {
            return name.to_owned();
        }
        if !name.starts_with('^') {
            return self.on_cluster(name);
        }
        match name.strip_suffix('$') {
            Some(whole) => format!("^({whole}){suffix}$"),
            None => format!("^({name}).*{suffix}$"),
        }
    }
}

/// The name of a cluster, and the names on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClusterNames {
    pub(crate) cluster: Arc<str>,
    pub(crate) topics: TopicNames,
}

impl ClusterNames {
    pub(crate) fn new(cluster: &str, topics: TopicNames) -> Self {
        Self {
            cluster: cluster.into(),
            topics,
        }
    }

    /// The cluster's name of a topic or a group.
    pub(crate) fn on_cluster(&self, name: &str) -> String {
        self.topics.on_cluster(name)
    }

    /// The app's name of a topic.
    pub(crate) fn topic<'a>(&self, on_cluster: &'a str) -> &'a str {
        self.topics.topic(on_cluster)
    }

    /// A partition of a topic, by the cluster's name of that.
    pub(crate) fn place(&self, on_cluster: &str, partition: i32) -> PartitionRef {
        let topic = self.topics.topic(on_cluster);
        TopicPartition::intern_on(&self.cluster, topic, on_cluster, partition)
    }
}

/// In a sentence, behind the topic: nothing for the app's own cluster.
impl fmt::Display for ClusterNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.cluster {
            "" => Ok(()),
            cluster => write!(f, " on cluster `{cluster}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_suffix_on_the_cluster_and_lose_it_on_the_way_back() {
        let names = TopicNames::with_suffix("-1f");
        assert_eq!(names.on_cluster("orders"), "orders-1f");
        assert_eq!(names.topic("orders-1f"), "orders");
        assert_eq!(names.subscription("orders"), "orders-1f");
        assert_eq!(names.subscription("^orders"), "^(^orders).*-1f$");
        assert_eq!(names.subscription("^orders$"), "^(^orders)-1f$");
    }

    #[test]
    fn without_a_suffix_names_stay_as_they_are() {
        let names = TopicNames::default();
        assert_eq!(names.on_cluster("orders"), "orders");
        assert_eq!(names.topic("orders"), "orders");
        assert_eq!(names.subscription("^orders$"), "^orders$");
    }

    #[test]
    fn a_partition_has_the_name_that_the_app_uses_and_the_one_on_the_cluster() {
        let names = ClusterNames::new("payments", TopicNames::with_suffix("-1f"));
        let place = names.place("orders-1f", 2);
        assert_eq!((&*place.topic, &*place.on_cluster), ("orders", "orders-1f"));
        assert_eq!(place.to_string(), "orders[2] on `payments`");
    }
}
