//! What the client is asked when it is time, and what follows from time alone.

use super::KafkaConsumer;
use super::ends::Candidate;
use super::raw::{Ended, RawClient, Request};
use fastkafka_runtime::platform::Notice;

impl<C: RawClient> KafkaConsumer<C> {
    /// Begins the requests that are due.
    pub(super) fn ask(&mut self) {
        let now = self.client.now();
        if self.reachability.is_due(now) {
            self.client.ask(Request::IsReached);
        }
        if self.ends.is_due(now) {
            let candidates = self.assigned.parts().map(|part| Candidate {
                at: part.fetch_position(),
                is_in_doubt: self.errors.is_in_doubt(part.place, now),
                // The end of one that is paused is of no interest.
                end: match part.paused {
                    true => None,
                    // Of a fetch that is never answered the client knows no end.
                    false => {
                        let known = self.client.known_end(part.place);
                        known.max(self.silence.end(part.place, part.next))
                    }
                },
            });
            let candidates: Vec<_> = candidates.collect();
            let look_at = self.ends.look(now, &candidates);
            if !look_at.is_empty() {
                self.client.ask(Request::Ends(look_at));
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
        for at in due {
            self.client.ask(Request::Range(at));
        }
    }

    /// Asks the leaders of partitions that stand, and tells those that are well again.
    pub(super) fn look_for_silence(&mut self) -> Option<Notice> {
        let now = self.client.now();
        let mut well = Vec::new();
        if self.reachability.is_reached() && self.silence.is_due(now) {
            let reading = self.assigned.parts().filter(|part| {
                // Moved to where it is, it stands as before.
                let leaves = self.seeks.leaves(part.place, part.next);
                !part.paused && !leaves && !self.late.contains(part.place)
            });
            let next: Vec<_> = reading.map(|part| (part.place, part.next)).collect();
            let asked;
            (asked, well) = self.silence.look(now, &next);
            if !asked.is_empty() {
                self.client.ask(Request::Leaders(asked));
            }
        }
        let well = well.into_iter().map(|place| (place, Ok(())));
        let well: Vec<_> = well.collect();
        (!well.is_empty()).then_some(Notice::Silence(well))
    }

    /// The partitions that can be read again, and those that have passed what is no record, unless they have
    /// moved since they were looked at.
    pub(super) fn take_ends(&mut self) -> impl Iterator<Item = Notice> + use<C> {
        let now = self.client.now();
        let mut notices = Vec::new();
        for Ended { from, end } in std::mem::take(&mut self.ended) {
            let place = from.place;
            let Some(part) = self.assigned.still_at(&from) else {
                continue;
            };
            if self.errors.is_readable(place, now) {
                notices.push(Notice::Reads(place));
            }
            // What is wrong with a position is told to the driver, which pauses the partition.
            let counts = !part.paused
                && !part.is_made_anew
                && !self.wrong.contains(place)
                && !self.seeks.is_under_way(place)
                && !self.errors.is_broken(place)
                && !self.unchecked.contains(place);
            match end {
                Some(end) if end > from.next && counts => {
                    part.next = end;
                    notices.push(Notice::AtEnd(place, end));
                }
                // There are records, and since the look began all that was read was handed out.
                None if counts && self.ends.is_drained() => {
                    let Some(unread) = self.silence.unread(now, place, from.next) else {
                        continue;
                    };
                    if self.silence.is_to_begin_anew(place) {
                        // Its records may also wait where nobody takes them.
                        self.client.forward(&[part.position()]);
                        self.seeks.add(place, from.next);
                    }
                    notices.push(Notice::Silence(vec![unread]));
                }
                _ => {}
            }
        }
        notices.into_iter()
    }

    /// Lets partitions begin again some time after an error.
    pub(super) fn after_errors(&mut self) {
        let now = self.client.now();
        for place in self.errors.due(now) {
            if let Some(part) = self.assigned.get_mut(place)
                && !self.seeks.is_under_way(place)
            {
                self.seeks.add(place, part.next);
            }
        }
    }
}
