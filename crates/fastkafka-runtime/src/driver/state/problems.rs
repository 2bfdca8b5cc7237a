//! What the client has told and is not over: each problem with its own evidence.
//!
//! | state | event | next |
//! |---|---|---|
//! | - | [`Problems::raise`] | open since now |
//! | open | `raise` | open, with the new error |
//! | open | [`Problems::clear`] | over |
//! | open | [`Problems::give_away`] of its partition | forgotten |
//! | over | `raise` within a minute, the fourth time | open since the first: it comes and goes |
//! | over, has come four times in a minute | no `raise` for 20 s | forgotten; until then it counts as open |

use crate::health::ProblemCode;
use crate::transport::PartitionRef;
use fastkafka_engine::Time;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// One that comes more often than so many times in a minute is one problem.
const OFTEN: usize = 3;
const MINUTE: Duration = Duration::from_secs(60);
/// Until when one that came and went so often is not over yet.
const QUIET: Duration = Duration::from_secs(20);

/// The thing that has a problem, as far as the client names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum On {
    /// The consumer, its group, its login or the way to its cluster.
    Consumer,
    /// A topic, by the app's name.
    Topic(String),
    Partition(PartitionRef),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) code: ProblemCode,
    pub(crate) on: On,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Open {
    pub(crate) since: Time,
    /// How often it has come since then.
    pub(crate) times: u32,
    /// The last error.
    pub(crate) error: String,
    /// Where in the log, if it is at one place.
    pub(crate) offset: Option<i64>,
    is_over: bool,
    /// When it came, within the last minute.
    came: VecDeque<Time>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Problems(BTreeMap<Key, Open>);

impl Key {
    pub(crate) fn consumer(code: ProblemCode) -> Self {
        Self {
            code,
            on: On::Consumer,
        }
    }

    pub(crate) fn topic(code: ProblemCode, topic: &str) -> Self {
        Self {
            code,
            on: On::Topic(topic.to_owned()),
        }
    }

    pub(crate) fn partition(code: ProblemCode, place: PartitionRef) -> Self {
        Self {
            code,
            on: On::Partition(place),
        }
    }
}

impl Open {
    fn comes_often(&self, now: Time) -> bool {
        let came = self.came.iter();
        came.filter(|time| now.saturating_sub(**time) < MINUTE)
            .count()
            > OFTEN
    }

    fn is_open(&self, now: Time) -> bool {
        let last = self.came.back().copied().unwrap_or(self.since);
        !self.is_over || (self.comes_often(now) && now.saturating_sub(last) < QUIET)
    }
}

impl Problems {
    /// There is this problem. True when that is news.
    pub(crate) fn raise(&mut self, key: Key, now: Time, error: &str) -> bool {
        let open = self.0.entry(key).or_insert_with(|| Open {
            since: now,
            times: 0,
            error: String::new(),
            offset: None,
            is_over: true,
            came: VecDeque::new(),
        });
        error.clone_into(&mut open.error);
        if !open.is_over {
            return false;
        }
        open.came.retain(|time| now.saturating_sub(*time) < MINUTE);
        open.came.push_back(now);
        if open.comes_often(now) {
            let first = open.came.front().copied().unwrap_or(now);
            (open.since, open.times) = (open.since.min(first), open.times + 1);
        } else {
            (open.since, open.times) = (now, u32::try_from(open.came.len()).unwrap_or(u32::MAX));
        }
        if open.came.len() > OFTEN + 1 {
            open.came.pop_front();
        }
        open.is_over = false;
        true
    }

    /// As [`raise`](Self::raise), at an offset.
    pub(crate) fn raise_at(&mut self, key: Key, offset: i64, now: Time, error: &str) -> bool {
        let news = self.raise(key.clone(), now, error);
        if let Some(open) = self.0.get_mut(&key) {
            open.offset = Some(offset);
        }
        news
    }

    /// As [`raise`](Self::raise), of what has lasted since a while.
    pub(crate) fn raise_since(&mut self, key: Key, since: Time, now: Time, error: &str) -> bool {
        let news = self.raise(key.clone(), now, error);
        if let Some(open) = self.0.get_mut(&key) {
            open.since = open.since.min(since);
        }
        news
    }

    /// There is this problem.
    pub(crate) fn is_open(&self, key: &Key) -> bool {
        self.0.get(key).is_some_and(|open| !open.is_over)
    }

    /// There is evidence that it is over. Returns since when it was, if it was open.
    pub(crate) fn clear(&mut self, key: &Key) -> Option<Time> {
        let open = self.0.get_mut(key).filter(|open| !open.is_over)?;
        open.is_over = true;
        Some(open.since)
    }

    /// The partitions are given away, and their problems with them.
    pub(crate) fn give_away(&mut self, places: &[PartitionRef]) {
        let goes = |on: &On| matches!(on, On::Partition(place) if places.contains(place));
        self.0.retain(|key, _| !goes(&key.on));
    }

    /// The open ones. Those that are over for long are forgotten.
    pub(crate) fn open(&mut self, now: Time) -> impl Iterator<Item = (&Key, &Open)> {
        self.0.retain(|_, open| {
            let came = open
                .came
                .back()
                .is_some_and(|last| now.saturating_sub(*last) < MINUTE);
            !open.is_over || came
        });
        self.0.iter().filter(move |(_, open)| open.is_open(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

    const SECOND: Duration = Duration::from_secs(1);

    fn place(partition: i32) -> PartitionRef {
        TopicPartition::intern("in", partition)
    }

    fn refused(partition: i32) -> Key {
        Key::partition(ProblemCode::CommitRefused, place(partition))
    }

    fn listed(problems: &mut Problems, now: Time) -> Vec<(Key, Time, u32)> {
        let open = problems.open(now);
        open.map(|(key, open)| (key.clone(), open.since, open.times))
            .collect()
    }

    #[test]
    fn each_is_open_until_there_is_evidence_of_its_own_that_it_is_over() {
        let mut problems = Problems::default();
        assert!(problems.raise(refused(0), SECOND, "a"));
        assert!(problems.raise(refused(1), SECOND, "b"));
        assert!(!problems.raise(refused(0), 2 * SECOND, "c"), "no news");
        let errors = problems
            .open(2 * SECOND)
            .map(|(_, open)| open.error.clone());
        assert_eq!(errors.collect::<Vec<_>>(), ["c", "b"]);
        assert_eq!(problems.clear(&refused(1)), Some(SECOND));
        assert_eq!(problems.clear(&refused(1)), None, "once");
        assert_eq!(listed(&mut problems, 9 * SECOND), [(refused(0), SECOND, 1)]);
    }

    #[test]
    fn a_partition_that_is_given_away_takes_its_problems_with_it() {
        let mut problems = Problems::default();
        problems.raise(refused(0), SECOND, "");
        problems.raise(refused(1), SECOND, "");
        let consumer = Key::consumer(ProblemCode::NoBroker);
        problems.raise(consumer.clone(), SECOND, "");
        problems.give_away(&[place(0)]);
        let open = listed(&mut problems, SECOND);
        assert_eq!(open, [(consumer, SECOND, 1), (refused(1), SECOND, 1)]);
    }

    #[test]
    fn one_that_comes_and_goes_more_than_three_times_a_minute_is_one() {
        let mut problems = Problems::default();
        let key = refused(0);
        for came in 1..=3 {
            problems.raise(key.clone(), came * 10 * SECOND, "");
            problems.clear(&key);
            assert_eq!(listed(&mut problems, came * 10 * SECOND + SECOND), []);
        }
        problems.raise(key.clone(), 40 * SECOND, "");
        assert_eq!(
            listed(&mut problems, 41 * SECOND),
            [(key.clone(), 10 * SECOND, 4)]
        );
        problems.clear(&key);
        assert_eq!(
            listed(&mut problems, 59 * SECOND),
            [(key.clone(), 10 * SECOND, 4)]
        );
        assert_eq!(listed(&mut problems, 60 * SECOND), []);
        problems.raise(key.clone(), 500 * SECOND, "");
        assert_eq!(
            listed(&mut problems, 501 * SECOND),
            [(key, 500 * SECOND, 1)]
        );
    }
}
