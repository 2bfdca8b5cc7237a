//! What the client tells, and what the driver hears of it.

use super::KafkaConsumer;
use super::known::Known;
use super::leaving::Membership;
use super::raw::{Answer, Event, RawClient};
use super::rebalance::Owed;
use crate::offsets::start_offsets::StartOffset;
use fastkafka_runtime::platform::{ClientError, GroupConsumer, Notice, Scope};

impl<C: RawClient> KafkaConsumer<C> {
    /// Takes an event of the client. Returns what the driver hears of it.
    pub(super) fn hear(&mut self, event: Event) -> Option<Notice> {
        match event {
            Event::Assign(places) => {
                self.look_at(&places);
                self.absence.given(self.client.now());
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
            // The driver may have moved it elsewhere since.
            Event::NotMoved(place, offset, error) => {
                let failed = self.seeks.has_failed(place, offset);
                failed.then_some(Notice::NotMoved {
                    place,
                    offset,
                    error,
                })
            }
            Event::NoTopic => {
                self.absence.has_no_topic();
                Some(Notice::NoTopic)
            }
            Event::Seen(seen) => {
                let (client, membership) = (&self.client, self.leaving.membership);
                let is_given_nothing =
                    || membership == Membership::BrokerAssigned && client.is_joined();
                let told = self.absence.see(client.now(), &seen, is_given_nothing);
                told.map(Notice::Membership)
            }
            Event::KnowsNoBroker => {
                self.client.begin_again();
                None
            }
            Event::Committed(answers) => self.hear_committed(answers),
            Event::TopicIds(look, ids) => {
                self.looked(look, ids);
                None
            }
            Event::Error(error) => {
                self.note_error(&error);
                Some(Notice::Error(error))
            }
            Event::Answer(answer) => self.hear_answer(answer),
        }
    }

    pub(super) fn hear_answer(&mut self, answer: Answer) -> Option<Notice> {
        match answer {
            Answer::Resolved(resolved) => {
                let starts = resolved.starts();
                self.counts.extend(resolved.counts);
                for StartOffset { place, at, topic } in &resolved.known {
                    let (at, topic) = (*at, *topic);
                    self.known.add(place, Known { at, topic });
                }
                Some(Notice::Resolved(starts))
            }
            Answer::Listed(places) => {
                let standalone = self.standalone.as_mut()?;
                let new = standalone.take_new(places, self.client.now());
                if new.is_empty() {
                    return None;
                }
                self.hear(Event::Assign(new))
            }
            Answer::Found(place, found) => Some(Notice::Found(
                place,
                found.map(|at| {
                    let topic = self.looks.id(&place.on_cluster);
                    self.known.add(place, Known { at, topic });
                    at.offset
                }),
            )),
            Answer::Moved(place, moved) => {
                if moved.is_ok() {
                    self.commits.sought(place);
                }
                Some(Notice::Moved(place, moved))
            }
            Answer::Range { at, low, high } => {
                let (place, position) = (at.place, at.next);
                // Read on: it was lost before the client was moved there once more.
                let still_at = self.assigned.still_at(&at);
                let is_read = still_at.is_some_and(|part| !part.is_made_anew);
                // Given away, another topic, an answer that came twice, or about a position that is left.
                let moves = self.seeks.is_under_way(place);
                if moves || !self.lost.settle(&at) || !is_read {
                    return None;
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
                self.ended.extend(ends);
                // Told by the next poll.
                self.client.wake();
                None
            }
            Answer::Leaders(answers) => {
                let (now, is_reached) = (self.client.now(), self.reachability.is_reached());
                let news = self.silence.heard(now, is_reached, answers);
                (!news.is_empty()).then_some(Notice::Silence(news))
            }
            Answer::Connected => {
                self.reachability.connected();
                Some(Notice::Connected)
            }
        }
    }

    /// Begins to ask for the evidence that an error is over.
    pub(super) fn note_error(&mut self, error: &ClientError) {
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
}
