//! What is wrong, computed from facts: never from "the loop runs".

use fastkafka_engine::Wait;
use std::fmt;
use std::time::Duration;

/// Longest time without contact to a broker that still counts as ready.
const CONTACT: Duration = Duration::from_secs(30);
/// Longest transient failure, unwritable dead letter or refused commit that still counts as ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// How an app is. See `App::health`.
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
    /// True when nothing is wrong that a person or the passing of time would have to put right.
    pub fn is_ready(&self) -> bool {
        self.problems().is_empty()
    }

    /// What is wrong, a line each; names partitions, records and handlers.
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
        let paused = self.groups.iter().flat_map(|group| {
            let paused = group.paused.iter();
            paused.map(|(topic, n)| format!("{topic}[{n}]{}", on(&group.cluster)))
        });
        let paused: Vec<_> = paused.collect();
        if !paused.is_empty() {
            write!(f, "; paused: {}", paused.join(", "))?;
        }
        Ok(())
    }
}

/// How a group's consumer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupHealth {
    /// The name of its cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The group's id.
    pub group: String,
    /// What is assigned to this process: topic and partition. Nothing is legitimate.
    pub assigned: Vec<(String, i32)>,
    /// Partitions, or keys of them, that stand still until somebody acts; the first hundred.
    pub stopped: Vec<StoppedPartition>,
    /// How many more stand still.
    pub more_stopped: usize,
    /// Records that failed and are tried again; the first hundred.
    pub waiting: Vec<WaitingRecord>,
    /// How many more are tried again.
    pub more_waiting: usize,
    /// What the user has paused of it: no fault.
    pub paused: Vec<(String, i32)>,
    /// Partitions read as far ahead of their committed offset as `max_uncommitted` allows.
    pub span_reached: Vec<(String, i32)>,
    /// No broker was reached for so long.
    pub unreachable_for: Option<Duration>,
    /// The broker refuses the app: credentials, rights, a topic or the group's protocol.
    pub refused: Option<String>,
    /// The last thing the client complained about; it may be over.
    pub last_error: Option<String>,
    /// Commits are refused for so long, and why.
    pub commits_refused: Option<(Duration, String)>,
}

/// How a background task is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskHealth {
    /// The function, `module::name`.
    pub task: String,
    /// It has returned, or failed and is not started again.
    pub ended: bool,
    /// For how long it has failed again and again, and the last failure.
    pub failing: Option<(Duration, String)>,
}

impl TaskHealth {
    fn problem(&self) -> Option<String> {
        let (time, what) = self.failing.as_ref()?;
        let long = *time >= PATIENCE;
        (self.ended || long).then(|| {
            let since = match long {
                true => format!(", again and again for {} s", time.as_secs()),
                false => String::new(),
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
    /// The record that could not be handled.
    pub offset: i64,
    /// The handler that did not accept it.
    pub handler: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// Why.
    pub error: String,
    /// In order by key, or without order: only the record and what follows it in its key stand still.
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
    /// The record.
    pub offset: i64,
    /// Its handler.
    pub handler: &'static str,
    /// What it waits for.
    pub wait: WaitingFor,
    /// For how long.
    pub since: Duration,
    /// Why.
    pub error: String,
}

/// What a record waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingFor {
    /// Another attempt.
    Retry,
    /// The end of a transient failure.
    Transient,
    /// Its dead letter, which cannot be written.
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

/// After what is there; the app's own cluster needs no word.
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
        if let Some((_, why)) = self
            .commits_refused
            .as_ref()
            .filter(|(time, _)| *time >= PATIENCE)
        {
            problems.push(format!("{group}: commits are refused: {why}"));
        }
        problems.extend(self.stopped.iter().map(ToString::to_string));
        if self.more_stopped > 0 {
            problems.push(format!("{} more records stand still", self.more_stopped));
        }
        for record in self.waiting.iter().filter(|record| record.is_long()) {
            let what = match record.wait {
                WaitingFor::DeadLetter => "its dead letter cannot be written",
                _ => "waits for a transient failure to pass",
            };
            problems.push(format!(
                "{}[{}]{on} offset {} {what} for {} s: {}",
                record.topic,
                record.partition,
                record.offset,
                record.since.as_secs(),
                record.error
            ));
        }
        for (topic, partition) in &self.span_reached {
            problems.push(format!("{topic}[{partition}]{on} has read `max_uncommitted` offsets ahead of its oldest open record"));
        }
        problems
    }
}

impl WaitingRecord {
    /// Retries end by themselves; the others do not.
    fn is_long(&self) -> bool {
        self.wait != WaitingFor::Retry && self.since >= PATIENCE
    }
}
