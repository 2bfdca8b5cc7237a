//! Where partitions start (delivery.md, section 3). Waits for the broker: on the helper thread only.
//!
//! A start without a commit is committed before it is used, with the number of partitions that the
//! topic had then. So a later member, or the same after a crash, can tell a partition that the group
//! never saw (it begins at the beginning) from one that the policy has decided about.

use crate::ffi;
use crate::offsets::look_up::{TIMEOUT, look_up, millis, offsets, partition_count, retry};
use fastkafka_core::OffsetReset;
use fastkafka_runtime::platform::{PartitionRef, StartError};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;

const PREFIX: &str = "partitions=";

/// The number of partitions a topic had when its starts were first worked out; goes with every
/// commit as its metadata. `None`: the group's commits are older than this client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartitionCount(Option<i32>);

impl PartitionCount {
    pub(crate) fn new(partitions: i32) -> Self {
        Self(Some(partitions))
    }

    fn parse(metadata: &str) -> Option<i32> {
        metadata.strip_prefix(PREFIX)?.parse().ok()
    }

    /// What to write.
    pub(crate) fn metadata(self) -> Option<String> {
        self.0.map(|n| format!("{PREFIX}{n}"))
    }
}

/// What a group has committed in one topic: offset and metadata by partition.
#[derive(Debug, Default)]
struct Commits {
    partitions: i32,
    committed: BTreeMap<i32, (i64, Option<i32>)>,
}

impl Commits {
    fn smallest_marker(&self) -> Option<i32> {
        self.committed.values().filter_map(|(_, n)| *n).min()
    }

    /// What this topic's commits carry from now on. Commits without a number stay without: the
    /// partitions they leave out are new, and must be so for every member.
    fn marker(&self) -> PartitionCount {
        match self.smallest_marker() {
            None if self.committed.is_empty() => PartitionCount(Some(self.partitions)),
            n => PartitionCount(n),
        }
    }
}

/// The decision about one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Committed(i64),
    /// Added to the topic after the group began: nothing of it was ever read.
    New,
    Policy(OffsetReset),
}

fn start(partition: i32, commits: &Commits, policy: OffsetReset) -> Start {
    if let Some((offset, _)) = commits.committed.get(&partition) {
        return Start::Committed(*offset);
    }
    let grown = match commits.smallest_marker() {
        Some(n) => partition >= n,
        None => !commits.committed.is_empty(),
    };
    if grown {
        Start::New
    } else {
        Start::Policy(policy)
    }
}

/// Starts, and the marker of each topic.
pub(crate) struct Resolved {
    pub(crate) starts: Vec<(PartitionRef, i64)>,
    pub(crate) markers: Vec<(&'static str, PartitionCount)>,
}

/// Works the starts out, and commits those that had no commit.
pub(crate) fn resolve<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    places: &[(PartitionRef, OffsetReset)],
) -> Result<Resolved, StartError> {
    let mut topics: BTreeMap<&'static str, Commits> = BTreeMap::new();
    for (place, _) in places {
        let commits = topics.entry(place.on_cluster.as_str()).or_default();
        // The metadata may be older than the assignment.
        commits.partitions = commits.partitions.max(place.partition + 1);
    }
    for (topic, commits) in &mut topics {
        let known = partition_count(consumer, topic)?;
        commits.partitions = commits.partitions.max(known);
    }
    read_commits(consumer, &mut topics)?;

    let mut starts = Vec::with_capacity(places.len());
    let mut asked = Vec::new();
    let mut refused = Vec::new();
    for (place, policy) in places {
        match start(place.partition, &topics[place.on_cluster.as_str()], *policy) {
            Start::Committed(offset) => starts.push((*place, offset)),
            Start::New => asked.push((*place, Offset::Beginning)),
            Start::Policy(OffsetReset::Earliest) => asked.push((*place, Offset::Beginning)),
            Start::Policy(OffsetReset::Latest) => asked.push((*place, Offset::End)),
            Start::Policy(OffsetReset::Timestamp(at)) => {
                asked.push((*place, Offset::Offset(millis(at))));
            }
            Start::Policy(OffsetReset::None) => refused.push(place.to_string()),
        }
    }
    if !refused.is_empty() {
        return Err(StartError::NoCommit(refused.join(", ")));
    }
    let pinned = look_up(consumer, &asked)?;
    commit(consumer, &pinned, &topics)?;
    starts.extend(pinned);
    let markers = topics.iter().map(|(topic, c)| (*topic, c.marker()));
    Ok(Resolved {
        starts,
        markers: markers.collect(),
    })
}

/// Works the starts out for a consumer without a group: by the policy, and nothing is committed.
pub(crate) fn choose<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    places: &[(PartitionRef, OffsetReset)],
) -> Result<Vec<(PartitionRef, i64)>, StartError> {
    let asked: Vec<_> = places
        .iter()
        .map(|(place, policy)| (*place, by_policy(*policy)))
        .collect();
    look_up(consumer, &asked)
}

