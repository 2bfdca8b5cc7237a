//! The consumer over its simulated client, for the search of `proof`: the search is the broker and the
//! group. It decides when an event of the client comes and when a request is answered.

mod group;
mod words;

pub use self::words::{Asked, Call, Given, Late, Trouble, When};

use super::leaving::Membership;
use super::raw::{Answer, Event, RawClient, Request};
use super::simulated::{self, INTERVALS, Simulated, place, start, within};
use super::{KafkaConsumer, given_away, not_found};
use crate::offsets::partition_count::PartitionCount;
use crate::offsets::start_offsets::Resolved;
use fastkafka_core::{Fetched, OffsetReset};
use fastkafka_runtime::Seek;
use fastkafka_runtime::platform::{ClientError, GroupConsumer, Notice, PartitionRef};
use std::fmt::{self, Write};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// A consumer over a simulated client. All partitions are of [`TOPIC`](Simulation::TOPIC).
#[derive(Debug)]
pub struct Simulation(KafkaConsumer<Simulated>);

impl Simulation {
    /// The topic that it reads.
    pub const TOPIC: &str = simulated::TOPIC;

    /// A member of a group that moves single partitions, or all of them together. `logs` have a first
    /// offset and an end.
    pub fn new(cooperative: bool, logs: &[(i64, i64)]) -> Self {
        let client = Simulated::new(cooperative, logs);
        let topics = vec![Self::TOPIC.to_owned()];
        Self(KafkaConsumer::new(
            client,
            Membership::Classic,
            topics,
            None,
            INTERVALS,
        ))
    }

    /// The time since the client was made.
    pub fn set_now(&mut self, now: Duration) {
        self.0.client.now = now;
    }

    /// An error that belongs to no request.
    pub fn error(&mut self, trouble: Trouble, when: When) {
        self.come(Event::Error(trouble.error()), when);
    }

    /// The client can do nothing any more.
    pub fn die(&mut self) {
        self.0.client.is_fatal = true;
    }

    /// A periodic commit of these was answered.
    pub fn committed(&mut self, result: Result<(), Trouble>, of: &[(i32, i64)]) {
        for (partition, offset) in of {
            self.note_committed(*partition, *offset, result.is_ok());
        }
        let told = |&(partition, offset): &(i32, i64)| {
            (place(partition), offset, result.map_err(Trouble::error))
        };
        let told = of.iter().map(told).collect();
        self.0.client.post(Event::Committed(told));
    }

    /// A commit is done, or has failed.
    pub fn note_committed(&mut self, partition: i32, offset: i64, done: bool) {
        self.0.client.note_committed(partition, offset, done);
    }

    fn come(&mut self, event: Event, when: When) {
        let client = &mut self.0.client;
        let is_rebalance = matches!(event, Event::Assign(_) | Event::Revoke(_));
        let when = match when {
            When::Now if is_rebalance => return client.rebalance(event),
            When::Now => return client.raise(event),
            When::AfterPoll => within::When::AfterPoll,
            When::InCall => within::When::InCall,
        };
        client.later.push((when, event));
    }

    /// A turn is over: what came in none of its calls has come.
    pub fn end_turn(&mut self) {
        self.0.client.arrive_now();
    }

    /// Something may be there to be read.
    pub fn wake(&mut self) {
        self.0.client.wake();
    }

    /// The client has said something that no poll has served, or has a call on the way.
    pub fn has_news(&self) -> bool {
        self.0.client.has_news()
    }

    /// The next call of this kind fails.
    pub fn fail_next(&mut self, call: Call) {
        self.0.client.fails = Some(match call {
            Call::Assign => within::Call::Assign,
            Call::Unassign => within::Call::Unassign,
            Call::Pause => within::Call::Pause,
            Call::Resume => within::Call::Resume,
        });
    }

    /// Nothing comes of this partition, as without a leader.
    pub fn set_silent(&mut self, partition: i32, silent: bool) {
        let all = &mut self.0.client.silent;
        if silent {
            all.insert(partition);
        } else {
            all.remove(&partition);
        }
    }

