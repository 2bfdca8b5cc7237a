//! The table of keys and librdkafka's properties, and the properties that `config` must not have.

/// A key and the property that it sets.
type Row = (&'static str, &'static str);

/// Keys of both.
const COMMON: &[Row] = &[
    ("client_id", "client.id"),
    ("retry_backoff_ms", "retry.backoff.ms"),
    ("connections_max_idle_ms", "connections.max.idle.ms"),
    ("metadata_max_age_ms", "topic.metadata.refresh.interval.ms"),
];

/// Keys of the way to a cluster: set by `security.rs`, since they hold secrets and paths.
const CONNECTION: &[Row] = &[
    ("bootstrap_servers", "bootstrap.servers"),
    ("security_protocol", "security.protocol"),
    ("ssl_context", "ssl.ca.location"),
    ("sasl_mechanism", "sasl.mechanism"),
    ("sasl_plain_username", "sasl.username"),
    ("sasl_plain_password", "sasl.password"),
    ("sasl_kerberos_service_name", "sasl.kerberos.service.name"),
];

const CONSUMER: &[Row] = &[
    ("auto_commit_interval_ms", "auto.commit.interval.ms"),
    ("session_timeout_ms", "session.timeout.ms"),
    ("heartbeat_interval_ms", "heartbeat.interval.ms"),
    ("max_poll_interval_ms", "max.poll.interval.ms"),
    (
        "partition_assignment_strategy",
        "partition.assignment.strategy",
    ),
    ("group_protocol", "group.protocol"),
    ("group_instance_id", "group.instance.id"),
    ("request_timeout_ms", "socket.timeout.ms"),
    ("fetch_max_wait_ms", "fetch.wait.max.ms"),
    ("fetch_min_bytes", "fetch.min.bytes"),
    ("fetch_max_bytes", "fetch.max.bytes"),
    ("max_partition_fetch_bytes", "max.partition.fetch.bytes"),
    ("check_crcs", "check.crcs"),
    ("isolation_level", "isolation.level"),
];

const PRODUCER: &[Row] = &[
    ("linger_ms", "linger.ms"),
    ("delivery_timeout_ms", "delivery.timeout.ms"),
    ("request_timeout_ms", "request.timeout.ms"),
    ("max_request_size", "message.max.bytes"),
    ("max_batch_size", "batch.size"),
    ("acks", "acks"),
    ("enable_idempotence", "enable.idempotence"),
    ("compression_type", "compression.type"),
    ("partitioner", "partitioner"),
];

/// Other names that librdkafka has for a property of the tables above.
const ALIASES: &[(&str, &str)] = &[
    ("fetch.message.max.bytes", "max.partition.fetch.bytes"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("message.timeout.ms", "delivery.timeout.ms"),
    ("request.required.acks", "acks"),
    ("compression.codec", "compression.type"),
    ("metadata.broker.list", "bootstrap.servers"),
    ("sasl.mechanisms", "sasl.mechanism"),
    ("ssl.ca.pem", "ssl.ca.location"),
    ("ssl.certificate.location", "ssl.ca.location"),
    ("ssl.certificate.pem", "ssl.ca.location"),
    ("ssl.key.location", "ssl.ca.location"),
    ("ssl.key.pem", "ssl.ca.location"),
    ("ssl.key.password", "ssl.ca.location"),
    ("enable.ssl.certificate.verification", "ssl.ca.location"),
];

/// The key of a connection that sets a property.
pub(super) fn key_of_connection(property: &str) -> Option<&'static str> {
    let alias = ALIASES.iter().find(|(name, _)| *name == property);
    let name = alias.map_or(property, |(_, name)| name);
    let mut keys = CONNECTION.iter();
    keys.find(|(_, property)| *property == name)
        .map(|(key, _)| *key)
}

const FIXED: &str = "delivery depends on it";
const TOKENS: &str = "write `sasl_oauth_token_provider = ..`: tokens are asked of it alone";
const NO_TRANSACTIONS: &str = "exactly-once is not built yet (docs/roadmap.md)";

/// Properties that no user sets, and why.
const PROTECTED: &[(&str, &str)] = &[
    ("group.id", "write `group_id = ..`"),
    ("enable.auto.commit", FIXED),
    ("auto.commit.enable", FIXED),
    ("enable.auto.offset.store", FIXED),
    (
        "auto.offset.reset",
        "write `auto_offset_reset = ..`: where to start is worked out and committed before it is used",
    ),
    (
        "topic.blacklist",
        "write `exclude_internal_topics = ..`; dead letters are always left out",
    ),
    ("offset.store.method", FIXED),
    ("offset.store.path", FIXED),
    ("offset.store.sync.interval.ms", FIXED),
    ("enable.partition.eof", FIXED),
    ("delivery.report.only.error", FIXED),
    (
        "queue.buffering.max.messages",
        "set `max_in_flight` on the app's builder",
    ),
    (
        "queue.buffering.max.kbytes",
        "set `max_in_flight` on the app's builder",
    ),
    ("transactional.id", NO_TRANSACTIONS),
    ("transaction.timeout.ms", NO_TRANSACTIONS),
    (
        "test.mock.num.brokers",
        "the broker in the process is the one named `embedded`",
    ),
    (
        "test.mock.broker.rtt",
        "the broker in the process is the one named `embedded`",
    ),
    ("log.queue", "log lines go where the app's go"),
];

/// The kind of client whose settings they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Consumer,
    Producer,
}

impl Of {
    /// Every key that is a property.
    pub(super) fn rows(self) -> impl Iterator<Item = Row> {
        let own = match self {
            Self::Consumer => CONSUMER,
            Self::Producer => PRODUCER,
        };
        COMMON.iter().chain(own).copied()
    }

    pub(super) fn property(self, key: &str) -> Option<&'static str> {
        self.rows()
            .find(|(k, _)| *k == key)
            .map(|(_, property)| property)
    }

    /// Why a property can not stand in `config`, if so.
    pub(super) fn refusal(self, property: &str) -> Option<String> {
        let fixed = PROTECTED.iter().find(|(name, _)| *name == property);
        if let Some((_, why)) = fixed {
            return Some((*why).to_owned());
        }
        if property.contains("sasl.oauthbearer.") {
            return Some(TOKENS.to_owned());
        }
        let alias = ALIASES.iter().find(|(name, _)| *name == property);
        let name = alias.map_or(property, |(_, name)| name);
        let mut keys = self.rows().chain(CONNECTION.iter().copied());
        let (key, _) = keys.find(|(_, property)| *property == name)?;
        Some(format!("write `{key} = ..`"))
    }
}
