//! Records that do not come to an end: `settle` names each, with what holds it up.

use crate::Tester;
use fastkafka::{Ack, App, Failure, KafkaEvent, ProduceError, State, consumes, produces};
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct Stuck;

type Held = Arc<Mutex<Vec<Ack>>>;

#[consumes(app = Stuck, topic = "held", auto_offset_reset = "earliest", enable_auto_commit = false)]
async fn holds(_: u64, ack: Ack, State(held): State<Held>) {
    held.lock().unwrap().push(ack);
}

#[consumes(app = Stuck, topic = "retried", auto_offset_reset = "earliest")]
async fn retries(_: u64) -> Result<(), Failure> {
    Err(Failure::transient("the database is away"))
}

#[consumes(app = Stuck, topic = "awaited", auto_offset_reset = "earliest")]
async fn waits(_: u64) {
    std::future::pending::<()>().await;
}

#[consumes(app = Stuck, topic = "blocked", auto_offset_reset = "earliest", blocking)]
fn blocks(_: u64) {
    loop {
        std::thread::park();
    }
}

#[consumes(app = Stuck, topic = "leaked", auto_offset_reset = "earliest")]
async fn leaks(_: u64) {
    fastkafka::spawn(async {
        std::future::pending::<()>().await;
        Ok::<_, Failure>(())
    });
}

#[consumes(app = Stuck, topic = "stopped", auto_offset_reset = "earliest", attempts = 1)]
async fn stops(_: u64) -> Result<(), Failure> {
    Err(Failure::reject("not a number to my liking"))
}

#[consumes(app = Stuck, topic = "forwarded", auto_offset_reset = "earliest")]
async fn forwards(n: u64) -> Result<(), ProduceError> {
    to_elsewhere(n).await?;
    Ok(())
}

#[produces(app = Stuck)]
async fn to_elsewhere(n: u64) -> Result<KafkaEvent<u64>, ProduceError> {
    Ok(KafkaEvent::new(n).topic("nowhere"))
}

async fn start() -> (Held, Tester) {
    let held = Held::default();
    let app = App::scoped::<Stuck>().title("Stuck").state(held.clone());
    let tester = Tester::builder().settle_within(Duration::from_secs(600));
    (held, tester.start(app.build()).await.unwrap())
}

async fn unsettled(tester: &Tester) -> Vec<String> {
    tester.settle().await.unwrap_err().problems().to_vec()
}

