//! Answering the group, and leaving it: the part of a turn that does what the rebalance decides.

use super::Driver;
use super::state::rebalance::{Starts, Step};
use crate::transport::{GroupConsumer, PartitionRef};
use fastkafka_engine::{Event, PartIndex};

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn answer_group(&mut self) {
        self.notice_loss();
        while let Some(step) = self.rebalance.next(self.now) {
            match step {
                Step::Resolve(places) => self.resolve(&places),
                Step::AskAgain { why } => {
                    tracing::warn!(group = self.setup.group(), "{why}; asking again");
                }
                Step::Assign(starts) => self.assign(&starts),
                Step::Decline => self.answer_assign(&[]),
                Step::Refuse(error) => {
                    self.setup.shared.fail(error.to_string());
                    self.answer_assign(&[]);
                }
                Step::GiveUp(places) => {
                    let starts: Starts = places.into_iter().map(|place| (place, 0)).collect();
                    if let Err(error) = self.consumer.assign(&starts) {
                        let group = self.setup.group();
                        tracing::warn!(group, "assignment given up: {error}");
                    }
                }
                Step::Revoke { places, lost } => self.revoke(&places, lost),
            }
        }
    }

    fn resolve(&mut self, places: &[PartitionRef]) {
        let mut starts = Vec::with_capacity(places.len());
        for place in places {
            let part = self.part(place);
            starts.push((*place, self.partitions[part].handler.reset));
        }
        self.consumer.resolve(starts);
    }

    fn assign(&mut self, starts: &[(PartitionRef, i64)]) {
        for &(place, position) in starts {
            let part = self.part(place);
            self.step(Event::Assigned { part, position });
        }
        self.setup.shared.note_settled(starts);
        self.answer_assign(starts);
    }

    fn answer_assign(&mut self, starts: &[(PartitionRef, i64)]) {
        let group = self.setup.group();
        if let Err(error) = self.consumer.assign(starts) {
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
        if self.rebalance.membership.is_member() && self.setup.shared.failure().is_none() {
            self.setup.shared.mark_started();
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
            if !lost {
                self.note_unsettled(*part);
            }
            let partition = &mut self.partitions[*part];
            partition.forget();
            partition.truncated = None;
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
