//! The connections to the clusters of an app.

use crate::settings::{Connection, Text};
use std::collections::BTreeMap;

/// The connections to an app's clusters, once a broker is chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Connections {
    own: Connection,
    others: BTreeMap<String, Connection>,
    /// The address of all clusters, and nothing else.
    everywhere: Option<Connection>,
    /// The brokers are in the process: settings of functions for the connection are ignored.
    pub embedded: bool,
}

impl Connections {
    /// The connection to the app's own cluster.
    pub fn new(own: Connection) -> Self {
        Self {
            own,
            ..Self::default()
        }
    }

    /// Every cluster is at a broker in the process.
    pub fn embedded() -> Self {
        Self {
            embedded: true,
            ..Self::default()
        }
    }

    /// Every cluster is at one address, also one for which functions give another address: a test's
    /// broker stands for all of them.
    pub fn at(address: impl Into<Text>) -> Self {
        Self {
            everywhere: Some(Connection::default().bootstrap_servers(address)),
            ..Self::default()
        }
    }

    /// Adds the connection to another cluster.
    #[must_use]
    pub fn with(mut self, cluster: impl Into<String>, connection: Connection) -> Self {
        self.others.insert(cluster.into(), connection);
        self
    }

    /// The connection to a cluster for a function with these settings of its own.
    pub fn to(&self, cluster: &str, own: &Connection) -> Connection {
        let base = self.others.get(cluster).unwrap_or(&self.own);
        let connection = if self.embedded {
            base.clone()
        } else {
            own.clone().over(base)
        };
        match &self.everywhere {
            Some(everywhere) => everywhere.clone().over(&connection),
            None => connection,
        }
    }
}
