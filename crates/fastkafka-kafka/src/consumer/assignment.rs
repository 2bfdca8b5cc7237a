//! The partitions that a consumer reads, and where each goes on.

use super::fetch_position::{FetchPosition, Move};
use super::known::Known;
use super::leader_epochs::LeaderEpochs;
use super::raw::FetchError;
use crate::offsets::broker::OffsetAndEpoch;
use crate::offsets::topic_id::TopicId;
use fastkafka_runtime::platform::PartitionRef;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// A broker that is behind knows an older topic of the name. So many looks have to agree with the first, each some
/// time after the one that was counted before, until what was read already is read again.
const ENOUGH: u32 = 2;

/// A partition that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assigned {
    pub(crate) place: PartitionRef,
    /// The next offset to read.
    pub(crate) next: i64,
    /// The last move that brought it there.
    since: Move,
    pub(crate) epochs: LeaderEpochs,
    /// The topic that the position belongs to, once it is known.
    pub(crate) topic: Option<TopicId>,
    /// The topic of that name is another one now: what comes of it is not read on.
    pub(crate) is_made_anew: bool,
    /// The later looks that have said so, too, and the time of the last that was counted.
    agreeing: (u32, Duration),
    pub(crate) paused: bool,
}

impl Assigned {
    pub(crate) fn position(&self) -> (PartitionRef, OffsetAndEpoch) {
        let epoch = self.epochs.at(self.next);
        (self.place, OffsetAndEpoch::new(self.next, epoch))
    }

    pub(crate) fn fetch_position(&self) -> FetchPosition {
        FetchPosition {
            place: self.place,
            next: self.next,
            since: self.since,
        }
    }

    /// What is known of an offset up to which it was read: it belongs to the same log as the next one.
    pub(crate) fn known(&self, offset: i64) -> Option<Known> {
        let at = OffsetAndEpoch::new(offset, self.epochs.at(offset));
        let topic = self.topic;
        (offset <= self.next).then_some(Known { at, topic })
    }

    /// The error names another position than the next one. That is mostly one that was left; it may also be one
    /// behind control records, which are passed without a word.
    pub(crate) fn has_left(&self, error: &FetchError) -> bool {
        match error {
            FetchError::OutOfRange { position } => position.is_some_and(|at| at != self.next),
            FetchError::Truncated { position, .. } => position.is_some_and(|at| !self.is_at(at)),
            FetchError::Unreadable { .. } | FetchError::Other(_) => false,
        }
    }

    /// This is the next position. Of another epoch it is not, where both are known: what was cut there is another
    /// log.
    fn is_at(&self, named: OffsetAndEpoch) -> bool {
        let (_, next) = self.position();
        let epochs = next.epoch.zip(named.epoch);
        next.offset == named.offset && epochs.is_none_or(|(ours, named)| ours == named)
    }

    /// Records up to this offset were read. False when they do not fit to those before.
    pub(crate) fn read(&mut self, next: i64, epoch: Option<i32>) -> bool {
        self.next = next;
        self.epochs.read(next, epoch)
    }

    /// The topic of its name has this id now. Nothing of another was read at position 0, and where that was is
    /// not known of a commit without an id.
    pub(crate) fn compare(&mut self, now: Duration, id: TopicId) -> Option<News> {
        match self.topic {
            Some(topic) if topic == id => self.is_made_anew.then_some(News::SameAgain),
            Some(_) if self.next > 0 => {
                let is_old = std::mem::replace(&mut self.is_made_anew, true);
                if !is_old {
                    self.agreeing = (0, now);
                }
                (!is_old).then_some(News::MadeAnew)
            }
            _ => {
                self.topic = Some(id);
                None
            }
        }
    }
}

impl Assigned {
    /// A later look tells this id. True when that makes enough of them that the topic is another one; looks that are
    /// not so far `apart` may have asked the same broker in the same state, and count as one.
    pub(crate) fn agree(&mut self, now: Duration, id: TopicId, apart: Duration) -> bool {
        let (agreeing, since) = self.agreeing;
        if !self.is_made_anew || self.topic == Some(id) {
            self.agreeing = (0, now);
            return false;
        }
        if now.saturating_sub(since) < apart {
            return false;
        }
        self.agreeing = (agreeing + 1, now);
        agreeing + 1 == ENOUGH
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
pub(crate) struct Assignment {
    parts: HashMap<&'static str, BTreeMap<i32, Assigned>>,
    moves: Move,
}

impl Assignment {
    pub(crate) fn part(&mut self, topic: &str, partition: i32) -> Option<&mut Assigned> {
        self.parts.get_mut(topic)?.get_mut(&partition)
    }

    pub(crate) fn get_mut(&mut self, place: PartitionRef) -> Option<&mut Assigned> {
        self.part(&place.on_cluster, place.partition)
    }

    pub(crate) fn contains(&self, place: PartitionRef) -> bool {
        let parts = self.parts.get(place.on_cluster.as_str());
        parts.is_some_and(|parts| parts.contains_key(&place.partition))
    }

    /// Nothing is paused in the beginning.
    pub(crate) fn begin(&mut self, starts: &[(PartitionRef, Known)]) {
        for (place, known) in starts {
            let parts = self.parts.entry(place.on_cluster.as_str()).or_default();
            let part = Assigned {
                place,
                next: known.at.offset,
                since: self.moves.next(),
                epochs: LeaderEpochs::starting_at(known.at),
                topic: known.topic,
                is_made_anew: false,
                agreeing: Default::default(),
                paused: false,
            };
            parts.insert(place.partition, part);
        }
    }

    /// Reading of a partition goes on there.
    pub(crate) fn go_to(&mut self, place: PartitionRef, known: Known) {
        let since = self.moves.next();
        if let Some(part) = self.get_mut(place) {
            part.next = known.at.offset;
            part.since = since;
            part.epochs = LeaderEpochs::starting_at(known.at);
            part.topic = known.topic;
            part.is_made_anew = false;
            part.agreeing = Default::default();
        }
    }

    /// The partition that stands there, unless it was moved or has read on since.
    pub(crate) fn still_at(&mut self, at: &FetchPosition) -> Option<&mut Assigned> {
        let part = self.get_mut(at.place);
        part.filter(|part| part.fetch_position() == *at)
    }

    /// The same of the search of `proof`.
    #[cfg(feature = "proof")]
    pub(crate) fn is_at(&self, at: &FetchPosition) -> bool {
        self.parts().any(|part| part.fetch_position() == *at)
    }

    /// Gives these up. Returns those that were read.
    pub(crate) fn remove(
        &mut self,
        places: &[PartitionRef],
    ) -> Vec<(PartitionRef, OffsetAndEpoch)> {
        let mut remove = |place: &PartitionRef| {
            let parts = self.parts.get_mut(place.on_cluster.as_str())?;
            let part = parts.remove(&place.partition)?;
            Some(part.position())
        };
        places.iter().filter_map(&mut remove).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.parts.clear();
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
        self.parts.values_mut().flat_map(BTreeMap::values_mut)
    }

    /// The topics of which something is read, by the cluster's names.
    pub(crate) fn topics(&self) -> Vec<&'static str> {
        let topics = self.parts.iter().filter(|(_, parts)| !parts.is_empty());
        topics.map(|(topic, _)| *topic).collect()
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &Assigned> {
        self.parts.values().flat_map(BTreeMap::values)
    }
}
