#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(handler_timeout = std::time::Duration::from_secs(1))]
fn on_orders(order: Order) {}

#[consumes(blocking)]
async fn on_more_orders(order: Order) {}

fn main() {}
