#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

pub struct Customer;

#[consumes]
async fn on_orders(order: Order, key: Key<Customer>) {}

#[produces]
async fn to_orders() -> Result<KafkaEvent<Order, Customer>, ProduceError> {
    Ok(KafkaEvent::new(Order { id: 1 }).with_key(Customer))
}

fn main() {}
