//! The groups of the apps on one cluster, with the topics that each reads.

use crate::apps;
use crate::subscription::Subscription;
use crate::topology::ClusterName;
use fastkafka::App;
use fastkafka_runtime::platform::Offsets;
use std::fmt;

/// A group, or a handler without one, with the topics of the test that it reads.
#[derive(Clone)]
pub(super) struct ReadingGroup {
    pub(super) name: String,
    pub(super) standalone: bool,
    pub(super) topics: Vec<String>,
}

/// By group: the offsets below which everything is settled.
pub(super) type Settled = Vec<(ReadingGroup, Offsets)>;

/// The groups of all apps on a cluster that has these topics.
///
/// # Errors
/// Why a pattern cannot be read.
pub(super) fn reading_groups<'t>(
    apps: &[App],
    cluster: ClusterName,
    topics: impl Iterator<Item = &'t String> + Clone,
) -> Result<Vec<ReadingGroup>, String> {
    let mut all: Vec<ReadingGroup> = Vec::new();
    for group in apps::groups(apps).filter(|group| group.cluster == cluster) {
        let names: Vec<_> = group
            .handlers
            .iter()
            .flat_map(|handler| handler.def.subscription())
            .collect();
        let subscription = Subscription::new(&names, &group.settings, &group.left_out)?;
        let read = topics
            .clone()
            .filter(|topic| subscription.takes(topic))
            .cloned();
        match all.iter_mut().find(|known| known.name == group.id) {
            Some(known) => known.topics.extend(read),
            None => all.push(ReadingGroup {
                topics: read.collect(),
                name: group.id,
                standalone: group.standalone,
            }),
        }
    }
    Ok(all)
}

impl fmt::Display for ReadingGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.standalone {
            write!(f, "`{}`", self.name)
        } else {
            write!(f, "group `{}`", self.name)
        }
    }
}
