#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

pub struct Plain;

#[consumes]
async fn on_plain(plain: Plain) {}

#[consumes]
async fn on_plains(plains: Vec<Plain>) {}

#[produces]
async fn to_plain() -> Result<Plain, ProduceError> {
    Ok(Plain)
}

fn main() {}
