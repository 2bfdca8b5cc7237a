//! Making the consumer of a group.

use super::Librdkafka;
use super::blocking::BlockingClient;
use super::context::{Context, Events, Group};
use super::ends::{self, EndsOfLogs};
use super::statistics::Statistics;
use crate::access::Access;
use crate::addresses::Addresses;
use crate::client_context::Logged;
use crate::config;
use crate::consumer::commit_order::rounds::Rounds;
use crate::consumer::leaving::Membership;
use crate::consumer::standalone::Standalone;
use crate::consumer::{Intervals, KafkaConsumer};
use crate::error::{call_error, refused};
use crate::ffi::{EventQueue, Queue, TopicIds};
use fastkafka_core::{ConsumerSettings, GroupProtocol, Pattern};
use fastkafka_runtime::platform::ClientError;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::cell::RefCell;
use std::sync::Arc;
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Between two refreshes of the metadata, unless the settings say.
const REFRESH: Duration = Duration::from_secs(300);

/// The group that is joined, and how.
#[derive(Clone, Copy)]
pub(crate) struct Join<'a> {
    pub(crate) access: &'a Access,
    pub(crate) group_id: &'a str,
    pub(crate) topics: &'a [&'a str],
    pub(crate) settings: &'a ConsumerSettings,
    pub(crate) embedded: bool,
    /// There is no group.
    pub(crate) standalone: bool,
    /// Topics that a pattern does not match.
    pub(crate) left_out: &'a [String],
    /// The number of the consumer among those that the group has in this process.
    pub(crate) worker: usize,
}

/// Joins the group. `driver` is the thread that polls; it is unparked when there is something to do.
///
/// # Errors
/// When librdkafka refuses a setting or a topic's name.
pub(crate) fn join(
    join: &Join<'_>,
    driver: Thread,
) -> Result<KafkaConsumer<Librdkafka>, ClientError> {
    let names = join.access.names();
    let mut config = join.config();
    let statistics = Statistics::set(&mut config, !join.standalone);
    let heartbeat = config.get("heartbeat.interval.ms");
    let heartbeat = heartbeat.and_then(|millis| millis.parse().ok());
    let heartbeat = Duration::from_millis(heartbeat.unwrap_or(0));
    let commit = Rounds::new(config::rounds_of_commits(&mut config));
    let addresses = Addresses::new(&config);
    let events = Events::new(names.clone(), join.is_by_pattern(), statistics);
    let events = Arc::new(events);
    let consumer = config.create_with_context(Context {
        events: events.clone(),
        token: join.access.token().cloned(),
    });
    let mut consumer: Group = consumer.map_err(|e| call_error(&e))?;
    join.access.admit(consumer.client())?;
    let waker = driver.clone();
    consumer.set_nonempty_callback(move || waker.unpark());
    let consumer = Arc::new(consumer);
    let queue = Queue::new(&consumer, driver.clone());
    let event_queue = EventQueue::new(&consumer);
    let topic_ids = TopicIds::new(&consumer, driver.clone());
    let topics = join.subscription()?;
    if !join.standalone {
        let topics: Vec<_> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|e| call_error(&e))?;
    }
    let refresh = join.settings.metadata_max_age_ms;
    let refresh = refresh.map_or(REFRESH, Duration::from_millis);
    let standalone = join
        .standalone
        .then(|| Standalone::new(topics.clone(), refresh));
    let blocking = BlockingClient::new(
        join.group_id,
        consumer.clone(),
        events.clone(),
        driver.clone(),
    )?;
    let ends = EndsOfLogs::new({
        let (access, config) = (join.access.clone(), ends::config(join.config()));
        Box::new(move || {
            let consumer = config.create_with_context(Logged);
            let consumer: BaseConsumer<Logged> = consumer.map_err(|e| call_error(&e))?;
            access.admit(consumer.client())?;
            Ok(consumer)
        })
    });
    let client = Librdkafka {
        queue: Some(queue),
        event_queue: Some(event_queue),
        topic_ids: Some(topic_ids),
        consumer: Some(consumer),
        blocking,
        addresses,
        ends: RefCell::new(ends),
        events,
        driver,
        made: Instant::now(),
    };
    Ok(KafkaConsumer::new(
        client,
        join.membership(),
        topics,
        standalone,
        Intervals {
            refresh,
            heartbeat,
            commit,
        },
    ))
}

impl Join<'_> {
    fn config(&self) -> ClientConfig {
        let mut config = config::consumer(self.access.config(), self.group_id, self.settings);
        config::of_worker(&mut config, self.worker);
        if self.embedded {
            config::embedded(&mut config, self.settings);
        }
        if self.standalone {
            config::standalone(&mut config);
        }
        if self.is_by_pattern() && !self.is_assigned_by_broker() {
            let names = self.access.names();
            let left_out = self.left_out.iter();
            let left_out: Vec<_> = left_out.map(|topic| names.on_cluster(topic)).collect();
            config::by_pattern(&mut config, self.settings, &left_out);
        }
        config
    }

    /// Topics, or a pattern. A broker that assigns partitions also finds the topics, in its own way: it is
    /// told what is left out, where the client would leave it out itself.
    fn subscription(&self) -> Result<Vec<String>, ClientError> {
        let names = &self.access.names().topics;
        let of_broker = |pattern: &str| {
            let topics = Pattern::of_consumer(pattern, self.settings, self.left_out);
            let topics = topics.map(|topics| names.subscription_of_broker(topics));
            topics.map_err(|why| refused(format!("`pattern = {pattern:?}`: {why}")))
        };
        let topics = self.topics.iter();
        topics
            .map(|topic| match topic.starts_with('^') {
                true if self.is_assigned_by_broker() => of_broker(topic),
                _ => Ok(names.subscription(topic)),
            })
            .collect()
    }

    fn is_assigned_by_broker(&self) -> bool {
        self.settings.group_protocol == Some(GroupProtocol::Consumer)
    }

    fn is_by_pattern(&self) -> bool {
        self.topics.iter().any(|topic| topic.starts_with('^'))
    }

    fn membership(&self) -> Membership {
        let classic = !self.is_assigned_by_broker();
        match (self.standalone, classic) {
            (true, _) => Membership::Standalone,
            (false, false) => Membership::BrokerAssigned,
            (false, true) if self.settings.group_instance_id.is_some() => Membership::Static,
            (false, true) => Membership::Classic,
        }
    }
}
