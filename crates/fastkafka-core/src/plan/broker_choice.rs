//! The choice of a broker: by one name, in all clusters at once.

use crate::plan::cluster::Cluster;
use crate::plan::connections::Connections;
use crate::settings::Connection;
use crate::settings::address::masked;
use std::fmt;

/// The name of the broker in the process.
pub const EMBEDDED: &str = "embedded";

/// Chooses the broker of this name in every cluster of an app. `host:port` is an address, for apps with
/// one cluster to choose for.
///
/// # Errors
/// When a cluster has no such broker, or an address would be that of several.
pub fn choose(clusters: &[Cluster], name: &str) -> Result<Connections, UnknownBroker> {
    // A cluster that is only an address has no brokers to choose from.
    let choosing: Vec<_> = clusters.iter().filter(|c| !c.is_address).collect();
    let is_known = choosing.iter().any(|c| c.brokers.get(name).is_some());
    if name == EMBEDDED && !is_known {
        return Ok(Connections::embedded());
    }
    if name.contains(':') && !is_known {
        if choosing.len() > 1 {
            return Err(UnknownBroker::address(&choosing, name));
        }
        let connection = Connection::default().bootstrap_servers(name.to_owned());
        let cluster = choosing.first().map_or("", |cluster| &*cluster.name);
        return Ok(Connections::new(connection.clone()).with(cluster, connection));
    }
    let mut connections: Option<Connections> = None;
    for cluster in &choosing {
        let Some(broker) = cluster.brokers.get(name) else {
            return Err(UnknownBroker::new(cluster, choosing.len() > 1, name));
        };
        let connection = broker.reached_by().clone();
        // The first is the app's own, unless no function is on it.
        let known = connections.unwrap_or_else(|| Connections::new(connection.clone()));
        connections = Some(known.with(&*cluster.name, connection));
    }
    Ok(connections.unwrap_or_default())
}

/// A cluster of the app has no broker of that name. A login in an address is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownBroker {
    /// The name.
    pub name: String,
    /// The names it has, `embedded` among them.
    pub known: Vec<String>,
    /// The cluster; `None` where the app has but one.
    pub cluster: Option<String>,
    /// A function that uses it.
    pub used_by: Option<&'static str>,
    /// The clusters that would share the address, if the name is an address.
    several: Vec<String>,
}

impl UnknownBroker {
    fn new(cluster: &Cluster, several: bool, name: &str) -> Self {
        let known = cluster.brokers.iter().map(|(known, _)| known.to_owned());
        Self {
            name: masked(name).into_owned(),
            known: known.chain([EMBEDDED.to_owned()]).collect(),
            cluster: several.then(|| cluster.name.to_string()),
            used_by: cluster.used_by.map(|(function, _)| function),
            several: Vec::new(),
        }
    }

    fn address(clusters: &[&Cluster], name: &str) -> Self {
        let in_all = |name: &&str| clusters.iter().all(|c| c.brokers.get(name).is_some());
        let names = clusters.iter().flat_map(|cluster| cluster.brokers.iter());
        let mut known: Vec<_> = names
            .map(|(name, _)| name)
            .filter(in_all)
            .map(str::to_owned)
            .collect();
        known.sort();
        known.dedup();
        known.push(EMBEDDED.to_owned());
        Self {
            name: masked(name).into_owned(),
            known,
            cluster: None,
            used_by: None,
            several: clusters.iter().map(|c| c.name.to_string()).collect(),
        }
    }
}

/// A cluster in a sentence.
fn named(cluster: &str) -> String {
    match cluster {
        "" => "the app's own cluster".to_owned(),
        name => format!("cluster `{name}`"),
    }
}

impl fmt::Display for UnknownBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        let known = self.known.join(", ");
        if !self.several.is_empty() {
            let several: Vec<_> = self.several.iter().map(|name| named(name)).collect();
            return write!(
                f,
                "`{name}` is the address of one cluster, and the app uses {}: {}; choose a name that each of them has: {known}",
                several.len(),
                several.join(", ")
            );
        }
        let Some(cluster) = &self.cluster else {
            return write!(
                f,
                "the app has no broker `{name}`; it has: {known}; an address is written `host:port`"
            );
        };
        let cluster = named(cluster);
        let used_by = self.used_by.unwrap_or("no function");
        write!(
            f,
            "{cluster}, which `{used_by}` uses, has no broker `{name}`; it has: {known}"
        )
    }
}