fn by_policy(policy: OffsetReset) -> Offset {
    match policy {
        OffsetReset::Latest => Offset::End,
        // Without a group `none` is refused before there is a client.
        OffsetReset::Earliest | OffsetReset::None => Offset::Beginning,
        OffsetReset::Timestamp(at) => Offset::Offset(millis(at)),
    }
}

fn read_commits<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topics: &mut BTreeMap<&'static str, Commits>,
) -> Result<(), StartError> {
    let mut list = TopicPartitionList::new();
    for (topic, commits) in topics.iter() {
        list.add_partition_range(topic, 0, commits.partitions - 1);
    }
    let list = consumer.committed_offsets(list, TIMEOUT);
    let list = list.map_err(|e| retry(&e))?;
    for (element, metadata) in list.elements().iter().zip(ffi::metadata(&list)) {
        element.error().map_err(|e| retry(&e))?;
        if let (Offset::Offset(offset), Some(commits)) =
            (element.offset(), topics.get_mut(element.topic()))
        {
            let commit = (offset, PartitionCount::parse(&metadata));
            commits.committed.insert(element.partition(), commit);
        }
    }
    Ok(())
}

fn commit<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    pinned: &[(PartitionRef, i64)],
    topics: &BTreeMap<&'static str, Commits>,
) -> Result<(), StartError> {
    if pinned.is_empty() {
        return Ok(());
    }
    let mut list = TopicPartitionList::with_capacity(pinned.len());
    for (place, offset) in pinned {
        let marker = topics[place.on_cluster.as_str()].marker();
        add(&mut list, place, *offset, marker);
    }
    let committed = consumer.commit(&list, CommitMode::Sync);
    committed.map_err(|e| retry(&e))?;
    // The commit has one error for all partitions: what was refused to some shows only here.
    let places: Vec<_> = pinned.iter().map(|(p, _)| (*p, Offset::Invalid)).collect();
    let list = consumer.committed_offsets(offsets(&places), TIMEOUT);
    let list = list.map_err(|e| retry(&e))?;
    for element in list.elements() {
        element.error().map_err(|e| retry(&e))?;
        if !matches!(element.offset(), Offset::Offset(_)) {
            return Err(StartError::Retry(format!(
                "the start of {}[{}] was not committed",
                element.topic(),
                element.partition()
            )));
        }
    }
    Ok(())
}

/// Adds an offset to commit with its topic's marker.
pub(crate) fn add(
    list: &mut TopicPartitionList,
    place: PartitionRef,
    offset: i64,
    marker: PartitionCount,
) {
    let mut element = list.add_partition(&place.on_cluster, place.partition);
    element
        .set_offset(Offset::Offset(offset))
        .expect("an offset to commit is not negative");
    if let Some(metadata) = marker.metadata() {
        element.set_metadata(metadata);
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
                .map(|(p, offset, metadata)| (*p, (*offset, PartitionCount::parse(metadata))))
                .collect(),
        }
    }

    #[test]
    fn a_partition_starts_at_its_commit_or_the_beginning_or_by_the_policy() {
        use OffsetReset::Latest;
        let two = [(0, 7, "partitions=2"), (1, 8, "partitions=2")];
        let first = [(0, 7, "partitions=4")];
        let foreign = [(0, 7, ""), (1, 8, "of another client")];
        let mixed = [(0, 7, ""), (1, 8, "partitions=3"), (2, 0, "partitions=2")];
        let cases: [(&str, i32, &[_], Start); 8] = [
            ("a commit counts", 1, &two, Start::Committed(8)),
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
            ("the smallest number counts", 5, &mixed, Start::New),
            (
                "also a commit of another client",
                0,
                &foreign,
                Start::Committed(7),
            ),
        ];
        for (what, partition, committed, expected) in cases {
            let commits = commits(6, committed);
            assert_eq!(start(partition, &commits, Latest), expected, "{what}");
        }
    }

    #[test]
    fn an_added_partition_starts_at_the_beginning_whatever_the_policy() {
        let known = commits(2, &[(0, 7, "partitions=1")]);
        for policy in [OffsetReset::Latest, OffsetReset::None] {
            assert_eq!(start(1, &known, policy), Start::New);
        }
    }

    #[test]
    fn the_number_of_partitions_is_written_once_and_carried_on() {
        assert_eq!(commits(4, &[]).marker(), PartitionCount(Some(4)));
        let grown = commits(8, &[(0, 7, "partitions=4")]);
        assert_eq!(grown.marker(), PartitionCount(Some(4)));
        // Another member must still see that partition 1 is new.
        let foreign = commits(4, &[(0, 7, "")]);
        assert_eq!(foreign.marker(), PartitionCount(None));
        assert_eq!(
            PartitionCount(Some(4)).metadata().as_deref(),
            Some("partitions=4")
        );
        assert_eq!(PartitionCount::parse("partitions=4"), Some(4));
    }
}
