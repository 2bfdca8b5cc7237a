#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(session_timeout_ms = "6s", attempts = "many", backoff = 5, topic = ORDERS, batch = true)]
async fn on_orders(order: Order) {}

#[consumes(session_timeout_ms = "6s")]
async fn on_more_orders(order: Order) {}

fn main() {}
