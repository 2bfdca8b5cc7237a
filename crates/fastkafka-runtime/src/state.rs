//! What the consumers of an app are doing, as data: each partition, and the records that stand or wait.

use crate::health::{
    GroupHealth, Health, Problem, ProducerHealth, StalledRecord, StoppedPartition, TaskHealth,
    WaitingRecord,
};
use crate::transport::PartitionRef;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// What an app is doing, from `App::snapshot`. As JSON it is described by the OpenAPI document in the
/// repository, `deploy/openapi.yaml`. Times are seconds.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct AppState {
    /// The app's title.
    pub title: String,
    /// The app's version.
    pub version: String,
    /// How far it is.
    pub phase: AppPhase,
    /// It is started, and health says that it is ready.
    pub ready: bool,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Its groups, by name; of another cluster than the app's own as `orders on payments`.
    pub groups: BTreeMap<String, GroupState>,
    /// What writes its records and its dead letters.
    pub producers: Vec<ProducerHealth>,
    /// Its background tasks, once they were started.
    pub tasks: Vec<TaskHealth>,
    /// Records that were sent and are not reported.
    pub in_flight: usize,
    /// The bytes of their keys, payloads and headers.
    pub in_flight_bytes: u64,
    /// What became of those that are reported.
    pub outputs: Vec<OutputState>,
}

/// What became of the records that were sent to a cluster, since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct OutputState {
    /// The name of the cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// They are dead letters.
    pub dead_letters: bool,
    /// The broker has them.
    pub acknowledged: u64,
    /// The broker has refused them, or did not answer in time. What depends on them is handled again.
    pub lost: u64,
}

/// How far an app is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppPhase {
    /// It was not started.
    New,
    /// Its hooks run, it connects, or its groups wait for their partitions.
    Starting,
    /// It does what it is for.
    Started,
    /// It was asked to stop, or ends by itself.
    Stopping,
    /// It has stopped.
    Stopped,
}

impl AppState {
    /// For the crate that starts apps.
    #[doc(hidden)]
    pub fn new(
        (title, version): (&str, &str),
        phase: AppPhase,
        health: Health,
        groups: BTreeMap<String, GroupState>,
    ) -> Self {
        Self {
            title: title.to_owned(),
            version: version.to_owned(),
            phase,
            ready: phase == AppPhase::Started && health.is_ready(),
            problems: health.problems(),
            groups,
            producers: health.producers,
            tasks: health.tasks,
            in_flight: health.in_flight,
            in_flight_bytes: 0,
            outputs: Vec::new(),
        }
    }

    /// Without what handlers, clients and brokers have said: an error may quote what a record has.
    #[must_use]
    pub fn without_errors(mut self) -> Self {
        let problems = self.problems.iter().map(Problem::without_error);
        self.problems = problems.collect();
        let members = self.groups.values_mut();
        let members = members.flat_map(|group| group.members.values_mut());
        members.for_each(MemberState::hide_errors);
        self
    }
}

/// A group of a running app.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct GroupState {
    /// The name of its cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The group's id.
    pub group: String,
    /// Its consumers in this process, by their numbers.
    pub members: BTreeMap<usize, MemberState>,
}

/// A consumer of a group.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct MemberState {
    /// The partitions that it reads, by names such as `orders[3]`.
    pub partitions: BTreeMap<String, PartitionState>,
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
}

/// A partition that is read.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct PartitionState {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The name of its handler.
    pub handler: &'static str,
    /// The offset that the broker has taken as committed, as far as this process knows.
    pub committed: Option<i64>,
    /// Everything below is settled: what is committed, or will be with the next commit.
    pub settled: i64,
    /// Everything below was read.
    pub position: i64,
    /// The offset after the last record of the log, as far as it is known.
    pub end: Option<i64>,
    /// For how long nobody has answered where the log ends, where that is asked for: from 10 seconds on. After 30
    /// seconds `end` and `lag` are not known any more.
    pub end_unanswered_seconds: Option<f64>,
    /// From `settled` to `end`, in offsets.
    pub lag: Option<i64>,
    /// The age of the oldest record that is not settled: by its timestamp where that is known, else since it was
    /// seen that there is one, which may be less. Zero where all is settled.
    pub lag_seconds: Option<f64>,
    /// The records that were read and are not settled.
    pub open: u64,
    /// For how long the oldest of them has been the oldest: the time without progress.
    pub oldest_open_seconds: Option<f64>,
    /// The offset of the oldest of them.
    pub oldest_open: Option<i64>,
    /// From the oldest of them to `position`, in offsets.
    pub uncommitted_span: i64,
    /// The keys and payloads that are held, in bytes.
    pub held_bytes: u64,
    /// The calls of its handler that are under way.
    pub in_hand: usize,
    /// For how long something that is settled has not been committed.
    pub commit_age_seconds: f64,
    /// It stands still until somebody acts, or by key a key of it does.
    pub stopped: bool,
    /// It is paused by the user.
    pub paused: bool,
}

/// What a driver notes of a partition, once a second.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) place: PartitionRef,
    pub(crate) handler: &'static str,
    pub(crate) committed: Option<i64>,
    pub(crate) settled: i64,
    pub(crate) position: i64,
    pub(crate) end: Option<i64>,
    pub(crate) oldest: Option<Oldest>,
    pub(crate) open: u64,
    pub(crate) span: i64,
    pub(crate) bytes: u64,
    pub(crate) in_hand: usize,
    /// Since when records are known to be there that were not read.
    pub(crate) unread: Option<Duration>,
    /// For how long a question for `end` was not answered.
    pub(crate) unanswered: Option<Duration>,
    pub(crate) uncommitted: Duration,
    pub(crate) stopped: bool,
    pub(crate) paused: bool,
}

