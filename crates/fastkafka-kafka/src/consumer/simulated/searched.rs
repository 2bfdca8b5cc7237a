//! What the search of `proof` asks a simulated client.

use super::Simulated;
use super::within::When;
use crate::consumer::epochs::Epoch;
use crate::consumer::fetch_position::FetchPosition;
use crate::consumer::raw::{Ended, Event, Request};
use fastkafka_runtime::platform::PartitionRef;
use std::fmt::{Result, Write};
use std::sync::Arc;

impl Simulated {
    /// Those that found no call to come in.
    pub(crate) fn arrive_now(&mut self) {
        self.arrive(When::AfterPoll);
        self.arrive(When::InCall);
    }

    /// A rebalance waits, and a poll has told of it.
    pub(crate) fn is_rebalance_heard(&self) -> bool {
        let events = self.events.borrow();
        let is_one = |event: &Event| matches!(event, Event::Assign(_) | Event::Revoke(_));
        self.waits && !events.iter().any(is_one)
    }

    /// A commit would say something.
    pub(crate) fn has_stored(&self) -> bool {
        !self.is_lost && !self.is_fatal && self.commits.has_some()
    }

    /// A commit is answered. What was refused is sent again, unless more is stored since.
    pub(crate) fn note_committed(&mut self, partition: i32, offset: i64, done: bool) {
        if self.reading.contains_key(&partition) {
            self.commits.note(partition, offset, done);
        }
    }

    /// The commits that were sent since the last call.
    pub(crate) fn take_sent(&mut self) -> Vec<(i32, i64)> {
        self.stored.clear();
        self.commits.take_sent()
    }

    /// The position of a partition that is read, and whether it stands still.
    pub(crate) fn reads(&self, partition: i32) -> Option<(i64, bool)> {
        let reading = self.reading.get(&partition)?;
        Some((reading.position, reading.stopped))
    }

    /// What another client finds from there on.
    pub(crate) fn looked_at(&self, from: FetchPosition) -> Ended {
        let (_, high) = self.logs[&from.place.partition];
        let end = (from.next >= high).then_some(high);
        Ended { from, end }
    }

    /// A poll would have something to do.
    pub(crate) fn has_news(&self) -> bool {
        !self.events.borrow().is_empty() || self.is_woken.get()
    }

    /// The partition is ours by this assignment.
    pub(crate) fn is_ours(&self, place: PartitionRef, epoch: Epoch) -> bool {
        !self.is_lost && self.ours.since(place) == Some(epoch)
    }

    /// The request is about a partition that was given away since. It is looked at right before it is sent.
    pub(crate) fn is_given_away(&self, request: &Request) -> bool {
        match request {
            Request::Find { place, epoch, .. } => !self.is_ours(place, *epoch),
            Request::Commit { commit, epoch } => !self.is_ours(commit.place, *epoch),
            _ => false,
        }
    }

    /// Whether what the requests are about is ours yet: their epochs are numbers that say nothing else.
    fn write_ours(&self, to: &mut impl Write) -> Result {
        let requests = self.requests.borrow();
        for request in requests.waiting() {
            match request {
                Request::Resolve(places, _) => {
                    for (place, _, epoch) in places {
                        write!(to, "{}", self.is_ours(place, *epoch))?;
                    }
                }
                request => write!(to, "{}", self.is_given_away(request))?,
            }
        }
        Ok(())
    }

    /// Everything that decides what it will do, as text.
    pub(crate) fn write(&self, to: &mut impl Write) -> Result {
        let Self {
            now: _,
            cooperative: _,
            logs,
            reading,
            forwarded,
            ours_alone,
            stopping,
            paused,
            events,
            later,
            failing,
            damaged,
            moved_on,
            // The search has one of each log.
            incarnations: _,
            late,
            fails,
            knows_no_broker,
            is_fatal,
            silent,
            // No choice of the search.
            stuck: _,
            recordless,
            begun: _,
            unserved,
            wakes: _,
            is_woken,
            requests,
            is_joined: _,
            waits,
            is_lost,
            answers: _,
            stored: _,
            ours: _,
            commits,
            commit,
            is_leaving,
            is_closing,
            is_member,
            revokes_next,
            has_left,
            has_queue,
            records,
        } = self;
        self.write_ours(to)?;
        let (events, requests) = (events.borrow(), requests.borrow());
        write!(
            to,
            "{logs:?}{reading:?}{forwarded:?}{ours_alone:?}{stopping:?}{paused:?}{events:?}{later:?}{failing:?}{damaged:?}{moved_on:?}{late:?}{fails:?}"
        )?;
        write!(
            to,
            "{knows_no_broker}{is_fatal}{silent:?}{recordless:?}{unserved}{}{requests:?}{waits}{is_lost}{commits:?}",
            is_woken.get()
        )?;
        write!(
            to,
            "{commit:?}{is_leaving}{is_closing}{is_member}{revokes_next}{has_left:?}{has_queue}{}",
            Arc::strong_count(records) > 1
        )
    }
}
