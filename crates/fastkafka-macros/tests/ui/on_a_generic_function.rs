#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes]
async fn on_orders<T>(order: T) {}

#[consumes]
async fn on_anything(order: impl Sized) {}

fn main() {}
