//! From settings to librdkafka's properties.

pub(crate) mod check;
pub(crate) mod security;
mod table;

use fastkafka_core::{
    Acks, Connection, ConsumerSettings, GroupProtocol, ProducerSettings, Properties,
};
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use table::Of;

/// The time that a record has from enqueue to acknowledgement, unless its producer says.
pub(crate) const DELIVERY_TIMEOUT_MILLIS: u64 = 60_000;
/// The most that librdkafka takes for `message.max.bytes`.
const LARGEST: u32 = 1_000_000_000;

/// The properties that every client has.
pub(crate) fn client(connection: &Connection, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    let address = connection.bootstrap_servers.as_deref().unwrap_or_default();
    config
        .set("bootstrap.servers", address)
        .set("client.id", client_id)
        // librdkafka's default of 10 s keeps a connection down for so long after its broker is back. Java's.
        .set("reconnect.backoff.max.ms", "1000")
        .set_log_level(RDKafkaLogLevel::Info);
    security::apply(&mut config, connection);
    config
}

/// The consumer of a group, from the properties that every client has.
pub(crate) fn consumer(
    mut config: ClientConfig,
    group_id: &str,
    settings: &ConsumerSettings,
) -> ClientConfig {
    config
        .set("group.id", group_id)
        // The engine says what may be committed; librdkafka commits it now and then.
        .set("enable.auto.commit", "true")
        .set("enable.auto.offset.store", "false")
        // Starts are worked out here and committed; librdkafka must not choose one.
        .set("auto.offset.reset", "error")
        // librdkafka's batch calls take the end of a log for a record: its own position moves one too far, and
        // the next rebalance or pause goes on there and leaves a record out (decision 37).
        .set("enable.partition.eof", "false")
        .set("isolation.level", "read_committed")
        // librdkafka's default of a second caps catching up at some 170,000 records per second.
        .set("fetch.queue.backoff.ms", "10")
        .set("auto.commit.interval.ms", "5000");
    // librdkafka refuses session, heartbeat and strategy otherwise: the broker decides.
    if settings.group_protocol.unwrap_or_default() == GroupProtocol::Classic {
        // It also refuses a session that is longer than the time between two polls.
        let longest = settings.max_poll_interval_ms.unwrap_or(300_000);
        config
            .set("session.timeout.ms", longest.min(45_000).to_string())
            .set("heartbeat.interval.ms", "1000")
            .set("partition.assignment.strategy", "cooperative-sticky");
    }
    // And an answer that is smaller than the largest request, which a consumer does not send.
    if let Some(bytes) = settings.fetch_max_bytes.filter(|bytes| *bytes < 1_000_000) {
        config.set("message.max.bytes", bytes.max(1_000).to_string());
    }
    longest_backoff(&mut config, settings.retry_backoff_ms);
    apply(&mut config, Of::Consumer, settings.shown());
    pass_through(&mut config, settings.config.as_ref());
    config
}

/// Lets librdkafka commit twice in the interval of the settings, and returns the time between. Of what is handled
/// while one offset of a partition is on its way to the broker the next round knows nothing, so only two of them
/// are a commit of everything.
pub(crate) fn rounds_of_commits(config: &mut ClientConfig) -> Duration {
    const INTERVAL: &str = "auto.commit.interval.ms";
    let millis = config.get(INTERVAL).and_then(|millis| millis.parse().ok());
    let half = (millis.unwrap_or(5_000u64) / 2).max(1);
    config.set(INTERVAL, half.to_string());
    Duration::from_millis(half)
}

/// A consumer without a group: librdkafka wants a name all the same, which nobody joins.
pub(crate) fn standalone(config: &mut ClientConfig) {
    let random = RandomState::new().hash_one(());
    config
        .set("group.id", format!("fastkafka-alone-{random:016x}"))
        .set("enable.auto.commit", "false");
}

/// Leaves topics out of a subscription by pattern: these, and Kafka's own.
pub(crate) fn by_pattern(
    config: &mut ClientConfig,
    settings: &ConsumerSettings,
    topics: &[String],
) {
    let internal = settings.exclude_internal_topics.unwrap_or(true);
    let internal = internal.then(|| "^__".to_owned());
    // Of the characters of a topic's name only the dot has a meaning.
    let name = |topic: &String| format!("^{}$", topic.replace('.', "\\."));
    let patterns: Vec<_> = internal
        .into_iter()
        .chain(topics.iter().map(name))
        .collect();
    if !patterns.is_empty() {
        config.set("topic.blacklist", patterns.join(","));
    }
}

