//! Records are handled as soon as they are there, and members stay members.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::process::{eventually, within};
use crate::scene::{Scene, assert_once, keyed, order};

/// A commit event lies in the queue before the records again and again: commits come every 20 ms. A lost
/// wake-up would show as the second after which the owner looks anyway.
#[test]
fn five_hundred_records_behind_a_commit_event_are_handled_at_once() {
    let scene = Scene::new("bursts", 1);
    let mut app = scene.app();
    app.is_started();
    for burst in 0..20 {
        scene.send(&keyed(burst * 500..(burst + 1) * 500, 1, &order(0)));
        scene.await_count(usize::try_from((burst + 1) * 500).unwrap());
    }
    app.stop();
    let done = scene.done();
    assert_once(&done, 0..10_000);
    let mut delays: Vec<_> = scene
        .kafka
        .consume(&scene.topic)
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
    let scene = Scene::new("idle", 2);
    let mut app = scene.app();
    app.is_started();
    let began = Instant::now();
    // Three times the session timeout and max.poll.interval.ms, looked at all along.
    within(Duration::from_secs(40), "20 s pass", || {
        let assigned = scene.assigned();
        assert_eq!(assigned, Some(vec![vec![0, 1]]), "{}", app.log());
        (began.elapsed() > Duration::from_secs(20)).then_some(())
    });
    // One awaits for longer than max.poll.interval.ms, the other blocks its thread.
    scene.send_to(0, [json!({"id": 0, "sleep_ms": 9_000})]);
    scene.send_to(1, [json!({"id": 1, "block_ms": 9_000})]);
    scene.await_committed();
    let log = app.log();
    app.stop();
    assert_once(&scene.done(), 0..2);
    assert_eq!(log.matches(" assigned ").count(), 1, "{log}");
    assert!(!log.contains("gave back"), "{log}");
}

/// More than the 16,384 records that a partition may hold lie behind the one that waits.
#[test]
fn a_partition_that_waits_for_a_transient_failure_does_not_block_the_others() {
    let scene = Scene::new("stuck", 3);
    let waits = json!({"id": 0, "fails": "transient"});
    scene.send_to(0, std::iter::once(waits).chain((1..30_000).map(order)));
    scene.send_to(1, (30_000..60_000).map(order));
    let mut app = scene.app();
    app.says("told to wait");
    scene.send_to(2, (60_000..90_000).map(order));
    let sent = Instant::now();
    eventually("the other partitions are handled", || {
        let committed = scene.committed();
        [1, 2]
            .iter()
            .all(|p| committed.get(p) == Some(&30_000))
            .then_some(())
    });
    println!(
        "the others were committed {:.1?} after they were sent",
        sent.elapsed()
    );
    assert_eq!(scene.count(), 60_000);
    assert_eq!(scene.committed()[&0], 0);
    app.stop();
}
