//! Each setting and each default has its property.

use super::*;
use std::collections::BTreeSet;

fn names(keys: &[(&'static str, &'static str)]) -> BTreeSet<&'static str> {
    keys.iter().map(|(key, _)| *key).collect()
}

/// What the engine and the runtime do is tested where it is done: `handler.rs`, `runtime.rs`, `plan.rs`.
const NOT_OF_THE_CLIENT: [&str; 18] = [
    "attempts",
    "auto_offset_reset",
    "backoff",
    "backoff_max",
    "brokers",
    "concurrency",
    "dead_letter",
    "enable_auto_commit",
    "exclude_internal_topics",
    "executor",
    "handler_timeout",
    "max_poll_records",
    "max_uncommitted",
    "on_failure",
    "on_truncation",
    "order",
    "rebalance_timeout_ms",
    "stall_after",
];

#[test]
fn every_consumer_setting_reaches_its_property() {
    let settings = full_consumer();
    let config = of_consumer(&settings);
    let shown = settings.shown();
    assert_eq!(
        shown.len(),
        ConsumerSettings::KEYS.len(),
        "a value for every key"
    );
    let mut properties: BTreeSet<_> = NOT_OF_THE_CLIENT.into_iter().collect();
    for (key, value) in shown {
        if let Some(property) = Of::Consumer.property(key) {
            check(&config, property, &value);
            properties.insert(key);
        }
    }
    check(&config, "group.id", "group");
    check(&config, "fetch.error.backoff.ms", "77");
    properties.extend(["group_id", "config"]);
    properties.extend(connection(&config));
    assert_eq!(properties, names(ConsumerSettings::KEYS));
}

/// The keys of a connection: most are asked here, the others below.
fn connection(config: &ClientConfig) -> impl Iterator<Item = &'static str> {
    check(config, "bootstrap.servers", "localhost:7");
    check(config, "security.protocol", "sasl_plaintext");
    check(config, "sasl.mechanism", "PLAIN");
    check(config, "sasl.username", "seven");
    check(config, "sasl.password", "s3cret");
    Connection::KEYS.iter().map(|(key, _)| *key)
}

#[test]
fn every_producer_setting_reaches_its_property() {
    let settings = full_producer();
    let config = of_producer(&settings);
    let shown = settings.shown();
    assert_eq!(
        shown.len(),
        ProducerSettings::KEYS.len(),
        "a value for every key"
    );
    let mut properties = BTreeSet::new();
    for (key, value) in shown {
        if let Some(property) = Of::Producer.property(key) {
            assert_eq!(config.get(property), Some(&*value), "{property}");
            properties.insert(key);
        }
    }
    // librdkafka answers with other words for some.
    let same = |property: &str| native(&config, property) == config.get(property).unwrap();
    assert!(same("linger.ms") && same("message.max.bytes") && same("batch.size"));
    check(&config, "batch.num.messages", "77");
    properties.extend(["brokers", "config"]);
    properties.extend(connection(&config));
    assert_eq!(properties, names(ProducerSettings::KEYS));
}

/// The defaults that the guide and `check --explain` show are those that the client has.
#[test]
fn a_default_is_what_it_says() {
    let configs = [
        (
            Of::Consumer,
            of_consumer(&ConsumerSettings::default()),
            ConsumerSettings::KEYS,
        ),
        (
            Of::Producer,
            of_producer(&ProducerSettings::default()),
            ProducerSettings::KEYS,
        ),
    ];
    for (of, config, keys) in configs {
        for (key, default) in keys {
            // A name, or nothing.
            if matches!(*key, "client_id" | "group_instance_id") {
                continue;
            }
            let Some(property) = of.property(key) else {
                continue;
            };
            let native = match native(&config, property) {
                linger if property == "linger.ms" => linger.trim_end_matches(".0").to_owned(),
                all if property == "acks" && all == "-1" => "all".to_owned(),
                value => value,
            };
            assert_eq!(native, *default, "{key}");
        }
    }
}
