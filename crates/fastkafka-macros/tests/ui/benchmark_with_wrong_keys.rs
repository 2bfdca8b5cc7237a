#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{benchmark, consumes, produces, run_in_background};
use fastkafka::*;

#[benchmark(window = 5, interval = 0)]
#[consumes]
async fn on_orders(order: u64) {}

#[benchmark(interval = "1 s", sliding_window_size = 0)]
#[consumes]
async fn on_invoices(invoice: u64) {}

#[benchmark(5)]
#[produces]
async fn to_receipts(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn main() {}
