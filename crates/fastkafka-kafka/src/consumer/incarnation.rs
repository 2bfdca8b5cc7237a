//! A position belongs to one incarnation of a log: to a topic by its id, and to leaders by their epochs.
//!
//! Before anything of a position counts, the topic's id is compared, and the leader is asked whether its log
//! still has the position. Later ids are compared at every look, and librdkafka asks when a leader changes.

use super::KafkaConsumer;
use super::assignment::News;
use super::known::Known;
use super::looks::Look;
use super::raw::{Offsets, RawClient};
use super::wrong::Wrong;
use crate::offsets::broker::{Commit, OffsetAndEpoch};
use crate::offsets::metadata::Metadata;
use crate::offsets::topic_id::TopicId;
use fastkafka_runtime::platform::PartitionRef;
use std::collections::BTreeMap;

impl<C: RawClient> KafkaConsumer<C> {
    /// Looks at the topics of partitions that the group gives.
    pub(super) fn look_at(&mut self, places: &[PartitionRef]) {
        let mut topics: Vec<_> = places
            .iter()
            .map(|place| place.on_cluster.as_str())
            .collect();
        topics.sort_unstable();
        topics.dedup();
        self.look(&topics);
    }

    /// Looks at everything that is read, when it is time.
    pub(super) fn look_again(&mut self) {
        if self.looks.is_due(self.client.now()) {
            let topics = self.assigned.topics();
            self.look(&topics);
        }
    }

    fn look(&mut self, topics: &[&str]) {
        if !topics.is_empty() {
            let look = self.looks.begin(self.client.now(), topics);
            self.client.look(look, topics);
        }
    }

    /// A look is answered.
    pub(super) fn looked(&mut self, look: Look, ids: BTreeMap<String, TopicId>) {
        let topics = self.looks.end(look, ids);
        let (now, apart) = (self.client.now(), self.looks.apart());
        let agreeing = self.assigned.parts_mut().filter_map(|part| {
            let topic = topics
                .iter()
                .find(|topic| **topic == part.place.on_cluster)?;
            let id = self.looks.id(topic)?;
            part.agree(now, id, apart)
                .then_some((part.place, part.next))
        });
        for (place, position) in agreeing {
            self.wrong.add(place, position, Wrong::StillAnew);
            self.client.wake();
        }
        self.compare();
    }

    /// Finds the positions that belong to a topic that is gone, or is there after all.
    pub(super) fn compare(&mut self) {
        let now = self.client.now();
        for part in self.assigned.parts_mut() {
            // It is compared once more when it is there. Until then the driver would take the news for those of the
            // position that it moves to.
            if self.seeks.leaves(part.place, part.next) {
                continue;
            }
            let id = self.looks.id(&part.place.on_cluster);
            let wrong = match id.and_then(|id| part.compare(now, id)) {
                Some(News::MadeAnew) => {
                    self.unchecked.forget([part.place]);
                    Wrong::MadeAnew
                }
                Some(News::SameAgain) => Wrong::SameAgain,
                None => continue,
            };
            self.wrong.add(part.place, part.next, wrong);
            self.client.wake();
        }
    }

    /// Partitions are begun with at these offsets, or will be.
    pub(super) fn note_starts(
        &mut self,
        starts: &[(PartitionRef, i64)],
    ) -> Vec<(PartitionRef, OffsetAndEpoch)> {
        let known = |(place, offset): &(PartitionRef, i64)| {
            let known = self.known.take(place, *offset);
            (*place, known.unwrap_or(Known::nothing(*offset)))
        };
        let starts: Vec<_> = starts.iter().map(known).collect();
        starts.iter().for_each(|(place, _)| self.wrong.leave(place));
        self.assigned.begin(&starts);
        let starts = starts.into_iter();
        starts.map(|(place, known)| (place, known.at)).collect()
    }

    /// A partition goes on at an offset: what is known of that. Without news of it, an offset that was read belongs
    /// to the log that it was read from.
    pub(super) fn go_to(&mut self, place: PartitionRef, offset: i64) -> OffsetAndEpoch {
        self.wrong.leave(place);
        let known = self.known.take(place, offset);
        let Some(part) = self.assigned.get_mut(place) else {
            return offset.into();
        };
        let known = known.or_else(|| part.known(offset));
        let known = known.unwrap_or(Known::nothing(offset));
        self.assigned.go_to(place, known);
        known.at
    }

    /// Checks positions that are begun with. An offset of 0 is in every log, and one of which neither topic
    /// nor epoch is known cannot be checked.
    pub(super) fn check(&mut self, starts: &Offsets) {
        let now = self.client.now();
        self.unchecked
            .forget(starts.iter().map(|(place, _)| *place));
        for (place, at) in starts {
            let part = self.assigned.get_mut(place);
            let has_topic = part.is_some_and(|part| part.topic.is_some());
            if at.offset > 0 && (at.epoch.is_some() || has_topic) {
                self.unchecked.add(place, *at, now);
            }
        }
        self.compare();
        self.check_later();
    }

    /// Checks the positions that could not be checked when they were begun with.
    pub(super) fn check_later(&mut self) {
        let now = self.client.now();
        let due = self.unchecked.due(now, self.looks.is_waiting());
        if due.is_empty() {
            return;
        }
        let later = self.client.validate(&due);
        self.unchecked.asked(&due, &later, now);
    }

    /// An offset that is to be committed, with everything that it belongs to.
    pub(super) fn commit_at(&mut self, place: PartitionRef, offset: i64) -> Commit {
        let known = self.known.get(place, offset).or_else(|| {
            let part = self.assigned.get_mut(place)?;
            Some(Known {
                at: OffsetAndEpoch::new(offset, part.epochs.at(offset)),
                topic: part.topic,
            })
        });
        let Known { at, topic } = known.unwrap_or(Known::nothing(offset));
        let count = self.counts.get(place.on_cluster.as_str());
        let metadata = Metadata {
            count: count.copied().unwrap_or_default(),
            topic,
        };
        Commit {
            place,
            at,
            metadata: self.texts.text(metadata),
        }
    }
}
