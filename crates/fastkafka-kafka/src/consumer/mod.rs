//! The consumer of a group, as its driver sees it: state machines over the calls of a client.
//!
//! Rebalances are answered late, when the driver has drained. A client that is destroyed while an answer
//! is due, or while messages are alive, hangs: so the end has an order of its own ([`leaving`]).
//!
//! [`raw::RawClient`] has the calls: [`client`] makes them with librdkafka, the tests with a simulated
//! client that has librdkafka's habits. The other files hold one piece of state each, and wait for
//! nothing.

mod assignment;
mod checks;
pub(crate) mod client;
mod ending;
mod ends;
mod epochs;
mod errors;
mod idle;
mod late;
mod leaving;
mod lost;
mod moving;
#[cfg(feature = "proof")]
pub mod proof;
mod raw;
mod reachability;
mod rebalance;
mod refused;
mod seeks;
#[cfg(any(test, feature = "proof"))]
mod simulated;
mod standalone;
#[cfg(test)]
mod tests;

use self::assignment::Assignment;
use self::checks::Checks;
use self::ends::Ends;
use self::epochs::Epochs;
use self::errors::Errors;
use self::idle::Idle;
use self::late::LateStarts;
use self::leaving::{Leaving, Membership};
use self::lost::LostPositions;
use self::raw::{Answer, Event, FetchError, Piece, RawClient, Request};
use self::reachability::Reachability;
use self::rebalance::{Owed, Rebalance};
use self::refused::refused;
use self::seeks::Seeks;
use self::standalone::Standalone;
use crate::error::client_error;
use crate::offsets::broker::Commit;
use crate::offsets::partition_count::PartitionCount;
use fastkafka_core::{Fetched, OffsetReset};
use fastkafka_runtime::Seek;
use fastkafka_runtime::platform::{ClientError, GroupConsumer, Notice, PartitionRef, Scope};
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
    rebalance: Rebalance,
    idle: Idle,
    seeks: Seeks,
    errors: Errors,
    ends: Ends,
    /// Answers about ends of logs, for the next poll.
    passed: Vec<(PartitionRef, i64, i64)>,
    late: LateStarts,
    lost: LostPositions,
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

impl<C: RawClient> KafkaConsumer<C> {
    /// `topics` go by the cluster's names. `standalone` is in the place of a group.
    fn new(
        client: C,
        membership: Membership,
        mut topics: Vec<String>,
        standalone: Option<Standalone>,
    ) -> Self {
        topics.retain(|topic| !topic.starts_with('^'));
        Self {
            client,
            assigned: Assignment::default(),
            epochs: Epochs::default(),
            counts: HashMap::new(),
            rebalance: Rebalance::default(),
            idle: Idle::new(membership == Membership::BrokerAssigned),
            seeks: Seeks::default(),
            errors: Errors::default(),
            ends: Ends::default(),
            passed: Vec::new(),
            late: LateStarts::default(),
            lost: LostPositions::default(),
            reachability: Reachability::new(),
            checks: Checks::default(),
            topics,
            standalone,
            leaving: Leaving::new(membership),
            is_dead: false,
        }
    }

    /// Takes an event of the client. Returns what the driver hears of it.
    fn hear(&mut self, event: Event) -> Option<Notice> {
        match event {
            Event::Assign(places) => {
                self.rebalance.begin(Owed::Assign);
                self.idle.end();
                self.epochs.begin(&places);
                self.client.own(&self.epochs);
                Some(Notice::Assign(places))
            }
            Event::Revoke(places) => {
                let answered = self.rebalance.begin(Owed::Revoke(places.clone()));
                let lost = answered || self.lost();
                if lost {
                    self.give_away(&places);
                }
                Some(Notice::Revoke { places, lost })
            }
            Event::NotMoved(place, offset, error) => Some(Notice::NotMoved {
                place,
                offset,
                error,
            }),
            Event::NoTopic => Some(Notice::NoTopic),
            Event::Committed(offsets) => Some(Notice::Committed(offsets)),
            Event::Error(error) => {
                self.note_error(&error);
                Some(Notice::Error(error))
            }
            Event::Answer(answer) => self.hear_answer(answer),
        }
    }

