//! The entries that the attributes put into the registry.
#![allow(
    clippy::unwrap_used,
    reason = "a handler of a test fails like the test"
)]

use fastkafka::*;
use fastkafka_macros::{consumes, produces};
use std::any::TypeId;
use std::time::{Duration, SystemTime};

/// A payload.
#[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

/// An app.
#[derive(Debug)]
pub struct Everything;
/// Another one.
#[derive(Debug)]
pub struct Billing;

/// Books an order.
///
///     indented
#[consumes(app = Everything)]
pub async fn on_orders(_order: Order) {}

#[consumes(app = Everything, topic = "a.b-c_d", description = "Said.", blocking)]
/// Not said.
fn private(_order: Order) {}

#[consumes(app = Everything, prefix = "handle_")]
pub(crate) fn handle_invoices(_order: Order) {}

mod nested {
    use super::*;

    #[produces(app = Everything)]
    pub(super) async fn to_receipts(id: u64) -> Result<Order, ProduceError> {
        Ok(Order { id })
    }

    #[cfg(any())]
    #[consumes(app = Everything)]
    fn on_missing(_order: DoesNotExist) {}

    #[consumes(app = Everything)]
    #[cfg(any())]
    fn on_missing_as_well(_order: DoesNotExist) {}
}

fn outer() {
    #[consumes(app = Everything)]
    async fn on_inner(_order: Order) {}
}

macro_rules! handler {
    ($name:ident, $topic:expr, $attempts:expr, $payload:ty) => {
        #[consumes(app = Everything, topic = $topic, attempts = $attempts)]
        async fn $name(_order: $payload, meta: EventMetadata) -> Result<(), String> {
            let _ = meta;
            Ok(())
        }
    };
}
handler!(by_macro, "made", 3, Order);

macro_rules! producer {
    ($name:ident) => {
        #[produces(app = Everything)]
        pub(crate) fn $name(id: u64, (a, _): (u64, u64)) -> Result<Order, ProduceError> {
            let returned = id + a;
            Ok(Order { id: returned })
        }
    };
}
producer!(to_made);
const _: fn(u64, (u64, u64)) -> Result<Order, ProduceError> = to_made;

#[consumes(app = Billing)]
fn on_bills(_order: Order) {}

fn registry<S: 'static>() -> Registry {
    Registry::linked(TypeId::of::<S>())
}

#[test]
fn an_app_has_its_own_functions_in_order() {
    outer();
    let names: Vec<_> = registry::<Everything>()
        .defs()
        .iter()
        .map(Def::name)
        .collect();
    let expected = [
        "by_macro",
        "handle_invoices",
        "on_inner",
        "on_orders",
        "private",
        "to_made",
        "to_receipts",
    ];
    assert_eq!(names, expected);
    assert_eq!(registry::<Billing>().defs().len(), 1);
}

#[test]
fn an_explicit_list_has_what_is_in_it() {
    let registry = Registry::new([nested::to_receipts::ENTRY, on_orders::ENTRY]);
    let names: Vec<_> = registry.defs().iter().map(Def::name).collect();
    assert_eq!(names, ["on_orders", "to_receipts"]);
}

#[test]
fn a_topic_is_named_or_found_in_the_name() {
    let topic = |name| {
        let registry = registry::<Everything>();
        let found = registry.consumers().find(|def| def.name == name);
        found.unwrap().topic
    };
    assert_eq!(topic("on_orders"), "orders");
    assert_eq!(topic("handle_invoices"), "invoices");
    assert_eq!(topic("private"), "a.b-c_d");
    assert_eq!(topic("by_macro"), "made");
    assert_eq!(nested::to_receipts::DEF.topic, "receipts");
}

#[consumes(app = Several, topics = ["a", "b"], group_id = None)]
fn reads_two(_order: Order) {}

#[consumes(app = Several, pattern = "^eu\\..*", group_id = String::from("eu"))]
fn reads_by_pattern(_order: Order) {}

/// An app.
#[derive(Debug)]
pub struct Several;

#[test]
fn topics_are_a_list_or_a_pattern() {
    let def = reads_two::DEF;
    assert_eq!(
        (def.topic, def.topics, def.pattern),
        ("a", &["a", "b"][..], None)
    );
    assert!(def.takes("b") && !def.takes("c"));
    assert_eq!((def.settings)().group_id, Some(GroupId::None));
    let def = reads_by_pattern::DEF;
    assert_eq!((def.topics, def.pattern), (&[][..], Some("^eu\\..*")));
    assert!(def.subscription().eq(["^eu\\..*"]));
    assert_eq!((def.settings)().group_id, Some("eu".into()));
    assert_eq!(on_orders::DEF.topics, ["orders"]);
}

