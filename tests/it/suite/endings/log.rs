//! A log that cannot be written any more: the service goes on, and stops as ever.

use std::io::{BufRead, BufReader, pipe};
use std::time::Duration;

use super::service::{Settings, standing};
#[cfg(target_os = "linux")]
use super::sinks::full;
use super::sinks::{stalled, unread};

/// Every word of the app's, and of librdkafka's.
fn talkative(service: Settings) -> Settings {
    service.variable("RUST_LOG", "debug")
}

#[test]
fn a_service_whose_log_nobody_reads_stops_cleanly() {
    let mut service = talkative(standing("waits")).log(unread()).start();
    service.says("in hand");
    service.terminate();
    service.write_line();
    assert_eq!(service.exits(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_whose_disk_is_full_stops_cleanly() {
    let mut service = talkative(standing("waits")).log(full()).start();
    service.says("in hand");
    service.terminate();
    service.write_line();
    assert_eq!(service.exits(), Some(0));
}

/// `service run 2>&1 | logger`, and the logger ends.
#[test]
fn a_service_whose_reader_ends_stops_cleanly() {
    let (reader, writer) = pipe().unwrap();
    let service = standing("handled").output(writer.try_clone().unwrap());
    let mut service = service.log(writer).start();
    let mut lines = BufReader::new(reader).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("ending is started")));
    drop(lines);
    service.terminate();
    assert_eq!(service.exits(), Some(0));
}

#[test]
fn the_second_signal_is_heard_without_a_log() {
    let mut service = standing("waits").log(unread()).start();
    service.says("in hand");
    service.terminate();
    service.says("stopping");
    service.terminate();
    assert_eq!(service.exits_within(Duration::from_secs(5)), Some(1));
}

#[test]
fn a_start_that_fails_has_its_status_without_a_log() {
    let arguments = ["ending", "run", "--kafka-broker", "staging"];
    let mut service = Settings::new(&arguments).log(unread()).start();
    assert_eq!(service.exits(), Some(1));
}

#[test]
fn a_reader_of_the_log_that_stands_still_does_not_keep_the_process() {
    let (_reader, log) = stalled();
    let service = standing("handled").variable("SHUTDOWN_MS", "1000");
    let mut service = service.log(log).start();
    service.says("starting");
    service.terminate();
    assert_eq!(service.exits_within(Duration::from_secs(10)), Some(1));
}
