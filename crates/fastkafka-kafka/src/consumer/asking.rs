//! What the client is asked when it is time, and what follows from time alone.

use super::KafkaConsumer;
use super::raw::{RawClient, Request};
use fastkafka_runtime::platform::Notice;

impl<C: RawClient> KafkaConsumer<C> {
    /// Begins the requests that are due.
    pub(super) fn ask(&mut self) {
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
            let (topics, group) = (self.topics.clone(), self.standalone.is_none());
            self.client.ask(Request::Check { topics, group });
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
    pub(super) fn take_ends(&mut self) -> impl Iterator<Item = Notice> + use<C> {
        let mut notices = Vec::new();
        for (place, from, to) in std::mem::take(&mut self.passed) {
            let moves = self.seeks.is_under_way(place)
                || self.errors.is_broken(place)
                || self.unchecked.contains(place);
            if let Some(part) = self.assigned.get_mut(place)
                && part.next == from
                && to > from
                && !part.is_made_anew
                && !moves
            {
                part.next = to;
                notices.push(Notice::AtEnd(place, to));
            }
        }
        notices.into_iter()
    }

    /// Lets partitions begin again some time after an error, and tells those that are read again.
    pub(super) fn after_errors(&mut self) -> impl Iterator<Item = Notice> + use<C> {
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
}