#[test]
fn a_description_is_written_or_the_doc_comment() {
    assert_eq!(
        on_orders::DEF.description,
        "Books an order.\n\n    indented"
    );
    assert_eq!(private::DEF.description, "Said.");
    assert_eq!(handle_invoices::DEF.description, "");
}

#[test]
fn a_definition_knows_its_place() {
    let Location { file, line, column } = on_orders::DEF.location;
    assert!(file.ends_with("tests/suite/registry.rs"));
    let written = include_str!("registry.rs")
        .lines()
        .nth(line as usize - 1)
        .unwrap();
    assert_eq!(&written[column as usize - 1..][..9], "on_orders");
    assert_eq!(
        nested::to_receipts::DEF.path(),
        "suite::registry::nested::to_receipts"
    );
}

#[test]
fn flags_and_forms_are_kept() {
    let blocking = [private::DEF.blocking, handle_invoices::DEF.blocking];
    assert_eq!(blocking, [true, false]);
    assert_eq!(on_orders::DEF.content_type, "application/json");
}

#[test]
fn a_schema_is_that_of_the_payload() {
    let mut generator = schemars::SchemaGenerator::default();
    let consumed = (on_orders::DEF.schema)(&mut generator);
    let produced = (nested::to_receipts::DEF.schema)(&mut generator);
    assert_eq!(consumed, produced);
    assert!(generator.definitions().contains_key("Order"));
}

fn region() -> String {
    "eu".into()
}

const THEN: SystemTime = SystemTime::UNIX_EPOCH;

#[consumes(
    group_id = format!("billing-{}", region()),
    auto_offset_reset = OffsetReset::Timestamp(THEN),
    enable_auto_commit = true,
    auto_commit_interval_ms = 1,
    session_timeout_ms = 2 * 1000,
    heartbeat_interval_ms = 3,
    max_poll_interval_ms = 4,
    order = "unordered",
    concurrency = 11,
    executor = "dynamic",
    rebalance_timeout_ms = 6,
    partition_assignment_strategy = "range",
    group_protocol = "classic",
    attempts = "forever",
    backoff = Duration::from_millis(7),
    backoff_max = Duration::from_secs(8),
    handler_timeout = Duration::from_secs(9),
    stall_after = Duration::from_secs(90),
    on_failure = "skip",
    on_truncation = "reset",
    dead_letter = "orders.dead",
    max_uncommitted = 10,
    client_id = "eleven",
    request_timeout_ms = 12,
    retry_backoff_ms = 13,
    connections_max_idle_ms = 14,
    metadata_max_age_ms = 15,
    fetch_max_wait_ms = 16,
    fetch_min_bytes = 17,
    fetch_max_bytes = 18,
    max_partition_fetch_bytes = 19,
    check_crcs = true,
    exclude_internal_topics = false,
    isolation_level = "read_uncommitted",
    group_instance_id = region(),
    config = { "fetch.error.backoff.ms": 20, "debug": region() },
    brokers = other,
    bootstrap_servers = "kafka:9092",
    security_protocol = "SASL_SSL",
    ssl_context = Tls::default().ca("/ca.pem"),
    sasl_mechanism = "SCRAM-SHA-256",
    sasl_plain_username = "me",
    sasl_plain_password = format!("s3{}", "cret"),
    sasl_kerberos_service_name = "kafka2",
    sasl_oauth_token_provider = token,
)]
async fn on_settings(_order: Order) {}

/// The settings are taken as they are: which of them exclude each other is found in the plan.
fn other() -> Brokers {
    Brokers::new("other").broker("localhost", Broker::new("localhost:9"))
}

async fn token() -> Result<OauthToken, String> {
    Err("none".into())
}

fn last(_key: Option<&[u8]>, partitions: i32) -> i32 {
    partitions - 1
}

#[produces(
    linger_ms = 1,
    delivery_timeout_ms = 2,
    max_request_size = 3,
    client_id = "four",
    request_timeout_ms = 5,
    retry_backoff_ms = 6,
    connections_max_idle_ms = 7,
    metadata_max_age_ms = 8,
    acks = 1,
    enable_idempotence = false,
    compression_type = "zstd",
    max_batch_size = 9,
    partitioner = last,
    config = {},
    brokers = other(),
    bootstrap_servers = "kafka:9092",
    security_protocol = "SASL_SSL",
    ssl_context = Tls::default().ca("/ca.pem"),
    sasl_mechanism = "SCRAM-SHA-256",
    sasl_plain_username = "me",
    sasl_plain_password = format!("s3{}", "cret"),
    sasl_kerberos_service_name = "kafka2",
    sasl_oauth_token_provider = token,
)]
async fn to_settings() -> Result<Order, ProduceError> {
    Ok(Order { id: 1 })
}

