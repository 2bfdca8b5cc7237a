//! The way of the apps to the brokers of a test.

use crate::topology::{ClusterName, Topology};
use fastkafka::App;
use fastkafka_core::{Connection, Connections, Plan};
use fastkafka_kafka::{Embedded, TopicNames};
use std::time::Duration;

/// How often groups commit whose handlers do not say: an assertion waits for that.
const COMMIT_INTERVAL: Duration = Duration::from_millis(50);

/// The brokers that a test chooses instead of clusters in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The name of a broker in every cluster, or an address that stands for all of them.
    Broker(String),
    /// A broker in the process for each cluster.
    Embedded,
}

/// Brokers, and names of topics and groups, that every app of the test gets before it starts.
pub(super) struct Access {
    /// As messages call the broker.
    pub(super) broker: String,
    /// The end of the names of this test's topics and groups.
    test: String,
    /// The address of each cluster; `None`: as the apps say, by the broker's name.
    connections: Option<Connections>,
    /// The brokers in the process, by cluster. They forget everything when they are dropped.
    embedded: Vec<(ClusterName, Embedded)>,
}

impl Access {
    pub(super) fn new(target: Target, topology: &Topology) -> Result<Self, String> {
        let mut access = Self {
            broker: String::new(),
            test: format!("-{:016x}", rand::random::<u64>()),
            connections: None,
            embedded: Vec::new(),
        };
        match target {
            Target::Broker(broker) => {
                let is_address = broker.contains(':');
                access.connections = is_address.then(|| Connections::at(broker.clone()));
                // Without a login that somebody has written into it: it is printed.
                access.broker = Connection::default().bootstrap_servers(broker).address();
            }
            Target::Embedded => {
                let mut connections = Connections::embedded();
                for &cluster in topology.clusters() {
                    let embedded = Embedded::start().map_err(|error| error.to_string())?;
                    let address = embedded.bootstrap().to_owned();
                    let connection = Connection::default().bootstrap_servers(address);
                    connections = connections.with(cluster, connection);
                    access.embedded.push((cluster, embedded));
                }
                let addresses: Vec<_> = access
                    .embedded
                    .iter()
                    .map(|(_, embedded)| embedded.bootstrap())
                    .collect();
                access.broker = addresses.join(", ");
                access.connections = Some(connections);
            }
        }
        Ok(access)
    }

    /// Gives an app its brokers, and topics and groups of the test's own.
    pub(super) fn give(&self, app: &App) -> Result<(), String> {
        if self.connections.is_none() {
            let chosen = app.set_kafka_broker(&self.broker);
            chosen.map_err(|error| error.to_string())?;
        }
        // Its clusters and not those of the test's start: an app that joins later may have others.
        let (plan, _) = Plan::sketch(app.parts().spec);
        let names = plan.clusters.iter().map(|cluster| {
            let names = TopicNames::with_suffix(&suffix(&self.test, &cluster.name));
            (cluster.name.to_string(), names)
        });
        app.parts()
            .choose_clusters(self.connections.clone(), names.collect(), COMMIT_INTERVAL);
        Ok(())
    }

    pub(super) fn embedded(&self, cluster: ClusterName) -> Option<&Embedded> {
        let mut all = self.embedded.iter();
        let (_, embedded) = all.find(|(name, _)| *name == cluster)?;
        Some(embedded)
    }

    /// The brokers outlive the test, so that it has to delete its topics.
    pub(super) fn outlives_test(&self) -> bool {
        self.embedded.is_empty()
    }
}

/// The end of names on a cluster, also where several clusters of a test are at one broker. No suffix is
/// the end of another, so that no pattern finds topics of the other cluster.
fn suffix(test: &str, cluster: &str) -> String {
    if cluster.is_empty() {
        return test.to_owned();
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    format!("{test}-{}", cluster.replace(|c| !allowed(c), "-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka::cluster::Brokers;
    use fastkafka::consumes;
    use std::collections::BTreeMap;

    struct Late;

    fn far() -> Brokers {
        Brokers::new("far")
    }

    #[consumes(app = Late, topic = "orders")]
    async fn on_orders(_order: u64) {}

    #[consumes(app = Late, topic = "orders", brokers = far)]
    async fn on_far_orders(_order: u64) {}

    #[test]
    fn an_app_that_joins_later_has_topics_of_the_tests_own_on_clusters_that_the_test_began_without()
    {
        let topology = Topology::new(&[], BTreeMap::new());
        let target = Target::Broker("127.0.0.1:1".to_owned());
        let access = Access::new(target, &topology).unwrap();
        let app = App::scoped::<Late>().title("Late").build();
        access.give(&app).unwrap();
        let options = app.parts().kafka_options().unwrap();
        for cluster in ["", "far"] {
            let topic = options.names_on(cluster).on_cluster("orders");
            assert_eq!(topic, format!("orders{}", suffix(&access.test, cluster)));
        }
    }

    #[test]
    fn a_test_has_topics_of_its_own_on_each_cluster_also_at_one_address() {
        assert_eq!(suffix("-1f", ""), "-1f");
        assert_eq!(suffix("-1f", "eu.pay:1"), "-1f-eu-pay-1");
        assert!(!suffix("-1f", "eu").ends_with(&suffix("-1f", "")));
    }
}
