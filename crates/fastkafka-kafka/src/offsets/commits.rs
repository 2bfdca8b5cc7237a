//! The commits of a group in a topic, and where each of its partitions starts by them.

use super::broker::OffsetAndEpoch;
use super::metadata::Metadata;
use super::partition_count::PartitionCount;
use super::topic_id::TopicId;
use fastkafka_core::OffsetReset;
use fastkafka_runtime::platform::StartError;
use std::collections::BTreeMap;

/// The commits of a group in one topic, by partition.
#[derive(Debug, Default)]
pub(super) struct Commits {
    /// The number of partitions that the topic has now.
    pub(super) partitions: i32,
    pub(super) committed: BTreeMap<i32, (OffsetAndEpoch, Metadata)>,
    /// Partitions whose commits could not be read.
    pub(super) unread: BTreeMap<i32, StartError>,
    /// Why there may be more partitions, and commits of them.
    pub(super) unlisted: Option<StartError>,
}

/// The decision about one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Committed(OffsetAndEpoch, Option<TopicId>),
    /// Added to the topic after the group began: nothing of it was ever read.
    New,
    Policy(OffsetReset),
    /// The commits are not known from which it follows.
    Unknown(StartError),
}

impl Commits {
    /// The number of partitions that the group began with.
    fn smallest_count(&self) -> Option<i32> {
        self.committed
            .values()
            .filter_map(|(_, carried)| carried.count.0)
            .min()
    }

    /// Why it is not known whether the group has other commits.
    fn gap(&self) -> Option<&StartError> {
        self.unlisted.as_ref().or(self.unread.values().next())
    }

    /// The number that this topic's commits carry from now on. Commits without a number stay without: the
    /// partitions they leave out are new, and must be so for every member. `None`: it is not known yet.
    pub(super) fn count(&self) -> Option<PartitionCount> {
        match self.smallest_count() {
            None if self.gap().is_some() => None,
            None if self.committed.is_empty() => Some(PartitionCount::new(self.partitions)),
            n => Some(PartitionCount(n)),
        }
    }

    pub(super) fn start(&self, partition: i32, policy: OffsetReset) -> Start {
        if let Some((at, carried)) = self.committed.get(&partition) {
            return Start::Committed(*at, carried.topic);
        }
        // Whether it is new is told by the commits of the others.
        if let Some(why) = self.unread.get(&partition).or(self.gap()) {
            return Start::Unknown(why.clone());
        }
        let grown = match self.smallest_count() {
            Some(n) => partition >= n,
            None => !self.committed.is_empty(),
        };
        if grown {
            Start::New
        } else {
            Start::Policy(policy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commits(partitions: i32, committed: &[(i32, i64, &str)]) -> Commits {
        let committed = committed.iter();
        Commits {
            partitions,
            committed: committed
                .map(|(p, offset, metadata)| (*p, ((*offset).into(), Metadata::parse(metadata))))
                .collect(),
            ..Commits::default()
        }
    }

    #[test]
    fn a_partition_starts_at_its_commit_or_the_beginning_or_by_the_policy() {
        use OffsetReset::Latest;
        let two = [(0, 7, "partitions=2"), (1, 8, "partitions=2")];
        let first = [(0, 7, "partitions=4")];
        let foreign = [(0, 7, ""), (1, 8, "of another client")];
        let mixed = [(0, 7, ""), (1, 8, "partitions=4"), (2, 0, "partitions=2")];
        let cases: [(&str, i32, &[_], Start); 8] = [
            ("a commit counts", 1, &two, Start::Committed(8.into(), None)),
            ("a new group", 0, &[], Start::Policy(Latest)),
            (
                "started with another member",
                3,
                &first,
                Start::Policy(Latest),
            ),
            ("added since", 2, &two, Start::New),
            ("added long since", 5, &two, Start::New),
            ("of a group of another client", 2, &foreign, Start::New),
            ("the smallest number counts", 3, &mixed, Start::New),
            (
                "also a commit of another client",
                0,
                &foreign,
                Start::Committed(7.into(), None),
            ),
        ];
        for (what, partition, committed, expected) in cases {
            let commits = commits(6, committed);
            assert_eq!(commits.start(partition, Latest), expected, "{what}");
        }
    }

    #[test]
    fn a_start_is_of_the_topic_that_its_commit_names() {
        let id = TopicId::new(7);
        let metadata = Metadata {
            count: PartitionCount::new(1),
            topic: id,
        };
        let commits = commits(1, &[(0, 5, &metadata.text().unwrap())]);
        let start = commits.start(0, OffsetReset::Latest);
        assert_eq!(start, Start::Committed(5.into(), id));
        assert_eq!(commits.count(), Some(PartitionCount::new(1)));
    }

    #[test]
    fn an_added_partition_starts_at_the_beginning_whatever_the_policy() {
        let known = commits(2, &[(0, 7, "partitions=1")]);
        for policy in [OffsetReset::Latest, OffsetReset::None] {
            assert_eq!(known.start(1, policy), Start::New);
        }
    }

    #[test]
    fn the_number_of_partitions_is_written_once_and_carried_on() {
        assert_eq!(commits(4, &[]).count(), Some(PartitionCount::new(4)));
        let grown = commits(8, &[(0, 7, "partitions=4")]);
        assert_eq!(grown.count(), Some(PartitionCount::new(4)));
        // Another member must still see that partition 1 is new.
        let foreign = commits(4, &[(0, 7, "")]);
        assert_eq!(foreign.count(), Some(PartitionCount::default()));
    }

    #[test]
    fn without_all_commits_of_the_topic_only_a_partition_with_one_has_a_start() {
        let why = StartError::Retry("unstable".to_owned());
        let mut known = commits(3, &[(0, 7, "partitions=2")]);
        known.unread.insert(1, why.clone());
        assert_eq!(
            known.start(0, OffsetReset::Latest),
            Start::Committed(7.into(), None)
        );
        for partition in [1, 2] {
            let start = known.start(partition, OffsetReset::Latest);
            assert_eq!(start, Start::Unknown(why.clone()));
        }
        assert_eq!(known.count(), Some(PartitionCount::new(2)));
        // Whether the group is new is not known.
        let mut new = commits(3, &[]);
        new.unlisted = Some(why.clone());
        assert_eq!(new.start(0, OffsetReset::Latest), Start::Unknown(why));
        assert_eq!(new.count(), None);
    }
}
