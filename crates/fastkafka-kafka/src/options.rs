//! How an app's clusters are reached, and what is done there before its groups are joined.

use crate::names::TopicNames;
use fastkafka_core::{Connection, Connections};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// How an app's clusters are reached, and what is done there before its groups are joined.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KafkaOptions {
    /// The addresses of the clusters, and the logins.
    pub connections: Connections,
    /// The name that the clients give themselves.
    pub client_id: String,
    /// The time for the brokers to answer, and for missing topics to appear.
    pub start_timeout: Duration,
    /// The time at which the groups begin at this start, whatever they have committed.
    pub from: Option<SystemTime>,
    /// The names of topics and groups, by cluster; the app's own where a cluster is not in it.
    pub names: BTreeMap<String, TopicNames>,
    /// How often groups commit whose functions do not say.
    pub commit_interval: Option<Duration>,
}

impl KafkaOptions {
    /// The defaults on this cluster, with 30 s to start.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            connections: Connections::new(
                Connection::default().bootstrap_servers(bootstrap.into()),
            ),
            client_id: "fastkafka".to_owned(),
            start_timeout: Duration::from_secs(30),
            from: None,
            names: BTreeMap::new(),
            commit_interval: None,
        }
    }

    /// The names on a cluster.
    pub fn names_on(&self, cluster: &str) -> TopicNames {
        self.names.get(cluster).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_called_by_its_own_names_and_commits_at_the_interval_of_its_settings() {
        let options = KafkaOptions::new("localhost:9092");
        assert_eq!(options.commit_interval, None);
        assert_eq!(options.names_on("").on_cluster("orders"), "orders");
    }
}
