#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces, run_in_background};
use fastkafka::*;

#[run_in_background]
async fn audit(metadata: EventMetadata) {}

#[run_in_background]
async fn count(State(count): State<u64>, key: Key<String>, headers: Headers<'_>) {}

fn main() {}