impl std::error::Error for UnknownBroker {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::definition::Location;
    use crate::settings::{Broker, Brokers, Text};

    const HERE: Location = Location {
        file: "src/lib.rs",
        line: 1,
        column: 1,
    };

    fn cluster(name: &'static str, used_by: &'static str, brokers: &[&'static str]) -> Cluster {
        let all = brokers.iter().fold(Brokers::new(name), |all, broker| {
            all.broker(*broker, Broker::new(format!("{broker}.{name}:9092")))
        });
        Cluster {
            brokers: all,
            used_by: Some((used_by, HERE)),
            ..Cluster::new(name)
        }
    }

    fn address(connections: &Connections, cluster: &str) -> Option<Text> {
        let connection = connections.to(cluster, &Connection::default());
        connection.bootstrap_servers
    }

    #[test]
    fn a_name_is_chosen_in_every_cluster() {
        let both = [
            cluster("", "on_orders", &["localhost", "production"]),
            cluster("payments", "to_payments", &["production", "localhost"]),
        ];
        let chosen = choose(&both, "production").unwrap();
        assert_eq!(address(&chosen, "").unwrap(), "production.:9092");
        assert_eq!(
            address(&chosen, "payments").unwrap(),
            "production.payments:9092"
        );
        assert!(choose(&both, EMBEDDED).unwrap().embedded);
    }

    #[test]
    fn a_cluster_without_the_name_says_what_it_has_and_who_uses_it() {
        let own = cluster("", "on_orders", &["localhost", "production"]);
        let payments = cluster("payments", "to_payments", &["localhost", "staging"]);
        let error = choose(&[own.clone(), payments], "production").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cluster `payments`, which `to_payments` uses, has no broker `production`; it has: localhost, staging, embedded"
        );
        let payments = cluster("payments", "to_payments", &["production"]);
        let error = choose(&[cluster("", "on_orders", &[]), payments], "production").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the app's own cluster, which `on_orders` uses, has no broker `production`; it has: embedded"
        );
        let error = choose(&[own], "prod").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the app has no broker `prod`; it has: localhost, production, embedded; an address is written `host:port`"
        );
    }

    #[test]
    fn a_tests_address_stands_for_all_clusters_whatever_functions_say() {
        let all = Connections::at("test:1");
        let own = Connection::default().bootstrap_servers("elsewhere:9092");
        for cluster in ["", "payments", "elsewhere:9092"] {
            assert_eq!(address(&all, cluster).unwrap(), "test:1");
            let way = all.to(cluster, &own);
            assert_eq!(way.bootstrap_servers.unwrap(), "test:1");
        }
    }

    #[test]
    fn an_address_is_for_an_app_with_one_cluster() {
        let own = cluster("", "on_orders", &["localhost", "production"]);
        let chosen = choose(std::slice::from_ref(&own), "kafka:1").unwrap();
        assert_eq!(address(&chosen, "").unwrap(), "kafka:1");
        let payments = cluster("payments", "to_payments", &["localhost"]);
        let chosen = choose(std::slice::from_ref(&payments), "kafka:1").unwrap();
        assert_eq!(address(&chosen, "payments").unwrap(), "kafka:1");
        let error = choose(&[own, payments], "kafka:1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`kafka:1` is the address of one cluster, and the app uses 2: the app's own cluster, cluster `payments`; choose a name that each of them has: localhost, embedded"
        );
    }

    #[test]
    fn a_function_with_an_address_stays_there_and_logs_in_as_the_apps_broker_says() {
        let own = cluster("", "on_orders", &["localhost"]);
        let addressed = Cluster {
            is_address: true,
            ..cluster("far:1", "to_far", &[])
        };
        let chosen = choose(&[own, addressed], "localhost").unwrap();
        let own = Connection::default().bootstrap_servers("far:1");
        assert_eq!(chosen.to("far:1", &own).bootstrap_servers.unwrap(), "far:1");
        let embedded = Connections::embedded().with("far:1", Connection::default());
        assert_eq!(embedded.to("far:1", &own).bootstrap_servers, None);
    }
}
