#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(topic = "orders", loop = my_loop, api_version = "auto", value_deserializer = json)]
async fn on_orders(order: Order) {}

#[produces(send_backoff_ms = 100)]
async fn to_orders() -> Result<Order, ProduceError> {
    Ok(Order { id: 1 })
}

fn main() {}
