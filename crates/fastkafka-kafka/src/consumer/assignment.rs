//! The partitions that a consumer reads, and where each goes on.

use super::known::Known;
use super::leader_epochs::LeaderEpochs;
use crate::offsets::broker::OffsetAndEpoch;
use crate::offsets::topic_id::TopicId;
use fastkafka_runtime::platform::PartitionRef;
use std::collections::{BTreeMap, HashMap};

/// A partition that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assigned {
    pub(crate) place: PartitionRef,
    /// The next offset to read.
    pub(crate) next: i64,
    pub(crate) epochs: LeaderEpochs,
    /// The topic that the position belongs to, once it is known.
    pub(crate) topic: Option<TopicId>,
    /// The topic of that name is another one now: what comes of it is not read on.
    pub(crate) is_made_anew: bool,
    pub(crate) paused: bool,
}

impl Assigned {
    pub(crate) fn position(&self) -> (PartitionRef, OffsetAndEpoch) {
        let epoch = self.epochs.at(self.next);
        (self.place, OffsetAndEpoch::new(self.next, epoch))
    }

    /// Records up to this offset were read. False when they do not fit to those before.
    pub(crate) fn read(&mut self, next: i64, epoch: Option<i32>) -> bool {
        self.next = next;
        self.epochs.read(next, epoch)
    }

    /// Reading goes on there.
    pub(crate) fn go_to(&mut self, known: Known) {
        self.next = known.at.offset;
        self.epochs = LeaderEpochs::starting_at(known.at);
        self.topic = known.topic;
        self.is_made_anew = false;
    }

    /// The topic of its name has this id now. Nothing of another was read at position 0, and where that was is
    /// not known of a commit without an id.
    pub(crate) fn compare(&mut self, id: TopicId) -> Option<News> {
        match self.topic {
            Some(topic) if topic == id => self.is_made_anew.then_some(News::SameAgain),
            Some(_) if self.next > 0 => {
                let is_old = std::mem::replace(&mut self.is_made_anew, true);
                (!is_old).then_some(News::MadeAnew)
            }
            _ => {
                self.topic = Some(id);
                None
            }
        }
    }
}

/// What a look at a topic's id tells of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It belongs to another topic.
    MadeAnew,
    /// The topic is the one that it belongs to, and was taken for another: a broker that is behind knows an
    /// older one for a while. Until the partition is moved this stays news.
    SameAgain,
}

/// The partitions that a consumer reads: found by a topic's name and a number, as librdkafka names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Assignment(HashMap<&'static str, BTreeMap<i32, Assigned>>);

impl Assignment {
    pub(crate) fn part(&mut self, topic: &str, partition: i32) -> Option<&mut Assigned> {
        self.0.get_mut(topic)?.get_mut(&partition)
    }

    pub(crate) fn get_mut(&mut self, place: PartitionRef) -> Option<&mut Assigned> {
        self.part(&place.on_cluster, place.partition)
    }

    pub(crate) fn contains(&self, place: PartitionRef) -> bool {
        let parts = self.0.get(place.on_cluster.as_str());
        parts.is_some_and(|parts| parts.contains_key(&place.partition))
    }

    /// Nothing is paused in the beginning.
    pub(crate) fn begin(&mut self, starts: &[(PartitionRef, Known)]) {
        for (place, known) in starts {
            let parts = self.0.entry(place.on_cluster.as_str()).or_default();
            let part = Assigned {
                place,
                next: known.at.offset,
                epochs: LeaderEpochs::starting_at(known.at),
                topic: known.topic,
                is_made_anew: false,
                paused: false,
            };
            parts.insert(place.partition, part);
        }
    }

    /// Gives these up. Returns those that were read.
    pub(crate) fn remove(
        &mut self,
        places: &[PartitionRef],
    ) -> Vec<(PartitionRef, OffsetAndEpoch)> {
        let mut remove = |place: &PartitionRef| {
            let parts = self.0.get_mut(place.on_cluster.as_str())?;
            let part = parts.remove(&place.partition)?;
            Some(part.position())
        };
        places.iter().filter_map(&mut remove).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn positions(&self) -> Vec<(PartitionRef, OffsetAndEpoch)> {
        self.parts().map(Assigned::position).collect()
    }

    pub(crate) fn paused(&self) -> Vec<(PartitionRef, OffsetAndEpoch)> {
        let paused = self.parts().filter(|part| part.paused);
        paused.map(Assigned::position).collect()
    }

    /// Every partition that is read.
    pub(crate) fn parts_mut(&mut self) -> impl Iterator<Item = &mut Assigned> {
        self.0.values_mut().flat_map(BTreeMap::values_mut)
    }

    /// The topics of which something is read, by the cluster's names.
    pub(crate) fn topics(&self) -> Vec<&'static str> {
        let topics = self.0.iter().filter(|(_, parts)| !parts.is_empty());
        topics.map(|(topic, _)| *topic).collect()
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &Assigned> {
        self.0.values().flat_map(BTreeMap::values)
    }
}