    fn hear_answer(&mut self, answer: Answer) -> Option<Notice> {
        match answer {
            Answer::Resolved(resolved) => {
                self.counts.extend(resolved.counts);
                Some(Notice::Resolved(resolved.starts))
            }
            Answer::Listed(places) => {
                let standalone = self.standalone.as_mut()?;
                let new = standalone.take_new(places, self.client.now());
                if new.is_empty() {
                    return None;
                }
                self.hear(Event::Assign(new))
            }
            Answer::Found(place, found) => Some(Notice::Found(place, found)),
            Answer::Moved(place, moved) => Some(Notice::Moved(place, moved)),
            Answer::Range {
                place,
                position,
                low,
                high,
            } => {
                if !self.lost.settle(place) || !self.assigned.contains(place) {
                    return None; // Given away, or an answer that came twice.
                }
                if (low..=high).contains(&position) {
                    // The broker has changed its mind, or a new leader knows more.
                    self.seeks.add(place, position);
                    return None;
                }
                Some(Notice::OutOfRange {
                    place,
                    position,
                    low,
                    high,
                })
            }
            Answer::Checked { topics, group } => {
                let answers = topics.iter().map(|(_, answer)| answer);
                self.checks.heard(answers.chain([&group]));
                Some(Notice::Checked { topics, group })
            }
            Answer::Ends(ends) => {
                self.ends.answered();
                self.passed.extend(ends);
                None
            }
            Answer::Connected => {
                self.reachability.connected();
                Some(Notice::Connected)
            }
        }
    }

    /// Begins to ask for the evidence that an error is over.
    fn note_error(&mut self, error: &ClientError) {
        let now = self.client.now();
        if error.is_unreachable() {
            self.reachability.unreachable(now);
        } else if error.is_refusal() {
            match error.scope {
                Scope::Login | Scope::Cluster => self.reachability.unreachable(now),
                _ => self.checks.refused(now),
            }
        }
    }

    /// Begins the requests that are due.
    fn ask(&mut self) {
        let now = self.client.now();
        if self.reachability.is_due(now) {
            self.client.ask(Request::IsReached);
        }
        if self.ends.is_due(now) {
            let client = &self.client;
            let next = self.assigned.reading();
            let quiet = self.ends.look(now, &next, |place| client.known_end(place));
            if !quiet.is_empty() {
                self.client.ask(Request::Ends(quiet));
            }
        }
        if self.checks.is_due(now) {
            let place = match self.standalone {
                Some(_) => None,
                None => self.assigned.positions().first().map(|(place, _)| *place),
            };
            let topics = self.topics.clone();
            self.client.ask(Request::Check { topics, place });
        }
        let due = self.standalone.as_mut().and_then(|all| all.due(now));
        if let Some(topics) = due {
            self.client.ask(Request::List(topics));
        }
        let assigned = &self.assigned;
        let due = self.lost.due(now, |place| assigned.contains(place));
        for (place, position) in due {
            self.client.ask(Request::Range(place, position));
        }
    }

    /// The partitions that have passed what is no record, unless they have moved since they were looked at.
    fn take_ends(&mut self) -> impl Iterator<Item = Notice> + use<C> {
        let mut notices = Vec::new();
        for (place, from, to) in std::mem::take(&mut self.passed) {
            let moves = self.seeks.is_under_way(place) || self.errors.is_broken(place);
            if let Some(part) = self.assigned.get_mut(place)
                && part.next == from
                && to > from
                && !moves
            {
                part.next = to;
                notices.push(Notice::AtEnd(place, to));
            }
        }
        notices.into_iter()
    }

    /// Lets partitions begin again some time after an error, and tells those that are read again.
    fn after_errors(&mut self) -> impl Iterator<Item = Notice> + use<C> {
        let now = self.client.now();
        for place in self.errors.due(now) {
            if let Some(part) = self.assigned.get_mut(place)
                && !self.seeks.is_under_way(place)
            {
                self.seeks.add(place, part.next);
            }
        }
        self.errors.take_well(now).into_iter().map(Notice::Reads)
    }

    /// These are not ours any more: nothing of them is committed.
    fn give_away(&mut self, places: &[PartitionRef]) {
        self.epochs.end(places);
        self.client.own(&self.epochs);
    }

    fn count(&self, place: PartitionRef) -> PartitionCount {
        let count = self.counts.get(place.on_cluster.as_str());
        count.copied().unwrap_or_default()
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
        let mut failed = false;
        for event in events {
            failed |= matches!(event, Event::Error(_));
            notices.extend(self.hear(event));
        }
        notices.extend(self.take_ends());
        if failed && !self.is_dead && self.client.is_dead() {
            self.is_dead = true;
            let revoke = self.own_revoke();
            notices.extend(revoke.and_then(|revoke| self.hear(revoke)));
        }
        self.rebalance.heard();
        let client = &self.client;
        if self.idle.has_lasted(client.now(), || client.is_joined()) {
            notices.push(Notice::NoPartition);
        }
        self.ask();
        notices.extend(self.after_errors());
        if self.rebalance.is_answered() {
            self.add_waiting();
            self.restart_waiting();
        }
    }

