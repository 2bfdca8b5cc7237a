//! The consumer of a group, as its driver sees it: state machines over the calls of a client.
//!
//! Rebalances are answered late, when the driver has drained. A client that is destroyed while an answer
//! is due, or while messages are alive, hangs: so the end has an order of its own ([`leaving`]).
//!
//! [`raw::RawClient`] has the calls: [`client`] makes them with librdkafka, the tests with a simulated
//! client that has librdkafka's habits. The other files hold one piece of state each, and wait for
//! nothing.

mod absence;
mod asking;
mod assignment;
mod checks;
pub(crate) mod client;
mod commit_order;
mod committing;
mod ending;
mod ends;
mod epochs;
mod errors;
mod fetch_position;
mod hearing;
mod idle;
mod incarnation;
mod known;
mod late;
mod leader_epochs;
mod leaving;
mod looks;
mod lost;
mod moving;
#[cfg(feature = "proof")]
pub mod proof;
mod questions;
mod raw;
mod reachability;
mod reading;
mod rebalance;
mod refused;
mod seeks;
mod silence;
#[cfg(any(test, feature = "proof"))]
mod simulated;
mod standalone;
#[cfg(test)]
mod tests;
mod unchecked;
mod wrong;

use self::absence::Absence;
use self::assignment::Assignment;
use self::checks::Checks;
use self::commit_order::CommitOrder;
use self::commit_order::rounds::Rounds;
use self::ends::Ends;
use self::epochs::Epochs;
use self::errors::Errors;
use self::idle::Idle;
use self::known::KnownOffsets;
use self::late::LateStarts;
use self::leaving::{Leaving, Membership};
use self::looks::Looks;
use self::lost::LostPositions;
use self::raw::{Answer, Ended, Event, RawClient, Request};
use self::reachability::Reachability;
use self::rebalance::Rebalance;
use self::seeks::Seeks;
use self::silence::Silence;
use self::standalone::Standalone;
use self::unchecked::Unchecked;
use self::wrong::WrongPositions;
use crate::error::client_error;
use crate::offsets::metadata::Texts;
use crate::offsets::partition_count::PartitionCount;
use fastkafka_core::{Fetched, OffsetReset};
use fastkafka_runtime::platform::{ClientError, GroupConsumer, Notice, PartitionRef};
use fastkafka_runtime::{ControlError, Seek};
use rdkafka::types::RDKafkaErrorCode::AssignmentLost;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// The consumer of a group, or without one.
#[derive(Clone, Debug)]
pub(crate) struct KafkaConsumer<C> {
    client: C,
    assigned: Assignment,
    /// Since when partitions are ours, also those that are not read yet.
    epochs: Epochs,
    /// The number of partitions that the commits of each topic carry.
    counts: HashMap<&'static str, PartitionCount>,
    texts: Texts,
    commits: CommitOrder,
    rebalance: Rebalance,
    idle: Idle,
    seeks: Seeks,
    errors: Errors,
    ends: Ends,
    wrong: WrongPositions,
    silence: Silence,
    absence: Absence,
    /// Answers about ends of logs, for the next poll.
    ended: Vec<Ended>,
    late: LateStarts,
    lost: LostPositions,
    looks: Looks,
    known: KnownOffsets,
    unchecked: Unchecked,
    reachability: Reachability,
    checks: Checks,
    /// The subscription, by the cluster's names. Patterns are not in it.
    topics: Vec<String>,
    /// In the place of a group.
    standalone: Option<Standalone>,
    leaving: Leaving,
    /// The client has raised a fatal error.
    is_dead: bool,
}

/// How often the client does something by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intervals {
    /// Between two refreshes of the metadata.
    refresh: Duration,
    /// Between two heartbeats; zero where the broker says.
    heartbeat: Duration,
    commit: Rounds,
}

