//! How the clients of a cluster are made: its address, the way to it, and tokens.

use super::config;
use super::ffi;
use super::tokens::Current;
use crate::cluster::problem;
use crate::options::Options;
use crate::transport::ClientError;
use fastkafka_core::{Connection, Plan, Problems};
use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use std::sync::Arc;

/// One cluster.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    connection: Connection,
    client_id: String,
    token: Option<Arc<Current>>,
    suffix: Arc<str>,
}

impl Access {
    /// Without a token.
    pub(crate) fn new(connection: Connection, client_id: &str) -> Self {
        Self {
            connection,
            client_id: client_id.to_owned(),
            token: None,
            suffix: "".into(),
        }
    }

    /// With a token, if the connection needs one.
    async fn open(connection: Connection, options: &Options) -> Result<Self, Problems> {
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
            suffix: (&*options.suffix).into(),
            ..Self::new(connection, &options.client_id)
        })
    }

    /// What the names of topics and groups end with on the cluster, beyond what the app calls them: a
    /// test has its own.
    pub(crate) fn suffix(&self) -> &Arc<str> {
        &self.suffix
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
        let token = current.token().map_err(ClientError::refused)?;
        ffi::set_token(client.native_ptr(), &token).map_err(ClientError::refused)
    }
}

/// The clusters of an app.
#[derive(Clone, Debug)]
pub(crate) struct Clusters {
    /// The app's broker, and those that single functions name.
    all: Vec<Access>,
    base: Connection,
    /// Then there is no other.
    embedded: bool,
}

impl Clusters {
    /// Fetches the tokens that are needed.
    ///
    /// # Errors
    /// When a token cannot be had.
    pub(crate) async fn open(options: &Options, plan: &Plan) -> Result<Self, Problems> {
        let mut clusters = Self {
            all: Vec::new(),
            base: options.connection.clone(),
            embedded: options.embedded,
        };
        let groups = plan.groups.iter().map(|group| group.settings.connection());
        let outputs = plan
            .outputs
            .iter()
            .map(|output| output.settings.connection());
        let dead_letters = plan.dead_letters.connection();
        let own = groups.chain(outputs).chain([dead_letters]);
        for own in [Connection::default()].into_iter().chain(own) {
            let connection = clusters.effective(&own);
            if !clusters.all.iter().any(|a| a.connection == connection) {
                let access = Access::open(connection, options).await?;
                clusters.all.push(access);
            }
        }
        Ok(clusters)
    }

    fn effective(&self, own: &Connection) -> Connection {
        if self.embedded {
            self.base.clone()
        } else {
            own.clone().over(&self.base)
        }
    }

    /// The cluster of a function that says so much of it.
    pub(crate) fn of(&self, own: &Connection) -> &Access {
        let connection = self.effective(own);
        let mut all = self.all.iter();
        all.find(|access| access.connection == connection)
            .expect("every connection of the plan was opened")
    }

    /// The app's own.
    pub(crate) fn base(&self) -> &Access {
        self.of(&Connection::default())
    }

    /// What is read and written on each; `others` are on the app's broker if no function names them.
    pub(crate) fn topics(&self, plan: &Plan, others: &[String]) -> Vec<(&Access, Vec<String>)> {
        let mut used: Vec<(Connection, String)> = Vec::new();
        for group in &plan.groups {
            let connection = group.settings.connection();
            let topics = group.handlers.iter().flat_map(|handler| handler.def.topics);
            used.extend(topics.map(|topic| (connection.clone(), (*topic).to_owned())));
        }
        for output in &plan.outputs {
            used.push((output.settings.connection(), output.def.topic.to_owned()));
        }
        let handlers = plan.groups.iter().flat_map(|group| &group.handlers);
        let dead = handlers.filter_map(|handler| handler.settings.dead_letter.as_deref());
        let connection = plan.dead_letters.connection();
        used.extend(dead.map(|topic| (connection.clone(), topic.to_owned())));
        for topic in others {
            if !used.iter().any(|(_, known)| known == topic) {
                used.push((Connection::default(), topic.clone()));
            }
        }
        let of = |access: &Access| {
            let ours = used
                .iter()
                .filter(|(own, _)| self.effective(own) == access.connection);
            let mut topics: Vec<_> = ours.map(|(_, topic)| topic.clone()).collect();
            topics.sort();
            topics.dedup();
            topics
        };
        let all = self.all.iter().map(|access| (access, of(access)));
        all.filter(|(_, topics)| !topics.is_empty()).collect()
    }
}

impl ClientError {
    /// Waiting does not help.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self {
            kind: crate::transport::ErrorKind::Refused,
            message: message.into(),
        }
    }
}
