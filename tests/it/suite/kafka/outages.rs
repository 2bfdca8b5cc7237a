//! A consumer that does not come into its group is named until it does.

use std::time::Duration;

use kafka_lab::Kafka;
use serde_json::json;

use crate::kafka::fixture::{AppFixture, order};
use crate::kafka::process::{Process, within};

const PATIENCE: Duration = Duration::from_secs(90);

/// The reason why the process is not in its group, if health says that it is not.
fn absence(app: &mut Process) -> Option<String> {
    let health = app.health();
    let problems = health["problems"].as_array().unwrap().iter();
    let mut absent = problems.filter(|problem| problem["code"] == "not-in-group");
    let why = absent
        .next()
        .map(|problem| problem["error"].as_str().unwrap().to_owned());
    assert!(why.is_none() || health["ready"] == false, "{health}");
    why
}

/// Connections stay open, so the client does not say that no broker answers, and a member that has lost its
/// session has no partition of which anything could be said.
#[test]
fn a_broker_that_is_frozen_for_longer_than_a_session_is_named_until_it_goes_on() {
    let kafka = Kafka::builder().start().unwrap();
    let fixtures = ["join", "range", "kip848"].map(|setting| AppFixture::on(&kafka, setting, 2));
    let mut apps = fixtures.each_ref().map(AppFixture::app);
    for (app, fixture) in apps.iter_mut().zip(&fixtures) {
        app.is_started();
        fixture.send_to(0, [order(0)]);
        fixture.await_count(1);
        assert_eq!(absence(app), None);
    }
    kafka.pause().unwrap();
    for (app, fixture) in apps.iter_mut().zip(&fixtures) {
        let why = within(PATIENCE, "it is named", || absence(app));
        println!("{}: {why}", fixture.setting);
    }
    kafka.resume().unwrap();
    for (app, fixture) in apps.iter_mut().zip(&fixtures) {
        within(PATIENCE, "it is in its group again", || {
            absence(app).is_none().then_some(())
        });
        fixture.send_to(1, [order(1)]);
        fixture.await_count(2);
    }
    for app in apps {
        app.stop();
    }
}

/// All of an eager group wait for the one whose handler is at work, and the group has a partition without an
/// owner for as long.
#[test]
fn a_rebalance_that_waits_for_the_slow_handler_of_another_member_is_named() {
    let fixture = AppFixture::new("slow", 2);
    let mut busy = fixture.app();
    busy.is_started();
    fixture.send_to(0, [order(0), json!({"id": 1, "sleep_ms": 75_000})]);
    // The second is at work.
    fixture.await_count(1);
    let mut waits = fixture.app();
    let why = within(PATIENCE, "it is named", || absence(&mut waits));
    assert!(why.contains("another member has not joined yet"), "{why}");
    let why = within(PATIENCE, "it is named by the one that is at work", || {
        absence(&mut busy)
    });
    assert!(why.contains("gives partitions back"), "{why}");
    for app in [&mut waits, &mut busy] {
        within(PATIENCE, "it is in its group", || {
            absence(app).is_none().then_some(())
        });
    }
    fixture.await_committed();
    for app in [waits, busy] {
        app.stop();
    }
}
