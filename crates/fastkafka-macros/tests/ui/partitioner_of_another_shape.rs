#![allow(unused_imports, unused_variables)]
use fastkafka_macros::produces;
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

fn by_name(key: &str) -> i32 {
    0
}

#[produces(partitioner = by_name)]
async fn to_orders() -> Result<Order, ProduceError> {
    Ok(Order { id: 1 })
}

fn main() {}
