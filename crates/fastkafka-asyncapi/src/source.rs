//! What a document is made from, beside the functions.

use fastkafka_core::AppSpec;
use std::collections::BTreeMap;

/// An app with what the document says of its surroundings.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// The functions and what the app says of itself.
    pub app: &'a AppSpec,
    /// What its clients call themselves.
    pub client_id: &'a str,
    /// The brokers that it can run on, of all its clusters, in the order of the builder.
    pub brokers: Vec<Broker>,
    /// How topics are declared, by name.
    pub topics: BTreeMap<String, TopicDeclaration>,
}

/// A broker under a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broker {
    /// The name of its cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// Its name in the cluster; empty where that has only an address.
    pub name: String,
    /// Addresses of some of its brokers: `host:port`, joined by commas.
    pub bootstrap: String,
    /// What it is.
    pub description: Option<String>,
    /// Whether clients speak TLS.
    pub tls: bool,
    /// How clients prove who they are.
    pub security: Option<Security>,
}

/// How clients prove who they are. There is no place for a credential here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// SASL PLAIN.
    Plain,
    /// SASL SCRAM-SHA-256.
    ScramSha256,
    /// SASL SCRAM-SHA-512.
    ScramSha512,
    /// SASL GSSAPI, that is Kerberos.
    Gssapi,
    /// A certificate of the client's.
    Certificate,
    /// SASL OAUTHBEARER, with the client credentials flow.
    OAuthBearer {
        /// Where tokens come from.
        token_url: String,
        /// What may be asked for, and what it is.
        scopes: BTreeMap<String, String>,
    },
}

/// How a topic is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicDeclaration {
    /// How many partitions.
    pub partitions: Option<u32>,
    /// How many copies of each record.
    pub replicas: Option<u32>,
    /// Settings, such as `cleanup.policy`.
    pub configs: Vec<(String, String)>,
}
