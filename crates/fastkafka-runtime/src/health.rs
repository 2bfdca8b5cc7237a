//! Health: what is wrong with a running app, computed from facts and never from "the loop runs".
//!
//! A state that ends by itself is no problem: no assignment, a retry, a pause, a broker that is away for
//! a moment. The facts are here all the same.

use fastkafka_engine::Wait;
use std::fmt;
use std::time::Duration;

/// How long an app without contact to a broker still counts as ready.
const CONTACT: Duration = Duration::from_secs(30);
/// How long it still counts as ready with a transient failure, a dead letter that cannot be written or
/// commits that are refused.
const PATIENCE: Duration = Duration::from_secs(60);

/// The health of an app, from `App::health`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Its groups.
    pub groups: Vec<GroupHealth>,
    /// Its background tasks, once they were started.
    pub tasks: Vec<TaskHealth>,
    /// Records sent and not yet reported.
    pub in_flight: usize,
}

impl Health {
    /// True when there is no problem: nothing for which a person must act or a fault must end.
    pub fn is_ready(&self) -> bool {
        self.problems().is_empty()
    }

    /// The problems, a line each. They name partitions, records and handlers.
    pub fn problems(&self) -> Vec<String> {
        let groups = self.groups.iter().flat_map(GroupHealth::problems);
        let tasks = self.tasks.iter().filter_map(TaskHealth::problem);
        groups.chain(tasks).collect()
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.problems() {
            [] => f.write_str("ready")?,
            problems => write!(f, "not ready: {}", problems.join("; "))?,
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// The partitions that the user has paused. That is no problem.
    pub paused: Vec<(String, i32)>,
    /// Partitions read as far ahead of their committed offset as `max_uncommitted` allows.
    pub span_reached: Vec<(String, i32)>,
    /// For how long no broker was reached.
    pub unreachable_for: Option<Duration>,
    /// Why the broker refuses the app: credentials, rights, a topic or the group's protocol.
    pub refused: Option<String>,
    /// The client's last error; it may be over.
    pub last_error: Option<String>,
    /// For how long commits have been refused, and why.
    pub commits_refused: Option<(Duration, String)>,
}

/// The health of a background task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskHealth {
    /// The function, `module::name`.
    pub task: String,
    /// True when it has returned, or has failed and is not started again.
    pub ended: bool,
    /// For how long it has failed again and again, and its last failure.
    pub failing: Option<(Duration, String)>,
}

impl TaskHealth {
    fn problem(&self) -> Option<String> {
        let (time, what) = self.failing.as_ref()?;
        let long = *time >= PATIENCE;
        (self.ended || long).then(|| {
            let since = if long {
                format!(", again and again for {} s", time.as_secs())
            } else {
                String::new()
            };
            format!("background task `{}` {what}{since}", self.task)
        })
    }
}

/// A partition, or a key of it, that stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub since: Duration,
    /// The last failure.
    pub error: String,
}

/// The reason why a record waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Names the cluster behind a topic or group. The app's own goes without saying.
fn on(cluster: &str) -> String {
    match cluster {
        "" => String::new(),
        cluster => format!(" on `{cluster}`"),
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

    /// The group in a sentence.
    pub(crate) fn name(&self) -> String {
        format!("group `{}`{}", self.group, on(&self.cluster))
    }

    fn problems(&self) -> Vec<String> {
        let (group, on) = (self.name(), on(&self.cluster));
        let mut problems = Vec::new();
        if let Some(time) = self.unreachable_for.filter(|time| *time >= CONTACT) {
            problems.push(format!(
                "{group}: no broker reached for {} s",
                time.as_secs()
            ));
        }
        if let Some(why) = &self.refused {
            problems.push(format!("{group}: {why}"));
        }
        let refused = self.commits_refused.as_ref();
        if let Some((_, why)) = refused.filter(|(time, _)| *time >= PATIENCE) {
            problems.push(format!("{group}: commits are refused: {why}"));
        }
        problems.extend(self.stopped.iter().map(ToString::to_string));
        if self.more_stopped > 0 {
            problems.push(format!("{} more records stand still", self.more_stopped));
        }
        let waiting = self.waiting.iter();
        problems.extend(waiting.filter_map(|record| record.problem(&on)));
        for (topic, partition) in &self.span_reached {
            problems.push(format!("{topic}[{partition}]{on} has read `max_uncommitted` offsets ahead of its oldest open record"));
        }
        problems
    }
}

impl WaitingRecord {
    fn problem(&self, on: &str) -> Option<String> {
        let what = match self.wait {
            // Its attempts come to an end.
            WaitingFor::Retry => return None,
            WaitingFor::Transient => "waits for a transient failure to pass",
            WaitingFor::DeadLetter => "its dead letter cannot be written",
        };
        (self.since >= PATIENCE).then(|| {
            format!(
                "{}[{}]{on} offset {} {what} for {} s: {}",
                self.topic,
                self.partition,
                self.offset,
                self.since.as_secs(),
                self.error
            )
        })
    }
}
