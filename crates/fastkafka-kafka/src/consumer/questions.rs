//! The questions that wait for the broker, in the order in which they are asked.
//!
//! One question is asked at a time, and while the broker is slow each takes as long as it may. So what is
//! asked again and again waits no more than once, and the starts of partitions, without which nothing is read,
//! come first.

use super::raw::Request;
use fastkafka_runtime::platform::PartitionRef;

/// A question that is asked until it is answered well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeated {
    List,
    Range(PartitionRef),
    Check,
    IsReached,
}

impl Repeated {
    fn from_request(request: &Request) -> Option<Self> {
        match request {
            Request::List(_) => Some(Self::List),
            Request::Range(at) => Some(Self::Range(at.place)),
            Request::Check { .. } => Some(Self::Check),
            Request::IsReached => Some(Self::IsReached),
            // Each has somebody who waits for its own answer.
            Request::Resolve(..)
            | Request::Choose(..)
            | Request::Find { .. }
            | Request::Commit { .. }
            | Request::Ends(_)
            | Request::Leaders(_) => None,
        }
    }
}

/// How many kinds of questions go before this one.
fn rank(request: &Request) -> u8 {
    match request {
        // That a broker answers takes a second at most, and much waits for it.
        Request::Resolve(..) | Request::Choose(..) | Request::IsReached => 0,
        Request::Find { .. } | Request::Commit { .. } => 1,
        _ => 2,
    }
}

/// The questions that wait, and the one that is being asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Questions {
    waiting: Vec<Request>,
    in_hand: Option<Repeated>,
}

impl Questions {
    /// One more, unless it waits already or is being asked.
    pub(crate) fn add(&mut self, request: Request) {
        if let Some(repeated) = Repeated::from_request(&request) {
            let mut waiting = self.waiting.iter().filter_map(Repeated::from_request);
            if self.in_hand == Some(repeated) || waiting.any(|other| other == repeated) {
                return;
            }
        }
        self.waiting.push(request);
    }

    /// The next question is being asked, until [`Questions::answered`].
    pub(crate) fn take(&mut self) -> Option<Request> {
        let at = self.next()?;
        let request = self.waiting.remove(at);
        self.in_hand = Repeated::from_request(&request);
        Some(request)
    }

    /// What was being asked is answered, or not.
    pub(crate) fn answered(&mut self) {
        self.in_hand = None;
    }

    /// Among equals the first.
    fn next(&self) -> Option<usize> {
        let numbered = self.waiting.iter().enumerate();
        let next = numbered.min_by_key(|(_, request)| rank(request));
        next.map(|(at, _)| at)
    }
}

/// For the search of `proof`.
#[cfg(feature = "proof")]
impl Questions {
    /// The question that comes next.
    pub(crate) fn first(&self) -> Option<&Request> {
        self.waiting.get(self.next()?)
    }

    /// What waits, in its order.
    pub(crate) fn waiting(&self) -> &[Request] {
        &self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::fetch_position::{FetchPosition, Move};
    use fastkafka_core::{OffsetReset, TopicPartition};
    use std::time::Duration;

    fn place(partition: i32) -> PartitionRef {
        TopicPartition::intern("orders", partition)
    }

    fn range(partition: i32, next: i64) -> Request {
        Request::Range(FetchPosition {
            place: place(partition),
            next,
            since: Move::default(),
        })
    }

    fn taken(questions: &mut Questions) -> Vec<String> {
        let taken = std::iter::from_fn(|| questions.take());
        taken.map(|request| format!("{request:?}")).collect()
    }

    #[test]
    fn what_is_asked_again_and_again_waits_once_also_while_it_is_being_asked() {
        let check = || Request::Check {
            topics: Vec::new(),
            group: true,
        };
        let mut questions = Questions::default();
        for second in 0..60 {
            questions.add(Request::IsReached);
            questions.add(range(0, 5));
            questions.add(range(1, second));
            questions.add(check());
            questions.add(Request::List(Vec::new()));
        }
        assert!(matches!(questions.take(), Some(Request::IsReached)));
        questions.add(Request::IsReached);
        assert_eq!(questions.waiting.len(), 4, "it is being asked");
        questions.answered();
        questions.add(Request::IsReached);
        assert_eq!(questions.waiting.len(), 5);
    }

    #[test]
    fn starts_come_first_then_seeks_and_none_of_them_is_left_out() {
        let choose = |within| Request::Choose(vec![(place(0), OffsetReset::Latest)], within);
        let (first, second) = (choose(Duration::ZERO), choose(Duration::from_secs(1)));
        let epoch = crate::consumer::epochs::Epoch::default();
        let find = |to| Request::Find {
            place: place(0),
            to: fastkafka_runtime::Seek::Offset(to),
            epoch,
        };
        let mut questions = Questions::default();
        let asked = [range(0, 5), find(1), first.clone(), find(2), second.clone()];
        asked.into_iter().for_each(|request| questions.add(request));
        let expected = [first, second, find(1), find(2), range(0, 5)];
        let expected = expected.map(|request| format!("{request:?}"));
        assert_eq!(taken(&mut questions), expected);
    }
}