impl<C: RawClient> KafkaConsumer<C> {
    /// `topics` go by the cluster's names. `standalone` is in the place of a group.
    fn new(
        client: C,
        membership: Membership,
        mut topics: Vec<String>,
        standalone: Option<Standalone>,
        intervals: Intervals,
    ) -> Self {
        topics.retain(|topic| !topic.starts_with('^'));
        Self {
            client,
            assigned: Assignment::default(),
            epochs: Epochs::default(),
            counts: HashMap::new(),
            texts: Texts::default(),
            commits: CommitOrder::new(intervals.commit),
            rebalance: Rebalance::default(),
            idle: Idle::new(membership == Membership::BrokerAssigned),
            seeks: Seeks::default(),
            errors: Errors::default(),
            ends: Ends::default(),
            wrong: WrongPositions::default(),
            silence: Silence::default(),
            absence: Absence::new(intervals.heartbeat),
            ended: Vec::new(),
            late: LateStarts::default(),
            lost: LostPositions::default(),
            looks: Looks::new(intervals.refresh),
            known: KnownOffsets::default(),
            unchecked: Unchecked::default(),
            reachability: Reachability::new(),
            checks: Checks::default(),
            topics,
            standalone,
            leaving: Leaving::new(membership),
            is_dead: false,
        }
    }

    /// These are not ours any more: nothing of them is committed.
    fn give_away(&mut self, places: &[PartitionRef]) {
        self.epochs.end(places);
        self.client.own(&self.epochs);
    }

    /// True while a rebalance waits for its answer, or may, since any event may be one: giving a partition
    /// up or taking one would be taken for it.
    fn has_rebalance(&self) -> bool {
        !self.rebalance.is_answered() || self.client.has_events()
    }
}

impl<C: RawClient> GroupConsumer for KafkaConsumer<C> {
    fn poll(&mut self, notices: &mut Vec<Notice>) {
        let mut events = Vec::new();
        self.client.poll(&mut events);
        // What is known of positions comes before everything by which the driver moves a partition, and what
        // lets it move one by a seek comes last: what was found at the old position says nothing of the next.
        let ends = self.take_ends();
        notices.extend(self.wrong.take());
        notices.extend(ends);
        let (mut failed, mut of_seeks) = (false, Vec::new());
        for event in events {
            failed |= matches!(event, Event::Error(_));
            let notice = self.hear(event);
            let is_of_seek = matches!(notice, Some(Notice::Found(..) | Notice::Moved(..)));
            let list = if is_of_seek {
                &mut of_seeks
            } else {
                &mut *notices
            };
            list.extend(notice);
        }
        if failed && !self.is_dead && self.client.is_dead() {
            self.is_dead = true;
            let revoke = self.own_revoke();
            notices.extend(revoke.and_then(|revoke| self.hear(revoke)));
        }
        self.rebalance.heard();
        self.tell_offsets();
        let client = &self.client;
        if self.idle.has_lasted(client.now(), || client.is_joined()) {
            notices.push(Notice::NoPartition);
        }
        self.ask();
        notices.extend(self.look_for_silence());
        self.after_errors();
        self.look_again();
        self.check_later();
        if self.rebalance.is_answered() {
            self.add_waiting();
            self.restart_waiting();
        }
        notices.append(&mut of_seeks);
    }

    fn fetch(&mut self, max: usize, runs: &mut Vec<(PartitionRef, Arc<dyn Fetched>)>) -> bool {
        self.take_fetched(max, runs)
    }

    fn due(&self) -> Option<Duration> {
        let due_at = self.commits.due_at();
        (due_at < Duration::MAX).then(|| due_at.saturating_sub(self.client.now()))
    }

    fn end(&self, place: PartitionRef) -> Option<i64> {
        self.client.known_end(place)
    }

    fn resolve(&mut self, places: Vec<(PartitionRef, OffsetReset)>, within: Duration) {
        self.client.ask(match &self.standalone {
            Some(standalone) => Request::Choose(standalone.policies(places), within),
            None => {
                let ours = |(place, policy)| {
                    let epoch = self.epochs.since(place)?;
                    Some((place, policy, epoch))
                };
                Request::Resolve(places.into_iter().filter_map(ours).collect(), within)
            }
        });
    }

    fn assign(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        self.rebalance.answer();
        let starts = self.note_starts(starts);
        self.begin(&starts)
    }

