#![allow(unused_imports, unused_variables)]
use fastkafka_macros::consumes;
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

#[consumes(topic = "a", topics = ["a", "b"], pattern = "^c")]
async fn on_three_ways(order: Order) {}

#[consumes(topics = ["a", "b", "a", "c d"])]
async fn on_twice(order: Order) {}

#[consumes(topics = "a", prefix = "x_")]
async fn on_no_list(order: Order) {}

#[consumes(pattern = "orders.*", prefix = "on_")]
async fn on_pattern(order: Order) {}

fn main() {}
