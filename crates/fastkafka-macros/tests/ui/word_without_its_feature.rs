#![allow(unused_imports, unused_variables)]
use fastkafka::*;
use fastkafka_macros::{consumes, produces};

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(decoder = "avro")]
async fn on_orders(order: Order) {}

#[produces(encoder = "msgpack", key_encoder = "avro")]
async fn to_orders() -> Result<KafkaEvent<Order, u64>, ProduceError> {
    Ok(KafkaEvent::new(Order { id: 1 }).with_key(1))
}

fn main() {}