/// Gives each worker of a process its own name as a static member.
pub(crate) fn of_worker(config: &mut ClientConfig, worker: usize) {
    const INSTANCE: &str = "group.instance.id";
    if let Some(name) = config.get(INSTANCE).filter(|_| worker > 0) {
        let name = format!("{name}-{worker}");
        config.set(INSTANCE, name);
    }
}

/// Suits a consumer to the embedded broker, which holds a fetch for all of its time even when records have
/// come.
///
/// A member that joins waits for the session of those that are there: less a second, but not of a session
/// of one. So with two it waits no longer than with one, and a busy machine has twice the time for a
/// heartbeat.
pub(crate) fn embedded(config: &mut ClientConfig, settings: &ConsumerSettings) {
    config.set("fetch.wait.max.ms", "10");
    if settings.group_protocol.unwrap_or_default() == GroupProtocol::Classic {
        if settings.session_timeout_ms.is_none() {
            config.set("session.timeout.ms", "2000");
        }
        if settings.heartbeat_interval_ms.is_none() {
            config.set("heartbeat.interval.ms", "300");
        }
    }
}

/// A producer. `queue` is how many records librdkafka may hold: more than we ever hand over.
pub(crate) fn producer(mut config: ClientConfig, settings: &ProducerSettings) -> ClientConfig {
    config
        .set("linger.ms", "5")
        .set("delivery.timeout.ms", DELIVERY_TIMEOUT_MILLIS.to_string())
        .set("message.max.bytes", "1000000")
        // Records on their way have a bound of our own; these are none.
        .set("queue.buffering.max.messages", "0")
        .set("queue.buffering.max.kbytes", i32::MAX.to_string());
    if is_idempotent(settings) {
        config.set("enable.idempotence", "true");
    } else {
        // Repeated requests would overtake each other.
        config
            .set("enable.idempotence", "false")
            .set("max.in.flight.requests.per.connection", "1");
    }
    match settings.partitioner.unwrap_or_default().name() {
        Some(name) => config.set("partitioner", name),
        // A function is asked about records without a key, too.
        None => config.set("sticky.partitioning.linger.ms", "0"),
    };
    longest_backoff(&mut config, settings.retry_backoff_ms);
    let mut shown = settings.shown();
    // A function has no name.
    shown.retain(|(key, _)| *key != "partitioner");
    apply(&mut config, Of::Producer, shown);
    pass_through(&mut config, settings.config.as_ref());
    config
}

/// Suits a producer to dead letters. They are as large as the topics they come from have taken, and the
/// client must not know better: the broker says what is too large.
pub(crate) fn dead_letters(config: &mut ClientConfig) {
    config.set("message.max.bytes", LARGEST.to_string());
}

/// Each record is a batch: what the broker refuses is this record.
pub(crate) fn one_by_one(config: &mut ClientConfig) {
    config.set("batch.num.messages", "1");
}

/// librdkafka's idempotent producer needs the acknowledgement of all replicas.
fn is_idempotent(settings: &ProducerSettings) -> bool {
    let all = settings.acks.unwrap_or_default() == Acks::All;
    settings.enable_idempotence.unwrap_or(all)
}

/// The wait doubles up to a second: a first one that is longer would be cut.
fn longest_backoff(config: &mut ClientConfig, first: Option<u64>) {
    if let Some(first) = first.filter(|first| *first > 1_000) {
        config.set("retry.backoff.max.ms", first.to_string());
    }
}

fn apply(config: &mut ClientConfig, of: Of, shown: Vec<(&'static str, String)>) {
    for (key, value) in shown {
        if let Some(property) = of.property(key) {
            config.set(property, value);
        }
    }
}

fn pass_through(config: &mut ClientConfig, properties: Option<&Properties>) {
    for (name, value) in properties.into_iter().flat_map(Properties::iter) {
        config.set(name, value);
    }
}

#[cfg(test)]
mod tests;
