//! Several clusters, each on a broker, or all on one.

use crate::{Tester, TesterBuilder};
use fastkafka::cluster::Brokers;
use fastkafka::{App, Broker, Failure, ProduceError, Topic, consumes, produces};
use std::collections::BTreeMap;

struct Shop;

/// The address that the environment names, where these tests run on Kafka.
fn kafka() -> Option<String> {
    let named = std::env::var("FASTKAFKA_TEST_BROKER").ok();
    named.filter(|address| address.contains(':'))
}

/// By name it is where Kafka is.
fn lab() -> Broker {
    Broker::new(kafka().unwrap_or_else(|| "kafka.invalid:9092".to_owned()))
}

fn payments() -> Brokers {
    Brokers::new("payments").broker("lab", lab())
}

#[consumes(app = Shop, topic = "orders", auto_offset_reset = "earliest")]
async fn on_orders(order: u64) -> Result<(), ProduceError> {
    to_paid_orders(order).await?;
    Ok(())
}

/// The same topic in the same group, and on the other cluster.
#[consumes(
    app = Shop,
    topic = "orders",
    brokers = payments,
    auto_offset_reset = "earliest",
    attempts = 1,
    dead_letter = "failed"
)]
async fn on_paid_orders(order: u64) -> Result<(), Failure> {
    match order {
        13 => Err(Failure::reject("an unlucky order")),
        order => Ok(to_receipts(order).await.map(drop)?),
    }
}

#[produces(app = Shop, topic = "orders", brokers = payments)]
async fn to_paid_orders(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

/// And back.
#[produces(app = Shop, topic = "receipts")]
async fn to_receipts(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

/// On both clusters, by pattern, and without a group.
#[consumes(app = Shop, pattern = "^receip", group_id = "all", auto_offset_reset = "earliest")]
async fn on_receipts(_order: u64) {}

#[consumes(
    app = Shop,
    pattern = "^orders",
    brokers = payments,
    group_id = "all",
    auto_offset_reset = "earliest"
)]
async fn on_all_paid(_order: u64) {}

#[consumes(
    app = Shop,
    topic = "orders",
    brokers = payments,
    group_id = None,
    auto_offset_reset = "earliest"
)]
async fn on_each_paid(_order: u64) {}

/// Its function has an address of its own, which no test goes to that chooses another.
struct Elsewhere;

#[produces(app = Elsewhere, topic = "orders", bootstrap_servers = "elsewhere.invalid:9092")]
async fn to_orders_elsewhere(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn shop() -> App {
    App::scoped::<Shop>()
        .title("Shop")
        .topic("orders", Topic::new().partitions(2))
        .broker("lab", lab())
        .build()
}

fn elsewhere() -> App {
    App::scoped::<Elsewhere>().title("Elsewhere").build()
}

/// There and back.
async fn goes_round(tester: &Tester) {
    tester.mirror::<on_orders>().send(7).partition(1).await;
    let paid = tester.mirror::<to_paid_orders>();
    paid.assert_called_once_with(&7);
    tester.on_receipts().assert_called_once_with(&7);
    for spied in [
        tester.spy::<on_orders>().count(),
        tester.spy::<on_paid_orders>().count(),
        tester.spy::<on_all_paid>().count(),
        tester.spy::<on_each_paid>().count(),
        tester.spy::<on_receipts>().count(),
    ] {
        assert_eq!(spied, 1, "each cluster has its own of the topic");
    }
    for name in ["", "payments"] {
        let cluster = tester.cluster(name);
        let records = cluster.records("orders");
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].cluster, name);
        assert_eq!(cluster.lag("shop", "orders"), 0);
    }
    let source = tester.cluster("").committed("shop", "orders");
    assert_eq!(source, BTreeMap::from([(0, 0), (1, 1)]));

    tester.mirror::<on_paid_orders>().send(13).await;
    assert_eq!(tester.cluster("payments").records("failed").len(), 1);
    tester.on_receipts().assert_called_once();
}

async fn goes_elsewhere(tester: TesterBuilder) {
    let tester = tester.start([shop(), elsewhere()]).await.unwrap();
    goes_round(&tester).await;
    to_orders_elsewhere(8).await.unwrap();
    tester.settle().await.unwrap();
    let elsewhere = tester.cluster("elsewhere.invalid:9092");
    assert_eq!(elsewhere.records("orders").len(), 1);
    assert_eq!(tester.spy::<on_orders>().count(), 1);
    tester.stop().await;
}

/// One address stands for all clusters: each has topics and groups of its own there.
#[tokio::test(start_paused = true)]
async fn in_memory_or_at_the_address_that_the_environment_names() {
    goes_elsewhere(Tester::builder()).await;
}

/// In real time, by librdkafka.
#[tokio::test]
async fn on_a_broker_for_each_cluster() {
    goes_elsewhere(Tester::builder().embedded()).await;
}

#[tokio::test]
async fn a_name_is_chosen_in_every_cluster() {
    let error = Tester::builder().external_broker("staging");
    let error = error.start(shop()).await.unwrap_err().to_string();
    assert!(
        error.contains("has no broker `staging`; it has: lab"),
        "{error}"
    );
    if kafka().is_some() {
        let tester = Tester::builder().external_broker("lab");
        let tester = tester.start(shop()).await.unwrap();
        goes_round(&tester).await;
        tester.stop().await;
    }
}
