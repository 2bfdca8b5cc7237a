#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(executor = "sequential", order = "key")]
async fn on_orders(order: Order) {}

#[consumes(executor = "dynamic", order = "partition")]
async fn on_returns(order: Order) {}

fn main() {}
