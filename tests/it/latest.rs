//! Where a group begins, and where it goes on when the log has changed under it.

use std::time::Duration;

use serde_json::json;

use crate::process::eventually;
use crate::scene::{Scene, assert_at_least_once, assert_once, keyed, order};

#[test]
fn what_arrives_after_the_start_is_handled_though_the_first_member_is_killed_at_once() {
    let scene = Scene::new("latest", 4);
    scene.send(&keyed(1_000..1_100, 40, &order(0)));
    let mut first = scene.app();
    first.is_started();
    // Nothing of this can settle before the kill.
    scene.send(&keyed(0..100, 40, &json!({"sleep_ms": 300})));
    first.kill();
    let before = scene.count();
    let second = scene.app();
    scene.await_committed();
    second.stop();
    println!("{before} of 100 settled before the kill");
    assert_at_least_once(&scene.done(), 0..100);
}

#[test]
fn two_members_that_start_together_read_no_old_record() {
    let scene = Scene::new("together", 4);
    scene.send(&keyed(1_000..1_100, 40, &order(0)));
    let mut members = [scene.app(), scene.app()];
    for member in &mut members {
        member.is_started();
    }
    scene.await_members(2);
    scene.send(&keyed(0..100, 40, &order(0)));
    scene.await_committed();
    members.into_iter().for_each(crate::process::Process::stop);
    assert_once(&scene.done(), 0..100);
}

#[test]
fn a_partition_that_is_added_later_is_read_from_its_beginning() {
    let scene = Scene::new("grown", 2);
    scene.send_to(0, (1_000..1_010).map(order));
    let mut app = scene.app();
    app.is_started();
    scene.send_to(0, [order(0)]);
    scene.await_committed();
    app.stop();
    scene.kafka.add_partitions(&scene.topic, 3).unwrap();
    // There before anybody of the group knows the partition, and the policy is `latest`.
    scene.send_to(2, (1..11).map(order));
    let app = scene.app();
    scene.await_count(11);
    scene.send_to(2, [order(11)]);
    scene.await_count(12);
    app.stop();
    assert_once(&scene.done(), 0..12);
}

#[test]
fn what_retention_took_is_named_and_the_rest_is_read() {
    let scene = Scene::new("retention", 1);
    scene.send_to(0, (0..10).map(order));
    let app = scene.app();
    scene.await_committed();
    app.stop();
    scene.send_to(0, (10..100).map(order));
    scene.kafka.delete_records(&scene.topic, 0, 50).unwrap();
    let mut app = scene.app();
    let line = app.says("gone from the log");
    assert!(
        line.contains("records 10..50") && line.contains("retention[0]"),
        "{line}"
    );
    scene.await_committed();
    app.stop();
    let ids: Vec<_> = scene.done().iter().map(|done| done.id).collect();
    assert_eq!(ids.len(), 60);
    assert!(!ids.iter().any(|id| (10..50).contains(id)));
}

#[test]
fn a_committed_offset_past_the_end_stops_the_partition_and_says_so() {
    let scene = Scene::new("beyond", 2);
    scene.send_to(0, (0..5).map(order));
    scene
        .kafka
        .commit(&scene.topic, &scene.topic, 0, 1_000)
        .unwrap();
    let mut app = scene.app();
    let line = app.says("past the end of the log");
    assert!(
        line.contains("position 1000") && line.contains("beyond[0]"),
        "{line}"
    );
    // The other partition goes on.
    scene.send_to(1, (5..10).map(order));
    scene.await_count(5);
    app.terminate();
    // A stopped partition ends the process with status 1.
    assert_eq!(app.exits_within(Duration::from_secs(10)), 1);
    let ids: Vec<_> = scene.done().iter().map(|done| done.id).collect();
    assert_eq!(ids, [5, 6, 7, 8, 9]);
    eventually("it did not move the commit", || {
        (scene.committed()[&0] == 1_000).then_some(())
    });
}
