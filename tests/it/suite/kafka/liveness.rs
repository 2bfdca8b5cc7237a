//! Records are handled as soon as they are there, and members stay members.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::kafka::fixture::{AppFixture, assert_once, keyed, order};
use crate::kafka::process::{eventually, within};

/// A commit event lies in the queue before the records again and again: commits come every 20 ms. A lost
/// wake-up would show as the second after which the owner looks anyway.
#[test]
fn five_hundred_records_behind_a_commit_event_are_handled_at_once() {
    let fixture = AppFixture::new("bursts", 1);
    let mut app = fixture.app();
    app.is_started();
    for burst in 0..20 {
        fixture.send(&keyed(burst * 500..(burst + 1) * 500, 1, &order(0)));
        fixture.await_count(usize::try_from((burst + 1) * 500).unwrap());
    }
    app.stop();
    let done = fixture.done();
    assert_once(&done, 0..10_000);
    let mut delays: Vec<_> = fixture
        .kafka
        .consume(&fixture.topic)
        .unwrap()
        .iter()
        .zip(&done)
        .map(|(record, done)| done.timestamp - record.timestamp)
        .collect();
    delays.sort_unstable();
    let (median, worst) = (delays[5_000], delays[9_999]);
    println!("from record to output: median {median} ms, worst {worst} ms");
    assert!(worst < 800, "{worst} ms");
}

#[test]
fn neither_an_idle_member_nor_one_with_a_slow_handler_loses_its_membership() {
    let fixture = AppFixture::new("idle", 2);
    let mut app = fixture.app();
    app.is_started();
    let began = Instant::now();
    // Three times the session timeout and max.poll.interval.ms, looked at all along.
    within(Duration::from_secs(40), "20 s pass", || {
        let assigned = fixture.assigned();
        assert_eq!(assigned, Some(vec![vec![0, 1]]), "{}", app.log());
        (began.elapsed() > Duration::from_secs(20)).then_some(())
    });
    // One awaits for longer than max.poll.interval.ms, the other blocks its thread.
    fixture.send_to(0, [json!({"id": 0, "sleep_ms": 9_000})]);
    fixture.send_to(1, [json!({"id": 1, "block_ms": 9_000})]);
    fixture.await_committed();
    let log = app.log();
    app.stop();
    assert_once(&fixture.done(), 0..2);
    assert_eq!(log.matches(" assigned ").count(), 1, "{log}");
    assert!(!log.contains("gave back"), "{log}");
}

/// More than the 16,384 records that a partition may hold lie behind the one that waits.
#[test]
fn a_partition_that_waits_for_a_transient_failure_does_not_block_the_others() {
    let fixture = AppFixture::new("stuck", 3);
    let waits = json!({"id": 0, "fails": "transient"});
    fixture.send_to(0, std::iter::once(waits).chain((1..30_000).map(order)));
    fixture.send_to(1, (30_000..60_000).map(order));
    let mut app = fixture.app();
    app.says("told to wait");
    fixture.send_to(2, (60_000..90_000).map(order));
    let sent = Instant::now();
    eventually("the other partitions are handled", || {
        let committed = fixture.committed();
        [1, 2]
            .iter()
            .all(|p| committed.get(p) == Some(&30_000))
            .then_some(())
    });
    println!(
        "the others were committed {:.1?} after they were sent",
        sent.elapsed()
    );
    assert_eq!(fixture.count(), 60_000);
    assert_eq!(fixture.committed()[&0], 0);
    app.stop();
}
