//! A handler that says all is well although what it had to send was not sent.
//!
//! Its own outputs it may well forget: a plain call is charged to the record, whatever becomes of its
//! result. It has to go out of its way, by waiting itself or by a task that nobody waits for.

use crate::tests::bugs::Handler;
use crate::{ProduceFault, Tester};
use fastkafka::{App, ProduceError, consumes, delivery_scope, produces};

struct Swallows;

#[consumes(app = Swallows, topic = "orders", auto_offset_reset = "earliest")]
async fn swallows(order: u64) {
    let sent = delivery_scope(to_invoices(order)).await;
    if let Err(error) = sent {
        eprintln!("no invoice of {order}: {error}");
    }
}

#[produces(app = Swallows, topic = "invoices")]
async fn to_invoices(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

struct Forgets;

#[consumes(app = Forgets, topic = "orders", auto_offset_reset = "earliest")]
async fn forgets(order: u64) {
    tokio::spawn(to_drafts(order));
}

#[produces(app = Forgets, topic = "invoices")]
async fn to_drafts(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

struct Careful;

#[consumes(app = Careful, topic = "orders", auto_offset_reset = "earliest")]
async fn passes_on(order: u64) -> Result<(), ProduceError> {
    delivery_scope(to_bills(order)).await?;
    Ok(())
}

/// The record waits for the task.
#[consumes(app = Careful, topic = "reminders", auto_offset_reset = "earliest")]
async fn spawns(order: u64) {
    fastkafka::spawn(async move { to_bills(order).await.map(drop) });
}

/// The record waits for the output.
#[consumes(app = Careful, topic = "repairs", auto_offset_reset = "earliest")]
async fn ignores(order: u64) {
    let _ = to_bills(order).await;
}

#[produces(app = Careful, topic = "invoices")]
async fn to_bills(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

async fn an_invoice_that_is_lost<A: 'static, H: Handler<u64>>() {
    let app = App::scoped::<A>().title("Shop").build();
    let tester = Tester::start(app).await.unwrap();
    tester.fail_next_produce("invoices", ProduceFault::Lost);
    tester.mirror::<H>().send(1).await;
    assert_eq!(tester.records("invoices").len(), 1, "invoices");
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "invoices\n  left: 0\n right: 1")]
async fn a_lost_output_shows_a_swallowed_error() {
    an_invoice_that_is_lost::<Swallows, swallows>().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "invoices\n  left: 0\n right: 1")]
async fn a_lost_output_shows_a_task_that_nobody_waits_for() {
    an_invoice_that_is_lost::<Forgets, forgets>().await;
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_passed_on_passes() {
    an_invoice_that_is_lost::<Careful, passes_on>().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_the_record_waits_for_passes() {
    an_invoice_that_is_lost::<Careful, spawns>().await;
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_ignored_is_no_mistake() {
    an_invoice_that_is_lost::<Careful, ignores>().await;
}
