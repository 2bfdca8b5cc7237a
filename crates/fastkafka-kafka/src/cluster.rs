//! What an app needs of a cluster before it joins: topics that are there, or a broker of its own.

use crate::access::{Access, Clusters};
use crate::client_context::Logged;
use crate::config;
use crate::embedded::EmbeddedBroker;
use crate::offsets::reset::{ResetError, reset};
use crate::options::KafkaOptions;
use crate::topics::{TopicState, Topics};
use fastkafka_core::{ConsumerSettings, Plan, Problem, Problems};
use fastkafka_runtime::platform::{ClientError, ErrorKind, PartitionRef};
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub use crate::topics::TopicSpec;

/// How often missing topics are looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Partitions of a topic of the embedded broker that was not declared.
const EMBEDDED_PARTITIONS: i32 = 1;

/// A broker in this process. It keeps nothing: when it is dropped its records are gone.
#[derive(Debug)]
pub struct Embedded(EmbeddedBroker);

impl Embedded {
    /// Starts it on a free port of this machine; other clients can connect.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn start() -> Result<Self, Problems> {
        EmbeddedBroker::start()
            .map(Self)
            .map_err(|error| problem(format!("the embedded broker did not start: {error}")))
    }

    /// Its address, `host:port`.
    pub fn bootstrap(&self) -> &str {
        self.0.address()
    }

    /// Makes a topic.
    ///
    /// # Errors
    /// When its name is not one.
    pub fn create_topic(&self, spec: &TopicSpec) -> Result<(), Problems> {
        let made = self
            .0
            .create_topic(&spec.name, spec.partitions.unwrap_or(EMBEDDED_PARTITIONS));
        made.map_err(|error| {
            problem(format!(
                "topic `{}` cannot be made on the embedded broker: {error}",
                spec.name
            ))
        })
    }
}

/// Makes the topics that are missing, as they are declared.
///
/// # Errors
/// When a broker is not reached or refuses.
pub async fn create_topics(
    options: &KafkaOptions,
    plan: &Plan,
    specs: &[TopicSpec],
) -> Result<(), Problems> {
    let clusters = Clusters::open(options, plan).await?;
    let names: Vec<_> = specs.iter().map(|spec| spec.name.clone()).collect();
    let deadline = Instant::now() + options.start_timeout;
    for (access, names) in clusters.topics(plan, &names) {
        let topics = connect(access)?;
        let found = look_up(&topics, &names, deadline, options, access).await?;
        let is_missing = |spec: &&TopicSpec| found.get(&spec.name).is_some_and(Result::is_err);
        let missing: Vec<_> = specs.iter().filter(is_missing).cloned().collect();
        let left = deadline.saturating_duration_since(Instant::now());
        topics
            .create(&missing, left)
            .await
            .map_err(|error| problem(error.to_string()))?;
        for spec in &missing {
            tracing::info!("made topic `{}`{}", spec.name, access.names());
        }
    }
    Ok(())
}

/// Waits until all topics are there.
///
/// # Errors
/// All that is missing or refused, when `start_timeout` is over.
pub(crate) async fn wait_for_topics(
    options: &KafkaOptions,
    clusters: &Clusters,
    plan: &Plan,
) -> Result<(), Problems> {
    let mut asked = Vec::new();
    for (access, names) in clusters.topics(plan, &[]) {
        asked.push((access, connect(access)?, names));
    }
    let deadline = Instant::now() + options.start_timeout;
    loop {
        let mut problems = Vec::new();
        for (access, topics, names) in &asked {
            let found = look_up(topics, names, deadline, options, access).await?;
            let wrong = found.into_values().filter_map(Result::err);
            problems.extend(wrong.map(|error| error.message));
        }
        if problems.is_empty() {
            return Ok(());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let advice = |what: String| {
                Problem::Broker(format!(
                    "{what}: create it, or start with `run --create-topics`"
                ))
            };
            return Err(Problems(problems.into_iter().map(advice).collect()));
        }
        tracing::warn!(
            "waiting for topics, at most {:.0?} more: {}",
            left,
            problems.join("; ")
        );
        tokio::time::sleep(LOOK_AGAIN.min(left)).await;
    }
}