#[test]
fn every_setting_arrives() {
    let shown = |shown: Vec<(&'static str, String)>| {
        let lines = shown.iter().map(|(key, value)| format!("{key} = {value}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let consumer = (on_settings::DEF.settings)();
    assert_eq!(
        shown(consumer.shown()),
        "group_id = billing-eu\n\
         auto_offset_reset = 0\n\
         enable_auto_commit = true\n\
         auto_commit_interval_ms = 1\n\
         session_timeout_ms = 2000\n\
         heartbeat_interval_ms = 3\n\
         max_poll_interval_ms = 4\n\
         order = unordered\n\
         concurrency = 11\n\
         executor = dynamic\n\
         rebalance_timeout_ms = 6\n\
         partition_assignment_strategy = range\n\
         group_protocol = classic\n\
         attempts = forever\n\
         backoff = 7ms\n\
         backoff_max = 8s\n\
         handler_timeout = 9s\n\
         stall_after = 1m 30s\n\
         on_failure = skip\n\
         on_truncation = reset\n\
         dead_letter = orders.dead\n\
         max_uncommitted = 10\n\
         client_id = eleven\n\
         request_timeout_ms = 12\n\
         retry_backoff_ms = 13\n\
         connections_max_idle_ms = 14\n\
         metadata_max_age_ms = 15\n\
         fetch_max_wait_ms = 16\n\
         fetch_min_bytes = 17\n\
         fetch_max_bytes = 18\n\
         max_partition_fetch_bytes = 19\n\
         check_crcs = true\n\
         isolation_level = read_uncommitted\n\
         group_instance_id = eu\n\
         exclude_internal_topics = false\n\
         config = debug=eu,fetch.error.backoff.ms=20\n\
         brokers = other (localhost=localhost:9)\n\
         bootstrap_servers = kafka:9092\n\
         security_protocol = sasl_ssl\n\
         ssl_context = ca=/ca.pem,verify=true\n\
         sasl_mechanism = SCRAM-SHA-256\n\
         sasl_plain_username = me\n\
         sasl_plain_password = ***\n\
         sasl_kerberos_service_name = kafka2\n\
         sasl_oauth_token_provider = a function"
    );
    // Only for batches here: there are no runs without order.
    assert_eq!(consumer.max_poll_records, None);
    assert_eq!(consumer.shown().len(), ConsumerSettings::KEYS.len() - 1);
    let producer = (to_settings::DEF.settings)();
    assert_eq!(
        shown(producer.shown()),
        "linger_ms = 1\n\
         delivery_timeout_ms = 2\n\
         max_request_size = 3\n\
         client_id = four\n\
         request_timeout_ms = 5\n\
         retry_backoff_ms = 6\n\
         connections_max_idle_ms = 7\n\
         metadata_max_age_ms = 8\n\
         acks = 1\n\
         enable_idempotence = false\n\
         compression_type = zstd\n\
         max_batch_size = 9\n\
         partitioner = a function\n\
         config = \n\
         brokers = other (localhost=localhost:9)\n\
         bootstrap_servers = kafka:9092\n\
         security_protocol = sasl_ssl\n\
         ssl_context = ca=/ca.pem,verify=true\n\
         sasl_mechanism = SCRAM-SHA-256\n\
         sasl_plain_username = me\n\
         sasl_plain_password = ***\n\
         sasl_kerberos_service_name = kafka2\n\
         sasl_oauth_token_provider = a function"
    );
    assert_eq!(producer.shown().len(), ProducerSettings::KEYS.len());
    assert!(!format!("{consumer:?} {producer:?}").contains("s3cret"));
    let password = producer.sasl_plain_password.as_ref().unwrap();
    assert_eq!(password.expose(), "s3cret");
    assert_eq!(producer.partitioner, Some(Partitioner::Function(last)));
}

#[test]
fn what_is_not_set_is_none() {
    assert_eq!((on_orders::DEF.settings)(), ConsumerSettings::default());
    assert_eq!(
        (by_macro::DEF.settings)().attempts,
        Some(Attempts::Times(3))
    );
}
