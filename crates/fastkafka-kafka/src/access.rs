//! The way to a cluster, by which its clients are made: address, login, names.

use super::config;
use super::error::{problem, refused};
use super::ffi;
use super::names::ClusterNames;
use super::options::KafkaOptions;
use super::tokens::CurrentToken;
use fastkafka_core::{Connection, Problems};
use fastkafka_runtime::platform::ClientError;
use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use std::sync::Arc;
use tokio::time::Instant;

/// A way to a cluster. Two logins at one cluster are two ways.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    connection: Connection,
    client_id: String,
    token: Option<Arc<CurrentToken>>,
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

    /// With a token, if the connection needs one, which has to be there by the deadline.
    pub(crate) async fn open(
        cluster: &str,
        connection: Connection,
        options: &KafkaOptions,
        deadline: Instant,
    ) -> Result<Self, Problems> {
        let token = match &connection.sasl_oauth_token_provider {
            Some(tokens) => {
                let provider = tokens.provider().clone();
                let token = CurrentToken::keep(provider, deadline, options.start_timeout);
                Some(token.await.map_err(problem)?)
            }
            None => None,
        };
        Ok(Self {
            token,
            names: ClusterNames::new(cluster, options.names_on(cluster)),
            ..Self::new(connection, &options.client_id)
        })
    }

    /// It is a way to this cluster, with these settings.
    pub(crate) fn leads_to(&self, cluster: &str, connection: &Connection) -> bool {
        &*self.names.cluster == cluster && self.connection == *connection
    }

    /// The names of the cluster and of what is on it.
    pub(crate) fn names(&self) -> &ClusterNames {
        &self.names
    }

    /// The address of the brokers, as it is configured and may be printed.
    pub(crate) fn address(&self) -> String {
        self.connection.address()
    }

    /// The protocol that is spoken with the brokers.
    pub(crate) fn protocol(&self) -> &'static str {
        config::security::name(self.connection.security_protocol.unwrap_or_default())
    }

    /// The properties that every client has.
    pub(crate) fn config(&self) -> ClientConfig {
        config::client(&self.connection, &self.client_id)
    }

    pub(crate) fn token(&self) -> Option<&Arc<CurrentToken>> {
        self.token.as_ref()
    }

    /// No client needs another token.
    pub(crate) fn close(&self) {
        self.token.iter().for_each(|token| token.end());
    }

    /// Gives a new client its first token; it asks for the next ones where it is polled.
    pub(crate) fn admit<C: ClientContext>(&self, client: &Client<C>) -> Result<(), ClientError> {
        let Some(current) = &self.token else {
            return Ok(());
        };
        let token = current.token().map_err(refused)?;
        ffi::set_token(client.native_ptr(), &token).map_err(refused)
    }
}
