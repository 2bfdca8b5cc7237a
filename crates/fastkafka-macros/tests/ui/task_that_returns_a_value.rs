#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces, run_in_background};
use fastkafka::*;

#[run_in_background]
async fn refresh() -> u32 {
    5
}

fn main() {}
