//! An app with a handler of each kind.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use crate::Tester;
use fastkafka::record::Bytes;
use fastkafka::{App, Failure, KafkaEvent, Key, ProduceError, State, Topic, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    pub id: u64,
    pub items: Vec<String>,
}

pub fn order(id: u64) -> Order {
    Order {
        id,
        items: vec!["tea".to_owned()],
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Invoice {
    pub order: u64,
    pub total: u64,
}

pub fn invoice(order: u64) -> Invoice {
    Invoice {
        order,
        total: order * 10,
    }
}

/// The errors of this app's handlers.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error("the order is empty")]
    Empty,
    #[error(transparent)]
    Produce(#[from] ProduceError),
}

/// How many orders were charged.
#[derive(Clone, Default)]
pub struct Charged(pub Arc<AtomicU64>);

#[consumes(
    topic = "eu.orders-v1",
    auto_offset_reset = "earliest",
    attempts = 3,
    dead_letter = "orders.dead"
)]
pub async fn on_orders(
    order: Order,
    key: Option<Key<String>>,
    State(charged): State<Charged>,
) -> Result<(), OrderError> {
    if order.items.is_empty() {
        return Err(OrderError::Empty);
    }
    assert_ne!(order.id, 13, "unlucky order");
    charged.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    to_invoices(&order, key).await?;
    Ok(())
}

#[produces]
pub async fn to_invoices(
    order: &Order,
    key: Option<Key<String>>,
) -> Result<KafkaEvent<Invoice>, ProduceError> {
    let event = KafkaEvent::new(invoice(order.id)).header("source", "orders");
    Ok(event.key(key))
}

/// Writes to the same topic.
#[produces(topic = "invoices")]
pub async fn to_corrections(order: u64) -> Result<Option<Invoice>, ProduceError> {
    Ok((order > 0).then_some(Invoice { order, total: 0 }))
}

#[produces]
pub async fn to_gone(id: u64) -> Result<KafkaEvent<Invoice>, ProduceError> {
    Ok(KafkaEvent::tombstone(id))
}

#[consumes(auto_offset_reset = "earliest")]
pub async fn on_batches(orders: Vec<Order>) -> Result<(), OrderError> {
    match orders.iter().any(|order| order.items.is_empty()) {
        true => Err(OrderError::Empty),
        false => Ok(()),
    }
}

#[consumes(auto_offset_reset = "earliest")]
pub fn on_profiles(_profile: Option<Order>) {}

#[consumes(auto_offset_reset = "earliest")]
pub fn on_bytes(_bytes: Bytes) {}

/// Borrows from its record.
#[consumes(auto_offset_reset = "earliest")]
pub fn on_lines(_line: &[u8]) {}

#[derive(Clone, Copy, Debug, PartialEq, JsonSchema)]
pub struct Degrees(pub i32);

pub fn degrees(bytes: &[u8]) -> Result<Degrees, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    text.parse()
        .map(Degrees)
        .map_err(|_| format!("`{text}` is no temperature"))
}

#[consumes(decoder = degrees, auto_offset_reset = "earliest", attempts = 1, on_failure = "skip")]
pub async fn on_degrees(degrees: Degrees) -> Result<(), Failure> {
    match degrees.0 {
        ..-273 => Err(Failure::reject("too cold")),
        _ => Ok(()),
    }
}

/// Reads what another function reads, in a group of its own.
#[consumes(topic = "profiles", group_id = "audit", auto_offset_reset = "earliest")]
pub fn audit(_profile: Option<Order>) {}

/// Another app.
pub struct Billing;

#[consumes(app = Billing, topic = "invoices", auto_offset_reset = "earliest")]
pub async fn on_billed(invoice: Invoice) -> Result<(), ProduceError> {
    to_receipts(invoice.order).await?;
    Ok(())
}

#[produces(app = Billing)]
pub async fn to_receipts(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

pub fn billing() -> App {
    App::scoped::<Billing>().title("billing").build()
}

pub fn app() -> App {
    app_with(Charged::default())
}

/// The app, with what is charged in the test's hands.
pub fn app_with(charged: Charged) -> App {
    App::builder()
        .title("orders")
        .topic("eu.orders-v1", Topic::new().partitions(3))
        .state(charged)
        .build()
}

/// In memory, also where the environment names a broker: for what is told by the clock.
pub async fn virtual_time(app: App) -> Tester {
    let tester = Tester::builder().in_memory_broker();
    tester.start(app).await.expect("the app starts")
}
