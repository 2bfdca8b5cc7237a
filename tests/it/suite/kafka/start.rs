//! What an app says when it can not start, and the topics that it makes.

use std::time::Duration;

use crate::kafka::fixture::{AppFixture, kafka, order};
use crate::kafka::process::Process;

const APP: &str = env!("CARGO_BIN_EXE_orders-app");

/// The lines of a log without their time.
fn last_lines(app: &Process, count: usize) -> String {
    let log = app.log();
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[test]
fn an_address_where_no_broker_is_ends_the_start_with_a_clear_line() {
    let mut app = Process::start(APP, &["absent", "run", "--kafka-broker", "127.0.0.1:1"]);
    assert_eq!(app.exits_within(Duration::from_secs(13)), 1);
    let line = app.says("error: ");
    let line = line + &last_lines(&app, 1);
    assert!(
        line.contains("no broker answers at 127.0.0.1:1 within 10s (`start_timeout`)"),
        "{line}"
    );
    assert!(
        line.contains("is the address right, and does Kafka run?"),
        "{line}"
    );
}

#[test]
fn missing_topics_are_all_named() {
    let mut app = Process::start(
        APP,
        &["absent", "run", "--kafka-broker", kafka().bootstrap()],
    );
    let waiting = app.says("waiting for topics");
    for topic in ["absent", "absent.out", "absent.dead"] {
        assert!(waiting.contains(&format!("topic `{topic}` ")), "{waiting}");
    }
    assert_eq!(app.exits_within(Duration::from_secs(15)), 1);
    assert_eq!(
        last_lines(&app, 4),
        "error: the app cannot start: 3 problems\n\
         \x20 topic `absent` does not exist: create it, or start with `run --create-topics`\n\
         \x20 topic `absent.dead` does not exist: create it, or start with `run --create-topics`\n\
         \x20 topic `absent.out` does not exist: create it, or start with `run --create-topics`"
    );
}

#[test]
fn an_unknown_broker_is_named_with_those_that_are_known() {
    let mut app = Process::start(APP, &["absent", "run", "--kafka-broker", "prod"]);
    assert_eq!(app.exits_within(Duration::from_secs(5)), 1);
    assert_eq!(
        last_lines(&app, 1),
        "error: the app has no broker `prod`; it has: lab, embedded; an address is written `host:port`"
    );
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    let mut app = Process::start(APP, &["absent", "run", "--kafka-brokre", "lab"]);
    assert_eq!(app.exits_within(Duration::from_secs(5)), 2);
}

/// The session of a member that was killed is longer than the time for the start.
#[test]
fn a_service_that_was_killed_and_is_started_at_once_says_what_it_waits_for_and_starts() {
    let fixture = AppFixture::new("killed", 2);
    fixture.send_to(0, [order(0)]);
    let mut first = fixture.app();
    first.is_started();
    fixture.await_committed();
    first.kill();
    let mut again = fixture.app();
    let line = again.says("has no assignment yet");
    assert!(
        line.contains("a member that is gone keeps its session for 20 s (`session_timeout_ms`)"),
        "{line}"
    );
    again.is_started();
    println!("started {:.0?} after the kill", again.age());
    fixture.send_to(0, [order(1)]);
    fixture.await_count(2);
    again.stop();
}

#[test]
fn create_topics_makes_them_as_declared() {
    let fixture = AppFixture::named(kafka(), "created");
    let arguments = ["created", "run", "--create-topics", "--kafka-broker"];
    let mut app = Process::start(APP, &[&arguments[..], &[kafka().bootstrap()]].concat());
    app.is_started();
    let partitions = |topic| kafka().end_offsets(topic).unwrap().len();
    assert_eq!(partitions(&fixture.topic), 3);
    assert_eq!(partitions(&fixture.out), 2);
    assert_eq!(partitions(&fixture.dead), 1);
    fixture.send_to(2, [order(0)]);
    fixture.await_count(1);
    app.stop();
    // They are there now: nothing is made, nothing is wrong.
    let mut again = Process::start(APP, &[&arguments[..], &[kafka().bootstrap()]].concat());
    again.is_started();
    again.stop();
}
