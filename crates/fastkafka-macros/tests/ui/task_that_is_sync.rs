#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces, run_in_background};
use fastkafka::*;

#[run_in_background]
fn compact() {}

fn main() {}
