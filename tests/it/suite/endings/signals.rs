//! What a signal does: to an app that runs or starts, under `nohup`, and when there is no app any more.

use std::time::Duration;

use rustix::process::Signal;

use super::service::{Settings, standing};

const STOPPING: &str = "stopping: records in hand are finished";
const SECOND: &str = "second signal: ending at once";

#[test]
fn each_signal_lets_the_record_in_hand_end() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut service = standing("waits").start();
        service.says("in hand");
        service.signal(signal);
        service.logs(STOPPING);
        service.write_line();
        assert_eq!(service.exits(), Some(0), "{signal:?}: {}", service.log());
    }
}

#[test]
fn under_nohup_a_hangup_is_nothing() {
    let nohup = Settings::by(&["nohup"], &["ending", "run", "--kafka-broker", "embedded"]);
    let mut service = nohup.variable("ENDING", "waits").start();
    service.says("in hand");
    service.signal(Signal::HUP);
    service.terminate();
    // It would be the second.
    service.logs(STOPPING);
    service.write_line();
    assert_eq!(service.exits(), Some(0));
    assert!(!service.log().contains(SECOND), "{}", service.log());
}

#[test]
fn the_second_signal_ends_the_process_at_once() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut service = standing("waits").start();
        service.says("in hand");
        service.terminate();
        service.logs(STOPPING);
        service.signal(signal);
        // Far below the time that the stop has.
        assert_eq!(service.exits_within(Duration::from_secs(5)), Some(1));
        service.logs(SECOND);
    }
}

#[test]
fn a_signal_during_the_start_is_a_clean_stop() {
    let mut service = standing("awaits_in_start").start();
    service.says("starting");
    service.terminate();
    assert_eq!(service.exits_within(Duration::from_secs(5)), Some(0));
    assert!(!service.log().contains(" is started"), "{}", service.log());
}

#[test]
fn a_signal_while_the_start_waits_for_a_broker_is_a_clean_stop() {
    let arguments = ["ending", "run", "--kafka-broker", "127.0.0.1:1"];
    let mut service = Settings::new(&arguments).start();
    service.logs("waiting for a broker at 127.0.0.1:1");
    service.terminate();
    assert_eq!(service.exits_within(Duration::from_secs(5)), Some(0));
}

#[test]
fn a_hook_that_blocks_the_start_is_named_when_the_time_of_the_stop_is_over() {
    let service = standing("blocks_in_start").variable("SHUTDOWN_MS", "1000");
    let mut service = service.start();
    service.says("starting");
    service.terminate();
    assert_eq!(service.exits_within(Duration::from_secs(10)), Some(1));
    let line = service.logs("did not stop within 4s");
    assert!(line.contains("`on_start` ("), "{line}");
    assert!(line.ends_with("blocks its thread"), "{line}");
}

#[test]
fn a_hook_that_hangs_ends_the_start_in_time() {
    let service = standing("awaits_in_start").variable("START_MS", "1000");
    let mut service = service.start();
    service.says("starting");
    assert_eq!(service.exits_within(Duration::from_secs(10)), Some(1));
    let line = service.logs("did not end");
    assert!(line.contains("`on_start` ("), "{line}");
    assert!(line.ends_with("have 1s (`start_timeout`)"), "{line}");
}

#[test]
fn after_a_lifespan_the_first_signal_ends_the_program() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut service = Settings::new(&["beside", "run"]).start();
        service.says("handled");
        service.write_line();
        service.says("over: Ok(())");
        service.signal(signal);
        assert_eq!(service.exits_within(Duration::from_secs(5)), Some(status));
    }
}

#[test]
fn a_lifespan_without_signals_leaves_them_to_the_program() {
    let mut service = Settings::new(&["beside-listening", "run"]).start();
    service.says("handled");
    service.write_line();
    service.says("over: Ok(())");
    // From here on the program listens, or is about to: it says so by its status.
    service.says("listening");
    service.signal(Signal::INT);
    assert_eq!(service.exits_within(Duration::from_secs(5)), Some(7));
}
