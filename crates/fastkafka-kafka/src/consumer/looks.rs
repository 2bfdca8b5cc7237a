//! Looks at the ids of the topics that are read: when to look, and what was seen last.

use crate::offsets::topic_id::TopicId;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two looks, unless the metadata is refreshed more often.
const EVERY: Duration = Duration::from_secs(10);

/// The ids of the topics that are read, as they were seen last. A topic that is deleted and made anew has
/// another id, and nothing else need tell.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Looks {
    every: Duration,
    look_at: Duration,
    /// Looks that are not answered.
    unanswered: u32,
    ids: BTreeMap<String, TopicId>,
}

impl Looks {
    /// `refresh` is the time between two refreshes of the metadata.
    pub(crate) fn new(refresh: Duration) -> Self {
        Self {
            every: refresh.min(EVERY),
            look_at: Duration::ZERO,
            unanswered: 0,
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

    /// A look at these topics begins. What was seen of them before may be of long ago: until the answer
    /// nothing is known.
    pub(crate) fn begin(&mut self, now: Duration, topics: &[&str]) {
        self.ids
            .retain(|topic, _| !topics.contains(&topic.as_str()));
        self.unanswered += 1;
        self.look_at = now + self.every;
    }

    /// A look is answered; without ids when the broker has none or did not answer.
    pub(crate) fn end(&mut self, ids: BTreeMap<String, TopicId>) {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.ids.extend(ids);
    }

    /// True while an answer is due.
    pub(crate) fn is_waiting(&self) -> bool {
        self.unanswered > 0
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
        looks.begin(Duration::ZERO, &["orders"]);
        looks.end(seen(1));
        assert_eq!(looks.id("orders"), TopicId::new(1));
        looks.begin(EVERY, &["orders"]);
        assert_eq!(looks.id("orders"), None);
        looks.end(BTreeMap::new());
        assert_eq!(looks.id("orders"), None, "the broker did not answer");
        looks.begin(EVERY * 2, &["orders"]);
        looks.end(seen(2));
        assert_eq!(looks.id("orders"), TopicId::new(2));
    }

    #[test]
    fn an_answer_is_due_until_every_look_has_one() {
        let mut looks = Looks::new(EVERY);
        looks.begin(Duration::ZERO, &[]);
        looks.begin(Duration::ZERO, &[]);
        looks.end(BTreeMap::new());
        assert!(looks.is_waiting());
        looks.end(BTreeMap::new());
        assert!(!looks.is_waiting());
    }
}
