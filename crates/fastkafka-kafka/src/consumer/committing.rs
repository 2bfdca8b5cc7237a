//! Offsets on their way to the client, which commits them: in the order that `commit_order/` knows.

use super::KafkaConsumer;
use super::raw::RawClient;
use super::refused::refused;
use crate::offsets::broker::Commit;
use fastkafka_runtime::platform::{ClientError, GroupConsumer, Notice, PartitionRef};

impl<C: RawClient> KafkaConsumer<C> {
    /// Takes offsets to commit. Returns those that the client does not take, and why.
    pub(super) fn take_offsets(
        &mut self,
        offsets: &[(PartitionRef, i64)],
    ) -> Vec<(PartitionRef, String)> {
        if self.standalone.is_some() {
            return Vec::new();
        }
        let now = self.client.now();
        let mut tell = Vec::new();
        for (place, offset) in offsets {
            let commit = self.commit_at(place, *offset);
            if let Some(part) = self.assigned.get_mut(place) {
                part.epochs.forget_below(*offset);
            }
            tell.extend(self.commits.store(now, commit));
        }
        self.tell(&tell)
    }

    /// The broker has answered commits, or the client has given up. A refusal of another offset
    /// than the client was told of a partition that is ours is one of a former assignment: that is over, and so
    /// is what was wrong with it.
    pub(super) fn hear_committed(
        &mut self,
        answers: Vec<(PartitionRef, i64, Result<(), ClientError>)>,
    ) -> Option<Notice> {
        let now = self.client.now();
        let (mut told, mut again) = (Vec::with_capacity(answers.len()), Vec::new());
        for (place, offset, answer) in answers {
            match answer {
                Ok(()) => {
                    self.commits.taken(now, place, offset);
                    told.push((place, Ok(offset)));
                }
                Err(_)
                    if self.epochs.since(place).is_some()
                        && !self.commits.is_told(place, offset) => {}
                Err(error) => {
                    if error.is_of_broker() {
                        self.commits.refused(now, place, offset);
                    } else {
                        again.extend(self.commits.given_up(place, offset));
                    }
                    told.push((place, Err(error)));
                }
            }
        }
        self.tell_again(&again);
        (!told.is_empty()).then_some(Notice::Committed(told))
    }

    /// Tells the client what it has given up. It may have that from before: the turn goes on.
    fn tell_again(&mut self, given_up: &[Commit]) {
        // Of what is lost, another member commits.
        if !self.lost() {
            for (place, why) in self.hand(given_up) {
                tracing::debug!(%place, "an offset that was given up is not taken again: {why}");
            }
        }
    }

    /// Tells the client what has waited for an answer. Of what it does not take the turn comes again.
    pub(super) fn tell_offsets(&mut self) {
        let due = self.commits.due(self.client.now());
        for (place, why) in self.tell(&due) {
            tracing::debug!(%place, "an offset is not taken yet: {why}");
        }
    }

    /// These are about to be given away: the client commits what it was told of them.
    pub(super) fn tell_last_offsets(&mut self, places: &[PartitionRef]) {
        let mut last = match self.client.is_cooperative() {
            true => self.commits.give_away(places),
            false => self.commits.give_all_away(),
        };
        // Of what is lost already, another member commits.
        last.retain(|commit| self.epochs.since(commit.place).is_some());
        if !last.is_empty() && !self.lost() {
            self.client.store(&last);
        }
    }

    pub(super) fn tell(&mut self, commits: &[Commit]) -> Vec<(PartitionRef, String)> {
        let refused = self.hand(commits);
        let now = self.client.now();
        for commit in commits {
            if !refused.iter().any(|(place, _)| *place == commit.place) {
                self.commits.tell(now, commit);
            }
        }
        refused
    }

    /// Gives offsets to the client. Returns those that it does not take, and why.
    fn hand(&mut self, commits: &[Commit]) -> Vec<(PartitionRef, String)> {
        if commits.is_empty() {
            return Vec::new();
        }
        let places = commits
            .iter()
            .map(|commit| (commit.place, commit.at.offset));
        let places: Vec<_> = places.collect();
        refused(&places, self.client.store(commits))
    }
}
