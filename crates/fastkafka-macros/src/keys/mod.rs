//! Every key of settings.md, and what the attributes do with it.

/// One of the attributes.
pub(crate) struct Attribute {
    /// As it is written.
    pub(crate) name: &'static str,
    /// The word for its function.
    pub(crate) noun: &'static str,
    /// The prefix that a function's name loses to become the topic.
    pub(crate) prefix: &'static str,
    pub(crate) keys: &'static [(&'static str, Key)],
    /// The other attribute and its keys, to say where a key belongs.
    pub(crate) other: (&'static str, &'static [(&'static str, Key)]),
}

pub(crate) const CONSUMES: Attribute = Attribute {
    name: "consumes",
    noun: "consumer",
    prefix: "on_",
    keys: CONSUMER,
    other: ("produces", PRODUCER),
};

pub(crate) const PRODUCES: Attribute = Attribute {
    name: "produces",
    noun: "producer",
    prefix: "to_",
    keys: PRODUCER,
    other: ("consumes", CONSUMER),
};

pub(crate) const BACKGROUND: Attribute = Attribute {
    name: "run_in_background",
    noun: "background task",
    prefix: "",
    keys: TASK,
    other: ("consumes", CONSUMER),
};

pub(crate) const BENCHMARK: Attribute = Attribute {
    name: "benchmark",
    noun: "measured function",
    prefix: "",
    keys: MEASURE,
    other: ("consumes", CONSUMER),
};

impl Attribute {
    pub(crate) fn is_task(&self) -> bool {
        self.name == BACKGROUND.name
    }

    pub(crate) fn key(&self, name: &str) -> Option<Key> {
        self.keys
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, key)| *key)
    }
}

