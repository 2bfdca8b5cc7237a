//! Health: what is wrong with a running app, computed from facts and never from "the loop runs".
//!
//! A state that ends by itself is no problem: no assignment, a retry, a pause, a broker that is away for
//! a moment. The facts are here all the same.

mod code;
mod group;
mod problem;
mod producer;
mod stalled;
mod subject;
mod time;

pub use self::code::ProblemCode;
pub use self::group::{GroupHealth, StoppedPartition, WaitingFor, WaitingRecord};
pub use self::problem::Problem;
pub use self::producer::ProducerHealth;
pub use self::stalled::{StalledAt, StalledRecord};
pub(crate) use self::subject::Subject;

use self::subject::on;
use self::time::PATIENCE;
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
