//! What goes on: progress of long runs, health, and what stands still.

use super::{Driver, PROGRESS};
use crate::driver::partition::OwnedPartition;
use crate::handling::job::LaneHandle;
use crate::health::{GroupHealth, StoppedPartition, WaitingRecord};
use crate::transport::GroupConsumer;
use fastkafka_engine::{Event, PartIndex, Time};
use std::time::Duration;

/// By key many records may stand still or wait: so many are listed.
const LISTED: usize = 100;
/// How often a standstill is repeated in the log.
const REMIND: Duration = Duration::from_secs(60);

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn update_health(&mut self) {
        let room = (self.setup.outputs)().unwrap_or_else(|reason| {
            self.setup.shared.fail(reason);
            false
        });
        if room != self.room {
            self.room = room;
            self.step(Event::Room(room));
        }
        if std::mem::take(&mut self.health_dirty) {
            self.report();
        }
        if self.now.saturating_sub(self.progressed) >= PROGRESS {
            self.progressed = self.now;
            self.progress();
            self.report();
            if !self.rebalance.is_closing() {
                self.check_lanes();
            }
        }
    }

    /// A panic ends no lane, unless it happens where it cannot be caught.
    pub(super) fn check_lanes(&self) {
        let dead = |p: &&OwnedPartition| p.lane.as_ref().is_some_and(LaneHandle::is_over);
        if let Some(p) = self.parts.iter().find(dead) {
            self.setup.shared.fail(format!(
                "the lane of {} died: `{}` panicked where it cannot be caught, such as in a drop",
                p.place, p.handler.def.name
            ));
        }
    }

    /// The same of a task; those that are aborted on the way out do not count.
    pub(super) fn task_panicked(&mut self, part: PartIndex) {
        if !self.rebalance.is_closing() {
            let p = self.at(part);
            let reason = format!(
                "a task of {} died: `{}` panicked where it cannot be caught, such as in a drop",
                p.place, p.handler.def.name
            );
            self.setup.shared.fail(reason);
        }
    }

    /// Settled prefixes of runs that go on, and records that will not settle: the rest of their run
    /// may wait for something that comes only after them.
    pub(super) fn progress(&mut self) {
        for part in (0..).map(PartIndex).take(self.parts.len()) {
            let mut i = 0;
            // A step may end with the release of the partition.
            while let Some(started) = self.at(part).started.get(i) {
                let settled = started.scope.progress(started.settled);
                let lost = started
                    .scope
                    .lost()
                    .filter(|(index, ..)| started.is_news(*index));
                if settled > started.settled || lost.is_some() {
                    let (run, prefix) = (started.run, started.offset(settled));
                    let told = lost.as_ref().map(|(index, ..)| *index);
                    let lost = lost.map(|(index, kind, why)| {
                        (started.offset(index), started.offset(index + 1), kind, why)
                    });
                    let partition = self.at(part);
                    partition.started[i].settled = settled;
                    partition.started[i].broken = told.or(partition.started[i].broken);
                    let broken =
                        lost.map(|(at, next, kind, why)| partition.broken(at, next, kind, &why));
                    self.step(Event::Settled {
                        part,
                        run,
                        prefix,
                        broken,
                        closed: false,
                    });
                }
                i += 1;
            }
        }
    }

    /// Works out what health says, and repeats in the log what stands still.
    pub(crate) fn report(&mut self) {
        let place = |part: PartIndex| self.parts[part.0 as usize].place;
        let error = |part: PartIndex, at: i64| {
            self.parts[part.0 as usize]
                .errors
                .get(&at)
                .cloned()
                .unwrap_or_default()
        };
        let since = |time: Time| self.now.saturating_sub(time);
        let truncated = self.truncated.iter().map(|(part, at)| (*part, *at, 0));
        let all_stopped = self.engine.stopped().count() + self.truncated.len();
        let stops: Vec<_> = self
            .engine
            .stopped()
            .map(|stopped| (stopped.part, stopped.at, stopped.attempts))
            .chain(truncated)
            .take(LISTED)
            .collect();
        let stopped = stops.iter().map(|&(part, at, attempts)| StoppedPartition {
            cluster: place(part).cluster.clone(),
            topic: place(part).topic.clone(),
            partition: place(part).partition,
            offset: at,
            handler: self.parts[part.0 as usize].handler.def.name,
            attempts,
            error: error(part, at),
            key_only: self.parts[part.0 as usize].keyed.is_some(),
        });
        let all_waiting = self.engine.waiting().count();
        let waiting = self
            .engine
            .waiting()
            .take(LISTED)
            .map(|waiting| WaitingRecord {
                cluster: place(waiting.part).cluster.clone(),
                topic: place(waiting.part).topic.clone(),
                partition: place(waiting.part).partition,
                offset: waiting.at,
                handler: self.parts[waiting.part.0 as usize].handler.def.name,
                wait: waiting.wait.into(),
                since: since(waiting.since),
                error: error(waiting.part, waiting.at),
            });
        let health = GroupHealth {
            cluster: self.cluster().to_owned(),
            group: self.group().to_owned(),
            assigned: self
                .rebalance
                .assigned
                .iter()
                .map(|place| (place.topic.clone(), place.partition))
                .collect(),
            stopped: stopped.collect(),
            more_stopped: all_stopped.saturating_sub(LISTED),
            waiting: waiting.collect(),
            more_waiting: all_waiting.saturating_sub(LISTED),
            paused: self
                .rebalance
                .assigned
                .iter()
                .filter(|place| self.is_paused(place))
                .map(|place| (place.topic.clone(), place.partition))
                .collect(),
            span_reached: self
                .engine
                .span_reached()
                .map(|part| (place(part).topic.clone(), place(part).partition))
                .collect(),
            unreachable_for: self.client_errors.unreachable.map(since),
            refused: self.client_errors.refused.clone(),
            last_error: self.client_errors.last_error.clone(),
            commits_refused: self
                .client_errors
                .commits
                .as_ref()
                .map(|(time, why)| (since(*time), why.clone())),
        };
        self.reminded
            .retain(|key, _| stops.iter().any(|(part, at, _)| (*part, *at) == *key));
        for ((part, at, _), stopped) in stops.into_iter().zip(&health.stopped) {
            let key = (part, at);
            if self
                .reminded
                .get(&key)
                .is_none_or(|last| since(*last) >= REMIND)
            {
                self.reminded.insert(key, self.now);
                tracing::error!("{stopped}");
            }
        }
        self.setup.shared.set_health(health);
    }

    pub(crate) fn mark_started(&self) {
        self.setup.shared.mark_started();
    }
}
