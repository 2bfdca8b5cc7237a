//! One channel per topic and cluster.

use super::operations::Draft;
use crate::names;
use std::collections::{BTreeMap, BTreeSet};

/// The keys of the channels by cluster and topic. A key is the topic; on further clusters that have
/// a topic of the same name it is that of the cluster with the topic's. A pattern is no key: references
/// lead through keys, and what a pattern is made of has a meaning there.
pub(super) struct Channels(BTreeMap<(String, String), String>);

impl Channels {
    /// `clusters` are in the order of the app: the first that has a topic gives its channel the name.
    pub(super) fn new(drafts: &[Draft], clusters: &[String]) -> Self {
        let on = |cluster: &String| {
            let drafts = drafts.iter().filter(move |draft| draft.cluster == *cluster);
            drafts
                .map(|draft| draft.topic.clone())
                .collect::<BTreeSet<_>>()
        };
        let topics: BTreeSet<_> = drafts.iter().map(|draft| draft.topic.clone()).collect();
        let (mut keys, mut named) = (BTreeMap::new(), BTreeSet::new());
        let mut taken: BTreeSet<_> = topics.into_iter().filter(|topic| is_key(topic)).collect();
        for cluster in clusters {
            for topic in on(cluster) {
                let is_first = named.insert(topic.clone());
                let key = match (is_first, is_key(&topic)) {
                    (true, true) => topic.clone(),
                    (true, false) => names::unused(names::component(&topic), &mut taken),
                    (false, _) => {
                        let key = names::component(&format!("{cluster}.{topic}"));
                        names::unused(key, &mut taken)
                    }
                };
                keys.insert((cluster.clone(), topic), key);
            }
        }
        Self(keys)
    }

    /// That of an operation.
    pub(super) fn of_draft<'a>(&'a self, draft: &'a Draft) -> &'a str {
        let key = (draft.cluster.clone(), draft.topic.clone());
        self.0.get(&key).map_or(&draft.topic, |key| key)
    }

    /// Every channel: its key, its cluster and its topic.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let keys = self.0.iter();
        keys.map(|((cluster, topic), key)| (&**key, &**cluster, &**topic))
    }
}

fn is_key(topic: &str) -> bool {
    names::component(topic) == topic
}
