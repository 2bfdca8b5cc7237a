#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes]
async fn on_raw(bytes: Vec<u8>) {}

#[produces]
async fn to_raw() -> Result<Vec<u8>, ProduceError> {
    Ok(vec![])
}

fn main() {}
