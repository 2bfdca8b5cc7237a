#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces, run_in_background};
use fastkafka::*;

#[run_in_background(topic = "orders", restrt = "on_failure", every = 5)]
async fn refresh() {}

#[run_in_background(restart = "always", backoff = 5)]
async fn renew() {}

#[run_in_background(restart = true)]
async fn remake() {}

fn main() {}
