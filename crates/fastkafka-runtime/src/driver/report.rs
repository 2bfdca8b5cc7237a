//! The progress of long runs, the health of the group, and reminders of records that stand still.

use super::Driver;
use super::partition::OwnedPartition;
use super::state::problems::{Key, On, Open};
use super::state::starts::Unstarted;
use super::state::upkeep::Standing;
use crate::handling::job::LaneHandle;
use crate::health::{GroupHealth, Problem, ProblemCode, StoppedPartition, Subject, WaitingRecord};
use crate::tokio_runtime;
use crate::transport::{GroupConsumer, PartitionRef};
use fastkafka_engine::{Event, PartIndex, Time};
use std::time::Duration;

/// By key many records may stand still or wait: so many are listed.
const LISTED: usize = 100;

/// A record that stands still, and how often it was tried.
type Stopped = (PartIndex, i64, u32);

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn update_health(&mut self) {
        let room = (self.setup.has_room)();
        if room != self.room {
            self.room = room;
            self.step(Event::Room(room));
        }
        if self.upkeep.take_health_changed() {
            self.report();
        }
        if self.upkeep.progress(self.now) {
            self.tell_progress();
            self.look_for_stalls();
            self.report();
            self.look_from_time_to_time();
            if !self.rebalance.membership.is_closing() {
                self.check_lanes();
            }
        }
    }

    /// Ends the app when a lane is gone. A panic ends no lane, unless it happens where it cannot be
    /// caught.
    fn check_lanes(&self) {
        let is_gone = |p: &&OwnedPartition| p.lane.as_ref().is_some_and(LaneHandle::is_over);
        if let Some(p) = self.partitions.iter().find(is_gone)
            && !tokio_runtime::is_gone(&self.setup.tokio)
        {
            self.setup.shared.fail(format!(
                "the lane of {} died: `{}` panicked where it cannot be caught",
                p.place, p.handler.def.name
            ));
        }
    }

    /// The same of a task; those that are aborted at the shutdown do not count.
    pub(super) fn task_panicked(&self, part: PartIndex) {
        if !self.rebalance.membership.is_closing() {
            let p = &self.partitions[part];
            self.setup.shared.fail(format!(
                "a task of {} died: `{}` panicked where it cannot be caught",
                p.place, p.handler.def.name
            ));
        }
    }

    /// Tells the engine the settled prefixes of runs that go on, and the records of theirs that will
    /// not settle: the rest of the run may wait for something that comes only after them.
    fn tell_progress(&mut self) {
        for part in self.partitions.numbers() {
            let mut at = 0;
            // One after the other: a step may end with the release of the partition.
            while let Some(started) = self.partitions[part].started.get_mut(at) {
                at += 1;
                let Some(progress) = started.progress() else {
                    continue;
                };
                let lost = progress.lost;
                let broken = lost.map(|lost| self.partitions[part].note_lost(lost));
                self.step(Event::Settled {
                    part,
                    run: progress.run,
                    prefix: progress.prefix,
                    broken,
                    closed: false,
                });
            }
        }
    }

    /// Works out health, and names in the log what stands still.
    pub(super) fn report(&mut self) {
        let (stopped, more_stopped) = self.stopped();
        let stalled = self.stalled();
        let mut health = self.health(&stopped, more_stopped);
        (health.stalled, health.more_stalled) = self.stalled_records(&stalled);
        health.open = self.open_problems(&health);
        let strange = self.on_other_logs();
        let stands = |record| {
            let stopped = stopped.iter().map(|s| (Standing::Stopped, s.0, s.1));
            let stalled = stalled
                .iter()
                .map(|(part, stand)| (Standing::Stalled, *part, stand.place.at));
            let strange = strange
                .iter()
                .map(|(part, at, _)| (Standing::OnAnotherLog, *part, *at));
            let mut all = stopped.chain(stalled).chain(strange);
            all.any(|stands| stands == record)
        };
        self.upkeep.retain(stands);
        for (part, at, what) in &strange {
            if self
                .upkeep
                .remind((Standing::OnAnotherLog, *part, *at), self.now)
            {
                let place = self.partitions[*part].place;
                tracing::error!(%place, "{what}");
            }
        }
        for (&(part, at, _), named) in stopped.iter().zip(&health.stopped) {
            if self.upkeep.remind((Standing::Stopped, part, at), self.now) {
                tracing::error!("{named}");
            }
        }
        for (&(part, stand), named) in stalled.iter().zip(&health.stalled) {
            if self
                .upkeep
                .remind((Standing::Stalled, part, stand.place.at), self.now)
            {
                tracing::warn!("{named}");
            }
        }
        self.setup.shared.set_health(health);
    }

    /// The first records that stand still, and how many more there are.
    fn stopped(&self) -> (Vec<Stopped>, usize) {
        let mut all = self
            .engine
            .stopped()
            .map(|stopped| (stopped.part, stopped.at, stopped.attempts));
        let listed = all.by_ref().take(LISTED).collect();
        (listed, all.count())
    }

    /// The partitions whose position does not belong to their log, and why.
    fn on_other_logs(&self) -> Vec<(PartIndex, i64, String)> {
        let partitions = self.partitions.numbered();
        partitions
            .filter_map(|(part, p)| {
                let at = p.truncated?;
                Some((part, at, p.error(at).to_owned()))
            })
            .collect()
    }

    fn health(&self, stopped: &[Stopped], more_stopped: usize) -> GroupHealth {
        let stopped = stopped
            .iter()
            .map(|stopped| self.stopped_partition(*stopped));
        let name = |place: &PartitionRef| (place.topic.clone(), place.partition);
        let assigned = self.rebalance.assigned();
        GroupHealth {
            cluster: self.setup.cluster().to_owned(),
            group: self.setup.group().to_owned(),
            assigned: assigned.iter().map(name).collect(),
            stopped: stopped.collect(),
            more_stopped,
            waiting: self.waiting(),
            more_waiting: self.engine.waiting().count().saturating_sub(LISTED),
            paused: assigned
                .iter()
                .filter(|place| self.is_paused(place))
                .map(name)
                .collect(),
            stalled: Vec::new(),
            more_stalled: 0,
            span_reached: self
                .engine
                .span_reached()
                .map(|part| name(&self.partitions[part].place))
                .collect(),
            last_error: self.last_error.clone(),
            open: Vec::new(),
        }
    }

    fn open_problems(&mut self, health: &GroupHealth) -> Vec<Problem> {
        let now = self.now;
        let partitions = &self.partitions;
        // Nothing is read of a partition that the user has paused, so nothing would show that it can be.
        let waits_for_user = |key: &Key| match (key.code, &key.on) {
            (ProblemCode::BatchUnreadable | ProblemCode::PartitionSilent, On::Partition(place)) => {
                let part = partitions.find(place);
                part.is_some_and(|part| partitions[part].user_paused)
            }
            _ => false,
        };
        let open = self.problems.open(now);
        let open = open.filter(|(key, _)| !waits_for_user(key));
        let open = open.filter_map(|(key, open)| open_problem(health, key, open, now));
        let mut open: Vec<_> = open.collect();
        // Why it cannot be in its group has a name of its own.
        if open.iter().any(|problem| keeps_out_of_group(problem.code)) {
            open.retain(|problem| problem.code != ProblemCode::NotInGroup);
        }
        let unstarted = self.rebalance.unstarted();
        let unstarted = unstarted.filter_map(|one| start_unknown(health, one, now));
        open.extend(unstarted);
        open
    }

    fn stopped_partition(&self, (part, at, attempts): Stopped) -> StoppedPartition {
        let partition = &self.partitions[part];
        StoppedPartition {
            cluster: partition.place.cluster.clone(),
            topic: partition.place.topic.clone(),
            partition: partition.place.partition,
            offset: at,
            handler: partition.handler.def.name,
            attempts,
            error: partition.errors.of_record(at),
            key_only: partition.keyed.is_some(),
        }
    }

    fn waiting(&self) -> Vec<WaitingRecord> {
        let waiting = self.engine.waiting().take(LISTED);
        waiting
            .map(|waiting| {
                let partition = &self.partitions[waiting.part];
                WaitingRecord {
                    cluster: partition.place.cluster.clone(),
                    topic: partition.place.topic.clone(),
                    partition: partition.place.partition,
                    offset: waiting.at,
                    handler: partition.handler.def.name,
                    wait: waiting.wait.into(),
                    attempts: waiting.attempts,
                    due: waiting.due.map(|due| due.saturating_sub(self.now)),
                    since: self.since(waiting.since),
                    error: partition.errors.of_record(waiting.at),
                }
            })
            .collect()
    }

    fn is_paused(&self, place: PartitionRef) -> bool {
        let part = self.partitions.find(place);
        part.is_some_and(|part| self.partitions[part].user_paused)
    }

    fn since(&self, time: Time) -> Duration {
        self.now.saturating_sub(time)
    }
}

