#![allow(unused_imports, unused_variables)]
use fastkafka::*;
use fastkafka_macros::{consumes, produces};

#[consumes(decoder = "messagepack", key_decoder = "bytes")]
async fn on_orders(order: i32, key: Key<Bytes>) {}

#[produces(encoder = "protobuf", key_encoder = "bytes")]
async fn to_orders() -> Result<KafkaEvent<i32, Bytes>, ProduceError> {
    Ok(KafkaEvent::new(1))
}

#[consumes(decoder = 7, key_decoder = "mspack")]
async fn on_invoices(order: i32, key: Key<i32>) {}

fn main() {}
