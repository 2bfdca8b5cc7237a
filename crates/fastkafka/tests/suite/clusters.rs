//! An app on several clusters: what a choice means, and where records go.

use fastkafka::app::Plan;
use fastkafka::cluster::Brokers;
use fastkafka::control::Target;
use fastkafka::{App, Broker, EventMetadata, ProduceError, State, consumes, produces};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

struct Shop;

fn payments() -> Brokers {
    Brokers::new("payments")
        .broker("localhost", Broker::new("localhost:9093"))
        .broker("staging", Broker::new("payments-s:9092"))
}

/// Cluster, group's handler and payload of each record that was handled.
type Seen = (&'static str, &'static str, u64);

#[consumes(app = Shop, topic = "orders", auto_offset_reset = "earliest")]
async fn on_orders(
    order: u64,
    meta: EventMetadata,
    seen: State<UnboundedSender<Seen>>,
) -> Result<(), ProduceError> {
    seen.0.send((meta.cluster(), "on_orders", order)).unwrap();
    to_paid_orders(order * 10).await?;
    Ok(())
}

/// The same topic, in the same group, on the other cluster.
#[consumes(app = Shop, topic = "orders", brokers = payments, auto_offset_reset = "earliest")]
async fn on_paid_orders(order: u64, meta: EventMetadata, seen: State<UnboundedSender<Seen>>) {
    seen.0
        .send((meta.cluster(), "on_paid_orders", order))
        .unwrap();
}

#[produces(app = Shop, topic = "orders")]
async fn to_orders(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

#[produces(app = Shop, topic = "orders", brokers = payments)]
async fn to_paid_orders(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn shop() -> (App, UnboundedReceiver<Seen>) {
    let (seen, sees) = unbounded_channel();
    let app = App::scoped::<Shop>()
        .title("Shop")
        .broker("localhost", Broker::new("localhost:9092"))
        .broker("production", Broker::new("kafka-1:9092"))
        .state(seen)
        .build();
    (app, sees)
}

#[test]
fn a_broker_is_chosen_in_every_cluster_or_in_none() {
    let (app, _) = shop();
    assert_eq!(app.bootstrap().as_deref(), Some("localhost:9092"));
    assert_eq!(
        app.bootstrap_of("payments").as_deref(),
        Some("localhost:9093")
    );
    let error = app.set_kafka_broker("production").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cluster `payments`, which `on_paid_orders` uses, has no broker `production`; it has: localhost, staging, embedded"
    );
    let error = app.set_kafka_broker("kafka-7:9092").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`kafka-7:9092` is the address of one cluster, and the app uses 2: the app's own cluster, cluster `payments`; choose a name that each of them has: localhost, embedded"
    );
    // What was chosen before stays.
    assert_eq!(app.bootstrap().as_deref(), Some("localhost:9092"));
}

#[tokio::test]
async fn embedded_is_a_broker_for_each_cluster_and_one_topic_on_two_is_two() {
    let (app, mut sees) = shop();
    app.set_kafka_broker("embedded").unwrap();
    app.start().await.unwrap();
    let own = app.bootstrap().unwrap();
    let other = app.bootstrap_of("payments").unwrap();
    assert_ne!(own, other);
    let _entered = app.enter();
    to_orders(7).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let next = tokio::time::timeout(Duration::from_secs(20), sees.recv());
        seen.push(next.await.expect("handled in time").unwrap());
    }
    seen.sort_unstable();
    assert_eq!(
        seen,
        [("", "on_orders", 7), ("payments", "on_paid_orders", 70)]
    );
    let clusters: Vec<_> = app.health().groups.into_iter().map(|g| g.cluster).collect();
    assert_eq!(clusters, ["", "payments"]);
    // One group on two clusters: a pause may mean one of them.
    let handle = app.handle();
    handle
        .pause(Target::topic("orders").cluster("payments"))
        .await
        .unwrap();
    let paused = app.health().groups.into_iter().map(|g| g.paused.len());
    assert_eq!(paused.collect::<Vec<_>>(), [0, 1]);
    assert!(app.health().to_string().contains("orders[0] on `payments`"));
    app.stop().await.unwrap();
}

#[test]
fn a_plan_names_the_cluster_of_each_topic() {
    let (app, _) = shop();
    let plan: Plan = app.check().unwrap();
    let topics = plan.topics().into_iter();
    let topics: Vec<_> = topics
        .map(|(cluster, topic)| format!("{topic}@{cluster}"))
        .collect();
    assert_eq!(topics, ["orders@", "orders@payments"]);
    assert_eq!(app.get_topics(), ["orders"]);
}
