//! The names behind the ids. They change rarely, so states share them.

use crate::ids::{PartitionId, PartitionSet, TopicId};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Topics {
    topics: Vec<Topic>,
    partitions: Vec<(TopicId, i32)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Topic {
    name: String,
    /// Every partition it has ever had.
    partitions: Vec<PartitionId>,
    /// How many of them it has now; 0 when it is deleted.
    count: usize,
}

impl Topics {
    pub(crate) fn find(&self, name: &str) -> Option<TopicId> {
        let at = self.topics.iter().position(|topic| topic.name == name);
        at.map(TopicId::at)
    }

    pub(crate) fn existing(&self) -> impl Iterator<Item = TopicId> {
        let topics = self.topics.iter().enumerate();
        let existing = topics.filter(|(_, topic)| topic.count > 0);
        existing.map(|(at, _)| TopicId::at(at))
    }

    pub(crate) fn name(&self, topic: TopicId) -> &str {
        &self.topics[topic.index()].name
    }

    /// The topic with this name, known from now on; it need not exist.
    pub(crate) fn intern(&mut self, name: &str) -> TopicId {
        self.find(name).unwrap_or_else(|| {
            self.topics.push(Topic {
                name: name.to_owned(),
                partitions: Vec::new(),
                count: 0,
            });
            TopicId::at(self.topics.len() - 1)
        })
    }

    /// The partitions that come or go with the new number.
    pub(crate) fn resize(&mut self, topic: TopicId, count: usize) -> Vec<PartitionId> {
        let Topic {
            partitions,
            count: now,
            ..
        } = &mut self.topics[topic.index()];
        for index in partitions.len()..count {
            partitions.push(PartitionId::at(self.partitions.len()));
            let index = i32::try_from(index).expect("fewer than 2^31 partitions of a topic");
            self.partitions.push((topic, index));
        }
        let before = std::mem::replace(now, count);
        partitions[before.min(count)..before.max(count)].to_vec()
    }

    pub(crate) fn partitions(&self, topic: TopicId) -> &[PartitionId] {
        let topic = &self.topics[topic.index()];
        &topic.partitions[..topic.count]
    }

    pub(crate) fn all(&self, topics: &[TopicId]) -> PartitionSet {
        let partitions = topics.iter().flat_map(|topic| self.partitions(*topic));
        partitions.copied().collect()
    }

    pub(crate) fn exists(&self, partition: PartitionId) -> bool {
        let place = self.partitions.get(partition.index());
        place.is_some_and(|(topic, _)| self.partitions(*topic).contains(&partition))
    }

    pub(crate) fn place(&self, partition: PartitionId) -> (TopicId, i32) {
        self.partitions[partition.index()]
    }
}
