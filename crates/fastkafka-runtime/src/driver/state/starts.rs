//! The partitions that are the consumer's and whose starts are not known yet.
//!
//! | a partition is | what happens | and it is |
//! |---|---|---|
//! | not here | the group gives it | asked for |
//! | asked for | the answer has its offset | not here: it can be read |
//! | asked for | the answer has none | due later |
//! | due later | its time has come | asked for |
//! | asked for, or due later | the group wants it back, or the consumer leaves | not here |
//!
//! Questions are answered in their order, so each has a number. An answer counts for a partition only
//! while that waits for just this answer: between two assignments of a partition another member may have
//! gone on from there.

use crate::transport::{PartitionRef, StartError, Starts};
use fastkafka_engine::Time;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// The time that the first question about a partition has. It ends before the group is answered.
const FIRST: Duration = Duration::from_millis(1_500);
/// The time that a question has at most.
const LONGEST: Duration = Duration::from_secs(6);
/// How long to wait before the second question.
const AGAIN: Duration = Duration::from_millis(500);
/// How long to wait before any other, at most.
const SELDOM: Duration = Duration::from_secs(2);

/// A question to the client: where these start, as far as that is known within this time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) places: Vec<PartitionRef>,
    pub(crate) within: Duration,
}

/// A partition whose start is not known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Unstarted {
    pub(crate) place: PartitionRef,
    /// When the group gave it.
    pub(crate) since: Time,
    /// Why not, in the words of the last answer. `None`: no question was answered yet.
    pub(crate) why: Option<StartError>,
    answers: u32,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State {
    /// By the question of this number.
    AskedFor(u64),
    DueAt(Time),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct StartsToKnow {
    unstarted: Vec<Unstarted>,
    /// The questions that were asked, and those that were answered.
    asked: u64,
    answered: u64,
}

impl StartsToKnow {
    /// The group gives these.
    pub(crate) fn ask(&mut self, places: Vec<PartitionRef>, now: Time) -> Question {
        self.asked += 1;
        let unstarted = places.iter().map(|&place| Unstarted {
            place,
            since: now,
            why: None,
            answers: 0,
            state: State::AskedFor(self.asked),
        });
        self.unstarted.extend(unstarted);
        Question {
            places,
            within: FIRST,
        }
    }

    /// A question about all that are due.
    pub(crate) fn ask_again(&mut self, now: Time) -> Option<Question> {
        let mut question = Question {
            places: Vec::new(),
            within: FIRST,
        };
        for unstarted in &mut self.unstarted {
            if matches!(unstarted.state, State::DueAt(at) if at <= now) {
                unstarted.state = State::AskedFor(self.asked + 1);
                question.places.push(unstarted.place);
                question.within = question.within.max(unstarted.time());
            }
        }
        if question.places.is_empty() {
            return None;
        }
        self.asked += 1;
        Some(question)
    }

    /// Takes the answer to the oldest question. Returns the starts that count, and of those that it does not
    /// know the ones whose reason is news; what it leaves out it does not know either.
    pub(crate) fn answer(&mut self, answer: Starts, now: Time) -> Starts {
        self.answered += 1;
        let number = self.answered;
        let mut found: HashMap<_, _> = answer.known.into_iter().collect();
        let mut errors: HashMap<_, _> = answer.unknown.into_iter().collect();
        let mut counting = Starts::default();
        self.unstarted.retain_mut(|unstarted| {
            if unstarted.state != State::AskedFor(number) {
                return true;
            }
            let place = unstarted.place;
            if let Some(offset) = found.remove(place) {
                counting.known.push((place, offset));
                return false;
            }
            let why = errors.remove(place);
            let why = why.unwrap_or_else(|| StartError::Retry(format!("no answer about {place}")));
            if unstarted.why.as_ref() != Some(&why) {
                counting.unknown.push((place, why.clone()));
            }
            unstarted.wait(why, now);
            true
        });
        counting
    }

    /// These are not ours any more.
    pub(crate) fn forget(&mut self, places: &[PartitionRef]) {
        if !self.unstarted.is_empty() {
            let gone: HashSet<_> = places.iter().collect();
            self.unstarted.retain(|one| !gone.contains(&one.place));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.unstarted.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Unstarted> {
        self.unstarted.iter()
    }

    /// True while one of these waits for the answer to its first question.
    pub(crate) fn are_new(&self, places: &[PartitionRef]) -> bool {
        let new = self.unstarted.iter().filter(|one| one.answers == 0);
        let new: HashSet<_> = new.map(|one| one.place).collect();
        !new.is_empty() && places.iter().any(|place| new.contains(place))
    }

    /// How long the driver may sleep.
    pub(crate) fn due(&self, now: Time) -> Option<Duration> {
        let due = self.unstarted.iter().filter_map(|one| match one.state {
            State::AskedFor(_) => None,
            State::DueAt(at) => Some(at.saturating_sub(now)),
        });
        due.min()
    }
}

impl Unstarted {
    /// Its next question may take so long: a broker that is slow must not be asked for ever in vain.
    fn time(&self) -> Duration {
        (FIRST * 2_u32.pow(self.answers.min(8))).min(LONGEST)
    }

    fn wait(&mut self, why: StartError, now: Time) {
        let pause = (AGAIN * 2_u32.pow(self.answers.min(8))).min(SELDOM);
        self.answers = self.answers.saturating_add(1);
        self.why = Some(why);
        self.state = State::DueAt(now + pause);
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

    fn known(partition: i32, offset: i64) -> Starts {
        Starts {
            known: vec![(place(partition), offset)],
            unknown: Vec::new(),
        }
    }

    #[test]
    fn what_an_answer_does_not_know_is_asked_for_again_ever_less_often_and_with_more_time() {
        let mut starts = StartsToKnow::default();
        let first = starts.ask(vec![place(0), place(1)], Time::ZERO);
        assert_eq!(first.within, FIRST);
        let counting = starts.answer(known(0, 7), Time::ZERO);
        assert_eq!(counting.known, [(place(0), 7)]);
        assert_eq!(counting.unknown.len(), 1);
        let mut now = Time::ZERO;
        let mut asked = Vec::new();
        for _ in 0..5 {
            let pause = starts.due(now).unwrap();
            assert_eq!(starts.ask_again(now + pause / 2), None, "not yet");
            now += pause;
            let question = starts.ask_again(now).unwrap();
            assert_eq!(question.places, [place(1)]);
            assert_eq!(starts.due(now), None, "it is asked for");
            asked.push((pause, question.within));
            starts.answer(Starts::default(), now);
        }
        let (ms, seconds) = (Duration::from_millis, Duration::from_secs);
        let expected = [
            (ms(500), seconds(3)),
            (seconds(1), seconds(6)),
            (seconds(2), seconds(6)),
            (seconds(2), seconds(6)),
            (seconds(2), seconds(6)),
        ];
        assert_eq!(asked, expected);
    }

    #[test]
    fn an_answer_counts_only_for_the_assignment_that_asked() {
        let mut starts = StartsToKnow::default();
        starts.ask(vec![place(0)], Time::ZERO);
        starts.forget(&[place(0)]);
        starts.ask(vec![place(0)], SECOND);
        assert_eq!(starts.answer(known(0, 3), SECOND), Starts::default());
        assert_eq!(starts.answer(known(0, 9), SECOND), known(0, 9));
        assert_eq!(starts.iter().count(), 0);
    }

    #[test]
    fn a_partition_is_new_until_its_first_question_is_answered() {
        let mut starts = StartsToKnow::default();
        starts.ask(vec![place(0)], Time::ZERO);
        assert!(starts.are_new(&[place(0)]) && !starts.are_new(&[place(1)]));
        starts.answer(Starts::default(), Time::ZERO);
        assert!(!starts.are_new(&[place(0)]));
    }
}
