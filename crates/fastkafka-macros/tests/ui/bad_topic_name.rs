#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(topic = "my orders")]
async fn on_orders(order: Order) {}

#[consumes(topic = "")]
async fn on_nothing(order: Order) {}

fn main() {}
