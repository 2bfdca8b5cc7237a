//! How the clients of a cluster are made: its address, the way to it, and tokens.

use super::config;
use super::error::refused;
use super::ffi;
use super::names::ClusterNames;
use super::options::KafkaOptions;
use super::tokens::Current;
use crate::cluster::problem;
use fastkafka_core::{Connection, Connections, Plan, Problems};
use fastkafka_runtime::platform::ClientError;
use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use std::sync::Arc;

/// A way to a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    connection: Connection,
    client_id: String,
    token: Option<Arc<Current>>,
    names: ClusterNames,
}

impl Access {
    /// Without a token.
    pub(crate) fn new(connection: Connection, client_id: &str) -> Self {
        Self {
            connection,
            client_id: client_id.to_owned(),
            token: None,
            names: ClusterNames::default(),
        }
    }

    /// With a token, if the connection needs one.
    async fn open(
        cluster: &str,
        connection: Connection,
        options: &KafkaOptions,
    ) -> Result<Self, Problems> {
        let token = match &connection.sasl_oauth_token_provider {
            Some(tokens) => Some(
                Current::keep(tokens.provider().clone())
                    .await
                    .map_err(problem)?,
            ),
            None => None,
        };
        Ok(Self {
            token,
            names: ClusterNames::new(cluster, options.names_on(cluster)),
            ..Self::new(connection, &options.client_id)
        })
    }

    /// The names of the cluster and of what is on it.
    pub(crate) fn names(&self) -> &ClusterNames {
        &self.names
    }

    /// Where the brokers are.
    pub(crate) fn address(&self) -> &str {
        self.connection
            .bootstrap_servers
            .as_deref()
            .unwrap_or_default()
    }

    /// What is spoken with them.
    pub(crate) fn protocol(&self) -> &'static str {
        config::protocol(self.connection.security_protocol.unwrap_or_default())
    }

    /// What every client has.
    pub(super) fn config(&self) -> ClientConfig {
        config::client(&self.connection, &self.client_id)
    }

    pub(super) fn token(&self) -> Option<&Arc<Current>> {
        self.token.as_ref()
    }

    /// Gives a new client its first token; it asks for the next ones where it is polled.
    pub(super) fn admit<C: ClientContext>(&self, client: &Client<C>) -> Result<(), ClientError> {
        let Some(current) = &self.token else {
            return Ok(());
        };
        let token = current.token().map_err(refused)?;
        ffi::set_token(client.native_ptr(), &token).map_err(refused)
    }
}

/// The ways to the clusters of an app.
#[derive(Clone, Debug)]
pub(crate) struct Clusters {
    all: Vec<Access>,
    connections: Connections,
}

impl Clusters {
    /// Fetches the tokens that are needed.
    ///
    /// # Errors
    /// When a token cannot be had.
    pub(crate) async fn open(options: &KafkaOptions, plan: &Plan) -> Result<Self, Problems> {
        let mut clusters = Self {
            all: Vec::new(),
            connections: options.connections.clone(),
        };
        let nothing = Connection::default;
        let said = plan.clusters.iter().map(|c| (&c.name, nothing()));
        let dead = plan.clusters.iter();
        let dead = dead.map(|c| (&c.name, c.dead_letters.connection()));
        let groups = plan.groups.iter();
        let groups = groups.map(|group| (&group.cluster, group.settings.connection()));
        let outputs = plan.outputs.iter();
        let outputs = outputs.map(|output| (&output.cluster, output.settings.connection()));
        let addresses = plan.clusters.iter().filter(|cluster| cluster.is_address);
        let addresses: Vec<_> = addresses.map(|cluster| &cluster.name).collect();
        for (cluster, said) in said.chain(dead).chain(groups).chain(outputs) {
            // Such a cluster is where its functions say that it is.
            if said == nothing() && addresses.contains(&cluster) && !clusters.connections.embedded {
                continue;
            }
            if clusters.find(cluster, &said).is_none() {
                let connection = clusters.connections.to(cluster, &said);
                let access = Access::open(cluster, connection, options).await?;
                clusters.all.push(access);
            }
        }
        Ok(clusters)
    }

    fn find(&self, cluster: &str, said: &Connection) -> Option<&Access> {
        let connection = self.connections.to(cluster, said);
        let mut all = self.all.iter();
        all.find(|access| &*access.names.cluster == cluster && access.connection == connection)
    }

    /// The way to the cluster of a function that says so much of it.
    pub(crate) fn access(&self, cluster: &str, said: &Connection) -> &Access {
        self.find(cluster, said)
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

    /// What is read and written by each way; `others` on the first cluster if no function names them.
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
        let of = |access: &Access| {
            let ours = used.iter().filter(|(used, _)| std::ptr::eq(*used, access));
            let mut topics: Vec<_> = ours.map(|(_, topic)| topic.clone()).collect();
            topics.sort();
            topics.dedup();
            topics
        };
        let all = self.all.iter().map(|access| (access, of(access)));
        all.filter(|(_, topics)| !topics.is_empty()).collect()
    }
}