    fn fetch(&mut self, max: usize, runs: &mut Vec<(PartitionRef, Arc<dyn Fetched>)>) -> bool {
        let (mut lost, mut errors) = (Vec::new(), Vec::new());
        let now = self.client.now();
        let taken = self.client.fetch(max, |piece| {
            let Piece {
                topic,
                partition,
                content,
            } = piece;
            // Records of a partition that was given away are freed unseen, and so are those of one whose
            // seek is on its way: they were read at the old position.
            let part = self.assigned.part(topic, partition);
            if part
                .as_ref()
                .is_some_and(|part| self.seeks.is_under_way(part.place))
            {
                return;
            }
            match (content, part) {
                (Ok(_), Some(part)) if self.errors.is_broken(part.place) => {}
                (Ok(records), Some(part)) => {
                    self.errors.read(part.place);
                    part.next = records.offset(records.len() - 1) + 1;
                    runs.push((part.place, records));
                }
                (Err(FetchError::OutOfRange { position }), Some(part)) => {
                    lost.push((part.place, position.unwrap_or(part.next)));
                }
                (Err(FetchError::Other(error)), Some(part)) => {
                    self.errors.add(part.place, now);
                    errors.push(error.at(part.place));
                }
                (Err(FetchError::Other(error)), None) => errors.push(error),
                (_, None) => {}
            }
        });
        for (place, position) in lost {
            self.lost.add(place, position, self.client.now());
            // The next poll asks for the range of the log.
            self.client.wake();
        }
        for error in errors {
            self.client.post(Event::Error(error));
        }
        if taken < max {
            self.ends.drained();
        }
        taken == max
    }

    fn resolve(&mut self, places: Vec<(PartitionRef, OffsetReset)>, within: Duration) {
        self.client.ask(match &self.standalone {
            Some(standalone) => Request::Choose(standalone.policies(places), within),
            None => {
                let ours = |(place, policy)| {
                    let epoch = self.epochs.of(place)?;
                    Some((place, policy, epoch))
                };
                Request::Resolve(places.into_iter().filter_map(ours).collect(), within)
            }
        });
    }

    fn assign(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        self.rebalance.answer();
        self.assigned.begin(starts);
        self.begin(starts)
    }

    fn add(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        self.assigned.begin(starts);
        if self.has_rebalance() {
            self.late.add(starts);
            // The next poll looks again.
            self.client.wake();
            return Ok(());
        }
        self.begin_beside(starts)
    }

    fn unassign(&mut self, places: &[PartitionRef]) -> Result<(), ClientError> {
        self.rebalance.answer();
        // Before the answer: the next owner may begin with it.
        self.give_away(places);
        // One that was never begun with, or was given up for a seek, is not in librdkafka's list, which
        // refuses it.
        let mut given = self.assigned.remove(places);
        given.retain(|(place, _)| !self.seeks.is_given_up(place) && !self.late.contains(place));
        self.seeks.forget(places);
        self.errors.forget(places);
        self.late.forget(places);
        if self.client.is_cooperative() {
            self.client.unassign_some(&given)
        } else {
            self.assigned.clear();
            self.seeks.clear();
            self.epochs.end_all();
            self.client.own(&self.epochs);
            self.client.unassign()
        }
    }

    fn lost(&self) -> bool {
        self.is_dead || self.client.is_lost()
    }

    fn store(&mut self, offsets: &[(PartitionRef, i64)]) -> Vec<(PartitionRef, String)> {
        if self.standalone.is_some() || offsets.is_empty() {
            return Vec::new();
        }
        let commits: Vec<_> = offsets
            .iter()
            .map(|(place, offset)| Commit {
                place,
                offset: *offset,
                metadata: self.count(place).metadata(),
            })
            .collect();
        refused(offsets, self.client.store(&commits))
    }

    fn find(&mut self, place: PartitionRef, to: Seek) {
        self.client.ask(Request::Find(place, to));
    }

    fn commit(&mut self, place: PartitionRef, offset: i64) {
        if self.standalone.is_some() {
            let answer = Answer::Moved(place, Ok(()));
            self.client.post(Event::Answer(answer));
            return;
        }
        let Some(epoch) = self.epochs.of(place) else {
            let answer = Answer::Moved(place, Err(given_away(place)));
            self.client.post(Event::Answer(answer));
            return;
        };
        let count = self.count(place);
        self.client.ask(Request::Commit {
            place,
            offset,
            count,
            epoch,
        });
    }

    fn seek(&mut self, place: PartitionRef, offset: i64) -> Result<(), ClientError> {
        if !self.assigned.contains(place) || self.late.seek(place, offset) {
            return Ok(());
        }
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
            (false, true) => self.client.pause(&[(place, 0)])?,
            (false, false) => self.client.resume(&[(place, 0)])?,
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

/// The answer to a commit of a partition that is not ours any more.
fn given_away(place: PartitionRef) -> ClientError {
    let why = format!("{place} was given away meanwhile");
    client_error(AssignmentLost, why).at(place)
}
