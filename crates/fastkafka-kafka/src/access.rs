//! How the clients of a cluster are made: its address, the way to it, and tokens.

use super::config;
use super::error::refused;
use super::ffi;
use super::tokens::Current;
use crate::cluster::problem;
use fastkafka_core::{Connection, Connections, Plan, Problems, TopicPartition};
use fastkafka_runtime::Options;
use fastkafka_runtime::platform::{ClientError, PartitionRef};
use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use std::fmt;
use std::sync::Arc;

/// A way to a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    connection: Connection,
    client_id: String,
    token: Option<Arc<Current>>,
    names: Names,
}

/// What a cluster is called, and what it calls the app's topics and groups: a test has its own there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// The cluster.
    pub(crate) cluster: Arc<str>,
    /// What names end with on the cluster, beyond what the app calls them.
    suffix: Arc<str>,
}

impl Names {
    pub(crate) fn new(cluster: &str, suffix: &str) -> Self {
        // A test may have several clusters of its apps at one broker. No suffix is the end of another,
        // so that no pattern finds what is on the other cluster.
        let suffix = match (cluster, suffix) {
            (_, "") | ("", _) => suffix.to_owned(),
            (cluster, suffix) => {
                let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
                format!("{suffix}-{}", cluster.replace(|c| !allowed(c), "-"))
            }
        };
        Self {
            cluster: cluster.into(),
            suffix: suffix.into(),
        }
    }

    /// It is a test's.
    pub(crate) fn are_of_a_test(&self) -> bool {
        !self.suffix.is_empty()
    }

    /// What the cluster calls a topic or a group.
    pub(crate) fn on_cluster(&self, name: &str) -> String {
        format!("{name}{}", self.suffix)
    }

    /// What a consumer subscribes to there: a topic, or a pattern that begins with `^`.
    pub(crate) fn subscription(&self, name: &str) -> String {
        let suffix = &self.suffix;
        match (name.starts_with('^'), name.strip_suffix('$')) {
            _ if suffix.is_empty() => name.to_owned(),
            (false, _) => self.on_cluster(name),
            (true, Some(whole)) => format!("^({whole}){suffix}$"),
            (true, None) => format!("^({name}).*{suffix}$"),
        }
    }

    /// What the app calls a topic.
    pub(crate) fn topic<'a>(&self, on_cluster: &'a str) -> &'a str {
        on_cluster.strip_suffix(&*self.suffix).unwrap_or(on_cluster)
    }

    /// A partition of a topic, as the cluster calls that.
    pub(crate) fn place(&self, on_cluster: &str, partition: i32) -> PartitionRef {
        TopicPartition::intern_on(&self.cluster, on_cluster, &self.suffix, partition)
    }
}

/// In a sentence, after what is there: nothing for the app's own cluster.
impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.cluster {
            "" => Ok(()),
            cluster => write!(f, " on cluster `{cluster}`"),
        }
    }
}

/// What a cluster calls a test's topic.
pub fn name_on(cluster: &str, suffix: &str, topic: &str) -> String {
    Names::new(cluster, suffix).on_cluster(topic)
}

impl Access {
    /// Without a token.
    pub(crate) fn new(connection: Connection, client_id: &str) -> Self {
        Self {
            connection,
            client_id: client_id.to_owned(),
            token: None,
            names: Names::default(),
        }
    }

    /// With a token, if the connection needs one.
    async fn open(
        cluster: &str,
        connection: Connection,
        options: &Options,
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
            names: Names::new(cluster, &options.suffix),
            ..Self::new(connection, &options.client_id)
        })
    }

    /// What the cluster and what is on it is called.
    pub(crate) fn names(&self) -> &Names {
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
    pub(crate) async fn open(options: &Options, plan: &Plan) -> Result<Self, Problems> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_has_topics_of_its_own_on_each_cluster_also_at_one_address() {
        let (own, other) = (Names::new("", "-1f"), Names::new("eu.pay:1", "-1f"));
        assert_eq!(own.on_cluster("orders"), "orders-1f");
        assert_eq!(other.on_cluster("orders"), "orders-1f-eu-pay-1");
        assert_eq!(other.topic("orders-1f-eu-pay-1"), "orders");
        // A pattern of one does not find what is on the other.
        assert_eq!(own.subscription("^orders"), "^(^orders).*-1f$");
        assert_eq!(other.subscription("^orders$"), "^(^orders)-1f-eu-pay-1$");
    }

    #[test]
    fn an_app_in_production_has_the_names_that_it_says() {
        let names = Names::new("payments", "");
        assert_eq!(names.on_cluster("orders"), "orders");
        assert!(!names.are_of_a_test());
    }
}
