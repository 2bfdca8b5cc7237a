//! What an app says when it cannot start: every problem at once, in golden texts.
//! `GOLDEN=overwrite` renews them.

use fastkafka::error::RunError;
use fastkafka::settings::OnFailure;
use fastkafka::{Ack, App, Broker, State, consumes, produces};
use std::time::Duration;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub(super) struct Order {
    id: u64,
}

#[derive(Clone)]
struct Prices;

struct Broken;

#[consumes(app = Broken, topic = "orders", group_id = "billing", session_timeout_ms = 6_000)]
async fn on_orders(order: Order, State(_prices): State<Prices>) {
    let _ = order.id;
}

#[consumes(app = Broken, topic = "orders", group_id = "billing")]
async fn on_orders_again(order: Order) {
    let _ = order;
}

#[consumes(app = Broken, topic = "refunds", group_id = "billing", session_timeout_ms = 9_000)]
async fn on_refunds(order: Order) {
    let _ = order;
}

#[consumes(
    app = Broken,
    topic = "returns",
    dead_letter = "returns",
    on_failure = OnFailure::Skip,
    attempts = 0,
    max_poll_records = 0
)]
async fn on_returns(order: Order) {
    let _ = order;
}

#[consumes(app = Broken, topic = "payments")]
async fn on_payments(order: Order, ack: Ack) {
    let _ = (order, ack.ack());
}

#[consumes(
    app = Broken,
    topic = "invoices",
    group_protocol = "consumer",
    heartbeat_interval_ms = 500,
    enable_auto_commit = false
)]
async fn on_invoices(order: Order) {
    let _ = order;
}

struct Unfit;

#[consumes(
    app = Unfit,
    topic = "orders",
    config = { "enable.auto.offset.store": true, "fetch.min.bytes": 5, "bootstrap.servers": "x" }
)]
async fn on_unfit_orders(order: Order) {
    let _ = order;
}

#[consumes(app = Unfit, topic = "refunds", group_id = "refunds", fetch_min_bytes = 0)]
async fn on_unfit_refunds(order: Order) {
    let _ = order;
}

#[consumes(app = Unfit, topic = "bills", group_id = "bills", config = { "fetch.mni.bytes": 5 })]
async fn on_unfit_bills(order: Order) {
    let _ = order;
}

#[consumes(app = Unfit, topic = "notes", group_id = "bills", config = { "fetch.mni.bytes": 6 })]
async fn on_unfit_notes(order: Order) {
    let _ = order;
}

#[produces(app = Unfit, topic = "invoices", acks = 1, enable_idempotence = true)]
async fn to_unfit_invoices(order: Order) -> Result<Order, fastkafka::ProduceError> {
    Ok(order)
}

#[produces(app = Unfit, topic = "receipts", config = { "delivery.report.only.error": true })]
async fn to_unfit_receipts(order: Order) -> Result<Order, fastkafka::ProduceError> {
    Ok(order)
}

struct Nothing;

pub(super) struct Sound;

#[consumes(app = Sound, topic = "orders", dead_letter = "orders.dead")]
async fn on_sound_orders(order: Order) {
    let _ = order;
}

#[produces(app = Sound, topic = "invoices")]
async fn to_invoices(order: Order) -> Result<Order, fastkafka::ProduceError> {
    Ok(order)
}

/// Compares with `tests/start/NAME.txt`. Lines and columns may move: they are cut.
fn golden(name: &str, text: &str) {
    let mut cut = String::new();
    for line in text.lines() {
        let mut rest = line;
        while let Some(at) = rest.find(".rs:") {
            let (head, tail) = rest.split_at(at + 4);
            cut.push_str(head);
            cut.push_str("..");
            rest = tail.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
        }
        cut.push_str(rest);
        cut.push('\n');
    }
    let path = format!("{}/tests/start/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("GOLDEN").is_some() {
        std::fs::write(&path, &cut).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(cut, expected, "differs from {path}");
}

#[tokio::test]
async fn all_offline_problems_come_at_once() {
    let app = App::scoped::<Broken>().title("Broken").build();
    let error = app.start().await.unwrap_err();
    assert!(matches!(error, RunError::Start(_)));
    assert!(!app.is_started());
    golden("offline", &error.to_string());
}

#[test]
fn settings_that_the_client_would_refuse_are_named_without_a_broker() {
    let app = App::scoped::<Unfit>().build();
    golden("client_settings", &app.check().unwrap_err().to_string());
}

#[tokio::test]
async fn an_app_without_functions_does_not_start() {
    let error = App::scoped::<Nothing>().build().start().await.unwrap_err();
    golden("empty", &error.to_string());
}

#[test]
fn an_unknown_broker_is_answered_with_those_there_are() {
    let app = App::scoped::<Sound>()
        .broker("localhost", Broker::new("localhost:9092"))
        .broker("production", Broker::new("kafka-1:9092"))
        .build();
    let error = app.set_kafka_broker("staging").unwrap_err();
    golden("unknown_broker", &error.to_string());
}

#[tokio::test]
async fn an_unknown_default_broker_is_a_problem_of_the_check() {
    let app = App::scoped::<Sound>().default_broker("staging").build();
    golden(
        "unknown_default_broker",
        &app.check().unwrap_err().to_string(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_missing_topics_are_named() {
    let broker = App::scoped::<Sound>().build();
    // Its topics are made on its own broker; another app's are not there.
    broker.start().await.unwrap();
    struct Other;
    #[consumes(app = Other, topic = "shipments", dead_letter = "shipments.dead")]
    async fn on_shipments(order: Order) {
        let _ = order;
    }
    let app = App::scoped::<Other>()
        .start_timeout(Duration::from_millis(100))
        .build();
    app.set_kafka_broker(&broker.bootstrap().unwrap()).unwrap();
    let error = app.start().await.unwrap_err();
    golden("missing_topics", &error.to_string());
    broker.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_is_named() {
    // Nobody listens on a port that was just given back.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let app = App::scoped::<Sound>()
        .start_timeout(Duration::from_millis(100))
        .build();
    app.set_kafka_broker(&address).unwrap();
    let error = app.start().await.unwrap_err().to_string();
    assert!(
        error.contains(&format!("no broker answers at {address} within 100ms")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_start_hook_names_itself() {
    let app = App::scoped::<Sound>()
        .on_start(|_| async { Err("the pool is empty") })
        .build();
    let error = app.run().await.unwrap_err();
    assert!(matches!(error, RunError::Start(_)));
    golden("start_hook", &error.to_string());
}

#[tokio::test]
async fn a_stop_hook_that_takes_its_time_does_not_hide_why_the_start_failed() {
    let app = App::scoped::<Sound>()
        .on_stop(|_| async {
            // Long enough for `run` to hear of a stop.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            Ok::<_, String>(())
        })
        .on_start(|_| async { Err("the pool is empty") })
        .build();
    golden("start_hook", &app.run().await.unwrap_err().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_starts_once() {
    let app = App::scoped::<Sound>().build();
    app.start().await.unwrap();
    assert!(app.is_started());
    golden("twice", &app.start().await.unwrap_err().to_string());
    app.stop().await.unwrap();
    assert!(!app.is_started());
}

#[tokio::test]
async fn who_waits_for_the_start_of_an_app_that_cannot_start_waits_no_more() {
    let app = App::scoped::<Nothing>().build();
    let (ran, (), ()) = tokio::join!(app.run(), app.started(), app.stopping());
    ran.unwrap_err();
    assert!(!app.is_started());
}
