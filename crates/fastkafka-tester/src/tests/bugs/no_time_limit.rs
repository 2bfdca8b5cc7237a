//! A handler that asks another service and waits for the answer as long as it takes.

use crate::Tester;
use crate::tests::bugs::Handler;
use fastkafka::{App, consumes};
use std::time::Duration;

const AN_HOUR: Duration = Duration::from_secs(3_600);
const A_MINUTE: Duration = Duration::from_secs(60);

struct Careless;

#[consumes(app = Careless, topic = "questions", auto_offset_reset = "earliest")]
async fn waits(_question: u64) {}

struct Careful;

#[consumes(
    app = Careful,
    topic = "questions",
    auto_offset_reset = "earliest",
    handler_timeout = Duration::from_secs(5),
    attempts = 3,
    dead_letter = "unanswered"
)]
async fn waits_five_seconds(_question: u64) {}

async fn a_service_that_takes_an_hour<A: 'static, H: Handler<u64>>() {
    let app = App::scoped::<A>().title("Questions").build();
    let tester = Tester::builder().settle_within(A_MINUTE);
    let tester = tester.start(app).await.unwrap();
    tester.slow::<H>(AN_HOUR);
    tester.mirror::<H>().send(1).await;
    assert_eq!(tester.records("unanswered").len(), 1);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "questions[0] offset 0 of group `questions` is not settled")]
async fn a_slow_call_shows_it() {
    a_service_that_takes_an_hour::<Careless, waits>().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_limit_passes() {
    a_service_that_takes_an_hour::<Careful, waits_five_seconds>().await;
}
