//! What senders wrote, in what an app says: each line is one, and short.

use super::cluster::{Entry, lock};
use super::lab::{HandlerState, Lab};
use super::log::Log;
use fastkafka_core as fk;
use fastkafka_core::{LONGEST_TEXT, Register, State};
use fastkafka_macros::consumes;
use std::time::Duration;

/// What stands beside the text of an error in a line: time, level, handler, place, attempt.
const BESIDE: usize = 400;

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Empty {}

#[consumes(crate = fk, topic = "in", dead_letter = "dead")]
async fn reads(_: Empty, State(_): State<HandlerState>) {}

#[consumes(crate = fk, topic = "in", dead_letter = "dead", attempts = 1)]
async fn quotes(text: String, State(_): State<HandlerState>) -> Result<(), String> {
    Err(format!("not a number: {text}"))
}

#[consumes(crate = fk, topic = "in", dead_letter = "dead", attempts = 1)]
async fn panics(text: String, State(_): State<HandlerState>) {
    panic!("not a number: {text}");
}

#[consumes(crate = fk, topic = "in", attempts = 1)]
async fn stops(text: String, State(_): State<HandlerState>) -> Result<(), String> {
    Err(format!("not a number: {text}"))
}

/// A line feed with a line of log behind it, the colour red, and more than a megabyte.
fn text() -> String {
    format!("\n2026-11-30 ERROR forged\u{1b}[31m{}", "ä".repeat(600_000))
}

async fn with<C: Register>(payload: serde_json::Value) -> (Lab, Log) {
    let log = Log::default();
    let _guard = log.listen();
    let mut lab = Lab::new::<C>(1, 0);
    let payload = Some(payload.to_string().into());
    let entry = Entry {
        payload,
        ..Entry::default()
    };
    lock(&lab.cluster).publish(0, entry);
    lab.pass(Duration::from_secs(40)).await;
    (lab, log)
}

fn assert_short(what: &str, text: &str, most: usize) {
    assert!(text.len() <= most, "{what} has {} bytes", text.len());
    let control: Vec<_> = text.chars().filter(|c| c.is_control()).collect();
    assert!(control.is_empty(), "{what} has {control:?}: {text}");
}

fn assert_short_lines(log: &Log, lines: usize) {
    let text = log.text();
    assert_eq!(text.lines().count(), lines, "{text}");
    for line in text.lines() {
        assert_short("a line of the log", line, LONGEST_TEXT + BESIDE);
    }
    assert!(text.contains("more"), "it says that more was there: {text}");
}

async fn assert_short_letter<C: Register>(payload: serde_json::Value, lines: usize) {
    let (lab, log) = with::<C>(payload).await;
    assert_eq!(lab.committed(0), Some(1));
    let sent = lab.outbox.sent();
    let error = sent[0].header("fastkafka-dead-letter-error").unwrap();
    assert_short("the header", error, LONGEST_TEXT);
    assert!(
        error.contains(r"\n2026-11-30 ERROR forged\u{1b}[31m"),
        "{error}"
    );
    assert_short_lines(&log, lines);
}

#[tokio::test(start_paused = true)]
async fn a_field_of_a_megabyte_is_a_short_line() {
    // Behind the assignment one line says what was wrong with the record, and where it is now.
    assert_short_letter::<reads>(serde_json::json!({ text(): 1 }), 2).await;
}

#[tokio::test(start_paused = true)]
async fn an_error_that_quotes_a_payload_is_a_short_line() {
    assert_short_letter::<quotes>(text().into(), 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_that_quotes_a_payload_is_a_short_line() {
    // That it was not handled, and where it is now.
    assert_short_letter::<panics>(text().into(), 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_problem_of_health_is_a_short_line() {
    let (lab, log) = with::<stops>(text().into()).await;
    let problems = lab.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_short("the problem", &problems[0], LONGEST_TEXT + BESIDE);
    assert_short_lines(&log, 3);
}
