//! From settings to librdkafka's properties.

use fastkafka_core::{ConsumerSettings, GroupProtocol, ProducerSettings};
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// What every client has.
pub(crate) fn client(bootstrap: &str, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("client.id", client_id)
        // librdkafka's default of 10 s keeps a connection down for so long after its broker is back. Java's.
        .set("reconnect.backoff.max.ms", "1000")
        .set_log_level(RDKafkaLogLevel::Info);
    config
}

/// The consumer of a group.
pub(crate) fn consumer(
    bootstrap: &str,
    client_id: &str,
    group_id: &str,
    settings: &ConsumerSettings,
) -> ClientConfig {
    let mut config = client(bootstrap, client_id);
    config
        .set("group.id", group_id)
        // The engine says what may be committed; librdkafka commits it now and then.
        .set("enable.auto.commit", "true")
        .set("enable.auto.offset.store", "false")
        // Starts are worked out here and committed; librdkafka must not choose one.
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "false")
        .set("isolation.level", "read_committed")
        // librdkafka's default of a second caps catching up at some 170,000 records per second.
        .set("fetch.queue.backoff.ms", "10");
    set(
        &mut config,
        "auto.commit.interval.ms",
        settings.auto_commit_interval_ms.unwrap_or(5_000),
    );
    if let Some(interval) = settings.max_poll_interval_ms {
        set(&mut config, "max.poll.interval.ms", interval);
    }
    match settings.group_protocol.unwrap_or_default() {
        // librdkafka refuses session, heartbeat and strategy here: the broker decides.
        GroupProtocol::Consumer => {
            config.set("group.protocol", "consumer");
        }
        GroupProtocol::Classic => {
            // librdkafka refuses a session that is longer than the time between two polls.
            let longest = settings.max_poll_interval_ms.unwrap_or(300_000);
            let session = settings.session_timeout_ms.unwrap_or(longest.min(45_000));
            let heartbeat = settings.heartbeat_interval_ms.unwrap_or(1_000);
            let strategy = settings.partition_assignment_strategy.as_deref();
            set(&mut config, "session.timeout.ms", session);
            set(&mut config, "heartbeat.interval.ms", heartbeat);
            config.set(
                "partition.assignment.strategy",
                strategy.unwrap_or("cooperative-sticky"),
            );
        }
    }
    config
}

/// What suits the embedded broker. It holds a fetch for all of its time even when records have come,
/// and lets a member that joins wait for nearly the session of those that are there.
pub(crate) fn embedded(config: &mut ClientConfig, settings: &ConsumerSettings) {
    config.set("fetch.wait.max.ms", "10");
    if settings.group_protocol.unwrap_or_default() == GroupProtocol::Classic {
        config
            .set("session.timeout.ms", "1000")
            .set("heartbeat.interval.ms", "300");
    }
}

/// A producer. `queue` is how many records librdkafka may hold: more than we ever hand over.
pub(crate) fn producer(
    bootstrap: &str,
    client_id: &str,
    settings: &ProducerSettings,
    queue: usize,
) -> ClientConfig {
    let mut config = client(bootstrap, client_id);
    config
        .set("enable.idempotence", "true")
        // Equal keys go where Java's and aiokafka's clients put them.
        .set("partitioner", "murmur2_random");
    set(&mut config, "linger.ms", settings.linger_ms.unwrap_or(5));
    set(
        &mut config,
        "delivery.timeout.ms",
        settings.delivery_timeout_ms.unwrap_or(60_000),
    );
    set(
        &mut config,
        "message.max.bytes",
        settings.max_request_size.unwrap_or(1_000_000),
    );
    set(&mut config, "queue.buffering.max.messages", queue);
    config
}

fn set(config: &mut ClientConfig, property: &str, value: impl std::fmt::Display) {
    config.set(property, value.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consumer_with(change: impl FnOnce(&mut ConsumerSettings)) -> ClientConfig {
        let mut settings = ConsumerSettings::default();
        change(&mut settings);
        consumer("localhost:1", "app", "group", &settings)
    }

    fn producer_with(change: impl FnOnce(&mut ProducerSettings)) -> ClientConfig {
        let mut settings = ProducerSettings::default();
        change(&mut settings);
        producer("localhost:1", "app", &settings, 120_000)
    }

    /// Also asks librdkafka whether it knows the property and takes the value.
    fn check(config: &ClientConfig, property: &str, value: &str) {
        assert_eq!(config.get(property), Some(value), "{property}");
        let native = config.create_native_config();
        let native = native.unwrap_or_else(|e| panic!("{property}: {e}"));
        assert_eq!(native.get(property).unwrap(), value, "{property}");
    }

    #[test]
    fn every_consumer_setting_reaches_its_property() {
        type Case = (fn(&mut ConsumerSettings), &'static str, &'static str);
        let cases: [Case; 8] = [
            (
                |s| s.auto_commit_interval_ms = Some(700),
                "auto.commit.interval.ms",
                "700",
            ),
            (
                |s| s.session_timeout_ms = Some(7_000),
                "session.timeout.ms",
                "7000",
            ),
            (
                |s| s.heartbeat_interval_ms = Some(700),
                "heartbeat.interval.ms",
                "700",
            ),
            (
                |s| s.max_poll_interval_ms = Some(70_000),
                "max.poll.interval.ms",
                "70000",
            ),
            (
                |s| s.partition_assignment_strategy = Some("range".into()),
                "partition.assignment.strategy",
                "range",
            ),
            (
                |s| s.group_protocol = Some(GroupProtocol::Consumer),
                "group.protocol",
                "consumer",
            ),
            (|_| (), "heartbeat.interval.ms", "1000"),
            (
                |_| (),
                "partition.assignment.strategy",
                "cooperative-sticky",
            ),
        ];
        for (change, property, value) in cases {
            check(&consumer_with(change), property, value);
        }
    }

    #[test]
    fn every_producer_setting_reaches_its_property() {
        check(&producer_with(|s| s.linger_ms = Some(7)), "linger.ms", "7");
        check(
            &producer_with(|s| s.delivery_timeout_ms = Some(7_000)),
            "delivery.timeout.ms",
            "7000",
        );
        check(
            &producer_with(|s| s.max_request_size = Some(7_000_000)),
            "message.max.bytes",
            "7000000",
        );
        check(
            &producer_with(|_| ()),
            "queue.buffering.max.messages",
            "120000",
        );
    }

    #[test]
    fn what_delivery_depends_on_is_fixed() {
        let config = consumer_with(|_| ());
        for (property, value) in [
            ("enable.auto.commit", "true"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "error"),
            ("enable.partition.eof", "false"),
            ("isolation.level", "read_committed"),
        ] {
            assert_eq!(config.get(property), Some(value));
        }
        let config = producer_with(|_| ());
        assert_eq!(config.get("enable.idempotence"), Some("true"));
        assert_eq!(config.get("partitioner"), Some("murmur2_random"));
    }

    #[test]
    fn the_broker_decides_about_sessions_of_a_consumer_protocol_group() {
        let config = consumer_with(|s| s.group_protocol = Some(GroupProtocol::Consumer));
        for property in [
            "session.timeout.ms",
            "heartbeat.interval.ms",
            "partition.assignment.strategy",
        ] {
            assert_eq!(config.get(property), None);
        }
    }
}
