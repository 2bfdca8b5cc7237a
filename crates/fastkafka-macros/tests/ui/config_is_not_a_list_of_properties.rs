#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(config = { fetch_error_backoff_ms: 5 })]
async fn on_orders(order: Order) {}

#[produces(config = "a=b")]
async fn to_orders() -> Result<Order, ProduceError> {
    Ok(Order { id: 1 })
}

fn main() {}
