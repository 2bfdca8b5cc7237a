//! Named brokers and declared topics.

use fastkafka_core::Connection;
use fastkafka_runtime::TopicSpec;
use std::fmt;

/// A cluster that an app can run on, under a name of the app's builder.
///
/// ```
/// # use fastkafka::{App, Broker};
/// let app = App::builder()
///     .broker("localhost", Broker::new("localhost:9092"))
///     .broker("production", Broker::new("kafka-1:9092,kafka-2:9092"))
///     .build();
/// # let _ = app;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Broker {
    connection: Connection,
}

impl Broker {
    /// A cluster by the addresses of some of its brokers: `host:port`, joined by commas.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            connection: Connection::default().bootstrap_servers(bootstrap.into()),
        }
    }

    /// The addresses.
    pub fn bootstrap(&self) -> &str {
        self.connection
            .bootstrap_servers
            .as_deref()
            .unwrap_or_default()
    }

    /// How it is reached: with TLS, a login. Settings of a function come before it.
    ///
    /// ```
    /// # use fastkafka::{Broker, SaslMechanism, SecurityProtocol, Tls};
    /// # let password = String::new();
    /// let broker = Broker::new("kafka-1:9093").connection(|connection| {
    ///     connection
    ///         .security_protocol(SecurityProtocol::SaslSsl)
    ///         .ssl_context(Tls::default().ca("/etc/kafka/ca.pem"))
    ///         .sasl_mechanism(SaslMechanism::ScramSha512)
    ///         .sasl_plain_username("billing")
    ///         .sasl_plain_password(password)
    /// });
    /// # let _ = broker;
    /// ```
    #[must_use]
    pub fn connection(self, change: impl FnOnce(Connection) -> Connection) -> Self {
        Self {
            connection: change(self.connection),
        }
    }

    pub(crate) fn reached_by(&self) -> &Connection {
        &self.connection
    }
}

/// How a topic is made by `run --create-topics`, and on the embedded broker.
///
/// ```
/// # use fastkafka::{App, Topic};
/// let app = App::builder().topic("flights", Topic::new().partitions(6).replicas(3)).build();
/// # let _ = app;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    partitions: Option<u16>,
    replicas: Option<u16>,
    configs: Vec<(String, String)>,
}

impl Topic {
    /// A topic as the broker makes it by default.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many partitions.
    #[must_use]
    pub fn partitions(mut self, partitions: u16) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// How many copies of each record.
    #[must_use]
    pub fn replicas(mut self, replicas: u16) -> Self {
        self.replicas = Some(replicas);
        self
    }

    /// A setting of the topic, such as `cleanup.policy`.
    #[must_use]
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.configs.push((key.into(), value.into()));
        self
    }

    #[cfg(feature = "docs")]
    pub(crate) fn declaration(&self) -> fastkafka_asyncapi::TopicDeclaration {
        fastkafka_asyncapi::TopicDeclaration {
            partitions: self.partitions.map(u32::from),
            replicas: self.replicas.map(u32::from),
            configs: self.configs.clone(),
        }
    }

    pub(crate) fn spec(&self, name: &str) -> TopicSpec {
        let mut spec = TopicSpec::new(name);
        spec.partitions = self.partitions.map(i32::from);
        spec.replicas = self.replicas.map(i32::from);
        spec.configs.clone_from(&self.configs);
        spec
    }
}

/// The app has no broker of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBroker {
    /// The name.
    pub name: String,
    /// The names it has, `embedded` among them.
    pub known: Vec<String>,
}

impl fmt::Display for UnknownBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the app has no broker `{}`; it has: {}; an address is written `host:port`",
            self.name,
            self.known.join(", ")
        )
    }
}

impl std::error::Error for UnknownBroker {}
