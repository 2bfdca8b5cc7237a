#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[consumes(brokers = "payments")]
async fn on_orders(order: u64) {}

fn payments() -> &'static str {
    "payments"
}

#[produces(brokers = payments)]
async fn to_orders() -> Result<u64, ProduceError> {
    Ok(1)
}

fn main() {}
