#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(order = "unordered", max_poll_records = 10)]
async fn on_orders(order: Order) {}

#[consumes(order = "unordered", max_poll_records = 10)]
async fn on_batches(orders: Vec<Order>) {}

fn main() {}
