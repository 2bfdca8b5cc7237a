#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{benchmark, consumes, produces, run_in_background};
use fastkafka::*;

#[benchmark]
#[benchmark(interval = 5)]
#[consumes]
async fn on_orders(order: u64) {}

fn main() {}
