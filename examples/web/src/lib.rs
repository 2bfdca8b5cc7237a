//! An order form and a JSON endpoint, and beside them the consumers that answer.
//!
#![doc = include_str!("../asyncapi.md")]
#![forbid(unsafe_code)]

pub mod board;
pub mod order;
mod page;
mod routes;

use board::Board;
use fastkafka::{App, Broker, KafkaEvent, ProduceError, State, Topic, consumes, produces};
use order::{Order, Receipt};
use std::time::Duration;

pub use routes::router;

/// How long drinks take.
const BREWING: Duration = Duration::from_secs(1);

/// Makes the drinks, which takes a moment, and writes the receipt. No guest waits for another.
#[consumes(topic = "orders", auto_offset_reset = "earliest", order = "unordered")]
pub async fn on_orders(order: Order) -> Result<(), ProduceError> {
    tokio::time::sleep(BREWING).await;
    to_receipts(order.receipt()).await.map(drop)
}

/// Puts receipts on the board. Every process shows all of them, also those of orders that another one
/// took, so each reads the whole topic, without a group.
#[consumes(topic = "receipts", group_id = None, auto_offset_reset = "earliest")]
pub async fn on_receipts(receipt: Receipt, State(board): State<Board>) {
    board.answered(receipt);
}

/// An order, under its number: from the form or as JSON.
#[produces(topic = "orders")]
pub async fn to_orders(order: Order) -> Result<KafkaEvent<Order>, ProduceError> {
    let id = order.id.clone();
    Ok(KafkaEvent::new(order).key(id))
}

/// A receipt, under the number of its order.
#[produces(topic = "receipts")]
pub async fn to_receipts(receipt: Receipt) -> Result<KafkaEvent<Receipt>, ProduceError> {
    let id = receipt.order.id.clone();
    Ok(KafkaEvent::new(receipt).key(id))
}

/// The service, without its web server.
pub fn app() -> App {
    App::builder()
        .title("Drinks")
        .broker("localhost", Broker::new("localhost:9092"))
        .default_broker("embedded")
        .topic("orders", Topic::new().partitions(3))
        .topic("receipts", Topic::new().partitions(3))
        .state(Board::default())
        .build()
}
