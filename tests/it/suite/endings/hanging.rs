//! What does not end is named, and does not keep the process.

use std::time::Duration;

use fastkafka_kafka::{Embedded, TopicSpec};

use super::service::{Settings, standing};

/// Stands where `stand` says, is told to stop, and names `who` at its end.
fn names(stand: &str, who: &str) {
    let service = standing(stand).variable("SHUTDOWN_MS", "2000");
    let mut service = service.start();
    service.says("in hand");
    service.terminate();
    assert_eq!(service.exits_within(Duration::from_secs(10)), Some(1));
    let line = service.logs("error: the app did not stop cleanly");
    assert!(line.contains("did not end in time"), "{line}");
    assert!(line.contains(who), "{line}");
}

#[test]
fn an_async_handler_that_hangs_is_named_with_status_1() {
    names("awaits", "`on_ending` on ending[0]");
}

#[test]
fn a_blocking_handler_that_hangs_is_named_with_status_1() {
    names("blocks", "`on_blocking` on ending.blocking[0]");
}

#[test]
fn a_broker_that_is_away_does_not_keep_the_process() {
    let broker = Embedded::start().unwrap();
    for topic in ["ending", "ending.blocking"] {
        broker.create_topic(&TopicSpec::new(topic)).unwrap();
    }
    let arguments = ["ending", "run", "--kafka-broker", broker.bootstrap()];
    let service = Settings::new(&arguments).variable("SHUTDOWN_MS", "4000");
    let mut service = service.start();
    service.says("handled");
    drop(broker);
    // Handled, and not committed: the interval is a minute.
    service.terminate();
    assert_eq!(service.exits_within(Duration::from_secs(10)), Some(1));
    let line = service.logs("error: the app did not stop cleanly");
    assert!(line.contains("offsets may not be committed"), "{line}");
}
