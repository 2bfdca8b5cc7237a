#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(order = "key")]
async fn on_orders(orders: Vec<Order>) {}

#[consumes(executor = "dynamic")]
async fn on_returns(orders: Vec<Order>) {}

fn main() {}
