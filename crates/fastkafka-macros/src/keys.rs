//! Every key of the attributes: what it assigns, or why it is refused.

/// How the value of a key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Not a setting: read by the attribute itself.
    Own,
    /// Assigned as it is: integers and booleans.
    Plain,
    /// Text: literals, `String`s.
    Text,
    /// A `Duration`.
    Duration,
    /// One of these words, or an expression of the enumeration.
    Words(&'static str, &'static [(&'static str, &'static str)]),
}

/// What the attributes do with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Works(Value),
    /// It will never exist; what to do instead.
    Refused(&'static str),
    /// A later step builds it.
    NotYet,
}

use Key::{NotYet, Refused, Works};
use Value::{Duration, Own, Plain, Text, Words};

const RESET: Value = Words(
    "OffsetReset",
    &[
        ("latest", "Latest"),
        ("earliest", "Earliest"),
        ("none", "None"),
    ],
);
const PROTOCOL: Value = Words(
    "GroupProtocol",
    &[("classic", "Classic"), ("consumer", "Consumer")],
);
const ON_FAILURE: Value = Words(
    "OnFailure",
    &[("stop", "Stop"), ("skip", "Skip"), ("exit", "Exit")],
);
const ATTEMPTS: Value = Words("Attempts", &[("forever", "Forever")]);

const LOOP: Key = Refused("tokio runs the handlers, there is no event loop to pass: remove it");
const API_VERSION: Key = Refused("librdkafka asks the broker for its versions: remove it");

pub(crate) const CONSUMER: &[(&str, Key)] = &[
    ("topic", Works(Own)),
    ("prefix", Works(Own)),
    ("description", Works(Own)),
    ("decoder", Works(Own)),
    ("key_decoder", Works(Own)),
    ("reject_if", Works(Own)),
    ("retry_if", Works(Own)),
    ("blocking", Works(Own)),
    ("batch", Works(Own)),
    ("app", Works(Own)),
    ("crate", Works(Own)),
    ("group_id", Works(Text)),
    ("auto_offset_reset", Works(RESET)),
    ("enable_auto_commit", Works(Plain)),
    ("auto_commit_interval_ms", Works(Plain)),
    ("session_timeout_ms", Works(Plain)),
    ("heartbeat_interval_ms", Works(Plain)),
    ("max_poll_interval_ms", Works(Plain)),
    ("max_poll_records", Works(Plain)),
    ("rebalance_timeout_ms", Works(Plain)),
    ("partition_assignment_strategy", Works(Text)),
    ("group_protocol", Works(PROTOCOL)),
    ("attempts", Works(ATTEMPTS)),
    ("backoff", Works(Duration)),
    ("backoff_max", Works(Duration)),
    ("handler_timeout", Works(Duration)),
    ("on_failure", Works(ON_FAILURE)),
    ("dead_letter", Works(Text)),
    ("max_uncommitted", Works(Plain)),
    ("loop", LOOP),
    ("api_version", API_VERSION),
    (
        "consumer_timeout_ms",
        Refused("the client wakes the app when records come: remove it"),
    ),
    (
        "key_deserializer",
        Refused("take the key as a parameter, `Key<String>`, and give other types a `key_decoder`"),
    ),
    (
        "value_deserializer",
        Refused(
            "the type of the first parameter decides how the payload is read; write `decoder = ..` for another way",
        ),
    ),
    (
        "sasl_kerberos_domain_name",
        Refused("the principal carries the domain: `sasl.kerberos.principal`"),
    ),
    ("executor", NotYet),
    ("concurrency", NotYet),
    ("order", NotYet),
    ("brokers", NotYet),
    ("bootstrap_servers", NotYet),
    ("client_id", NotYet),
    ("fetch_max_wait_ms", NotYet),
    ("fetch_max_bytes", NotYet),
    ("fetch_min_bytes", NotYet),
    ("max_partition_fetch_bytes", NotYet),
    ("request_timeout_ms", NotYet),
    ("retry_backoff_ms", NotYet),
    ("connections_max_idle_ms", NotYet),
    ("check_crcs", NotYet),
    ("metadata_max_age_ms", NotYet),
    ("isolation_level", NotYet),
    ("exclude_internal_topics", NotYet),
    ("topics", NotYet),
    ("pattern", NotYet),
    ("group_instance_id", NotYet),
    ("config", NotYet),
    ("security_protocol", NotYet),
    ("ssl_context", NotYet),
    ("sasl_mechanism", NotYet),
    ("sasl_plain_username", NotYet),
    ("sasl_plain_password", NotYet),
    ("sasl_kerberos_service_name", NotYet),
    ("sasl_oauth_token_provider", NotYet),
];

pub(crate) const PRODUCER: &[(&str, Key)] = &[
    ("topic", Works(Own)),
    ("prefix", Works(Own)),
    ("description", Works(Own)),
    ("encoder", Works(Own)),
    ("key_encoder", Works(Own)),
    ("app", Works(Own)),
    ("crate", Works(Own)),
    ("linger_ms", Works(Plain)),
    ("delivery_timeout_ms", Works(Plain)),
    ("max_request_size", Works(Plain)),
    ("loop", LOOP),
    ("api_version", API_VERSION),
    (
        "send_backoff_ms",
        Refused("an async producer waits until there is room: remove it"),
    ),
    (
        "key_serializer",
        Refused("return a `KafkaEvent` and set its key; give other types a `key_encoder`"),
    ),
    (
        "value_serializer",
        Refused(
            "the returned type decides how the payload is written; write `encoder = ..` for another way",
        ),
    ),
    (
        "sasl_kerberos_domain_name",
        Refused("the principal carries the domain: `sasl.kerberos.principal`"),
    ),
    ("brokers", NotYet),
    ("bootstrap_servers", NotYet),
    ("client_id", NotYet),
    ("metadata_max_age_ms", NotYet),
    ("connections_max_idle_ms", NotYet),
    ("request_timeout_ms", NotYet),
    ("acks", NotYet),
    ("compression_type", NotYet),
    ("max_batch_size", NotYet),
    ("partitioner", NotYet),
    ("retry_backoff_ms", NotYet),
    ("enable_idempotence", NotYet),
    ("transactional_id", NotYet),
    ("transaction_timeout_ms", NotYet),
    ("config", NotYet),
    ("security_protocol", NotYet),
    ("ssl_context", NotYet),
    ("sasl_mechanism", NotYet),
    ("sasl_plain_username", NotYet),
    ("sasl_plain_password", NotYet),
    ("sasl_kerberos_service_name", NotYet),
    ("sasl_oauth_token_provider", NotYet),
];