    /// The next batch of this partition cannot be read, or can.
    pub fn set_unreadable(&mut self, partition: i32, unreadable: bool) {
        let all = &mut self.0.client.damaged;
        if unreadable {
            all.insert(partition);
        } else {
            all.remove(&partition);
        }
    }

    /// The partition is read, and somewhere else than before.
    pub fn has_left(&self, partition: i32) -> bool {
        self.0.client.has_left(partition)
    }

    /// An error of the position that the partition has left last comes now.
    pub fn fail_late(&mut self, partition: i32, late: Late) {
        let (wrong, stops) = late.wrong();
        self.0.client.tell_late(partition, wrong, stops);
        self.0.client.wake();
    }

    /// The first of what it was asked.
    pub fn asked(&self) -> Option<Asked> {
        let requests = self.0.client.requests.borrow();
        Some(match requests.first()? {
            request if self.0.client.is_given_away(request) => Asked::GivenAway,
            Request::Resolve(places, _) => {
                let client = &self.0.client;
                let ours = places.iter().filter(|one| client.is_ours(one.0, one.2));
                Asked::Starts(ours.map(|(place, ..)| place.partition).collect())
            }
            Request::Choose(places, _) => {
                let numbers = places.iter().map(|(place, _)| place.partition);
                Asked::Starts(numbers.collect())
            }
            Request::Find { place, to, .. } => Asked::Found(
                place.partition,
                match to {
                    Seek::Offset(to) => *to,
                    _ => 0,
                },
            ),
            Request::Commit { commit, .. } => {
                Asked::Commit(commit.place.partition, commit.at.offset)
            }
            Request::Range(at) => Asked::Range(at.place.partition),
            Request::Leaders(places) => {
                Asked::Leaders(places.iter().map(|(place, _)| place.partition).collect())
            }
            Request::IsReached => Asked::Reached,
            Request::List(_) => Asked::Listed,
            Request::Check { .. } => Asked::Checked,
            Request::Ends(places) => {
                let numbers = places.iter().map(|from| from.place.partition);
                Asked::Ends(numbers.collect())
            }
        })
    }

    /// Answers that; the next poll tells it.
    ///
    /// # Panics
    /// When nothing was asked, or something else.
    pub fn answer(&mut self, given: Given) {
        let requests = self.0.client.requests.get_mut();
        let request = requests.take().expect("something was asked");
        requests.answered();
        let is_given_away = self.0.client.is_given_away(&request);
        let answer = match (request, given) {
            (Request::Find { place, .. }, _) if is_given_away => {
                Answer::Found(place, Err(not_found(place)))
            }
            (Request::Commit { commit, .. }, _) if is_given_away => {
                Answer::Moved(commit.place, Err(given_away(commit.place)))
            }
            (_, Given::Nothing) => return,
            (Request::Resolve(..) | Request::Choose(..), Given::Starts { known, unknown }) => {
                // Those that were given away are left out, so they are not known.
                let known = known.into_iter().map(|(p, at)| start(p, at.into(), None));
                let unknown = unknown.into_iter().map(|(p, why)| (place(p), why));
                Answer::Resolved(Resolved {
                    known: known.collect(),
                    unknown: unknown.collect(),
                    counts: vec![(simulated::TOPIC, PartitionCount::new(2))],
                })
            }
            (Request::Find { place, .. }, Given::Found(found)) => {
                Answer::Found(place, found.map(Into::into))
            }
            (Request::Commit { commit, .. }, Given::Moved(moved)) => {
                Answer::Moved(commit.place, moved.map_err(Trouble::error))
            }
            (Request::Check { .. }, Given::Checked(topic, group)) => Answer::Checked {
                topics: vec![(Self::TOPIC.to_owned(), topic.map_err(Trouble::error))],
                group: group.map_err(Trouble::error),
            },
            (Request::Range(at), Given::Range(low, high)) => Answer::Range { at, low, high },
            (Request::Leaders(places), Given::Leaders(ends)) => {
                let ends = places.into_iter().zip(ends);
                Answer::Leaders(ends.map(|((place, at), end)| (place, at, end)).collect())
            }
            (Request::IsReached, Given::Connected) => Answer::Connected,
            (Request::Ends(places), Given::Reads(readable)) => {
                let places = places.into_iter();
                let read = places.filter(|from| readable.contains(&from.place.partition));
                let read = read.map(|from| self.0.client.looked_at(from));
                Answer::Ends(read.collect())
            }
            (request, given) => panic!("{request:?} is not answered by {given:?}"),
        };
        self.0.client.post(Event::Answer(answer));
    }

