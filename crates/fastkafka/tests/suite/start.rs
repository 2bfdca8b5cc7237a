//! What an app says when it cannot start: every problem at once, in golden texts.
//! `GOLDEN=overwrite` renews them.

use fastkafka::cluster::{SaslMechanism, SecurityProtocol, Tls};
use fastkafka::error::RunError;
use fastkafka::settings::{ConsumerSettings, OnFailure, ProducerSettings};
use fastkafka::{Ack, App, Broker, State, Topic, consumes, produces};
use fastkafka_core::Connection;
use std::num::NonZeroUsize;
use std::time::Duration;

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Order {
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

struct Sound;

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

struct Secure;

#[consumes(app = Secure, topic = "orders", group_id = "a", dead_letter = "orders.dead")]
async fn on_secure_orders(order: Order) {
    let _ = order;
}

#[consumes(app = Secure, topic = "refunds", group_id = "b")]
async fn on_secure_refunds(order: Order) {
    let _ = order;
}

#[produces(app = Secure, topic = "invoices")]
async fn to_secure_invoices(order: Order) -> Result<Order, fastkafka::ProduceError> {
    Ok(order)
}

/// The problems of an app, without their heading.
fn problems(app: &App) -> Vec<String> {
    let Err(problems) = app.check() else {
        return Vec::new();
    };
    problems.0.iter().map(ToString::to_string).collect()
}

fn secure(connection: impl FnOnce(Connection) -> Connection) -> App {
    let broker = Broker::new("kafka:9093").connection(connection);
    App::scoped::<Secure>()
        .title("Secure")
        .broker("production", broker)
        .build()
}

/// Also in a build without TLS: what is wrong with a broker is told of the broker, and of nothing else.
#[test]
fn a_broker_that_cannot_be_reached_this_way_is_one_problem() {
    let scram = |connection: Connection| {
        connection
            .security_protocol(SecurityProtocol::SaslSsl)
            .sasl_mechanism(SaslMechanism::ScramSha512)
            .sasl_plain_username("me")
            .sasl_plain_password("hush")
            .ssl_context(Tls::default().ca("/nowhere/ca.pem"))
    };
    let told = problems(&secure(scram));
    assert!(!told.is_empty());
    for problem in &told {
        assert!(
            problem.starts_with("the broker at kafka:9093 has "),
            "{told:#?}"
        );
        assert!(!problem.contains("`config`"), "{told:#?}");
    }
    // Of a build with TLS it is the file, of one without it are protocol and mechanism.
    assert!(told.len() <= 2, "{told:#?}");
}

#[test]
fn a_broker_whose_address_is_none_is_a_problem_of_the_check_and_tells_no_secret() {
    for (address, why) in [
        ("", "has an empty `bootstrap_servers`"),
        ("x:y", "whose port is no number"),
        (":9092", "without a host"),
        ("h:99999", "whose port is no number"),
        ("127.0.0.1:1:1", "is not `host:port`"),
        ("kafka://user:hush@h", "with a login in it"),
        ("h\0:1", "with the character '\\0'"),
    ] {
        let app = App::scoped::<Secure>()
            .broker("production", Broker::new(address))
            .build();
        let told = problems(&app);
        assert!(
            told.len() == 1 && told[0].contains(why),
            "{address}: {told:#?}"
        );
        assert!(!format!("{told:?} {app:?}").contains("hush"));
        if address.contains(':') {
            let app = App::scoped::<Secure>().build();
            let told = match app.set_kafka_broker(address) {
                Ok(()) => problems(&app).join("\n"),
                Err(unknown) => unknown.to_string(),
            };
            assert!(told.contains(why) && !told.contains("hush"), "{told}");
        }
    }
}

#[test]
fn what_the_builder_is_given_is_checked_as_what_the_attributes_are() {
    let told = problems(
        &App::scoped::<Sound>()
            .title("!")
            .client_id("a\0b")
            .max_in_flight(0)
            .topic("no topic", Topic::new())
            .topic("none", Topic::new().partitions(0))
            .consumer_defaults(
                ConsumerSettings::default()
                    .auto_commit_interval_ms(0u64)
                    .group_instance_id("")
                    .dead_letter("no topic"),
            )
            .producer_defaults(ProducerSettings::default().linger_ms(1u64 << 33))
            .build(),
    );
    for expected in [
        "has an empty `group_id`",
        "has `client_id` with the character '\\0'",
        "has `max_in_flight = 0`",
        "declares topic `no topic`: it is no topic's name",
        "declares topic `none`: it has no partition",
        "has `auto_commit_interval_ms = 0`; it must be at least 1",
        "has an empty `group_instance_id`",
        "has `dead_letter = `no topic``: it is no topic's name",
        "has `linger_ms = 8589934592`; it must be at most 2147483647",
    ] {
        let told_by = |problem: &&String| problem.contains(expected);
        let found: Vec<_> = told.iter().filter(told_by).collect();
        let [one] = &*found else {
            panic!("{expected} in {told:#?}");
        };
        assert!(one.starts_with("the app's builder "), "{one}");
    }
}

#[test]
fn more_workers_than_make_sense_are_refused() {
    let app = App::scoped::<Sound>().build();
    app.set_workers(NonZeroUsize::new(1_000_000).unwrap());
    let told = problems(&app);
    assert!(
        told.len() == 1 && told[0].contains("`--num-workers`"),
        "{told:#?}"
    );
}

struct Together;

#[consumes(app = Together, topic = "a", session_timeout_ms = 60_000)]
async fn on_together_a(order: Order) {
    let _ = order;
}

#[consumes(app = Together, topic = "b", max_poll_interval_ms = 50_000)]
async fn on_together_b(order: Order) {
    let _ = order;
}

/// The client looks at values together only when it is made.
#[test]
fn handlers_that_only_together_make_no_client_are_a_problem() {
    let told = problems(&App::scoped::<Together>().title("Together").build());
    assert!(
        told.len() == 1 && told[0].contains("and the others of group `together`"),
        "{told:#?}"
    );
}

struct Patterned;

#[consumes(app = Patterned, pattern = "^orders\\d", group_id = "digits")]
async fn on_digits(order: Order) {
    let _ = order;
}

#[consumes(app = Patterned, pattern = "^dead$", group_id = "dead", dead_letter = "dead")]
async fn on_dead(order: Order) {
    let _ = order;
}

#[consumes(app = Patterned, pattern = "^(a|b)+", group_id = "good", group_protocol = "consumer")]
async fn on_good(order: Order) {
    let _ = order;
}

#[test]
fn a_pattern_that_a_client_cannot_read_is_a_problem_of_the_check() {
    let told = problems(&App::scoped::<Patterned>().title("Patterned").build());
    let [dead, digits] = &*told else {
        panic!("{told:#?}");
    };
    assert!(
        digits.contains("`on_digits`") && digits.contains("is not in POSIX's"),
        "{digits}"
    );
    assert!(
        dead.contains("`on_dead`") && dead.contains("topics that are left out"),
        "{dead}"
    );
}