fn keeps_out_of_group(code: ProblemCode) -> bool {
    matches!(
        code,
        ProblemCode::NoBroker
            | ProblemCode::LoginRefused
            | ProblemCode::ClusterRefused
            | ProblemCode::GroupRefused
    )
}

fn start_unknown(health: &GroupHealth, unstarted: &Unstarted, now: Time) -> Option<Problem> {
    let subject = Subject {
        topic: Some(&unstarted.place.topic),
        partition: Some(unstarted.place.partition),
        ..health.subject()
    };
    let since = now.saturating_sub(unstarted.since);
    let why = unstarted.why.as_ref().map(ToString::to_string);
    let why = why.as_deref().unwrap_or("no answer yet");
    Problem::new(ProblemCode::StartUnknown, &subject, since, why)
}

fn open_problem(health: &GroupHealth, key: &Key, open: &Open, now: Time) -> Option<Problem> {
    let subject = match &key.on {
        On::Consumer => health.subject(),
        On::Topic(topic) => Subject {
            topic: Some(topic),
            ..health.subject()
        },
        On::Partition(place) => Subject {
            topic: Some(&place.topic),
            partition: Some(place.partition),
            offset: open.offset,
            ..health.subject()
        },
    };
    let since = now.saturating_sub(open.since);
    let problem = Problem::new(key.code, &subject, since, &open.error)?;
    Some(problem.times(open.times))
}
