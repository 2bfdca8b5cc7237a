#![allow(unused_imports, unused_variables)]
use fastkafka_macros::{consumes, produces};
use fastkafka::*;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

struct Billing;

#[consumes(app = Billing)]
async fn on_orders(order: Order) {}

fn register<F: Register<App = DefaultApp>>() {}

fn main() {
    register::<on_orders>();
}
