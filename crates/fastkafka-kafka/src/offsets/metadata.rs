//! What the commits of a group carry beside their offsets.

use super::partition_count::PartitionCount;
use super::topic_id::TopicId;
use std::collections::HashMap;
use std::sync::Arc;

const TOPIC: &str = "topic=";

/// The metadata of a commit: the number of partitions that the group began with, and the id of the topic
/// whose log the offset belongs to. Each may be missing: the commit may be older than this client or
/// another client's, and a broker may know no ids.
#[derive(Clone, Copy, Debug, Default, Hash, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) count: PartitionCount,
    pub(crate) topic: Option<TopicId>,
}

impl Metadata {
    /// What is not ours is ignored.
    pub(crate) fn parse(text: &str) -> Self {
        let mut metadata = Self::default();
        for part in text.split(';') {
            match part.strip_prefix(TOPIC) {
                Some(id) => metadata.topic = TopicId::parse(id),
                None if metadata.count == PartitionCount::default() => {
                    metadata.count = PartitionCount::parse(part);
                }
                None => {}
            }
        }
        metadata
    }

    /// The text to commit; `None` when there is nothing to say.
    pub(crate) fn text(self) -> Option<String> {
        let topic = self.topic.map(|id| format!("{TOPIC}{id}"));
        let parts: Vec<_> = self.count.metadata().into_iter().chain(topic).collect();
        (!parts.is_empty()).then(|| parts.join(";"))
    }
}

/// The texts of what a member commits: the same few again and again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts(HashMap<Metadata, Option<Arc<str>>>);

impl Texts {
    pub(crate) fn text(&mut self, metadata: Metadata) -> Option<Arc<str>> {
        let text = || metadata.text().map(Into::into);
        self.0.entry(metadata).or_insert_with(text).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_read_as_they_were_written_and_each_may_be_missing() {
        let (count, topic) = (PartitionCount::new(4), TopicId::new(1));
        let cases = [
            (count, topic, "partitions=4;topic=AAAAAAAAAAAAAAAAAAAAAQ"),
            // Of an older version.
            (count, None, "partitions=4"),
            (
                PartitionCount::default(),
                topic,
                "topic=AAAAAAAAAAAAAAAAAAAAAQ",
            ),
        ];
        for (count, topic, text) in cases {
            let metadata = Metadata { count, topic };
            assert_eq!(metadata.text().as_deref(), Some(text));
            assert_eq!(Metadata::parse(text), metadata);
        }
        assert_eq!(Metadata::default().text(), None);
        for foreign in ["", "of another client", "topic=orders", ";;"] {
            assert_eq!(Metadata::parse(foreign), Metadata::default(), "{foreign}");
        }
    }
}
