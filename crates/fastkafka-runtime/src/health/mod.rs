//! Health: what is wrong with a running app, computed from facts and never from "the loop runs".
//!
//! A state that ends by itself is no problem: no assignment, a retry, a pause, a broker that is away for
//! a moment. The facts are here all the same.

mod code;
mod problem;
mod producer;
mod stalled;
mod subject;
mod time;

pub use self::code::ProblemCode;
pub use self::problem::Problem;
pub use self::producer::ProducerHealth;
pub use self::stalled::{StalledAt, StalledRecord};
pub(crate) use self::subject::Subject;

use self::subject::on;
use self::time::PATIENCE;
use fastkafka_engine::Wait;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;
use std::time::Duration;

/// So many problems are written out.
const LISTED: usize = 100;

/// The health of an app, from `App::health`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Its groups.
    pub groups: Vec<GroupHealth>,
    /// Its background tasks, once they were started.
    pub tasks: Vec<TaskHealth>,
    /// What writes its records and its dead letters.
    pub producers: Vec<ProducerHealth>,
    /// Records sent and not yet reported.
    pub in_flight: usize,
    /// Why the app has ended by itself, or did not stop cleanly, and for how long it has known that.
    pub ended: Option<(Duration, String)>,
}

impl Health {
    /// True when no problem [blocks](Problem::blocks): nothing for which a person must act or a fault must
    /// end.
    pub fn is_ready(&self) -> bool {
        !self.problems().iter().any(|problem| problem.blocks)
    }

    /// The problems. Each names its partition, record and function, and is one line when it is written out.
    pub fn problems(&self) -> Vec<Problem> {
        let groups = self.groups.iter().flat_map(GroupHealth::problems);
        let tasks = self.tasks.iter().filter_map(TaskHealth::problem);
        let producers = self.producers.iter().flat_map(|producer| &producer.open);
        let ended = self.ended.as_ref().and_then(|(since, why)| {
            let ended = Problem::new(ProblemCode::AppEnded, &Subject::default(), *since, why)?;
            Some(ended.in_words(why.clone()))
        });
        // It is the reason of all others, or what they led to.
        let problems = ended.into_iter().chain(groups).chain(tasks);
        problems.chain(producers.cloned()).collect()
    }
}

/// As JSON: `ready`, `problems`, `groups`, `tasks`, `producers` and `in_flight`. Times are seconds.
impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut health = serializer.serialize_struct("Health", 6)?;
        health.serialize_field("ready", &self.is_ready())?;
        health.serialize_field("problems", &self.problems())?;
        health.serialize_field("groups", &self.groups)?;
        health.serialize_field("tasks", &self.tasks)?;
        health.serialize_field("producers", &self.producers)?;
        health.serialize_field("in_flight", &self.in_flight)?;
        health.end()
    }
}

/// One line: `ready`, or `not ready:` and the problems; then what is paused.
impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems = self.problems();
        f.write_str(if self.is_ready() {
            "ready"
        } else {
            "not ready"
        })?;
        for (at, problem) in problems.iter().take(LISTED).enumerate() {
            f.write_str(if at == 0 { ": " } else { "; " })?;
            write!(f, "{problem}")?;
        }
        let more = problems.len().saturating_sub(LISTED)
            + self.groups.iter().map(GroupHealth::more).sum::<usize>();
        if more > 0 {
            write!(f, "; and {more} more")?;
        }
        let mut paused = Vec::new();
        for group in &self.groups {
            let on = on(&group.cluster);
            paused.extend(
                group
                    .paused
                    .iter()
                    .map(|(topic, n)| format!("{topic}[{n}]{on}")),
            );
        }
        if !paused.is_empty() {
            write!(f, "; paused: {}", paused.join(", "))?;
        }
        Ok(())
    }
}

/// The health of a group's consumer.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct GroupHealth {
    /// The name of its cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The group's id.
    pub group: String,
    /// The partitions that are assigned to the consumer. To have none is no problem.
    pub assigned: Vec<(String, i32)>,
    /// Partitions, or keys of them, that stand still until somebody acts: the first hundred.
    pub stopped: Vec<StoppedPartition>,
    /// The number of those beyond the first hundred.
    pub more_stopped: usize,
    /// Records that failed and are tried again: the first hundred.
    pub waiting: Vec<WaitingRecord>,
    /// The number of those beyond the first hundred.
    pub more_waiting: usize,
    /// Records that have made no progress for as long as `stall_after` says: the first hundred.
    pub stalled: Vec<StalledRecord>,
    /// The number of those beyond the first hundred.
    pub more_stalled: usize,
    /// The partitions that the user has paused. That is no problem.
    pub paused: Vec<(String, i32)>,
    /// Partitions read as far ahead of their committed offset as `max_uncommitted` allows.
    pub span_reached: Vec<(String, i32)>,
    /// The client's last error; it may be over.
    pub last_error: Option<String>,
    /// What the client has told and is not over; without the records, which are above.
    #[serde(skip)]
    pub(crate) open: Vec<Problem>,
}

/// The health of a background task.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct TaskHealth {
    /// The function, `module::name`.
    pub task: String,
    /// True when it has returned, or has failed and is not started again.
    pub ended: bool,
    /// For how long it has failed again and again, and its last failure.
    #[serde(skip)]
    pub failing: Option<(Duration, String)>,
}