#[tokio::test(start_paused = true)]
async fn an_ack_that_is_held_is_named() {
    let (held, tester) = start().await;
    tester.to_held(1).unsettled().await;
    assert_eq!(
        unsettled(&tester).await,
        [
            "held[0] offset 0 of group `stuck` is not settled: `holds` has returned, and an `Ack`, a task of `fastkafka::spawn` or an output of it is still open",
            "waited for 600s"
        ]
    );
    held.lock().unwrap().pop().unwrap().ack().unwrap();
    tester.settle().await.unwrap();
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_retry_without_end_is_named() {
    let (_, tester) = start().await;
    tester.to_retried(1).unsettled().await;
    assert_eq!(
        unsettled(&tester).await[0],
        "retried[0] offset 0 of group `stuck` is not settled: `retries` fails again and again: the database is away"
    );
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_does_not_return_is_named() {
    let (_, tester) = start().await;
    tester.to_awaited(1).unsettled().await;
    tester.to_awaited(2).unsettled().await;
    assert_eq!(
        unsettled(&tester).await[0],
        "awaited[0] offset 0 of group `stuck` is not settled: `waits` was called and has not returned"
    );
}

/// A thread that nothing ends is at work. Virtual time waits so long for it.
async fn start_blocking() -> Tester {
    let make = || {
        App::scoped::<Stuck>()
            .title("Stuck")
            .state(Held::default())
            .build()
    };
    let tester = Tester::builder().settle_within(Duration::from_millis(20));
    let tester = tester.start_with(make).await.unwrap();
    tester.to_blocked(1).unsettled().await;
    // However long a thread takes to begin.
    while tester.spy::<blocks>().count() == 0 {
        tokio::task::yield_now().await;
    }
    tester
}

/// The test ends, which tokio's own threads would not let it: nothing waits for this one.
#[tokio::test(start_paused = true)]
async fn a_handler_that_blocks_its_thread_for_ever_is_named() {
    let tester = start_blocking().await;
    assert_eq!(
        unsettled(&tester).await,
        [
            "blocked[0] offset 0 of group `stuck` is not settled: `blocks` was called on a thread of its own and has not returned",
            "waited for 20ms"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_process_with_a_thread_that_nothing_ends_cannot_crash() {
    let tester = start_blocking().await;
    tester.settle().await.unwrap_err();
    let error = tester.crash_and_restart().await.unwrap_err().to_string();
    assert!(error.contains("cannot crash"), "{error}");
    assert!(
        error.contains("`blocks`: blocked[0] offset 0: 1 => is running"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "did not stop cleanly")]
async fn a_stop_does_not_wait_for_a_thread_that_nothing_ends() {
    let tester = start_blocking().await;
    tester.stop().await;
}

/// A task of `tokio::spawn` is nobody's: it is not seen.
#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_end_is_named() {
    let (_, tester) = start().await;
    tester.to_leaked(1).unsettled().await;
    assert_eq!(
        unsettled(&tester).await[0],
        "leaked[0] offset 0 of group `stuck` is not settled: `leaks` has returned, and an `Ack`, a task of `fastkafka::spawn` or an output of it is still open"
    );
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_stands_still_is_named_at_once() {
    let (_, tester) = start().await;
    let before = tokio::time::Instant::now();
    tester.to_stopped(1).unsettled().await;
    assert_eq!(
        unsettled(&tester).await,
        [
            "stopped[0] stands still at offset 0: `stops` failed after 1 attempt: not a number to my liking"
        ]
    );
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_does_not_exist_is_named() {
    let (_, tester) = start().await;
    tester.to_forwarded(1).unsettled().await;
    let problems = unsettled(&tester).await;
    assert!(
        problems[0].starts_with("there is no topic `nowhere`"),
        "{problems:?}"
    );
}

/// Its client would not start in production.
struct Unfit;

#[consumes(app = Unfit, topic = "unfit", auto_offset_reset = "earliest", config = { "fetch.mni.bytes": 5 })]
async fn waits_unfit(_: u64) {
    std::future::pending::<()>().await;
}

#[tokio::test(start_paused = true)]
async fn the_handlers_of_an_app_are_known_whatever_its_brokers_would_say() {
    let app = App::scoped::<Unfit>().title("Unfit").build();
    assert!(app.check().is_err());
    let tester = Tester::builder().in_memory_broker();
    let tester = tester.start(app).await.unwrap();
    tester.to_unfit(1).unsettled().await;
    assert_eq!(
        unsettled(&tester).await[0],
        "unfit[0] offset 0 of group `unfit` is not settled: `waits_unfit` was called and has not returned"
    );
}

struct Endless;

#[consumes(app = Endless, topic = "echoes", auto_offset_reset = "earliest")]
async fn on_echoes(n: u64) -> Result<(), ProduceError> {
    to_echoes(n + 1).await?;
    Ok(())
}

#[produces(app = Endless, topic = "echoes")]
async fn to_echoes(n: u64) -> Result<u64, ProduceError> {
    Ok(n)
}

async fn endless() -> Tester {
    let app = App::scoped::<Endless>().title("Endless").build();
    let tester = Tester::builder().in_memory_broker();
    let tester = tester.start(app).await.unwrap();
    tester.to_echoes(0).unsettled().await;
    tester
}

/// It never waits: the clock stands still, and the test would with it.
#[tokio::test(start_paused = true)]
async fn a_handler_that_feeds_itself_is_named() {
    let problems = unsettled(&endless().await).await;
    let begin = "a loop in which no time passes: `on_echoes` was called ";
    assert!(problems[0].starts_with(begin), "{problems:?}");
    let last = "the last record: echoes[0] offset ";
    assert!(problems[0].contains(last), "{problems:?}");
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "a loop in which no time passes: `on_echoes` was called ")]
async fn time_does_not_pass_beside_a_handler_that_feeds_itself() {
    endless().await.advance(Duration::from_secs(1)).await;
}
