//! An app on two clusters, whose addresses are said in the environment.

use crate::orders::{Done, Event, Order, attempt, event};
use fastkafka::cluster::Brokers;
use fastkafka::{App, Broker, EventMetadata, Failure, Key, ProduceError, consumes, produces};

struct Scope;

fn at(variable: &str) -> Broker {
    Broker::new(std::env::var(variable).unwrap_or_else(|_| "127.0.0.1:1".to_owned()))
}

fn elsewhere() -> Brokers {
    Brokers::new("elsewhere").broker("lab", at("ELSEWHERE"))
}

/// From here to the other cluster.
#[consumes(
    app = Scope,
    topic = "apart",
    group_id = "apart",
    auto_offset_reset = "earliest",
    auto_commit_interval_ms = 100,
    session_timeout_ms = 6_000,
    dead_letter = "apart.dead"
)]
async fn on_order(
    order: Order,
    meta: EventMetadata,
    key: Option<Key<String>>,
) -> Result<(), Failure> {
    attempt(&order).await?;
    tracing::info!("order at {} is handled", meta.offset());
    to_done(Done::new(&order, meta), key)
        .await
        .map_err(Failure::from_error)?;
    Ok(())
}

#[produces(app = Scope, topic = "apart.out", brokers = elsewhere)]
async fn to_done(done: Done, key: Option<Key<String>>) -> Result<Event, ProduceError> {
    Ok(event(done, key))
}

/// Read in the same group, so that its offset is committed together with those of the orders.
#[consumes(
    app = Scope,
    topic = "apart.aside",
    group_id = "apart",
    auto_offset_reset = "earliest",
    auto_commit_interval_ms = 100,
    session_timeout_ms = 6_000
)]
async fn on_aside(_order: Order) {}

/// The same topic in the same group, and on the other cluster: from there to here.
#[consumes(
    app = Scope,
    topic = "apart",
    group_id = "apart",
    brokers = elsewhere,
    auto_offset_reset = "earliest",
    auto_commit_interval_ms = 100,
    session_timeout_ms = 6_000,
    dead_letter = "apart.dead"
)]
async fn on_order_elsewhere(order: Order, meta: EventMetadata) -> Result<(), Failure> {
    attempt(&order).await?;
    let sent = to_back(Done::new(&order, meta)).await;
    sent.map(drop).map_err(Failure::from_error)
}

#[produces(app = Scope, topic = "apart.back")]
async fn to_back(done: Done) -> Result<Event, ProduceError> {
    Ok(event(done, None))
}

pub(crate) fn app() -> App {
    App::scoped::<Scope>()
        .title("apart")
        .broker("lab", at("HERE"))
        .build()
}
