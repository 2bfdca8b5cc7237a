#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{benchmark, consumes, produces, run_in_background};
use fastkafka::*;

#[benchmark]
fn compute(order: u64) -> u64 {
    order
}

fn main() {}
