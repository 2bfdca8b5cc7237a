#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{benchmark, consumes, produces, run_in_background};
use fastkafka::*;

#[benchmark]
#[run_in_background]
async fn refresh() {}

fn main() {}
