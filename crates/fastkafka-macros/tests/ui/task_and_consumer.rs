#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces, run_in_background};
use fastkafka::*;

#[run_in_background]
#[consumes(topic = "orders")]
async fn on_orders(order: u64) {}

#[consumes(topic = "orders")]
#[run_in_background]
async fn on_invoices(order: u64) {}

fn main() {}
