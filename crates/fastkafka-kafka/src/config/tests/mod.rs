//! Settings as librdkafka sees them.

mod every_setting;
mod login;
mod thrown;

use super::*;
use fastkafka_core::{
    Brokers, CompressionType, Executor, IsolationLevel, OauthToken, OffsetReset, OnFailure,
    OnTruncation, Order, Partitioner, SaslMechanism, SecurityProtocol, Text, Tls, Tokens,
};
use std::time::Duration;

fn base(own: Connection) -> ClientConfig {
    let base = Connection::default().bootstrap_servers("localhost:1");
    client(&own.over(&base), "app")
}

fn of_consumer(settings: &ConsumerSettings) -> ClientConfig {
    consumer(
        base(without_login(settings.connection())),
        "group",
        settings,
    )
}

fn of_producer(settings: &ProducerSettings) -> ClientConfig {
    producer(base(without_login(settings.connection())), settings)
}

/// Also asks librdkafka whether it knows the property and takes the value.
fn check(config: &ClientConfig, property: &str, value: &str) {
    assert_eq!(config.get(property), Some(value), "{property}");
    assert_eq!(native(config, property), value, "{property}");
}

/// What librdkafka has, its own defaults included.
fn native(config: &ClientConfig, property: &str) -> String {
    let native = config.create_native_config();
    let native = native.unwrap_or_else(|e| panic!("{property}: {e}"));
    // Of a topic.
    let value = native.get(property);
    value.unwrap_or_else(|e| panic!("{property}: {e}"))
}

async fn no_token() -> Result<OauthToken, String> {
    Err("none".into())
}

/// What needs OpenSSL or Kerberos, and what is whole only together.
fn without_login(mut connection: Connection) -> Connection {
    connection.ssl_context = None;
    connection.sasl_kerberos_service_name = None;
    connection.sasl_oauth_token_provider = None;
    connection
}

/// A value for every key.
fn full_consumer() -> ConsumerSettings {
    ConsumerSettings::default()
        .group_id("billing")
        .auto_offset_reset(OffsetReset::Earliest)
        .enable_auto_commit(true)
        .auto_commit_interval_ms(700u64)
        .session_timeout_ms(7_000u64)
        .heartbeat_interval_ms(701u64)
        .max_poll_interval_ms(70_000u64)
        .order(Order::Key)
        .concurrency(7u32)
        .executor(Executor::Dynamic)
        .max_poll_records(70u32)
        .rebalance_timeout_ms(702u64)
        .partition_assignment_strategy("range")
        .group_protocol(GroupProtocol::Classic)
        .attempts(7u32)
        .backoff(Duration::from_millis(7))
        .backoff_max(Duration::from_secs(7))
        .handler_timeout(Duration::from_secs(7))
        .stall_after(Duration::from_secs(70))
        .on_failure(OnFailure::Skip)
        .on_truncation(OnTruncation::Reset)
        .dead_letter("dead")
        .max_uncommitted(700u32)
        .client_id("seven")
        .request_timeout_ms(7_001u64)
        .retry_backoff_ms(7_002u64)
        .connections_max_idle_ms(70_003u64)
        .metadata_max_age_ms(7_004u64)
        .fetch_max_wait_ms(705u64)
        .fetch_min_bytes(706u32)
        .fetch_max_bytes(70_007u32)
        .max_partition_fetch_bytes(7_008u32)
        .check_crcs(true)
        .exclude_internal_topics(true)
        .isolation_level(IsolationLevel::ReadUncommitted)
        .group_instance_id("seventh")
        .config(Properties::new().set("fetch.error.backoff.ms", 77))
        .brokers(Brokers::new("seven"))
        .bootstrap_servers("localhost:7")
        .security_protocol(SecurityProtocol::SaslPlaintext)
        .sasl_mechanism(SaslMechanism::Plain)
        .sasl_plain_username("seven")
        .sasl_plain_password("s3cret")
        .ssl_context(Tls::default().ca("/ca.pem"))
        .sasl_kerberos_service_name("kafka7")
        .sasl_oauth_token_provider(Tokens::new(no_token))
}