impl TaskHealth {
    fn problem(&self) -> Option<Problem> {
        let (time, what) = self.failing.as_ref()?;
        let long = *time >= PATIENCE;
        let since = if long {
            format!(", again and again for {} s", time.as_secs())
        } else {
            String::new()
        };
        let line = format!("background task `{}` {what}{since}", self.task);
        let subject = Subject {
            function: Some(&self.task),
            ..Subject::default()
        };
        // One that is not started again does not pass by itself.
        let problem = match self.ended {
            true => Problem::at_once(ProblemCode::TaskFails, &subject, *time, what),
            false => Problem::new(ProblemCode::TaskFails, &subject, *time, what)?,
        };
        Some(problem.in_words(line))
    }
}

/// A partition, or a key of it, that stands still.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct StoppedPartition {
    /// The name of the cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset of the record that could not be handled.
    pub offset: i64,
    /// The name of the handler that did not accept it.
    pub handler: &'static str,
    /// The attempts that were made.
    pub attempts: u32,
    /// The last failure.
    pub error: String,
    /// True in order by key and without order: only the record, and those behind it in its key, stand
    /// still.
    pub key_only: bool,
}

impl fmt::Display for StoppedPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cluster,
            topic,
            partition,
            offset,
            handler,
            attempts,
            error,
            key_only,
        } = self;
        let key_only = if *key_only {
            ", with its key alone"
        } else {
            ""
        };
        let times = if *attempts == 1 {
            "attempt"
        } else {
            "attempts"
        };
        write!(
            f,
            "{topic}[{partition}]{} stands still at offset {offset}{key_only}: `{handler}` failed after {attempts} {times}: {error}",
            on(cluster)
        )
    }
}

/// A record that failed and is tried again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct WaitingRecord {
    /// The name of the cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset of the record.
    pub offset: i64,
    /// The name of its handler.
    pub handler: &'static str,
    /// The reason to wait.
    pub wait: WaitingFor,
    /// For how long it has waited.
    #[serde(serialize_with = "time::seconds")]
    pub since: Duration,
    /// The last failure.
    pub error: String,
}

/// The reason why a record waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitingFor {
    /// Its next attempt is not due.
    Retry,
    /// A transient failure must pass: such a failure uses up no attempts.
    Transient,
    /// Its dead letter cannot be written.
    DeadLetter,
}

impl From<Wait> for WaitingFor {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::Retry => Self::Retry,
            Wait::Transient => Self::Transient,
            Wait::DeadLetter => Self::DeadLetter,
        }
    }
}

impl GroupHealth {
    pub(crate) fn new(cluster: &str, group: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            group: group.to_owned(),
            ..Self::default()
        }
    }

    /// Its consumer has begun its last turn so long ago; it begins one a second.
    pub(crate) fn has_turned(&mut self, ago: Duration) {
        let stuck = Problem::new(ProblemCode::ConsumerStuck, &self.subject(), ago, "");
        self.open.extend(stuck);
    }

    /// The group in a sentence.
    pub(crate) fn name(&self) -> String {
        format!("group `{}`{}", self.group, on(&self.cluster))
    }

    fn problems(&self) -> Vec<Problem> {
        let stopped = self.stopped.iter().filter_map(|record| {
            let problem = Problem::new(
                ProblemCode::RecordStopped,
                &self.record(
                    &record.topic,
                    record.partition,
                    record.offset,
                    record.handler,
                ),
                Duration::ZERO,
                &record.error,
            )?;
            Some(problem.in_words(record.to_string()))
        });
        let waiting = self.waiting.iter().filter_map(|record| {
            let code = match record.wait {
                // Its attempts come to an end.
                WaitingFor::Retry => return None,
                WaitingFor::Transient => ProblemCode::RecordWaits,
                WaitingFor::DeadLetter => ProblemCode::DeadLetterWaits,
            };
            let subject = self.record(
                &record.topic,
                record.partition,
                record.offset,
                record.handler,
            );
            Problem::new(code, &subject, record.since, &record.error)
        });
        let stalled = self.stalled.iter();
        let stalled = stalled.filter_map(|record| record.problem(Some(&self.group)));
        let far = self.span_reached.iter().filter_map(|(topic, partition)| {
            let subject = Subject {
                topic: Some(topic),
                partition: Some(*partition),
                ..self.subject()
            };
            Problem::new(ProblemCode::SpanReached, &subject, Duration::ZERO, "")
        });
        let open = self.open.iter().cloned();
        let records = stopped.chain(waiting).chain(stalled);
        open.chain(records).chain(far).collect()
    }

    /// The records beyond the first hundred.
    fn more(&self) -> usize {
        self.more_stopped + self.more_waiting + self.more_stalled
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            cluster: &self.cluster,
            group: Some(&self.group),
            ..Subject::default()
        }
    }

    fn record<'a>(
        &'a self,
        topic: &'a str,
        partition: i32,
        offset: i64,
        handler: &'a str,
    ) -> Subject<'a> {
        Subject {
            topic: Some(topic),
            partition: Some(partition),
            offset: Some(offset),
            function: Some(handler),
            ..self.subject()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(ended: bool, seconds: u64) -> Option<Problem> {
        let task = TaskHealth {
            task: "shop::watch".to_owned(),
            ended,
            failing: Some((Duration::from_secs(seconds), "failed: no disk".to_owned())),
        };
        task.problem()
    }

    #[test]
    fn a_task_that_is_not_started_again_is_told_at_once_and_since_when_it_failed() {
        let ended = failing(true, 2).unwrap();
        assert_eq!(ended.since, Duration::from_secs(2));
        assert_eq!(ended, "background task `shop::watch` failed: no disk");
        assert_eq!(failing(false, 29), None, "it may pass by itself");
        let again = failing(false, 30).unwrap();
        assert_eq!(again.since, Duration::from_secs(30));
    }
}
