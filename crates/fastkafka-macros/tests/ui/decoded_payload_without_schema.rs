#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

pub struct Plain;

fn plain(bytes: &[u8]) -> Result<Plain, String> {
    Ok(Plain)
}

#[consumes(decoder = plain)]
async fn on_plain(plain: Plain) {}

fn main() {}
