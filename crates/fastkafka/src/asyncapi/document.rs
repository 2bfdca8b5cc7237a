//! The app's document, made from its plan.

use crate::app::App;
use fastkafka_asyncapi::{self as asyncapi, Document, Security, Source};
use fastkafka_core::{Broker, Brokers, Connection, Plan, SaslMechanism, SecurityProtocol};

impl App {
    /// The app's AsyncAPI document: what it reads and writes, by the registry that runs it. It needs no
    /// broker, and an app with problems has one all the same.
    ///
    /// Settings count wherever they come from: a group that the environment names is in it.
    ///
    /// ```
    /// use fastkafka::{App, Broker};
    ///
    /// let app = App::builder()
    ///     .title("Billing")
    ///     .broker("production", Broker::new("kafka-1:9092"))
    ///     .build();
    /// let document = app.asyncapi();
    /// assert_eq!(document.info.title, "Billing");
    /// assert_eq!(document.servers["production"].host, "kafka-1:9092");
    /// assert!(document.to_yaml().starts_with("asyncapi: \"3.0.0\""));
    /// ```
    pub fn asyncapi(&self) -> Document {
        let own = &self.inner.spec.brokers;
        let plan = self.sketch();
        // The app's own cluster is described also while no function is on it.
        let mut brokers: Vec<_> = of_cluster(own).collect();
        let mut others = plan.clusters.clone();
        others.retain(|cluster| cluster.name != own.name());
        for cluster in &others {
            brokers.extend(of_cluster(&cluster.brokers));
        }
        for cluster in others.iter().filter(|cluster| cluster.is_address) {
            let connection = connection_to(&plan, &cluster.name);
            let broker = Broker::new(&*cluster.name).connection(|_| connection);
            brokers.push(described(&cluster.name, "", &broker));
        }
        let topics = self.inner.topics.iter();
        Document::new(&Source {
            app: &self.inner.spec,
            client_id: &self.inner.client_id,
            brokers,
            topics: topics
                .map(|(name, topic)| (name.clone(), topic.declaration()))
                .collect(),
        })
    }
}

fn of_cluster(brokers: &Brokers) -> impl Iterator<Item = asyncapi::Broker> {
    let all = brokers.iter();
    all.map(|(name, broker)| described(brokers.name(), name, broker))
}

/// The connection to a cluster that has only an address: the first function on it that names it.
fn connection_to(plan: &Plan, cluster: &str) -> Connection {
    let group = plan.groups.iter().find(|group| group.cluster == cluster);
    let output = plan.outputs.iter().find(|output| output.cluster == cluster);
    match (group, output) {
        (Some(group), _) => group.settings.connection(),
        (None, Some(output)) => output.settings.connection(),
        (None, None) => Connection::default(),
    }
}

/// A broker's address and login, without its secrets.
fn described(cluster: &str, name: &str, broker: &Broker) -> asyncapi::Broker {
    let connection = broker.reached_by();
    let protocol = connection.security_protocol.unwrap_or_default();
    let tls = connection.ssl_context.as_ref();
    let certificate = tls.is_some_and(|tls| tls.certificate.is_some()) && protocol.is_tls();
    let mut described = asyncapi::Broker {
        cluster: cluster.to_owned(),
        name: name.to_owned(),
        bootstrap: broker.shown(),
        tls: protocol.is_tls(),
        security: certificate.then_some(Security::Certificate),
        description: None,
    };
    let has_login = matches!(
        protocol,
        SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl
    );
    described.security = match connection.sasl_mechanism.filter(|_| has_login) {
        Some(SaslMechanism::Plain) => Some(Security::Plain),
        Some(SaslMechanism::ScramSha256) => Some(Security::ScramSha256),
        Some(SaslMechanism::ScramSha512) => Some(Security::ScramSha512),
        Some(SaslMechanism::Gssapi) => Some(Security::Gssapi),
        Some(SaslMechanism::OauthBearer) => {
            // A scheme of AsyncAPI would have to say where tokens come from; only the provider knows.
            described.description = Some("Clients log in with SASL OAUTHBEARER.".to_owned());
            described.security
        }
        _ => described.security,
    };
    described
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::Tls;

    fn server(mechanism: SaslMechanism, protocol: SecurityProtocol) -> asyncapi::Broker {
        let broker = Broker::new("kafka-1:9093").connection(|connection| {
            connection
                .security_protocol(protocol)
                .sasl_mechanism(mechanism)
                .sasl_plain_username("billing")
                .sasl_plain_password("s3cret".to_owned())
        });
        described("", "production", &broker)
    }

    #[test]
    fn a_broker_says_how_it_is_reached_and_nothing_secret() {
        let scram = server(SaslMechanism::ScramSha512, SecurityProtocol::SaslSsl);
        assert_eq!(
            (&scram.security, scram.tls),
            (&Some(Security::ScramSha512), true)
        );
        assert!(!format!("{scram:?}").contains("s3cret"));
        let plain = server(SaslMechanism::Plain, SecurityProtocol::SaslPlaintext);
        assert_eq!((plain.security, plain.tls), (Some(Security::Plain), false));
        let oauth = server(SaslMechanism::OauthBearer, SecurityProtocol::SaslSsl);
        assert_eq!(oauth.security, None);
        assert!(
            oauth
                .description
                .is_some_and(|text| text.contains("OAUTHBEARER"))
        );
        let mutual = Broker::new("kafka-1:9093").connection(|connection| {
            connection
                .security_protocol(SecurityProtocol::Ssl)
                .ssl_context(Tls::default().identity("client.pem", "client.key"))
        });
        let mutual = described("", "production", &mutual);
        assert_eq!(
            (mutual.security, mutual.tls),
            (Some(Security::Certificate), true)
        );
    }
}
