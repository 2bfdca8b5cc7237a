//! A cluster by name, with the brokers that stand for it in each environment.

use super::value::Value;
use super::{Connection, Text};
use std::fmt;

/// A cluster that an app can run on, under a name of its [`Brokers`] or of the app's builder.
///
/// ```
/// # use fastkafka_core::{Broker, Brokers};
/// let brokers = Brokers::new("payments")
///     .broker("localhost", Broker::new("localhost:9092"))
///     .broker("production", Broker::new("kafka-1:9092,kafka-2:9092"));
/// # let _ = brokers;
/// ```
#[derive(Clone, PartialEq)]
pub struct Broker {
    connection: Connection,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Broker").field(&self.shown()).finish()
    }
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

    /// The addresses as they may be printed: a login that was written into one is hidden.
    #[doc(hidden)]
    pub fn shown(&self) -> String {
        self.connection.address()
    }

    /// The connection to it: TLS, a login. Settings of a function come before it.
    ///
    /// ```
    /// # use fastkafka_core::{Broker, SaslMechanism, SecurityProtocol, Tls};
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

    /// The connection to it.
    #[doc(hidden)]
    pub fn reached_by(&self) -> &Connection {
        &self.connection
    }

    /// The same description, as far as two calls of one function can give it: each makes a provider
    /// of tokens of its own.
    fn is_like(&self, other: &Self) -> bool {
        let login = |broker: &Self| {
            let mut connection = broker.connection.clone();
            let tokens = connection.sasl_oauth_token_provider.take().is_some();
            (connection, tokens)
        };
        login(self) == login(other)
    }
}

/// A cluster beside the app's own: its name, and its brokers by the names of the environments. A
/// function uses it with `brokers = ..`, which takes a function that makes it.
///
/// Choosing a broker, as `run --kafka-broker production` does, chooses the one of that name in every
/// cluster. The name of the cluster, ASCII letters, digits, `.`, `_` and `-`, is what makes two
/// functions use the same one.
///
/// ```
/// # use fastkafka_core::{Broker, Brokers};
/// fn payments() -> Brokers {
///     Brokers::new("payments")
///         .broker("localhost", Broker::new("localhost:9093"))
///         .broker("production", Broker::new("payments-1:9092,payments-2:9092"))
/// }
/// assert_eq!(payments().name(), "payments");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Brokers {
    name: Text,
    brokers: Vec<(Text, Broker)>,
}

impl Brokers {
    /// A cluster of this name, without a broker yet.
    pub fn new(name: impl Into<Text>) -> Self {
        Self {
            name: name.into(),
            brokers: Vec::new(),
        }
    }

    /// Adds a broker under a name; a second one of that name takes the first one's place.
    #[must_use]
    pub fn broker(mut self, name: impl Into<Text>, broker: Broker) -> Self {
        let name = name.into();
        self.brokers.retain(|(known, _)| *known != name);
        self.brokers.push((name, broker));
        self
    }

    /// The cluster's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The brokers with their names, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Broker)> {
        self.brokers.iter().map(|(name, broker)| (&**name, broker))
    }

    /// The broker of a name.
    pub fn get(&self, name: &str) -> Option<&Broker> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, broker)| broker)
    }

    /// The same description of the same cluster.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let mut pairs = self.iter().zip(other.iter());
        self.name == other.name
            && self.brokers.len() == other.brokers.len()
            && pairs.all(|((a, x), (b, y))| a == b && x.is_like(y))
    }

    /// The name has only characters that a topic's name may have.
    pub(crate) fn has_a_good_name(&self) -> bool {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        !self.name.is_empty() && self.name.chars().all(allowed)
    }
}

/// `brokers = payments` names the function, which is called when the app is checked or started.
impl<F: Fn() -> Self> From<F> for Brokers {
    fn from(make: F) -> Self {
        make()
    }
}

/// The expansion of `brokers = ..`: an argument, so that a mistake is reported at the user's expression.
#[doc(hidden)]
pub fn brokers(made: impl Into<Brokers>) -> Brokers {
    made.into()
}

impl fmt::Display for Brokers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brokers = self
            .iter()
            .map(|(name, broker)| format!("{name}={}", broker.shown()));
        let brokers: Vec<_> = brokers.collect();
        write!(f, "{} ({})", self.name, brokers.join("; "))
    }
}

impl Value for Brokers {
    fn read(_: &str) -> Result<Self, String> {
        Err(
            "a function, which only code can name; an address goes into `bootstrap_servers`"
                .to_owned(),
        )
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn agrees(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{TokenFuture, TokenProvider, Tokens};

    struct Provider(#[allow(dead_code, reason = "makes two of them differ")] u8);

    impl TokenProvider for Provider {
        fn token(&self) -> TokenFuture<'_> {
            Box::pin(async { Err("nobody logs in".into()) })
        }
    }

    fn payments() -> Brokers {
        let broker = Broker::new("localhost:1").connection(|connection| Connection {
            sasl_oauth_token_provider: Some(Tokens::new(Provider(1))),
            ..connection
        });
        Brokers::new("payments").broker("localhost", broker)
    }

    #[test]
    fn two_calls_of_one_function_describe_one_cluster() {
        assert_ne!(payments(), payments());
        assert!(payments().is_like(&payments()));
        let other = payments().broker("staging", Broker::new("staging:1"));
        assert!(!payments().is_like(&other));
        let moved = payments().broker("localhost", Broker::new("localhost:2"));
        assert!(!payments().is_like(&moved));
    }

    #[test]
    fn it_is_shown_by_name_and_address_and_is_not_read_from_text() {
        assert_eq!(payments().show(), "payments (localhost=localhost:1)");
        assert!(
            Brokers::read("payments")
                .unwrap_err()
                .contains("bootstrap_servers")
        );
    }
}
