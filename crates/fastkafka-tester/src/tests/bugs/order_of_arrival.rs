//! A handler that takes what comes last for the newest, of a topic with several partitions.

use crate::Tester;
use crate::tests::bugs::Handler;
use fastkafka::{App, State, Topic, consumes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Price {
    version: u64,
    cents: u64,
}

/// Stands for a row in a database.
#[derive(Clone, Default)]
struct Current(Arc<Mutex<Price>>);

struct Careless;

#[consumes(app = Careless, topic = "prices", auto_offset_reset = "earliest")]
async fn takes_the_last(price: Price, State(current): State<Current>) {
    *current.0.lock().unwrap() = price;
}

struct Careful;

#[consumes(app = Careful, topic = "prices", auto_offset_reset = "earliest")]
async fn takes_the_newest(price: Price, State(current): State<Current>) {
    let mut current = current.0.lock().unwrap();
    if price.version > current.version {
        *current = price;
    }
}

/// A price without a key goes to any partition.
async fn a_hundred_prices<A: 'static, H: Handler<Price>>() {
    for seed in 0..10 {
        let current = Current::default();
        let kept = current.clone();
        let app = move || {
            App::scoped::<A>()
                .title("Prices")
                .topic("prices", Topic::new().partitions(3))
                .state(kept.clone())
                .build()
        };
        let tester = Tester::start_with(app).await.unwrap();
        let prices = (1..=100).map(|version| Price {
            version,
            cents: 1_000 + version,
        });
        let sent = tester.mirror::<H>().send_all(prices);
        sent.unsettled().await;
        tester.chaos(seed).await;
        let version = current.0.lock().unwrap().version;
        assert_eq!(version, 100, "the version in force with seed {seed}");
        tester.stop().await;
    }
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the version in force with seed")]
async fn chaos_shows_it() {
    a_hundred_prices::<Careless, takes_the_last>().await;
}

#[tokio::test(start_paused = true)]
async fn versions_that_are_compared_pass() {
    a_hundred_prices::<Careful, takes_the_newest>().await;
}
