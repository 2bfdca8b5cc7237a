//! The offsets at which partitions start.
//!
//! A start without a commit is committed before it is used, with the number of partitions that the
//! topic had then. So a later member, or the same after a crash, can tell a partition that the group
//! never saw (it begins at the beginning) from one that the policy has decided about.

use super::broker::{Broker, Commit, Position};
use super::look_up::look_up;
use super::partition_count::PartitionCount;
use fastkafka_core::OffsetReset;
use fastkafka_runtime::platform::{PartitionRef, StartError};
use std::collections::BTreeMap;

/// Starts, and the number of partitions that each topic's commits carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) starts: Vec<(PartitionRef, i64)>,
    pub(crate) counts: Vec<(&'static str, PartitionCount)>,
}

/// The commits of a group in one topic, by partition.
#[derive(Debug, Default)]
struct Commits {
    /// The number of partitions that the topic has now.
    partitions: i32,
    committed: BTreeMap<i32, (i64, PartitionCount)>,
}

/// The decision about one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Committed(i64),
    /// Added to the topic after the group began: nothing of it was ever read.
    New,
    Policy(OffsetReset),
}

impl Commits {
    /// The number of partitions that the group began with.
    fn smallest_count(&self) -> Option<i32> {
        self.committed.values().filter_map(|(_, n)| n.0).min()
    }

    /// The number that this topic's commits carry from now on. Commits without a number stay without: the
    /// partitions they leave out are new, and must be so for every member.
    fn count(&self) -> PartitionCount {
        match self.smallest_count() {
            None if self.committed.is_empty() => PartitionCount::new(self.partitions),
            n => PartitionCount(n),
        }
    }