fn full_producer() -> ProducerSettings {
    ProducerSettings::default()
        .linger_ms(7u64)
        .delivery_timeout_ms(7_000u64)
        .max_request_size(7_000_000u32)
        .client_id("seven")
        .request_timeout_ms(701u64)
        .retry_backoff_ms(702u64)
        .connections_max_idle_ms(70_003u64)
        .metadata_max_age_ms(7_004u64)
        .acks(Acks::All)
        .enable_idempotence(false)
        .compression_type(CompressionType::Zstd)
        .max_batch_size(7_005u32)
        .partitioner(Partitioner::Fnv1a)
        .config(Properties::new().set("batch.num.messages", 77))
        .brokers(Brokers::new("seven"))
        .bootstrap_servers("localhost:7")
        .security_protocol(SecurityProtocol::SaslPlaintext)
        .sasl_mechanism(SaslMechanism::Plain)
        .sasl_plain_username("seven")
        .sasl_plain_password("s3cret")
        .ssl_context(Tls::default().ca("/ca.pem"))
        .sasl_kerberos_service_name("kafka7")
        .sasl_oauth_token_provider(Tokens::new(no_token))
}

#[test]
fn what_delivery_depends_on_is_fixed() {
    let config = of_consumer(&ConsumerSettings::default());
    for (property, value) in [
        ("enable.auto.commit", "true"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "error"),
        ("enable.partition.eof", "false"),
    ] {
        assert_eq!(config.get(property), Some(value));
        assert!(Of::Consumer.refusal(property).is_some(), "{property}");
    }
    let config = of_producer(&ProducerSettings::default());
    assert_eq!(config.get("enable.idempotence"), Some("true"));
    assert_eq!(config.get("partitioner"), Some("murmur2_random"));
}

/// librdkafka would refuse the rest of a call of many records at 1 GiB, and that is repeated as a whole.
#[test]
fn nothing_but_our_own_bound_refuses_a_record_of_a_call() {
    let config = of_producer(&ProducerSettings::default());
    for bound in ["queue.buffering.max.messages", "queue.buffering.max.kbytes"] {
        assert!(Of::Producer.refusal(bound).is_some(), "{bound}");
    }
    assert_eq!(config.get("queue.buffering.max.messages"), Some("0"));
    assert_eq!(config.get("queue.buffering.max.kbytes"), Some("2147483647"));
    assert!(config.create_native_config().is_ok());
}

#[test]
fn a_property_with_a_key_names_the_key() {
    let why = |of: Of, property| of.refusal(property).unwrap();
    assert_eq!(
        why(Of::Consumer, "fetch.min.bytes"),
        "write `fetch_min_bytes = ..`"
    );
    assert_eq!(
        why(Of::Producer, "message.timeout.ms"),
        "write `delivery_timeout_ms = ..`"
    );
    assert_eq!(
        why(Of::Consumer, "enable.auto.offset.store"),
        "delivery depends on it"
    );
    assert_eq!(Of::Consumer.refusal("fetch.error.backoff.ms"), None);
}

#[test]
fn the_broker_decides_about_sessions_of_a_consumer_protocol_group() {
    let settings = ConsumerSettings::default().group_protocol(GroupProtocol::Consumer);
    let config = of_consumer(&settings);
    for property in [
        "session.timeout.ms",
        "heartbeat.interval.ms",
        "partition.assignment.strategy",
    ] {
        assert_eq!(config.get(property), None);
    }
    check(&config, "group.protocol", "consumer");
}

