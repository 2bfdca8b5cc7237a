#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(concurrency = 64)]
async fn on_orders(order: Order) {}

#[consumes(executor = "sequential", concurrency = 64)]
async fn on_returns(order: Order) {}

#[consumes(order = "unordered", concurrency = 0)]
async fn on_claims(order: Order) {}

fn main() {}