    fn start(&self, partition: i32, policy: OffsetReset) -> Start {
        if let Some((offset, _)) = self.committed.get(&partition) {
            return Start::Committed(*offset);
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

/// The starts of a member's partitions. Those without a commit are committed, unless the partitions are
/// not `ours` any more: that would move another member.
pub(crate) fn resolve(
    broker: &impl Broker,
    places: &[(PartitionRef, OffsetReset)],
    ours: impl Fn() -> bool,
) -> Result<Resolved, StartError> {
    let topics = read_commits(broker, places)?;
    let mut starts = Vec::with_capacity(places.len());
    let mut asked = Vec::new();
    let mut refused = Vec::new();
    for (place, policy) in places {
        match topics[place.on_cluster.as_str()].start(place.partition, *policy) {
            Start::Committed(offset) => starts.push((*place, offset)),
            Start::New => asked.push((*place, Position::Beginning)),
            Start::Policy(OffsetReset::None) => refused.push(place.to_string()),
            Start::Policy(policy) => asked.push((*place, by_policy(policy))),
        }
    }
    if !refused.is_empty() {
        return Err(StartError::NoCommit(refused.join(", ")));
    }
    let pinned = look_up(broker, &asked)?;
    if !pinned.is_empty() && !ours() {
        let why = "the partitions were given away meanwhile";
        return Err(StartError::Retry(why.to_owned()));
    }
    commit(broker, &pinned, &topics)?;
    starts.extend(pinned);
    let counts = topics.iter().map(|(topic, c)| (*topic, c.count()));
    Ok(Resolved {
        starts,
        counts: counts.collect(),
    })
}

/// The starts for a consumer without a group: by the policy, and nothing is committed.
pub(crate) fn choose(
    broker: &impl Broker,
    places: &[(PartitionRef, OffsetReset)],
) -> Result<Resolved, StartError> {
    let asked: Vec<_> = places
        .iter()
        .map(|(place, policy)| (*place, by_policy(*policy)))
        .collect();
    Ok(Resolved {
        starts: look_up(broker, &asked)?,
        counts: Vec::new(),
    })
}

fn by_policy(policy: OffsetReset) -> Position {
    match policy {
        OffsetReset::Latest => Position::End,
        // In a group `none` is refused above; without a group it is refused before there is a client.
        OffsetReset::Earliest | OffsetReset::None => Position::Beginning,
        OffsetReset::Timestamp(time) => Position::at(time),
    }
}

/// The commits of every partition of these topics: those of others tell how old the group is.
fn read_commits(
    broker: &impl Broker,
    places: &[(PartitionRef, OffsetReset)],
) -> Result<BTreeMap<&'static str, Commits>, StartError> {
    let mut topics: BTreeMap<&'static str, Commits> = BTreeMap::new();
    for (place, _) in places {
        let commits = topics.entry(place.on_cluster.as_str()).or_default();
        // The broker's answer below may be older than the assignment.
        commits.partitions = commits.partitions.max(place.partition + 1);
    }
    for (topic, commits) in &mut topics {
        let known = broker.partition_count(topic)?;
        commits.partitions = commits.partitions.max(known);
    }
    let asked: Vec<_> = topics
        .iter()
        .flat_map(|(topic, commits)| (0..commits.partitions).map(|partition| (*topic, partition)))
        .collect();
    for ((topic, partition), committed) in asked.iter().zip(broker.committed(&asked)?) {
        if let (Some(committed), Some(commits)) = (committed, topics.get_mut(topic)) {
            let count = PartitionCount::parse(&committed.metadata);
            commits
                .committed
                .insert(*partition, (committed.offset, count));
        }
    }
    Ok(topics)
}

fn commit(
    broker: &impl Broker,
    pinned: &[(PartitionRef, i64)],
    topics: &BTreeMap<&'static str, Commits>,
) -> Result<(), StartError> {
    if pinned.is_empty() {
        return Ok(());
    }
    let commits: Vec<_> = pinned
        .iter()
        .map(|(place, offset)| Commit {
            place,
            offset: *offset,
            metadata: topics[place.on_cluster.as_str()].count().metadata(),
        })
        .collect();
    let committed = broker.commit(&commits);
    committed.map_err(|refused| StartError::Retry(refused.error.message))?;
    // The commit has one error for all partitions: a refusal of some shows only here.
    let asked: Vec<_> = pinned
        .iter()
        .map(|(place, _)| (place.on_cluster.as_str(), place.partition))
        .collect();
    for ((topic, partition), committed) in asked.iter().zip(broker.committed(&asked)?) {
        if committed.is_none() {
            return Err(StartError::Retry(format!(
                "the start of {topic}[{partition}] was not committed"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offsets::simulated::SimulatedBroker;
    use fastkafka_core::TopicPartition;

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
        let mixed = [(0, 7, ""), (1, 8, "partitions=4"), (2, 0, "partitions=2")];
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
            ("the smallest number counts", 3, &mixed, Start::New),
            (
                "also a commit of another client",
                0,
                &foreign,
                Start::Committed(7),
            ),
        ];
        for (what, partition, committed, expected) in cases {
            let commits = commits(6, committed);
            assert_eq!(commits.start(partition, Latest), expected, "{what}");
        }
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
        assert_eq!(commits(4, &[]).count(), PartitionCount::new(4));
        let grown = commits(8, &[(0, 7, "partitions=4")]);
        assert_eq!(grown.count(), PartitionCount::new(4));
        // Another member must still see that partition 1 is new.
        let foreign = commits(4, &[(0, 7, "")]);
        assert_eq!(foreign.count(), PartitionCount::default());
    }

    fn place(partition: i32) -> PartitionRef {
        TopicPartition::intern("orders", partition)
    }

    fn ask(partitions: &[i32], policy: OffsetReset) -> Vec<(PartitionRef, OffsetReset)> {
        let places = partitions.iter();
        places
            .map(|partition| (place(*partition), policy))
            .collect()
    }

    #[test]
    fn a_start_without_a_commit_is_committed_before_it_is_used() {
        let broker = SimulatedBroker::new(&[("orders", 0, 5), ("orders", 2, 9)]);
        let asked = ask(&[0, 1], OffsetReset::Latest);
        let resolved = resolve(&broker, &asked, || true).unwrap();
        assert_eq!(resolved.starts, [(place(0), 5), (place(1), 9)]);
        assert_eq!(resolved.counts, [("orders", PartitionCount::new(2))]);
        let count = || "partitions=2".to_owned();
        let expected = [(place(0), 5, count()), (place(1), 9, count())];
        assert_eq!(broker.commits(), expected);
        // Only the first time.
        broker.grow("orders", 1, 20);
        let again = resolve(&broker, &ask(&[1], OffsetReset::Latest), || true).unwrap();
        assert_eq!(again.starts, [(place(1), 9)]);
        assert_eq!(broker.commits(), expected);
    }

    #[test]
    fn a_partition_that_the_broker_does_not_list_yet_counts_all_the_same() {
        let broker = SimulatedBroker::new(&[("orders", 0, 5), ("orders", 0, 5)]);
        broker.list_only("orders", 1);
        let resolved = resolve(&broker, &ask(&[1], OffsetReset::Earliest), || true).unwrap();
        assert_eq!(resolved.counts, [("orders", PartitionCount::new(2))]);
    }

    #[test]
    fn a_start_that_is_not_committed_for_one_of_the_partitions_is_tried_again() {
        let broker = SimulatedBroker::new(&[("orders", 0, 5), ("orders", 0, 5)]);
        broker.drop_commits_of("orders", 1);
        let error = resolve(&broker, &ask(&[0, 1], OffsetReset::Earliest), || true).unwrap_err();
        let error = error.to_string();
        assert!(
            error.ends_with("the start of orders[1] was not committed"),
            "{error}"
        );
    }

    #[test]
    fn a_policy_of_none_commits_nothing_also_not_for_a_partition_that_is_new() {
        let broker = SimulatedBroker::new(&[("orders", 0, 5), ("orders", 0, 5)]);
        let error = resolve(&broker, &ask(&[0, 1], OffsetReset::None), || true).unwrap_err();
        assert!(matches!(error, StartError::NoCommit(_)), "{error:?}");
        assert_eq!(broker.commits(), []);
    }

    #[test]
    fn a_start_of_a_partition_that_was_given_away_meanwhile_is_not_committed() {
        let broker = SimulatedBroker::new(&[("orders", 0, 5), ("orders", 0, 9)]);
        let asked = ask(&[0, 1], OffsetReset::Latest);
        let error = resolve(&broker, &asked, || false).unwrap_err();
        assert!(matches!(error, StartError::Retry(_)), "{error:?}");
        assert_eq!(broker.commits(), []);
        // To look one up that is committed moves nobody.
        resolve(&broker, &asked, || true).unwrap();
        let again = resolve(&broker, &asked, || false).unwrap();
        assert_eq!(again.starts, [(place(0), 5), (place(1), 9)]);
    }

    #[test]
    fn without_a_group_nothing_is_committed() {
        let broker = SimulatedBroker::new(&[("orders", 2, 5)]);
        let chosen = choose(&broker, &ask(&[0], OffsetReset::Earliest)).unwrap();
        assert_eq!(chosen.starts, [(place(0), 2)]);
        assert_eq!(broker.commits(), []);
    }
}
