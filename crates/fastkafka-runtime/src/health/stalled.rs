//! A record without progress.

use super::code::ProblemCode;
use super::problem::Problem;
use super::subject::Subject;
use std::fmt;
use std::time::Duration;

/// A record that has made no progress for as long as `stall_after` says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct StalledRecord {
    /// The name of the cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset of the record, or of the first record of a batch.
    pub offset: i64,
    /// The name of its handler.
    pub handler: &'static str,
    /// Where it stands.
    pub at: StalledAt,
    /// For how long.
    #[serde(serialize_with = "super::time::seconds")]
    pub since: Duration,
    /// True when other records wait for it: those behind it in its partition, or by key in its key, or all
    /// that are not read because its partition is full. The app is not ready then.
    pub holds_up: bool,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StalledAt {
    /// Its handler has not returned.
    Handler,
    /// Its handler has not returned, and its partition was given away or moved meanwhile: the call counts for
    /// nothing, and what comes after it in its order waits for it.
    Straggler,
    /// It was handled, and its `Ack`, a task that it spawned or one of its outputs keeps it open.
    Settling,
}

impl StalledRecord {
    /// `None` never: it has stalled for long already.
    pub(super) fn problem(&self, group: Option<&str>) -> Option<Problem> {
        let subject = Subject {
            cluster: &self.cluster,
            group,
            topic: Some(&self.topic),
            partition: Some(self.partition),
            offset: Some(self.offset),
            function: Some(self.handler),
            ..Subject::default()
        };
        let (code, what) = match self.at {
            StalledAt::Handler => (ProblemCode::HandlerStalled, ""),
            StalledAt::Straggler => (
                ProblemCode::HandlerStalled,
                "its partition was given away or moved since the call began",
            ),
            StalledAt::Settling => (
                ProblemCode::RecordOpen,
                "its `Ack`, a task that it spawned or an output is not settled",
            ),
        };
        let mut problem = Problem::new(code, &subject, self.since, what)?;
        problem.blocks = self.holds_up;
        Some(problem)
    }
}

/// One line.
impl fmt::Display for StalledRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem(None).map_or(Ok(()), |problem| problem.fmt(f))
    }
}
