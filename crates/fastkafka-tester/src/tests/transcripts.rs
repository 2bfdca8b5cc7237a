//! The transcript of a test.

use crate::{ProduceFault, Tester};
use fastkafka::{App, Failure, ProduceError, consumes, produces};
use std::time::Duration;

struct Story;

#[consumes(
    app = Story,
    topic = "orders",
    auto_offset_reset = "earliest",
    attempts = 2,
    backoff = Duration::from_secs(1),
    dead_letter = "orders.dead"
)]
async fn on_orders(order: u64) -> Result<(), Failure> {
    if order == 13 {
        return Err(Failure::retry("unlucky"));
    }
    to_invoices(order).await?;
    Ok(())
}

#[produces(app = Story, topic = "invoices")]
async fn to_invoices(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn app() -> App {
    App::scoped::<Story>().title("Story").build()
}

#[tokio::test(start_paused = true)]
async fn it_says_what_has_happened_when_and_in_which_order() {
    let tester = Tester::start_with(app).await.unwrap();
    tester.mirror::<on_orders>().send(7).key("k").await;
    tester.mirror::<on_orders>().send(13).await;
    tester.fail_next_produce("invoices", ProduceFault::Lost);
    tester.mirror::<on_orders>().send(8).await;
    tester.lose_commits();
    tester.mirror::<on_orders>().send(9).await;
    tester.restore_commits();
    tester.crash_and_restart().await.unwrap();
    tester.settle().await.unwrap();
    super::failures::compare("transcript", tester.transcript().trim_end());
    tester.stop().await;
}
