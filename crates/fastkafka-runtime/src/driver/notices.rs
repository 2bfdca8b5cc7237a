//! The client's notices: each goes to the rebalance, to the seeks, or to the problems.

use super::Driver;
use super::state::problems::Key;
use super::state::rebalance::Asked;
use crate::client_error::{ClientError, Scope};
use crate::health::ProblemCode;
use crate::transport::{Absent, GroupConsumer, Notice, PartitionRef, Silent};
use fastkafka_engine::Event;

/// `max_poll_interval_ms` has passed without a poll.
const NOT_POLLED: &str = "_MAX_POLL_EXCEEDED";

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn poll(&mut self) {
        let mut notices = std::mem::take(&mut self.notices);
        self.consumer.poll(&mut notices);
        for notice in notices.drain(..) {
            match notice {
                Notice::Assign(places) => {
                    self.is_in_group();
                    let counts = !places.is_empty() && self.setup.shared.commits();
                    if counts {
                        self.meters.assigned.count.increment(1);
                    }
                    self.asked.push_back(counts.then_some(self.now));
                    self.rebalance.push(Asked::Assign(places));
                }
                Notice::Revoke { places, lost } => {
                    let counts = self.setup.shared.commits();
                    self.asked.push_back(counts.then_some(self.now));
                    self.rebalance.push(Asked::Revoke { places, lost });
                }
                Notice::Resolved(starts) => self.rebalance.push(Asked::Resolved(starts)),
                Notice::NoTopic => self.nothing_to_read("no topic matches its pattern yet"),
                Notice::NoPartition => self.nothing_to_read("the group gives it no partition"),
                Notice::OutOfRange {
                    place,
                    position,
                    low,
                    high,
                } => self.out_of_range(place, position, low, high),
                Notice::Truncated {
                    place,
                    position,
                    end,
                } => self.truncated(place, position, end),
                Notice::MadeAnew { place, position } => self.made_anew(place, position),
                Notice::StillAnew { place, position } => self.still_anew(place, position),
                Notice::SameAgain { place, position } => self.same_again(place, position),
                Notice::Unreadable {
                    place,
                    position,
                    why,
                } => self.unreadable(place, position, &why),
                Notice::Found(place, found) => self.seek_found(place, found),
                Notice::NotMoved {
                    place,
                    offset,
                    error,
                } => self.not_moved(place, offset, &error),
                Notice::Moved(place, committed) => self.seek_committed(place, committed),
                Notice::Committed(offsets) => self.committed(offsets),
                Notice::Reads(place) => self.is_well(place),
                Notice::Silence(looked) => self.silence(looked),
                Notice::Membership(Err(absent)) => self.is_absent(&absent),
                Notice::Membership(Ok(())) => self.is_in_group(),
                Notice::AtEnd(place, offset) => self.at_end(place, offset),
                Notice::Connected => self.connected(),
                Notice::Checked { topics, group } => self.checked(topics, group),
                Notice::Error(error) => self.client_error(&error),
            }
        }
        self.notices = notices;
    }

    fn committed(&mut self, offsets: Vec<(PartitionRef, Result<i64, ClientError>)>) {
        for (place, committed) in offsets {
            let refused = Key::partition(ProblemCode::CommitRefused, place);
            match committed {
                Ok(offset) => {
                    let part = self.part(place);
                    self.partitions[part].seen.committed = Some(offset);
                    self.meters.taken.increment(1);
                    self.problems.clear(&refused);
                    self.not_committed.remove(place);
                    // The coordinator takes this consumer for a member.
                    self.problems
                        .clear(&Key::consumer(ProblemCode::GroupRefused));
                }
                Err(error) => {
                    self.meters.refused.increment(1);
                    let group = self.setup.group();
                    tracing::warn!(group, %place, "commit refused: {error}");
                    if !self.rebalance.membership.is_member() {
                        self.not_committed.insert(place, error.message.clone());
                    }
                    // Of a partition that was given away, another member commits.
                    if self.rebalance.assigned().contains(&place) {
                        self.problems.raise(refused, self.now, &error.message);
                    }
                }
            }
        }
    }

    /// There are records of the partition, or its end is reached.
    pub(super) fn is_read(&mut self, place: PartitionRef) {
        for code in [
            ProblemCode::TopicRefused,
            ProblemCode::BatchUnreadable,
            ProblemCode::PartitionSilent,
        ] {
            self.problems.clear(&Key::partition(code, place));
        }
    }

    /// The partition is read without an error. That says nothing of a batch: the broker may be away.
    fn is_well(&mut self, place: PartitionRef) {
        for code in [ProblemCode::TopicRefused, ProblemCode::PartitionSilent] {
            self.problems.clear(&Key::partition(code, place));
        }
    }

    /// What is wrong with a partition in other words is named with those.
    fn silence(&mut self, looked: Vec<(PartitionRef, Result<(), Silent>)>) {
        for (place, looked) in looked {
            let part = self.part(place);
            let key = Key::partition(ProblemCode::PartitionSilent, place);
            let is_named = self.partitions[part].truncated.is_some()
                || [
                    Key::partition(ProblemCode::BatchUnreadable, place),
                    Key::partition(ProblemCode::TopicRefused, place),
                    Key::topic(ProblemCode::TopicRefused, &place.topic),
                ]
                .iter()
                .any(|known| self.problems.is_open(known));
            match looked {
                Err(silent) if !is_named && self.rebalance.assigned().contains(&place) => {
                    let since = self.now.saturating_sub(silent.lasts);
                    if self.problems.raise_since(key, since, self.now, &silent.why) {
                        tracing::warn!(%place, "nothing comes of it: {}", silent.why);
                    }
                }
                // It may be paused, or have got another name: then nothing is better.
                _ => drop(self.problems.clear(&key)),
            }
        }
    }

    fn is_absent(&mut self, absent: &Absent) {
        // One that ends leaves its group.
        if !self.rebalance.membership.is_member() {
            return;
        }
        let key = Key::consumer(ProblemCode::NotInGroup);
        let since = self.now.saturating_sub(absent.lasts);
        if self.problems.raise_since(key, since, self.now, &absent.why) {
            let (group, cluster) = (self.setup.group(), self.setup.named_cluster());
            tracing::warn!(
                group,
                cluster,
                "the consumer is not in its group: {}",
                absent.why
            );
        }
    }

    fn is_in_group(&mut self) {
        let absent = Key::consumer(ProblemCode::NotInGroup);
        if let Some(since) = self.problems.clear(&absent) {
            let (group, cluster) = (self.setup.group(), self.setup.named_cluster());
            let away = self.now.saturating_sub(since);
            tracing::info!(
                group,
                cluster,
                "the consumer is in its group again, after {away:.1?}"
            );
        }
    }

    fn at_end(&mut self, place: PartitionRef, offset: i64) {
        self.is_read(place);
        // Otherwise it was read at the position that the seek leaves.
        let part = self.part(place);
        if !self.seeks.is_moving(place) && !self.failed_calls.is_moving(part) {
            self.step(Event::ReadTo { part, offset });
        }
    }

    fn connected(&mut self) {
        for code in [ProblemCode::LoginRefused, ProblemCode::ClusterRefused] {
            self.problems.clear(&Key::consumer(code));
        }
        let unreachable = Key::consumer(ProblemCode::NoBroker);
        if let Some(since) = self.problems.clear(&unreachable) {
            let (group, cluster) = (self.setup.group(), self.setup.named_cluster());
            let away = self.now.saturating_sub(since);
            tracing::info!(group, cluster, "a broker answers again, after {away:.1?}");
        }
    }

    /// Each topic, and the group, has its own answer.
    fn checked(
        &mut self,
        topics: Vec<(String, Result<(), ClientError>)>,
        group: Result<(), ClientError>,
    ) {
        let topics = topics.into_iter();
        let topics =
            topics.map(|(topic, answer)| (Key::topic(ProblemCode::TopicRefused, &topic), answer));
        let group = (Key::consumer(ProblemCode::GroupRefused), group);
        for (key, answer) in topics.chain([group]) {
            match answer {
                Ok(()) => drop(self.problems.clear(&key)),
                Err(error) if error.is_refusal() => {
                    self.problems.raise(key, self.now, &error.message);
                }
                // No answer: what was so stays so.
                Err(_) => {}
            }
        }
    }

    fn client_error(&mut self, error: &ClientError) {
        let (group, cluster) = (self.setup.group(), self.setup.named_cluster());
        self.last_error = Some(error.message.clone());
        if error.code == NOT_POLLED {
            let handlers = self.setup.handlers.iter().map(|handler| handler.def.name);
            let handlers: Vec<_> = handlers.collect();
            tracing::error!(
                group,
                cluster,
                "{error}: the group gives the partitions of {} to others; handlers do not count for it, \
                 so the process or its consumer thread stood still",
                handlers.join(", ")
            );
        } else if error.is_fatal() {
            let reason = format!("the consumer of group `{group}` cannot go on: {error}");
            self.setup.shared.fail(reason);
        } else if error.is_unreachable() {
            // The client says it many times a second, the log once, and health until it is over.
            let key = Key::consumer(ProblemCode::NoBroker);
            if self.problems.raise(key, self.now, &error.message) {
                tracing::warn!(group, cluster, "{error}");
            }
        } else if error.is_refusal() {
            tracing::error!(group, cluster, "{error}");
            // Before the start nothing is at stake yet: give up at once instead of trying on.
            if !self.setup.shared.is_started() {
                let reason = format!("group `{group}`: {error}");
                self.setup.shared.fail(reason);
            }
            for key in refused(error) {
                self.problems.raise(key, self.now, &error.message);
            }
        } else if error.places.is_empty() {
            tracing::warn!(group, cluster, "{error}");
        } else {
            // The client tries again, and says so twice a second.
            for place in error.places.iter().copied() {
                let key = Key::partition(ProblemCode::PartitionSilent, place);
                if self.rebalance.assigned().contains(&place)
                    && self.problems.raise(key, self.now, &error.message)
                {
                    tracing::warn!(group, cluster, %place, "{error}");
                }
            }
        }
    }
}

/// The problems that a refusal is.
fn refused(error: &ClientError) -> Vec<Key> {
    let code = match error.scope {
        Scope::Topic | Scope::Partition => ProblemCode::TopicRefused,
        Scope::Login => ProblemCode::LoginRefused,
        Scope::Cluster => ProblemCode::ClusterRefused,
        _ => ProblemCode::GroupRefused,
    };
    match (code, &*error.places) {
        // The client names no topic: it looks which one it is, and says so with `Notice::Checked`.
        (ProblemCode::TopicRefused, []) => Vec::new(),
        (ProblemCode::TopicRefused, places) => {
            let places = places.iter();
            places.map(|place| Key::partition(code, place)).collect()
        }
        _ => vec![Key::consumer(code)],
    }
}
