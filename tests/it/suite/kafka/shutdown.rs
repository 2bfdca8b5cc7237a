//! The way out: what is in hand ends and is committed, or the process ends anyway, in time.

use std::time::{Duration, Instant};

use kafka_lab::Kafka;
use serde_json::json;

use crate::kafka::fixture::{AppFixture, assert_once, keyed, order, times};
use crate::kafka::process::Process;

/// What the orders app gives itself to stop, and a moment for the process.
const DEADLINE: Duration = Duration::from_secs(8 + 1);

/// Ends `app` by SIGTERM; the exit code and how long it took.
fn terminated(app: &mut Process) -> (i32, Duration) {
    let began = Instant::now();
    app.terminate();
    let code = app.exits_within(DEADLINE);
    println!("exit {code} after {:.2?}", began.elapsed());
    (code, began.elapsed())
}

#[test]
fn handlers_in_flight_end_and_all_that_is_settled_is_committed() {
    let fixture = AppFixture::new("term", 4);
    fixture.send(&keyed(0..400, 40, &json!({"sleep_ms": 100})));
    let mut app = fixture.app();
    fixture.await_count(20);
    let (code, time) = terminated(&mut app);
    assert_eq!(code, 0);
    assert!(time < Duration::from_secs(3), "{time:?}");

    let done = fixture.done();
    assert!(times(&done).values().all(|n| *n == 1));
    for (partition, committed) in fixture.committed() {
        let settled = done
            .iter()
            .filter(|done| done.partition == partition)
            .count();
        assert_eq!(
            committed,
            i64::try_from(settled).unwrap(),
            "partition {partition}"
        );
    }
    // The rest is for the next one.
    let next = fixture.app();
    fixture.await_committed();
    next.stop();
    assert_once(&fixture.done(), 0..400);
}

#[test]
fn a_handler_that_takes_longer_than_the_session_and_the_poll_interval_ends_and_is_committed() {
    let fixture = AppFixture::new("session", 1);
    let slow = json!({"id": 1, "sleep_ms": 4_500});
    fixture.send_to(0, [order(0), slow]);
    let mut app = fixture.app();
    // The second begins as soon as the first has returned, and both are over twice before it ends.
    fixture.await_count(1);
    let (code, _) = terminated(&mut app);
    assert_eq!(code, 0);
    assert_once(&fixture.done(), 0..2);
    assert_eq!(fixture.committed()[&0], 2);
}

/// As many handlers as the machine has cores, and so every worker of the app's tokio runtime, and more.
fn with_blocked_handlers(setting: &'static str) -> (AppFixture<'static>, Process) {
    let fixture = AppFixture::new(setting, 4);
    fixture.send_to(0, [order(0)]);
    let mut app = fixture.app();
    fixture.await_committed();
    app.is_started();
    for partition in 0..4 {
        fixture.send_to(
            partition,
            [json!({"id": 1 + partition, "block_ms": 120_000})],
        );
    }
    // Handled or about to be: there is nothing to see of a handler that only blocks.
    std::thread::sleep(Duration::from_secs(1));
    (fixture, app)
}

#[test]
fn handlers_that_block_their_threads_do_not_keep_the_process() {
    let (fixture, mut app) = with_blocked_handlers("blocked");
    let (code, _) = terminated(&mut app);
    assert_eq!(code, 1);
    app.says("did not end in time");
    assert_eq!(fixture.committed()[&0], 1, "what was settled stays so");
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let (_scene, mut app) = with_blocked_handlers("twice");
    app.terminate();
    app.says("a second signal ends the process at once");
    app.terminate();
    assert_eq!(app.exits_within(Duration::from_secs(1)), 1);
}

#[test]
fn a_broker_that_is_gone_does_not_keep_the_process() {
    let mut kafka = Kafka::start().unwrap();
    let fixture = AppFixture::on(&kafka, "gone", 2);
    fixture.send(&keyed(0..100, 10, &order(0)));
    let mut app = fixture.app();
    fixture.await_count(100);
    kafka.kill().unwrap();
    // Settled, and not committed: the interval is 5 s.
    let (code, _) = terminated(&mut app);
    assert_eq!(code, 1, "what is settled could not be committed");
}
