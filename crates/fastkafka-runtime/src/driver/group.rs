//! Answering the group, and leaving it: the part of a turn that does what the rebalance decides.

use super::Driver;
use super::state::rebalance::Step;
use super::state::starts::Question;
use crate::client_error::ClientError;
use crate::transport::{GroupConsumer, PartitionRef, StartError};
use fastkafka_engine::{Event, PartIndex};

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn answer_group(&mut self) {
        self.notice_loss();
        while let Some(step) = self.rebalance.next(self.now) {
            match step {
                Step::Resolve(question) => self.resolve(question),
                Step::NotKnown(starts) => self.starts_are_not_known(&starts),
                Step::Assign(starts) => {
                    self.begin(&starts);
                    self.answer_assign(&starts);
                }
                Step::Add(starts) => {
                    self.begin(&starts);
                    let added = self.consumer.add(&starts);
                    self.read(&starts, added);
                }
                Step::Decline => self.answer_assign(&[]),
                Step::GiveUp => {
                    self.asked.pop_front();
                    if let Err(error) = self.consumer.assign(&[]) {
                        let group = self.setup.group();
                        tracing::warn!(group, "assignment given up: {error}");
                    }
                }
                Step::Revoke { places, lost } => self.revoke(&places, lost),
            }
        }
        self.mark_started();
    }

    fn resolve(&mut self, question: Question) {
        let mut starts = Vec::with_capacity(question.places.len());
        for place in question.places {
            let part = self.part(place);
            starts.push((place, self.partitions[part].handler.reset));
        }
        self.consumer.resolve(starts, question.within);
    }

    /// They are asked for again, and hold up nobody else. Only a start of the app ends, where asking again
    /// is no use.
    fn starts_are_not_known(&mut self, starts: &[(PartitionRef, StartError)]) {
        let group = self.setup.group();
        for (place, why) in starts {
            tracing::warn!(group, %place, "{why}; asking again");
        }
        if self.setup.shared.is_started() {
            return;
        }
        let uncommitted = starts.iter().filter_map(|(_, why)| match why {
            StartError::NoCommit(places) => Some(places.as_str()),
            _ => None,
        });
        let uncommitted: Vec<_> = uncommitted.collect();
        let mut refused = starts.iter().map(|(_, why)| why);
        let refused = refused.find(|why| matches!(why, StartError::Refused(_)));
        if !uncommitted.is_empty() {
            let error = StartError::NoCommit(uncommitted.join(", "));
            self.setup.shared.fail(error.to_string());
        } else if let Some(why) = refused {
            self.setup.shared.fail(format!("group `{group}`: {why}"));
        }
    }

    /// The engine takes these on: their starts are committed.
    fn begin(&mut self, starts: &[(PartitionRef, i64)]) {
        for &(place, position) in starts {
            let part = self.part(place);
            self.step(Event::Assigned { part, position });
            self.partitions[part].seen.committed = Some(position);
        }
        self.setup.shared.note_settled(starts);
    }

    fn answer_assign(&mut self, starts: &[(PartitionRef, i64)]) {
        let answered = self.consumer.assign(starts);
        // Also where no start is known in time: those come later.
        if let Some(asked) = self.asked.pop_front().flatten() {
            let took = self.now.saturating_sub(asked);
            self.meters.assigned.time.record(took.as_secs_f64());
        }
        self.read(starts, answered);
    }

    /// The client was told to read these.
    fn read(&mut self, starts: &[(PartitionRef, i64)], told: Result<(), ClientError>) {
        let group = self.setup.group();
        if let Err(error) = told {
            // A member that owns what it does not read would stand still in silence.
            let reason =
                format!("the consumer of group `{group}` did not take its assignment: {error}");
            self.setup.shared.fail(reason);
        }
        for (place, _) in starts {
            // The client begins with nothing paused.
            let part = self.part(place);
            self.partitions[part].paused = false;
            self.backpressure.forget(part);
            self.failed_calls.forget(part);
        }
        self.apply_pauses();
        if !starts.is_empty() {
            let list: Vec<_> = starts
                .iter()
                .map(|(place, offset)| format!("{place}@{offset}"))
                .collect();
            tracing::info!(group = self.setup.group(), "assigned {}", list.join(" "));
        }
        self.report();
        self.look_at_partitions();
    }

    /// To wait for something to read is no reason not to be started.
    pub(super) fn nothing_to_read(&mut self, why: &str) {
        tracing::info!(
            group = self.setup.group(),
            "nothing to read: {why}; waiting"
        );
        self.rebalance.has_nothing_to_read(self.now);
    }

    fn mark_started(&mut self) {
        let shared = &self.setup.shared;
        if shared.failure().is_none() && self.rebalance.starts_app(self.now) {
            let late = self.rebalance.unstarted().map(|one| one.place.to_string());
            let late: Vec<_> = late.collect();
            if !late.is_empty() {
                let (group, late) = (self.setup.group(), late.join(", "));
                tracing::warn!(group, "started without {late}: where to start is not known");
            }
            shared.mark_started();
        }
    }

    fn revoke(&mut self, places: &[PartitionRef], lost: bool) {
        let parts = self.parts(places);
        if lost || self.consumer.lost() {
            self.rebalance.lose();
            self.step(Event::Lost { parts });
        } else {
            let membership = self.rebalance.membership;
            let deadline = membership.revoke_deadline(self.now, self.setup.rebalance_timeout);
            if deadline <= self.now {
                // The step gives them back.
                for part in &parts {
                    self.note_unsettled(*part);
                }
            }
            self.step(Event::Revoking { parts, deadline });
        }
    }

    /// A revoke that takes too long becomes a loss: the group has moved on without us.
    fn notice_loss(&mut self) {
        if self.rebalance.is_revoking()
            && self.consumer.lost()
            && let Some(places) = self.rebalance.lose()
        {
            let parts = self.parts(&places);
            self.step(Event::Lost { parts });
        }
    }

    /// The engine gives the partitions of the current revoke back.
    pub(super) fn release(&mut self, parts: &[PartIndex]) {
        let Some((places, lost)) = self.rebalance.release() else {
            return;
        };
        let lost = lost || self.consumer.lost();
        let meters = if lost {
            &self.meters.lost
        } else {
            &self.meters.revoked
        };
        if let Some(asked) = self.asked.pop_front().flatten() {
            let took = self.now.saturating_sub(asked);
            meters.count.increment(1);
            meters.time.record(took.as_secs_f64());
        }
        if lost {
            // These offsets are not ours to commit any more.
            for part in parts {
                self.partitions[*part].store = None;
            }
        }
        // Before the answer, which makes a member that still subscribes join again.
        self.unsubscribe();
        // Before it, too: unassigning commits what is stored.
        self.store();
        for part in parts {
            let partition = &mut self.partitions[*part];
            partition.forget();
            (partition.truncated, partition.goes_on) = (None, None);
            self.backpressure.forget(*part);
            self.failed_calls.forget(*part);
        }
        self.seeks.give_back(&places);
        self.problems.give_away(&places);
        if let Err(error) = self.consumer.unassign(&places) {
            tracing::error!(group = self.setup.group(), "revoke not answered: {error}");
        }
        let list: Vec<_> = places.iter().map(ToString::to_string).collect();
        tracing::info!(
            group = self.setup.group(),
            lost,
            "gave back {}",
            list.join(" ")
        );
        self.report();
        self.look_at_partitions();
    }

    /// Lets nothing start any more, and leaves the group when what is in hand has ended.
    pub(super) fn leave(&mut self) {
        let begins = self.rebalance.membership.is_member();
        let within = self.setup.shared.take_shutdown_within();
        if let Some(within) = within.or(begins.then_some(self.setup.shutdown_timeout)) {
            self.rebalance.membership.shut_down(self.now, within);
        }
        if begins {
            tracing::info!(
                group = self.setup.group(),
                "leaving the group: records in hand are finished, nothing new starts"
            );
            self.step(Event::Shutdown);
        }
        self.unsubscribe();
    }

    fn unsubscribe(&mut self) {
        let membership = &mut self.rebalance.membership;
        if membership.is_draining() && membership.unsubscribe(self.now, self.engine.open()) {
            self.consumer.unsubscribe();
        }
    }
}