/// Commits for every partition of every group that it begins at the first record not older than `at`.
///
/// Before any member joins, and the broker takes such a commit only while the group has none: so it
/// happens once, however many members come and however often partitions move.
///
/// # Errors
/// A group that has members; a broker that does not answer within `start_timeout`.
pub(crate) async fn start_from(
    options: &KafkaOptions,
    clusters: &Clusters,
    plan: &Plan,
    at: SystemTime,
) -> Result<(), Problems> {
    let deadline = Instant::now() + options.start_timeout;
    for group in &plan.groups {
        if group.standalone || group.handlers.iter().any(|h| h.def.pattern.is_some()) {
            return Err(problem(format!(
                "group `{}` can not begin anew at a time: that needs a group and topics by name; write `auto_offset_reset = OffsetReset::Timestamp(..)`",
                group.id
            )));
        }
        let handlers = group.handlers.iter();
        let topics: Vec<_> = handlers.flat_map(|h| h.def.topics).copied().collect();
        loop {
            let access = clusters.access(&group.cluster, &group.settings.connection());
            let access = access.clone();
            let (id, settings, topics) = (group.id.clone(), group.settings.clone(), topics.clone());
            let asked = tokio::task::spawn_blocking(move || {
                begin_anew(&access, &id, &settings, &topics, at)
            });
            let id = &group.id;
            match asked.await.map_err(|error| problem(error.to_string()))? {
                Ok(starts) => {
                    let starts: Vec<_> = starts
                        .iter()
                        .map(|(place, offset)| format!("{place}@{offset}"))
                        .collect();
                    tracing::info!(group = id, "begins anew at {}", starts.join(" "));
                    break;
                }
                Err(ResetError::Retry(why)) if Instant::now() < deadline => {
                    tracing::warn!(group = id, "the start is not committed yet: {why}");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                Err(error) => return Err(problem(format!("group `{id}` {error}"))),
            }
        }
    }
    Ok(())
}

/// Asks as somebody who is no member of the group.
fn begin_anew(
    access: &Access,
    group_id: &str,
    settings: &ConsumerSettings,
    topics: &[&'static str],
    at: SystemTime,
) -> Result<Vec<(PartitionRef, i64)>, ResetError> {
    let mut config = config::consumer(access, group_id, settings);
    config.set("enable.auto.commit", "false");
    let outsider = config.create_with_context(Logged);
    let outsider: BaseConsumer<Logged> = outsider.map_err(|e| ResetError::Retry(e.to_string()))?;
    access
        .admit(outsider.client())
        .map_err(|e| ResetError::Retry(e.to_string()))?;
    let names = access.names();
    let topics: Vec<_> = topics.iter().map(|topic| names.on_cluster(topic)).collect();
    reset(&outsider, &topics, names, at)
}

fn connect(access: &Access) -> Result<Arc<Topics>, Problems> {
    let topics = Topics::new(access).map_err(|error| problem(error.to_string()))?;
    Ok(Arc::new(topics))
}

async fn look_up(
    topics: &Arc<Topics>,
    names: &[String],
    deadline: Instant,
    options: &KafkaOptions,
    access: &Access,
) -> Result<BTreeMap<String, TopicState>, Problems> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // A moment is left even at the deadline: the last look must not fail for want of time.
        let patience = left.clamp(Duration::from_millis(500), LOOK_AGAIN);
        let (topics, names) = (topics.clone(), names.to_vec());
        let asked = tokio::task::spawn_blocking(move || topics.look_up(&names, patience));
        match asked.await.map_err(|error| problem(error.to_string()))? {
            Ok(found) => return Ok(found),
            Err(error) if error.kind == ErrorKind::Unreachable && left > LOOK_AGAIN => {
                tracing::warn!(
                    "waiting for a broker at {}{}, at most {left:.0?} more: {error}",
                    access.address(),
                    access.names()
                );
            }
            Err(error) => return Err(unreachable(&error, options, access)),
        }
    }
}

fn unreachable(error: &ClientError, options: &KafkaOptions, access: &Access) -> Problems {
    let bootstrap = format!("{}{}", access.address(), access.names());
    problem(match error.kind {
        ErrorKind::Unreachable => format!(
            "no broker answers at {bootstrap} within {:?} (`start_timeout`): {error}; is the address right, and does Kafka run? Does it speak `security_protocol = \"{}\"` there?",
            options.start_timeout,
            access.protocol()
        ),
        _ => format!("the broker at {bootstrap} refuses: {error}"),
    })
}

pub(crate) fn problem(what: impl Into<String>) -> Problems {
    Problems(vec![Problem::Broker(what.into())])
}