/// The oldest record of a partition that was read and is not settled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Oldest {
    pub(crate) at: i64,
    /// When it was written, in milliseconds since 1970.
    pub(crate) written: Option<i64>,
    /// For how long it has been the oldest.
    pub(crate) lasts: Duration,
}

#[cfg(test)]
impl Figures {
    /// Of a partition that nothing was read of.
    pub(crate) fn new(topic: &str, partition: i32) -> Self {
        Self {
            place: fastkafka_core::TopicPartition::intern(topic, partition),
            handler: "on_orders",
            committed: None,
            settled: 0,
            position: 0,
            end: None,
            oldest: None,
            open: 0,
            span: 0,
            bytes: 0,
            in_hand: 0,
            unread: None,
            unanswered: None,
            uncommitted: Duration::ZERO,
            stopped: false,
            paused: false,
        }
    }
}

impl Figures {
    fn state(&self, now: SystemTime) -> PartitionState {
        // Control records are read without a word, so a position may be ahead of what is known of the end.
        let end = self.end.map(|end| end.max(self.position));
        let lag = end.map(|end| end - self.settled);
        let age = match self.oldest {
            Some(Oldest { written, lasts, .. }) => {
                Some(written.map_or(lasts.as_secs_f64(), |written| since(now, written)))
            }
            None => self.unread.map(|unread| unread.as_secs_f64()),
        };
        let none_open = self.oldest.is_none() && lag.is_some_and(|lag| lag == 0);
        PartitionState {
            topic: self.place.topic.clone(),
            partition: self.place.partition,
            handler: self.handler,
            committed: self.committed,
            settled: self.settled,
            position: self.position,
            end,
            end_unanswered_seconds: self.unanswered.map(|time| time.as_secs_f64()),
            lag,
            lag_seconds: if none_open { Some(0.0) } else { age },
            open: self.open,
            oldest_open_seconds: self.oldest.map(|oldest| oldest.lasts.as_secs_f64()),
            oldest_open: self.oldest.map(|oldest| oldest.at),
            uncommitted_span: self.span,
            held_bytes: self.bytes,
            in_hand: self.in_hand,
            commit_age_seconds: self.uncommitted.as_secs_f64(),
            stopped: self.stopped,
            paused: self.paused,
        }
    }
}

/// Seconds since a time of a record. Clocks differ: what seems to come from the future is new.
fn since(now: SystemTime, written: i64) -> f64 {
    let now = now.duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of centuries fit")]
    let written = written as f64 / 1_000.0;
    (now - written).max(0.0)
}

impl MemberState {
    pub(crate) fn new(health: GroupHealth, figures: &[Figures], now: SystemTime) -> Self {
        let partitions = figures.iter().map(|one| {
            let name = format!("{}[{}]", one.place.topic, one.place.partition);
            (name, one.state(now))
        });
        Self {
            partitions: partitions.collect(),
            stopped: health.stopped,
            more_stopped: health.more_stopped,
            waiting: health.waiting,
            more_waiting: health.more_waiting,
            stalled: health.stalled,
            more_stalled: health.more_stalled,
        }
    }

    /// Without what handlers and brokers have said: an error may quote the payload.
    fn hide_errors(&mut self) {
        let stopped = self.stopped.iter_mut().map(|record| &mut record.error);
        let waiting = self.waiting.iter_mut().map(|record| &mut record.error);
        stopped.chain(waiting).for_each(String::clear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        Figures {
            committed: Some(5),
            settled: 7,
            position: 9,
            end: Some(12),
            unread: Some(Duration::from_secs(4)),
            ..Figures::new("orders", 3)
        }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_lag_is_counted_from_what_is_settled_and_has_the_age_of_the_oldest_record() {
        let mut one = figures();
        one.oldest = Some(Oldest {
            at: 7,
            written: Some(90_500),
            lasts: Duration::from_secs(2),
        });
        let state = one.state(at(100));
        assert_eq!((state.lag, state.lag_seconds), (Some(5), Some(9.5)));
        assert_eq!(one.state(at(50)).lag_seconds, Some(0.0), "clocks differ");
        one.oldest = one.oldest.map(|oldest| Oldest {
            written: None,
            ..oldest
        });
        let lasts = one.state(at(100)).lag_seconds;
        assert_eq!(lasts, Some(2.0), "it has no time, or is not held any more");
    }

    #[test]
    fn what_is_not_read_is_as_old_as_it_is_known_to_be() {
        let one = figures();
        assert_eq!(one.state(at(100)).lag_seconds, Some(4.0));
        let read = Figures {
            settled: 12,
            position: 12,
            unread: None,
            ..figures()
        };
        let state = read.state(at(100));
        assert_eq!((state.lag, state.lag_seconds), (Some(0), Some(0.0)));
    }

    #[test]
    fn a_position_behind_control_records_moves_the_end_that_is_known() {
        let ahead = Figures {
            settled: 14,
            position: 14,
            unread: None,
            ..figures()
        };
        let state = ahead.state(at(100));
        assert_eq!((state.end, state.lag), (Some(14), Some(0)));
    }
}