/// What librdkafka checks only when it makes a client.
#[test]
fn settings_at_the_edge_make_a_client() {
    let consumers = [
        ConsumerSettings::default().max_poll_interval_ms(6_000u64),
        ConsumerSettings::default().fetch_max_bytes(1_000u32),
        ConsumerSettings::default().retry_backoff_ms(5_000u64),
        ConsumerSettings::default().metadata_max_age_ms(3_600_000u64),
        ConsumerSettings::default().group_protocol(GroupProtocol::Consumer),
        full_consumer(),
    ];
    for settings in consumers {
        let made = of_consumer(&settings).create::<rdkafka::consumer::BaseConsumer>();
        made.unwrap_or_else(|e| panic!("{settings:?}: {e}"));
    }
    let producers = [
        ProducerSettings::default().acks(Acks::Leader),
        ProducerSettings::default().acks(Acks::None),
        ProducerSettings::default().retry_backoff_ms(5_000u64),
        ProducerSettings::default().delivery_timeout_ms(10u64),
        ProducerSettings::default().partitioner(Partitioner::Function(|_, _| 0)),
        full_producer(),
    ];
    for settings in producers {
        let made = of_producer(&settings).create::<rdkafka::producer::BaseProducer>();
        made.unwrap_or_else(|e| panic!("{settings:?}: {e}"));
    }
}

#[test]
fn fewer_acks_turn_idempotence_off_and_keep_the_order() {
    for (acks, text) in [(Acks::Leader, "1"), (Acks::None, "0")] {
        let config = of_producer(&ProducerSettings::default().acks(acks));
        check(&config, "enable.idempotence", "false");
        check(&config, "max.in.flight.requests.per.connection", "1");
        assert_eq!(config.get("acks"), Some(text));
    }
}

#[test]
fn a_pattern_leaves_out_dead_letters_and_what_kafka_keeps_for_itself() {
    let left_out = |settings: &ConsumerSettings, topics: &[String]| {
        let mut config = of_consumer(settings);
        by_pattern(&mut config, settings, topics);
        config.create_native_config().unwrap();
        config.get("topic.blacklist").map(str::to_owned)
    };
    let settings = ConsumerSettings::default();
    let dead = ["a.dead".to_owned()];
    assert_eq!(
        left_out(&settings, &dead).as_deref(),
        Some("^__,^a\\.dead$")
    );
    let all = ConsumerSettings::default().exclude_internal_topics(false);
    assert_eq!(left_out(&all, &[]), None);
}

#[test]
fn a_consumer_without_a_group_has_a_name_of_its_own_and_commits_nothing() {
    let make = || {
        let mut config = of_consumer(&ConsumerSettings::default());
        standalone(&mut config);
        config
    };
    check(&make(), "enable.auto.commit", "false");
    assert_ne!(make().get("group.id"), make().get("group.id"));
}

#[test]
fn workers_are_static_members_of_their_own() {
    let settings = ConsumerSettings::default().group_instance_id("blue");
    let name = |worker| {
        let mut config = of_consumer(&settings);
        of_worker(&mut config, worker);
        config.get("group.instance.id").map(str::to_owned)
    };
    assert_eq!(name(0).as_deref(), Some("blue"));
    assert_eq!(name(2).as_deref(), Some("blue-2"));
}

/// A text that can be nowhere else.
#[test]
fn a_client_has_a_name_of_its_own() {
    let named: Text = "payments".into();
    let config = of_consumer(&ConsumerSettings::default().client_id(named));
    check(&config, "client.id", "payments");
    check(
        &of_consumer(&ConsumerSettings::default()),
        "client.id",
        "app",
    );
}

#[test]
fn on_the_embedded_broker_a_session_of_the_users_own_stays() {
    let own = ConsumerSettings::default()
        .session_timeout_ms(9_000u64)
        .heartbeat_interval_ms(700u64);
    for (settings, session, heartbeat) in [
        (own, "9000", "700"),
        (ConsumerSettings::default(), "2000", "300"),
    ] {
        let mut config = of_consumer(&settings);
        embedded(&mut config, &settings);
        assert_eq!(config.get("session.timeout.ms"), Some(session));
        assert_eq!(config.get("heartbeat.interval.ms"), Some(heartbeat));
    }
}
