//! One topic on two clusters, and a function with an address of its own.

use crate::tests::apps::{app, golden};
use crate::{Broker, Document, Source};
use fastkafka::{Brokers, ProduceError};
use fastkafka_macros::{consumes, produces};
use std::collections::BTreeMap;

pub(crate) struct TwoClusters;

fn payments() -> Brokers {
    Brokers::new("payments")
}

#[consumes(app = TwoClusters, dead_letter = "failed")]
pub(crate) fn on_orders(_order: u32) {}

/// The same topic, with other records.
#[consumes(app = TwoClusters, topic = "orders", brokers = payments, dead_letter = "failed")]
pub(crate) fn on_paid_orders(_order: String) {}

#[produces(app = TwoClusters, topic = "payments", brokers = payments)]
pub(crate) async fn to_payments(order: u32) -> Result<u32, ProduceError> {
    Ok(order)
}

#[produces(app = TwoClusters, topic = "audit", bootstrap_servers = "audit:9092")]
pub(crate) async fn to_audit(order: u32) -> Result<u32, ProduceError> {
    Ok(order)
}

fn broker(cluster: &str, name: &str, bootstrap: &str) -> Broker {
    Broker {
        cluster: cluster.to_owned(),
        name: name.to_owned(),
        bootstrap: bootstrap.to_owned(),
        ..Broker::default()
    }
}

fn document() -> Document {
    Document::new(&Source {
        app: &app::<TwoClusters>("Two clusters"),
        client_id: "two-clusters",
        brokers: vec![
            broker("", "localhost", "localhost:9092"),
            broker("", "production", "kafka-1:9092"),
            broker("payments", "localhost", "localhost:9093"),
            broker("payments", "production", "payments-1:9092"),
            broker("audit:9092", "", "audit:9092"),
        ],
        topics: BTreeMap::new(),
    })
}

#[test]
fn one_topic_on_two_clusters_is_two_channels_with_the_servers_of_each() {
    let document = document();
    golden("two_clusters", &document);
    let on = |channel: &str| {
        let channel = &document.channels[channel];
        let servers = channel.servers.iter().map(crate::model::Ref::name);
        (
            channel.address.clone().unwrap(),
            servers.collect::<Vec<_>>(),
        )
    };
    let (own, payments) = (
        vec!["localhost", "production"],
        vec!["payments-localhost", "payments-production"],
    );
    assert_eq!(on("orders"), ("orders".to_owned(), own.clone()));
    assert_eq!(
        on("payments.orders"),
        ("orders".to_owned(), payments.clone())
    );
    // A dead letter stays on the cluster of its record.
    assert_eq!(on("failed"), ("failed".to_owned(), own));
    assert_eq!(
        on("payments.failed"),
        ("failed".to_owned(), payments.clone())
    );
    assert_eq!(on("payments"), ("payments".to_owned(), payments));
    assert_eq!(on("audit"), ("audit".to_owned(), vec!["audit_9092"]));
    let channel = |operation: &str| document.operations[operation].channel.name();
    assert_eq!(channel("on_orders"), "orders");
    assert_eq!(channel("on_paid_orders"), "payments.orders");
    // Each has the messages of its own functions.
    let messages = |channel: &str| document.channels[channel].messages.len();
    assert_eq!((messages("orders"), messages("payments.orders")), (1, 1));
}

#[test]
fn the_page_has_an_anchor_for_each_channel() {
    let (html, markdown) = (document().to_html(), document().to_markdown());
    for topic in ["orders", "payments.orders"] {
        let id = format!("id=\"topic-{topic}\"");
        assert_eq!(html.matches(&id).count(), 1, "{topic}");
        let heading = format!("### Topic `{topic}`\n");
        assert_eq!(markdown.matches(&heading).count(), 1, "{topic}");
    }
}