    /// The periodic commit is due: what is stored is sent.
    pub fn commit_stored(&mut self) {
        self.0.client.commit_stored(None);
    }

    /// Something is stored that was not sent.
    pub fn has_stored(&self) -> bool {
        self.0.client.has_stored()
    }

    /// The commits that were sent since the last call: partitions and offsets.
    pub fn take_sent(&mut self) -> Vec<(i32, i64)> {
        self.0.client.take_sent()
    }

    /// The client is destroyed.
    pub fn is_destroyed(&self) -> bool {
        self.0.client.is_destroyed()
    }

    /// The position of a partition that the client reads; `None` of one that it does not, or where it
    /// stands still.
    pub fn position(&self, partition: i32) -> Option<i64> {
        let (position, stopped) = self.0.client.reads(partition)?;
        (!stopped).then_some(position)
    }

    /// Everything that decides what it will do, as text.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, to: &mut impl Write) -> fmt::Result {
        let KafkaConsumer {
            client,
            commits,
            assigned,
            rebalance,
            idle,
            seeks,
            late,
            errors,
            ends,
            ended,
            lost,
            reachability,
            absence,
            checks,
            leaving,
            is_dead,
            ..
        } = &self.0;
        write!(
            to,
            "{assigned:?}{rebalance:?}{idle:?}{seeks:?}{late:?}{errors:?}{ends:?}{ended:?}{lost:?}{reachability:?}{absence:?}{checks:?}{leaving:?}{is_dead}"
        )?;
        commits.write(to)?;
        // Whether what is asked about stands there yet: the numbers of moves say nothing else.
        for request in client.requests.borrow().waiting() {
            let asked = match request {
                Request::Range(at) => std::slice::from_ref(at),
                Request::Ends(all) => all,
                _ => &[],
            };
            for at in asked {
                write!(to, "{}", assigned.is_at(at))?;
            }
        }
        client.write(to)
    }
}

impl GroupConsumer for Simulation {
    fn poll(&mut self, notices: &mut Vec<Notice>) {
        self.0.poll(notices);
    }

    fn fetch(&mut self, max: usize, blocks: &mut Vec<(PartitionRef, Arc<dyn Fetched>)>) -> bool {
        self.0.fetch(max, blocks)
    }

    fn resolve(&mut self, places: Vec<(PartitionRef, OffsetReset)>, within: Duration) {
        self.0.resolve(places, within);
    }

    fn add(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        self.0.add(starts)
    }

    fn assign(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        self.0.assign(starts)
    }

    fn unassign(&mut self, places: &[PartitionRef]) -> Result<(), ClientError> {
        self.0.unassign(places)
    }

    fn lost(&self) -> bool {
        self.0.lost()
    }

    fn store(&mut self, offsets: &[(PartitionRef, i64)]) -> Vec<(PartitionRef, String)> {
        self.0.store(offsets)
    }

    fn find(&mut self, place: PartitionRef, to: Seek) {
        self.0.find(place, to);
    }

    fn commit(&mut self, place: PartitionRef, offset: i64) {
        self.0.commit(place, offset);
    }

    fn seek(&mut self, place: PartitionRef, offset: i64) -> Result<(), ClientError> {
        self.0.seek(place, offset)
    }

    fn pause(&mut self, place: PartitionRef, pause: bool) -> Result<(), ClientError> {
        self.0.pause(place, pause)
    }

    fn unsubscribe(&mut self) {
        self.0.unsubscribe();
    }

    fn close(&mut self, within: Duration) -> Poll<Result<(), String>> {
        self.0.close(within)
    }
}