/// The use of a key in an attribute.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    Works(Form),
    /// It will never exist; what to do instead.
    Refused(&'static str),
    /// A later step builds it; what holds until then, if there is something to say.
    NotYet(&'static str),
}

/// The form of the value behind a key that works.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// An expression that the attribute itself uses; not a setting.
    Own,
    /// Nothing.
    Flag,
    /// The path of a module.
    Module,
    /// A type.
    Type,
    /// A setting as it is: integers and booleans.
    Plain,
    /// A setting that is text: literals, `String`s.
    Text,
    /// The same, and a topic's name.
    Topic,
    /// A setting that is a `Duration`.
    Duration,
    /// A setting that is one of these words, or an expression of the enumeration.
    Words(&'static Words),
    /// One of these words, or the path of a function.
    WordsOrPath(&'static Words),
    /// `{ "property": value, .. }`.
    Properties,
    /// The id of a group, or `None`.
    Group,
    /// A setting that is text and not printed.
    Secret,
    /// A provider of tokens.
    Tokens,
    /// The brokers of a cluster, or a function that returns them.
    Brokers,
}

/// An enumeration and the words for its variants.
pub(crate) struct Words {
    pub(crate) enumeration: &'static str,
    pub(crate) variants: &'static [(&'static str, &'static str)],
    /// The other values, appended to the list of words in a message.
    pub(crate) or: &'static str,
}

use Form::{
    Brokers, Duration, Flag, Group, Module, Own, Plain, Properties, Secret, Text, Tokens, Topic,
    Type,
};
use Key::{NotYet, Refused, Works};

const RESET: Form = Form::Words(&Words {
    enumeration: "OffsetReset",
    variants: &[
        ("latest", "Latest"),
        ("earliest", "Earliest"),
        ("none", "None"),
    ],
    or: " or `OffsetReset::Timestamp(..)`",
});
const PROTOCOL: Form = Form::Words(&Words {
    enumeration: "GroupProtocol",
    variants: &[("classic", "Classic"), ("consumer", "Consumer")],
    or: "",
});
const ON_FAILURE: Form = Form::Words(&Words {
    enumeration: "OnFailure",
    variants: &[("stop", "Stop"), ("skip", "Skip"), ("exit", "Exit")],
    or: "",
});
const ON_TRUNCATION: Form = Form::Words(&Words {
    enumeration: "OnTruncation",
    variants: &[("stop", "Stop"), ("reset", "Reset")],
    or: "",
});
const RESTART: Form = Form::Words(&Words {
    enumeration: "Restart",
    variants: &[("never", "Never"), ("on_failure", "OnFailure")],
    or: "",
});
const ORDER: Form = Form::Words(&Words {
    enumeration: "Order",
    variants: &[
        ("partition", "Partition"),
        ("key", "Key"),
        ("unordered", "Unordered"),
    ],
    or: "",
});
const EXECUTOR: Form = Form::Words(&Words {
    enumeration: "Executor",
    variants: &[("sequential", "Sequential"), ("dynamic", "Dynamic")],
    or: "",
});
const ATTEMPTS: Form = Form::Words(&Words {
    enumeration: "Attempts",
    variants: &[("forever", "Forever")],
    or: " or a number",
});

const ISOLATION: Form = Form::Words(&Words {
    enumeration: "IsolationLevel",
    variants: &[
        ("read_committed", "ReadCommitted"),
        ("read_uncommitted", "ReadUncommitted"),
    ],
    or: "",
});
const ACKS: Form = Form::Words(&Words {
    enumeration: "Acks",
    variants: &[("all", "All"), ("1", "Leader"), ("0", "None")],
    or: " or the numbers 1 and 0",
});
const COMPRESSION: Form = Form::Words(&Words {
    enumeration: "CompressionType",
    variants: &[
        ("none", "None"),
        ("gzip", "Gzip"),
        ("snappy", "Snappy"),
        ("lz4", "Lz4"),
        ("zstd", "Zstd"),
    ],
    or: "",
});
const SECURITY: Form = Form::Words(&Words {
    enumeration: "SecurityProtocol",
    variants: &[
        ("plaintext", "Plaintext"),
        ("ssl", "Ssl"),
        ("sasl_plaintext", "SaslPlaintext"),
        ("sasl_ssl", "SaslSsl"),
        ("PLAINTEXT", "Plaintext"),
        ("SSL", "Ssl"),
        ("SASL_PLAINTEXT", "SaslPlaintext"),
        ("SASL_SSL", "SaslSsl"),
    ],
    or: "",
});
const MECHANISM: Form = Form::Words(&Words {
    enumeration: "SaslMechanism",
    variants: &[
        ("PLAIN", "Plain"),
        ("SCRAM-SHA-256", "ScramSha256"),
        ("SCRAM-SHA-512", "ScramSha512"),
        ("GSSAPI", "Gssapi"),
        ("OAUTHBEARER", "OauthBearer"),
    ],
    or: "",
});
const PARTITIONER: Form = Form::WordsOrPath(&Words {
    enumeration: "Partitioner",
    variants: &[
        ("murmur2_random", "Murmur2Random"),
        ("murmur2", "Murmur2"),
        ("random", "Random"),
        ("consistent", "Consistent"),
        ("consistent_random", "ConsistentRandom"),
        ("fnv1a", "Fnv1a"),
        ("fnv1a_random", "Fnv1aRandom"),
    ],
    or: " or the path of a function",
});

const LOOP: Key = Refused("tokio runs the handlers, there is no event loop to pass: remove it");
const API_VERSION: Key = Refused("librdkafka asks the broker for its versions: remove it");
const KERBEROS_DOMAIN: Key = Refused(
    "the principal carries the domain: write `config = { \"sasl.kerberos.principal\": \"name@DOMAIN\" }`",
);

pub(crate) const CONSUMER: &[(&str, Key)] = &[
    ("topic", Works(Own)),
    ("prefix", Works(Own)),
    ("description", Works(Own)),
    ("decoder", Works(Own)),
    ("key_decoder", Works(Own)),
    ("reject_if", Works(Own)),
    ("retry_if", Works(Own)),
    ("blocking", Works(Flag)),
    ("batch", Works(Flag)),
    ("app", Works(Type)),
    ("crate", Works(Module)),
    ("topics", Works(Own)),
    ("pattern", Works(Own)),
    ("group_id", Works(Group)),
    ("auto_offset_reset", Works(RESET)),
    ("enable_auto_commit", Works(Plain)),
    ("auto_commit_interval_ms", Works(Plain)),
    ("session_timeout_ms", Works(Plain)),
    ("heartbeat_interval_ms", Works(Plain)),
    ("max_poll_interval_ms", Works(Plain)),
    ("order", Works(ORDER)),
    ("concurrency", Works(Plain)),
    ("executor", Works(EXECUTOR)),
    ("max_poll_records", Works(Plain)),
    ("rebalance_timeout_ms", Works(Plain)),
    ("partition_assignment_strategy", Works(Text)),
    ("group_protocol", Works(PROTOCOL)),
    ("attempts", Works(ATTEMPTS)),
    ("backoff", Works(Duration)),
    ("backoff_max", Works(Duration)),
    ("handler_timeout", Works(Duration)),
    ("stall_after", Works(Duration)),
    ("on_failure", Works(ON_FAILURE)),
    ("on_truncation", Works(ON_TRUNCATION)),
    ("dead_letter", Works(Topic)),
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
    ("sasl_kerberos_domain_name", KERBEROS_DOMAIN),
    ("brokers", Works(Brokers)),
    ("bootstrap_servers", Works(Text)),
    ("client_id", Works(Text)),
    ("fetch_max_wait_ms", Works(Plain)),
    ("fetch_max_bytes", Works(Plain)),
    ("fetch_min_bytes", Works(Plain)),
    ("max_partition_fetch_bytes", Works(Plain)),
    ("request_timeout_ms", Works(Plain)),
    ("retry_backoff_ms", Works(Plain)),
    ("connections_max_idle_ms", Works(Plain)),
    ("check_crcs", Works(Plain)),
    ("metadata_max_age_ms", Works(Plain)),
    ("isolation_level", Works(ISOLATION)),
    ("exclude_internal_topics", Works(Plain)),
    ("group_instance_id", Works(Text)),
    ("config", Works(Properties)),
    ("security_protocol", Works(SECURITY)),
    ("ssl_context", Works(Plain)),
    ("sasl_mechanism", Works(MECHANISM)),
    ("sasl_plain_username", Works(Text)),
    ("sasl_plain_password", Works(Secret)),
    ("sasl_kerberos_service_name", Works(Text)),
    ("sasl_oauth_token_provider", Works(Tokens)),
];

pub(crate) const PRODUCER: &[(&str, Key)] = &[
    ("topic", Works(Own)),
    ("prefix", Works(Own)),
    ("description", Works(Own)),
    ("encoder", Works(Own)),
    ("key_encoder", Works(Own)),
    ("app", Works(Type)),
    ("crate", Works(Module)),
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
    ("sasl_kerberos_domain_name", KERBEROS_DOMAIN),
    ("brokers", Works(Brokers)),
    ("bootstrap_servers", Works(Text)),
    ("client_id", Works(Text)),
    ("metadata_max_age_ms", Works(Plain)),
    ("connections_max_idle_ms", Works(Plain)),
    ("request_timeout_ms", Works(Plain)),
    ("acks", Works(ACKS)),
    ("compression_type", Works(COMPRESSION)),
    ("max_batch_size", Works(Plain)),
    ("partitioner", Works(PARTITIONER)),
    ("retry_backoff_ms", Works(Plain)),
    ("enable_idempotence", Works(Plain)),
    ("transactional_id", NotYet("")),
    ("transaction_timeout_ms", NotYet("")),
    ("config", Works(Properties)),
    ("security_protocol", Works(SECURITY)),
    ("ssl_context", Works(Plain)),
    ("sasl_mechanism", Works(MECHANISM)),
    ("sasl_plain_username", Works(Text)),
    ("sasl_plain_password", Works(Secret)),
    ("sasl_kerberos_service_name", Works(Text)),
    ("sasl_oauth_token_provider", Works(Tokens)),
];

pub(crate) const TASK: &[(&str, Key)] = &[
    ("restart", Works(RESTART)),
    ("backoff", Works(Duration)),
    ("backoff_max", Works(Duration)),
    ("app", Works(Type)),
    ("crate", Works(Module)),
];

pub(crate) const MEASURE: &[(&str, Key)] = &[
    ("interval", Works(Own)),
    ("sliding_window_size", Works(Own)),
    ("crate", Works(Module)),
];

#[cfg(test)]
mod tests;
