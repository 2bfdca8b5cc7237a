//! Looks at the ids of the topics that are read: when to look, and what was seen last.

use crate::offsets::topic_id::TopicId;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// Between two looks, unless the metadata is refreshed more often.
const EVERY: Duration = Duration::from_secs(10);

/// The number of a look. It says nothing beyond being another one.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Look(usize);

impl Look {
    /// As librdkafka carries it.
    pub(crate) fn number(self) -> usize {
        self.0
    }

    /// The look that [`Look::number`] was asked of.
    pub(crate) fn numbered(number: usize) -> Self {
        Self(number)
    }
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Look")
    }
}

/// The ids of the topics that are read, as they were seen last. A topic that is deleted and made anew has
/// another id, and nothing else need tell.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Looks {
    every: Duration,
    look_at: Duration,
    last: Look,
    unanswered: BTreeSet<Look>,
    /// The last look at each topic. Two may be under way, and their answers come in any order.
    last_at: BTreeMap<String, Look>,
    ids: BTreeMap<String, TopicId>,
}

impl Looks {
    /// `refresh` is the time between two refreshes of the metadata.
    pub(crate) fn new(refresh: Duration) -> Self {
        Self {
            every: refresh.min(EVERY),
            look_at: Duration::ZERO,
            last: Look::default(),
            unanswered: BTreeSet::new(),
            last_at: BTreeMap::new(),
            ids: BTreeMap::new(),
        }
    }

    /// True when it is time for the next look, at everything that is read.
    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.look_at <= now
    }

    /// The next look is due at once: something does not fit.
    pub(crate) fn hurry(&mut self) {
        self.look_at = Duration::ZERO;
    }

    /// So far apart are two looks that may see a cluster in two states. One can be had at any moment, by
    /// [`Looks::hurry`] or by a rebalance.
    pub(crate) fn apart(&self) -> Duration {
        self.every / 2
    }

    /// A look at these topics begins. What was seen of them before may be of long ago: until the answer
    /// nothing is known.
    pub(crate) fn begin(&mut self, now: Duration, topics: &[&str]) -> Look {
        self.ids
            .retain(|topic, _| !topics.contains(&topic.as_str()));
        self.last.0 += 1;
        self.unanswered.insert(self.last);
        let looked_at = topics.iter().map(|topic| ((*topic).to_owned(), self.last));
        self.last_at.extend(looked_at);
        self.look_at = now + self.every;
        self.last
    }

    /// A look is answered; without ids when the broker has none or did not answer. Returns the topics of which
    /// the answer counts: not those that were looked at again since.
    pub(crate) fn end(&mut self, look: Look, mut ids: BTreeMap<String, TopicId>) -> Vec<String> {
        self.unanswered.remove(&look);
        ids.retain(|topic, _| self.last_at.get(topic) == Some(&look));
        let topics = ids.keys().cloned().collect();
        self.ids.extend(ids);
        topics
    }

    /// True while an answer is due.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.unanswered.is_empty()
    }

    /// The id of a topic, by its name on the cluster.
    pub(crate) fn id(&self, topic: &str) -> Option<TopicId> {
        self.ids.get(topic).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_every_ten_seconds_or_with_the_metadata_and_at_once_when_something_does_not_fit() {
        for (refresh, every) in [(300, 10), (2, 2)] {
            let mut looks = Looks::new(Duration::from_secs(refresh));
            let every = Duration::from_secs(every);
            assert!(looks.is_due(Duration::ZERO));
            looks.begin(Duration::ZERO, &[]);
            assert!(!looks.is_due(every / 2) && looks.is_due(every));
            looks.hurry();
            assert!(looks.is_due(Duration::ZERO));
        }
    }

    #[test]
    fn an_id_of_before_a_look_is_not_known_until_the_answer() {
        let mut looks = Looks::new(EVERY);
        let seen = |n| BTreeMap::from([("orders".to_owned(), TopicId::new(n).unwrap())]);
        let look = looks.begin(Duration::ZERO, &["orders"]);
        looks.end(look, seen(1));
        assert_eq!(looks.id("orders"), TopicId::new(1));
        let look = looks.begin(EVERY, &["orders"]);
        assert_eq!(looks.id("orders"), None);
        looks.end(look, BTreeMap::new());
        assert_eq!(looks.id("orders"), None, "the broker did not answer");
        let look = looks.begin(EVERY * 2, &["orders"]);
        looks.end(look, seen(2));
        assert_eq!(looks.id("orders"), TopicId::new(2));
    }

    #[test]
    fn an_answer_is_due_until_every_look_has_one() {
        let mut looks = Looks::new(EVERY);
        let looked = [0, 1].map(|_| looks.begin(Duration::ZERO, &[]));
        looks.end(looked[1], BTreeMap::new());
        assert!(looks.is_waiting());
        looks.end(looked[0], BTreeMap::new());
        assert!(!looks.is_waiting());
    }

    #[test]
    fn of_two_looks_at_a_topic_the_later_counts_whichever_is_answered_first() {
        let seen = |n| BTreeMap::from([("orders".to_owned(), TopicId::new(n).unwrap())]);
        for late in [false, true] {
            let mut looks = Looks::new(EVERY);
            let first = looks.begin(Duration::ZERO, &["orders", "bills"]);
            let second = looks.begin(EVERY, &["orders"]);
            if !late {
                assert!(looks.end(first, seen(1)).is_empty());
                assert_eq!(looks.id("orders"), None);
            }
            assert_eq!(looks.end(second, seen(2)), ["orders"]);
            if late {
                assert!(looks.end(first, seen(1)).is_empty());
            }
            assert_eq!(looks.id("orders"), TopicId::new(2));
        }
    }
}
