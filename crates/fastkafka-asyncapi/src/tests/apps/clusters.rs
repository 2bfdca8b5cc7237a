//! Several clusters, each with another way in.

use crate::tests::apps::{app, golden};
use crate::{Broker, Document, Security, Source, TopicDeclaration};
use fastkafka_macros::consumes;
use std::collections::BTreeMap;

pub(crate) struct Clusters;

#[consumes(app = Clusters)]
pub(crate) fn on_ticks(_tick: u32) {}

fn cluster(name: &str, bootstrap: &str, tls: bool, security: Option<Security>) -> Broker {
    Broker {
        cluster: String::new(),
        name: name.to_owned(),
        bootstrap: bootstrap.to_owned(),
        description: None,
        tls,
        security,
    }
}

fn source(app: &fastkafka::AppSpec) -> Source<'_> {
    let oauth = Security::OAuthBearer {
        token_url: "https://idp.example.com/token".to_owned(),
        scopes: BTreeMap::from([("kafka".to_owned(), "To read and write".to_owned())]),
    };
    let configs = [
        ("cleanup.policy", "compact, delete"),
        ("retention.ms", "-1"),
        ("min.insync.replicas", "2"),
    ];
    let ticks = TopicDeclaration {
        partitions: Some(6),
        replicas: Some(3),
        configs: configs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
    };
    Source {
        app,
        client_id: "ticker",
        brokers: vec![
            cluster("localhost", "localhost:9092", false, None),
            cluster(
                "staging",
                "kafka-1.staging.example.com:9093,kafka-2.staging.example.com:9093",
                true,
                Some(Security::ScramSha512),
            ),
            cluster("production", "kafka.example.com:9094", true, Some(oauth)),
            cluster(
                "legacy",
                "old.example.com:9092",
                false,
                Some(Security::Plain),
            ),
            cluster(
                "sha256",
                "sha.example.com:9092",
                true,
                Some(Security::ScramSha256),
            ),
            cluster(
                "kerberos",
                "krb.example.com:9092",
                true,
                Some(Security::Gssapi),
            ),
            cluster(
                "mutual",
                "mtls.example.com:9092",
                false,
                Some(Security::Certificate),
            ),
        ],
        topics: BTreeMap::from([("ticks".to_owned(), ticks)]),
    }
}

#[test]
fn each_cluster_is_a_server_with_its_own_way_in() {
    let app = app::<Clusters>("Clusters");
    let document = Document::new(&source(&app));
    golden("clusters", &document);
    let kind = |name: &str| document.components.security_schemes[name]["type"].clone();
    let schemes = [
        ("staging", "scramSha512"),
        ("production", "oauth2"),
        ("legacy", "plain"),
        ("sha256", "scramSha256"),
        ("kerberos", "gssapi"),
        ("mutual", "X509"),
    ];
    for (name, expected) in schemes {
        assert_eq!(kind(name), expected);
    }
}

#[test]
fn several_addresses_are_a_variable() {
    let app = app::<Clusters>("Clusters");
    let document = Document::new(&source(&app));
    let staging = &document.servers["staging"];
    assert_eq!(staging.host, "{bootstrap}");
    assert_eq!(staging.variables["bootstrap"].values.len(), 2);
}

#[test]
fn a_declared_topic_is_described_in_the_types_of_the_binding() {
    let app = app::<Clusters>("Clusters");
    let document = Document::new(&source(&app));
    let kafka = &document.channels["ticks"].bindings.as_ref().unwrap().kafka;
    assert_eq!((kafka.partitions, kafka.replicas), (Some(6), Some(3)));
    assert_eq!(
        serde_json::to_value(&kafka.topic_configuration).unwrap(),
        serde_json::json!({
            "cleanup.policy": ["compact", "delete"],
            "retention.ms": -1,
            "min.insync.replicas": "2",
        })
    );
}
