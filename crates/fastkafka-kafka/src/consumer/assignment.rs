//! The partitions that a consumer reads, and where each goes on.

use super::raw::Offsets;
use fastkafka_runtime::platform::PartitionRef;
use std::collections::{BTreeMap, HashMap};

/// A partition that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assigned {
    pub(crate) place: PartitionRef,
    /// The next offset to read.
    pub(crate) next: i64,
    pub(crate) paused: bool,
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
    pub(crate) fn begin(&mut self, starts: &Offsets) {
        for (place, next) in starts {
            let parts = self.0.entry(place.on_cluster.as_str()).or_default();
            let part = Assigned {
                place,
                next: *next,
                paused: false,
            };
            parts.insert(place.partition, part);
        }
    }

    /// Gives these up. Returns those that were read.
    pub(crate) fn remove(&mut self, places: &[PartitionRef]) -> Vec<(PartitionRef, i64)> {
        let mut remove = |place: &PartitionRef| {
            let parts = self.0.get_mut(place.on_cluster.as_str())?;
            let part = parts.remove(&place.partition)?;
            Some((part.place, part.next))
        };
        places.iter().filter_map(&mut remove).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn positions(&self) -> Vec<(PartitionRef, i64)> {
        self.parts().map(|part| (part.place, part.next)).collect()
    }

    /// Those that are not paused, with their next offsets.
    pub(crate) fn reading(&self) -> Vec<(PartitionRef, i64)> {
        let reading = self.parts().filter(|part| !part.paused);
        reading.map(|part| (part.place, part.next)).collect()
    }

    pub(crate) fn paused(&self) -> Vec<(PartitionRef, i64)> {
        let paused = self.parts().filter(|part| part.paused);
        paused.map(|part| (part.place, part.next)).collect()
    }

    fn parts(&self) -> impl Iterator<Item = &Assigned> {
        self.0.values().flat_map(BTreeMap::values)
    }
}
