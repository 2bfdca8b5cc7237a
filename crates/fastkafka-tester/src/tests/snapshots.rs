//! What an app says of itself as data, and the description of that.

use crate::Tester;
use fastkafka::{App, Failure, ProduceError, consumes, produces, run_in_background};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::future::pending;
use std::time::Duration;

struct Watched;

#[consumes(app = Watched, topic = "orders", auto_offset_reset = "earliest")]
async fn on_orders(_: u64) {}

#[consumes(app = Watched, topic = "retried", auto_offset_reset = "earliest")]
async fn on_retried(_: u64) -> Result<(), Failure> {
    Err(Failure::transient("card 4711: the bank is down"))
}

#[consumes(app = Watched, topic = "stopped", auto_offset_reset = "earliest", attempts = 1)]
async fn on_stopped(_: u64) -> Result<(), Failure> {
    Err(Failure::reject("card 4711: no such card"))
}

#[consumes(app = Watched, topic = "awaited", auto_offset_reset = "earliest")]
async fn on_awaited(_: u64) {
    pending::<()>().await;
}

#[produces(app = Watched)]
async fn to_orders(n: u64) -> Result<u64, ProduceError> {
    Ok(n)
}

#[produces(app = Watched)]
async fn to_retried(n: u64) -> Result<u64, ProduceError> {
    Ok(n)
}

#[produces(app = Watched)]
async fn to_stopped(n: u64) -> Result<u64, ProduceError> {
    Ok(n)
}

#[produces(app = Watched)]
async fn to_awaited(n: u64) -> Result<u64, ProduceError> {
    Ok(n)
}

#[run_in_background(app = Watched)]
async fn watch() {
    pending::<()>().await;
}

/// The description of `AppState` in the repository.
fn description() -> Validator {
    let text = include_str!("../../../../deploy/openapi.yaml");
    let document: Value = serde_saphyr::from_str(text).unwrap();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": "#/components/schemas/AppState",
        "components": document["components"],
    });
    jsonschema::validator_for(&schema).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_app_that_waits_stands_and_stalls_says_so_as_it_is_described() {
    let description = description();
    let app = App::scoped::<Watched>().title("Watched").build();
    let look = || {
        let state = serde_json::to_value(app.snapshot()).unwrap();
        let wrong: Vec<_> = description.iter_errors(&state).collect();
        assert!(wrong.is_empty(), "{wrong:?}\n{state:#}");
        state
    };
    let before = look();
    assert_eq!(
        (&before["phase"], &before["ready"]),
        (&json!("new"), &json!(false))
    );
    let tester = Tester::start(app.clone()).await.unwrap();
    to_orders(1).await.unwrap();
    to_retried(2).await.unwrap();
    to_stopped(3).await.unwrap();
    to_awaited(4).await.unwrap();
    tester.advance(Duration::from_secs(60)).await;
    let state = look();
    assert_eq!(state["phase"], "started");
    let member = &state["groups"]["watched"]["members"]["1"];
    assert_eq!(member["waiting"][0]["wait"], "transient", "{state:#}");
    assert!(member["waiting"][0]["due"].is_number());
    assert_eq!(member["stopped"][0]["handler"], "on_stopped");
    assert_eq!(member["stalled"][0]["at"], "handler");
    let read = &member["partitions"]["orders[0]"];
    assert_eq!((&read["settled"], &read["lag"]), (&json!(1), &json!(0)));
    let stopped = &member["partitions"]["stopped[0]"];
    assert_eq!(
        (&stopped["stopped"], &stopped["lag"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(state["tasks"][0]["ended"], false);
    assert!(!state["problems"].as_array().unwrap().is_empty());

    let quotes = |state: &Value| state.to_string().contains("4711");
    assert!(quotes(&state));
    let hidden = serde_json::to_value(app.snapshot().without_errors()).unwrap();
    assert!(!quotes(&hidden), "{hidden:#}");
    assert!(description.is_valid(&hidden));
    drop(tester);
}

/// A field that nobody has described, or that is gone, would be seen.
#[test]
fn the_description_takes_nothing_else() {
    let description = description();
    let state = App::scoped::<Watched>().build().snapshot();
    let state = serde_json::to_value(state).unwrap();
    assert!(description.is_valid(&state));
    for (field, value) in [("more", json!(1)), ("phase", json!("tired"))] {
        let mut other = state.clone();
        other[field] = value;
        assert!(!description.is_valid(&other), "{field}");
    }
    let mut less = state;
    less.as_object_mut().unwrap().remove("tasks");
    assert!(!description.is_valid(&less));
}
