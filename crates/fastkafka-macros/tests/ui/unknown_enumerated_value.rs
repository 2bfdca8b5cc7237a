#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(auto_offset_reset = "earlyest", on_failure = "die")]
async fn on_orders(order: Order) {}

#[produces(acks = 2, partitioner = "murmur", compression_type = "zst")]
async fn to_orders() -> Result<Order, ProduceError> {
    Ok(Order { id: 1 })
}

fn main() {}
