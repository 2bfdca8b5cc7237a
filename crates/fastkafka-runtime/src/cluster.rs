//! What an app needs of a cluster before it joins: topics that are there, or a broker of its own.

use crate::kafka::embedded::EmbeddedBroker;
use crate::kafka::reset::{ResetError, reset};
use crate::kafka::topics::{TopicState, Topics};
use crate::runtime::Options;
use crate::transport::{ClientError, ErrorKind};
use fastkafka_core::{Plan, Problem, Problems};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub use crate::kafka::topics::TopicSpec;

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
/// When the broker is not reached or refuses.
pub async fn create_topics(options: &Options, specs: &[TopicSpec]) -> Result<(), Problems> {
    let topics = connect(options)?;
    let names: Vec<_> = specs.iter().map(|spec| spec.name.clone()).collect();
    let deadline = Instant::now() + options.start_timeout;
    let found = look_up(&topics, &names, deadline, options).await?;
    let missing: Vec<_> = specs
        .iter()
        .filter(|spec| found[&spec.name].is_err())
        .cloned()
        .collect();
    let left = deadline.saturating_duration_since(Instant::now());
    topics
        .create(&missing, left)
        .await
        .map_err(|error| problem(error.to_string()))?;
    for spec in &missing {
        tracing::info!("made topic `{}`", spec.name);
    }
    Ok(())
}

/// Waits until all topics are there.
///
/// # Errors
/// All that is missing or refused, when `start_timeout` is over.
pub async fn wait_for_topics(options: &Options, names: &[String]) -> Result<(), Problems> {
    let topics = connect(options)?;
    let deadline = Instant::now() + options.start_timeout;
    loop {
        let found = look_up(&topics, names, deadline, options).await?;
        let problems: Vec<_> = found
            .into_values()
            .filter_map(Result::err)
            .map(|error| error.message)
            .collect();
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
    options: &Options,
    plan: &Plan,
    at: SystemTime,
) -> Result<(), Problems> {
    let deadline = Instant::now() + options.start_timeout;
    for group in &plan.groups {
        let topics: Vec<_> = group.handlers.iter().map(|h| h.def.topic).collect();
        loop {
            let (bootstrap, client_id) = (options.bootstrap.clone(), options.client_id.clone());
            let (id, settings, topics) = (group.id.clone(), group.settings.clone(), topics.clone());
            let asked = tokio::task::spawn_blocking(move || {
                reset(&bootstrap, &client_id, &id, &settings, &topics, at)
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

fn connect(options: &Options) -> Result<Arc<Topics>, Problems> {
    let topics = Topics::new(&options.bootstrap, &options.client_id)
        .map_err(|error| problem(error.to_string()))?;
    Ok(Arc::new(topics))
}

async fn look_up(
    topics: &Arc<Topics>,
    names: &[String],
    deadline: Instant,
    options: &Options,
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
                    "waiting for a broker at {}, at most {left:.0?} more: {error}",
                    options.bootstrap
                );
            }
            Err(error) => return Err(unreachable(&error, options)),
        }
    }
}

fn unreachable(error: &ClientError, options: &Options) -> Problems {
    let bootstrap = &options.bootstrap;
    problem(match error.kind {
        ErrorKind::Unreachable => format!(
            "no broker answers at {bootstrap} within {:?} (`start_timeout`): {error}; is the address right, and does Kafka run?",
            options.start_timeout
        ),
        _ => format!("the broker at {bootstrap} refuses: {error}"),
    })
}

pub(crate) fn problem(what: impl Into<String>) -> Problems {
    Problems(vec![Problem::Broker(what.into())])
}
