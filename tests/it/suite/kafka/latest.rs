//! Where a group begins, and where it goes on when the log has changed under it.

use std::time::Duration;

use serde_json::json;

use crate::kafka::fixture::{AppFixture, assert_at_least_once, assert_once, keyed, order};
use crate::kafka::process::eventually;

#[test]
fn what_arrives_after_the_start_is_handled_though_the_first_member_is_killed_at_once() {
    let fixture = AppFixture::new("latest", 4);
    fixture.send(&keyed(1_000..1_100, 40, &order(0)));
    let mut first = fixture.app();
    first.is_started();
    // Nothing of this can settle before the kill.
    fixture.send(&keyed(0..100, 40, &json!({"sleep_ms": 300})));
    first.kill();
    let before = fixture.count();
    let second = fixture.app();
    fixture.await_committed();
    second.stop();
    println!("{before} of 100 settled before the kill");
    assert_at_least_once(&fixture.done(), 0..100);
}

#[test]
fn two_members_that_start_together_read_no_old_record() {
    let fixture = AppFixture::new("together", 4);
    fixture.send(&keyed(1_000..1_100, 40, &order(0)));
    let mut members = [fixture.app(), fixture.app()];
    for member in &mut members {
        member.is_started();
    }
    fixture.await_members(2);
    fixture.send(&keyed(0..100, 40, &order(0)));
    fixture.await_committed();
    members
        .into_iter()
        .for_each(crate::kafka::process::Process::stop);
    assert_once(&fixture.done(), 0..100);
}

#[test]
fn a_partition_that_is_added_later_is_read_from_its_beginning() {
    let fixture = AppFixture::new("grown", 2);
    fixture.send_to(0, (1_000..1_010).map(order));
    let mut app = fixture.app();
    app.is_started();
    fixture.send_to(0, [order(0)]);
    fixture.await_committed();
    app.stop();
    fixture.kafka.add_partitions(&fixture.topic, 3).unwrap();
    // There before anybody of the group knows the partition, and the policy is `latest`.
    fixture.send_to(2, (1..11).map(order));
    let app = fixture.app();
    fixture.await_count(11);
    fixture.send_to(2, [order(11)]);
    fixture.await_count(12);
    app.stop();
    assert_once(&fixture.done(), 0..12);
}

#[test]
fn what_retention_took_is_named_and_the_rest_is_read() {
    let fixture = AppFixture::new("retention", 1);
    fixture.send_to(0, (0..10).map(order));
    let app = fixture.app();
    fixture.await_committed();
    app.stop();
    fixture.send_to(0, (10..100).map(order));
    fixture.kafka.delete_records(&fixture.topic, 0, 50).unwrap();
    let mut app = fixture.app();
    let line = app.says("gone from the log");
    assert!(
        line.contains("records 10..50") && line.contains("retention[0]"),
        "{line}"
    );
    fixture.await_committed();
    app.stop();
    let ids: Vec<_> = fixture.done().iter().map(|done| done.id).collect();
    assert_eq!(ids.len(), 60);
    assert!(!ids.iter().any(|id| (10..50).contains(id)));
}

#[test]
fn a_committed_offset_past_the_end_stops_the_partition_and_says_so() {
    let fixture = AppFixture::new("beyond", 2);
    fixture.send_to(0, (0..5).map(order));
    fixture
        .kafka
        .commit(&fixture.topic, &fixture.topic, 0, 1_000)
        .unwrap();
    let mut app = fixture.app();
    let line = app.says("past the end of the log");
    assert!(
        line.contains("position 1000") && line.contains("beyond[0]"),
        "{line}"
    );
    // The other partition goes on.
    fixture.send_to(1, (5..10).map(order));
    fixture.await_count(5);
    app.terminate();
    // A stopped partition ends the process with status 1.
    assert_eq!(app.exits_within(Duration::from_secs(10)), 1);
    let ids: Vec<_> = fixture.done().iter().map(|done| done.id).collect();
    assert_eq!(ids, [5, 6, 7, 8, 9]);
    eventually("it did not move the commit", || {
        (fixture.committed()[&0] == 1_000).then_some(())
    });
}
