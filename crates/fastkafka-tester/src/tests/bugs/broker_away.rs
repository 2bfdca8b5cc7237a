//! A handler that takes an outage for the fault of its record, and skips what is good.

use crate::Tester;
use crate::tests::bugs::Handler;
use fastkafka::{App, Failure, ProduceError, consumes, delivery_scope, produces};
use std::time::Duration;

struct Careless;

#[consumes(
    app = Careless,
    topic = "orders",
    auto_offset_reset = "earliest",
    attempts = 3,
    on_failure = "skip"
)]
async fn three_times(order: u64) -> Result<(), ProduceError> {
    delivery_scope(to_invoices(order)).await?;
    Ok(())
}

#[produces(app = Careless, topic = "invoices", delivery_timeout_ms = 10_000)]
async fn to_invoices(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

struct Careful;

#[consumes(
    app = Careful,
    topic = "orders",
    auto_offset_reset = "earliest",
    attempts = 3,
    on_failure = "skip"
)]
async fn as_long_as_it_takes(order: u64) -> Result<(), Failure> {
    let sent = delivery_scope(to_bills(order)).await;
    sent.map(drop).map_err(|error| match error.is_permanent() {
        true => Failure::reject(error),
        false => Failure::transient(error),
    })
}

#[produces(app = Careful, topic = "invoices", delivery_timeout_ms = 10_000)]
async fn to_bills(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

async fn a_broker_that_is_away_for_ten_minutes<A: 'static, H: Handler<u64>>() {
    let app = App::scoped::<A>().title("Shop").build();
    let tester = Tester::start(app).await.unwrap();
    // The order is in hand when the broker goes away.
    tester.slow::<H>(Duration::from_secs(1));
    tester.mirror::<H>().send(1).unsettled().await;
    tester.spy::<H>().assert_awaited().await;
    tester.broker_down();
    tester.advance(Duration::from_secs(600)).await;
    tester.broker_up();
    tester.settle().await.unwrap();
    assert_eq!(tester.records("invoices").len(), 1, "invoices");
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "invoices\n  left: 0\n right: 1")]
async fn an_outage_shows_it() {
    a_broker_that_is_away_for_ten_minutes::<Careless, three_times>().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_is_waited_for_passes() {
    a_broker_that_is_away_for_ten_minutes::<Careful, as_long_as_it_takes>().await;
}
