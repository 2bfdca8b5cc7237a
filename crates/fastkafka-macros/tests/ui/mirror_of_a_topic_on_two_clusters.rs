//! A test says `tester.to_orders(..)`, and two clusters have that topic.
#![allow(unused_imports, unused_variables)]
use fastkafka::*;
use fastkafka_macros::consumes;

fn payments() -> Brokers {
    Brokers::new("payments")
}

#[consumes(topic = "orders")]
async fn on_orders(order: u64) {}

#[consumes(topic = "orders", brokers = payments)]
async fn on_paid_orders(order: u64) {}

struct Tester;

impl MirrorHost for Tester {
    type Received<P: Producer> = ();
    fn received<P: Producer>(&self) {}
}

impl<C: Consumer> Sends<C> for Tester {
    type Sending<'a> = ();
    fn sending(&self, _: &'static str, _: C::Payload) {}
}

fn main() {
    Tester.to_orders(7);
}
