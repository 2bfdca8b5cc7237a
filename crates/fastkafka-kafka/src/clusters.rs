//! The ways to the clusters of an app.

use super::access::Access;
use super::options::KafkaOptions;
use fastkafka_core::{Connection, Connections, Plan, Problems};
use std::collections::BTreeSet;
use tokio::time::Instant;

/// The ways to the clusters of an app: one for each cluster and login.
#[derive(Clone, Debug)]
pub(crate) struct Clusters {
    all: Vec<Access>,
    connections: Connections,
}

impl Clusters {
    /// No client is left.
    pub(crate) fn close(&self) {
        self.all.iter().for_each(Access::close);
    }

    /// Fetches the tokens that are needed, within `start_timeout`.
    ///
    /// # Errors
    /// When a token cannot be had.
    pub(crate) async fn open(options: &KafkaOptions, plan: &Plan) -> Result<Self, Problems> {
        let deadline = Instant::now() + options.start_timeout;
        let connections = &options.connections;
        let mut clusters = Self {
            all: Vec::new(),
            connections: connections.clone(),
        };
        let by_address = plan.clusters.iter().filter(|cluster| cluster.is_address);
        let by_address: BTreeSet<&str> = by_address.map(|cluster| &*cluster.name).collect();
        for (cluster, own) in needed(plan) {
            // A cluster that is an address is reached as its functions say, and not otherwise.
            let nowhere = own == Connection::default() && by_address.contains(cluster);
            if nowhere && !connections.embedded {
                continue;
            }
            if clusters.find(cluster, &own).is_none() {
                let connection = connections.to(cluster, &own);
                let access = Access::open(cluster, connection, options, deadline).await?;
                clusters.all.push(access);
            }
        }
        Ok(clusters)
    }

    fn find(&self, cluster: &str, own: &Connection) -> Option<&Access> {
        let connection = self.connections.to(cluster, own);
        let mut all = self.all.iter();
        all.find(|access| access.leads_to(cluster, &connection))
    }

    /// The way to a cluster for a function with a connection of its own, which may say nothing.
    pub(crate) fn access(&self, cluster: &str, own: &Connection) -> &Access {
        self.find(cluster, own)
            .expect("every connection of the plan was opened")
    }

    /// Their brokers are in the process.
    pub(crate) fn are_embedded(&self) -> bool {
        self.connections.embedded
    }

    /// The first: the app's own, if any function is on it.
    pub(crate) fn first(&self) -> &Access {
        self.all.first().expect("an app has a cluster")
    }

    /// The topics that are read and written by each way. Topics of `others` that no function names are on
    /// the first.
    pub(crate) fn topics(&self, plan: &Plan, others: &[String]) -> Vec<(&Access, Vec<String>)> {
        let mut used: Vec<(&Access, String)> = Vec::new();
        for group in &plan.groups {
            let access = self.access(&group.cluster, &group.settings.connection());
            let topics = group.handlers.iter().flat_map(|handler| handler.def.topics);
            used.extend(topics.map(|topic| (access, (*topic).to_owned())));
        }
        for output in &plan.outputs {
            let access = self.access(&output.cluster, &output.settings.connection());
            used.push((access, output.def.topic.to_owned()));
        }
        for cluster in &plan.clusters {
            let groups = plan.groups.iter().filter(|g| g.cluster == cluster.name);
            let handlers = groups.flat_map(|group| &group.handlers);
            let dead = handlers.filter_map(|handler| handler.settings.dead_letter.as_deref());
            used.extend(dead.map(|topic| {
                let access = self.access(&cluster.name, &cluster.dead_letters.connection());
                (access, topic.to_owned())
            }));
        }
        for topic in others {
            if !used.iter().any(|(_, known)| known == topic) {
                used.push((self.first(), topic.clone()));
            }
        }
        let topics_by = |access: &Access| {
            let used = used.iter().filter(|(by, _)| std::ptr::eq(*by, access));
            let topics: BTreeSet<_> = used.map(|(_, topic)| topic.clone()).collect();
            topics.into_iter().collect::<Vec<_>>()
        };
        self.all
            .iter()
            .map(|access| (access, topics_by(access)))
            .filter(|(_, topics)| !topics.is_empty())
            .collect()
    }
}

/// The clusters of the plan, and the connections that functions have of their own: those of the clusters
/// come first, then dead letters, groups and producers.
fn needed(plan: &Plan) -> impl Iterator<Item = (&str, Connection)> {
    let clusters = plan.clusters.iter();
    let clusters = clusters.map(|cluster| (&*cluster.name, Connection::default()));
    let dead = plan.clusters.iter();
    let dead = dead.map(|cluster| (&*cluster.name, cluster.dead_letters.connection()));
    let groups = plan.groups.iter();
    let groups = groups.map(|group| (&*group.cluster, group.settings.connection()));
    let outputs = plan.outputs.iter();
    let outputs = outputs.map(|output| (&*output.cluster, output.settings.connection()));
    clusters.chain(dead).chain(groups).chain(outputs)
}
