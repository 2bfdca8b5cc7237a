#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes("orders", group_id "billing", topic = , attempts = 3 backoff)]
async fn on_orders(order: Order) {}

#[consumes]
struct NotAFunction;

fn main() {}