    fn add(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        let known = self.note_starts(starts);
        if self.has_rebalance() {
            self.late.add(starts);
            // The next poll looks again.
            self.client.wake();
            return Ok(());
        }
        self.begin_beside(&known)
    }

    fn unassign(&mut self, places: &[PartitionRef]) -> Result<(), ClientError> {
        self.rebalance.answer();
        self.tell_last_offsets(places);
        // Before the answer: the next owner may begin with it.
        self.give_away(places);
        // One that was never begun with, or was given up for a seek, is not in librdkafka's list, which
        // refuses it.
        let mut given = self.assigned.remove(places);
        given.retain(|(place, _)| !self.seeks.is_given_up(place) && !self.late.contains(place));
        self.seeks.forget(places);
        self.errors.forget(places);
        self.late.forget(places);
        self.wrong.forget(places);
        places.iter().for_each(|place| self.lost.forget(place));
        self.unchecked.forget(places.iter().copied());
        if self.client.is_cooperative() {
            self.client.unassign_some(&given)
        } else {
            self.assigned.clear();
            self.seeks.clear();
            self.epochs.end_all();
            self.client.own(&self.epochs);
            self.wrong.clear();
            self.unchecked.clear();
            self.client.unassign()
        }
    }

    fn lost(&self) -> bool {
        self.is_dead || self.client.is_lost()
    }

    fn store(&mut self, offsets: &[(PartitionRef, i64)]) -> Vec<(PartitionRef, String)> {
        self.take_offsets(offsets)
    }

    fn find(&mut self, place: PartitionRef, to: Seek) {
        if let Some(epoch) = self.epochs.since(place) {
            self.client.ask(Request::Find { place, to, epoch });
        } else {
            let answer = Answer::Found(place, Err(not_found(place)));
            self.client.post(Event::Answer(answer));
        }
    }

    fn commit(&mut self, place: PartitionRef, offset: i64) {
        if self.standalone.is_some() {
            let answer = Answer::Moved(place, Ok(()));
            self.client.post(Event::Answer(answer));
            return;
        }
        let Some(epoch) = self.epochs.since(place) else {
            let answer = Answer::Moved(place, Err(given_away(place)));
            self.client.post(Event::Answer(answer));
            return;
        };
        let commit = self.commit_at(place, offset);
        // At a revoke the client commits what it was told last, whatever the group has by then.
        for (place, why) in self.tell(std::slice::from_ref(&commit)) {
            tracing::debug!(%place, "the offset of a seek is not taken yet: {why}");
        }
        self.client.ask(Request::Commit { commit, epoch });
    }

    fn seek(&mut self, place: PartitionRef, offset: i64) -> Result<(), ClientError> {
        if !self.assigned.contains(place) || self.late.seek(place, offset) {
            return Ok(());
        }
        // It may have to wait, and the next poll tells what is wrong.
        self.wrong.leave(place);
        self.seeks.add(place, offset);
        if self.has_rebalance() {
            return Ok(());
        }
        self.restart(place, offset)
    }

    fn pause(&mut self, place: PartitionRef, pause: bool) -> Result<(), ClientError> {
        match (self.late.contains(place), pause) {
            // It is paused when it is begun with.
            (true, _) => {}
            (false, true) => self.client.pause(&[(place, 0.into())])?,
            (false, false) => self.client.resume(&[(place, 0.into())])?,
        }
        if let Some(part) = self.assigned.get_mut(place) {
            part.paused = pause;
        }
        Ok(())
    }

    fn unsubscribe(&mut self) {
        self.leave();
    }

    fn close(&mut self, within: Duration) -> Poll<Result<(), String>> {
        self.end(within)
    }
}

/// The answer about the offset of a seek of a partition that is not ours any more.
fn not_found(place: PartitionRef) -> ControlError {
    ControlError::Unanswered {
        topic: place.topic.clone(),
        partition: place.partition,
        why: "it was given away meanwhile".to_owned(),
    }
}

/// The answer to a commit of a partition that is not ours any more.
fn given_away(place: PartitionRef) -> ClientError {
    let why = format!("{place} was given away meanwhile");
    client_error(AssignmentLost, why).at(place)
}
