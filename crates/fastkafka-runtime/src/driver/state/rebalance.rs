//! The order in which a driver answers its group.
//!
//! The client waits for the answer to each assign and to each revoke, and asks nothing else meanwhile.
//! An assign is answered when its starts are committed, a revoke when its partitions are drained.

use super::membership::Membership;
use crate::transport::{PartitionRef, StartError};
use fastkafka_engine::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// How long to wait before asking again where partitions start.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Partitions and the offsets where reading begins.
pub(crate) type Starts = Vec<(PartitionRef, i64)>;

/// A notice of the client that concerns the rebalance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    Assign(Vec<PartitionRef>),
    Revoke {
        places: Vec<PartitionRef>,
        lost: bool,
    },
    /// The answer to [`Step::Resolve`].
    Resolved(Result<Starts, StartError>),
}

/// The driver's next step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Ask the client where these start. It answers [`Asked::Resolved`].
    Resolve(Vec<PartitionRef>),
    /// The question was not answered, and is asked again.
    AskAgain { why: String },
    /// Read from these starts, and answer the assign.
    Assign(Starts),
    /// Answer the assign with nothing.
    Decline,
    /// Answer it with nothing, and end the app.
    Refuse(StartError),
    /// Answer the assign of these although their starts are not known: the group has moved on. The
    /// engine does not know the partitions, so nothing is read, and their revoke follows at once.
    GiveUp(Vec<PartitionRef>),
    /// Drain these, or forget them when they are lost.
    Revoke {
        places: Vec<PartitionRef>,
        lost: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Answering {
    /// The client works out where these start, or is asked again at `again`.
    Assign {
        places: Vec<PartitionRef>,
        again: Option<Time>,
    },
    /// These drain until the engine releases them.
    Revoke {
        places: Vec<PartitionRef>,
        lost: bool,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Rebalance {
    pub(crate) membership: Membership,
    assigned: Vec<PartitionRef>,
    /// Notices that no step has followed yet.
    queue: VecDeque<Asked>,
    answering: Option<Answering>,
    /// Questions about starts whose assign was given up; the client answers in order.
    given_up: usize,
}

impl Rebalance {
    pub(crate) fn push(&mut self, asked: Asked) {
        self.queue.push_back(asked);
    }

    /// The next step. Call again until there is none.
    pub(crate) fn next(&mut self, now: Time) -> Option<Step> {
        if let Some(places) = self.ask_again(now) {
            return Some(Step::Resolve(places));
        }
        loop {
            if let Some(places) = self.give_up() {
                return Some(Step::GiveUp(places));
            }
            let step = match self.take()? {
                Asked::Assign(places) => Some(self.assign(places)),
                Asked::Revoke { places, lost } => Some(self.revoke(places, lost)),
                Asked::Resolved(starts) => self.resolved(starts, now),
            };
            if step.is_some() {
                return step;
            }
        }
    }

    fn take(&mut self) -> Option<Asked> {
        if self.answering.is_none() {
            return self.queue.pop_front();
        }
        // Whatever else has come waits for the answer that is due.
        let is_resolved = |asked: &Asked| matches!(asked, Asked::Resolved(_));
        let at = self.queue.iter().position(is_resolved)?;
        self.queue.remove(at)
    }

    fn assign(&mut self, places: Vec<PartitionRef>) -> Step {
        // While the consumer leaves there is nothing to begin, and the revoke follows.
        if !self.membership.is_member() || places.is_empty() {
            return Step::Decline;
        }
        self.answering = Some(Answering::Assign {
            places: places.clone(),
            again: None,
        });
        Step::Resolve(places)
    }

    fn ask_again(&mut self, now: Time) -> Option<Vec<PartitionRef>> {
        let Some(Answering::Assign { places, again }) = &mut self.answering else {
            return None;
        };
        again.take_if(|again| *again <= now)?;
        Some(places.clone())
    }

    fn resolved(&mut self, starts: Result<Starts, StartError>, now: Time) -> Option<Step> {
        if let Some(left) = self.given_up.checked_sub(1) {
            // Another member may have gone on from there since.
            self.given_up = left;
            return None;
        }
        let Some(Answering::Assign { places, again }) = &mut self.answering else {
            return None;
        };
        let is_member = self.membership.is_member();
        let starts = match starts {
            Err(StartError::Retry(why)) if is_member => {
                *again = Some(now + ASK_AGAIN);
                return Some(Step::AskAgain { why });
            }
            starts => starts,
        };
        let places = std::mem::take(places);
        self.answering = None;
        Some(match starts {
            _ if !is_member => Step::Decline,
            Ok(starts) => {
                self.assigned.extend(places);
                Step::Assign(starts)
            }
            Err(error) => Step::Refuse(error),
        })
    }

    /// Ends an assign that is over before it was answered: its revoke has come.
    fn give_up(&mut self) -> Option<Vec<PartitionRef>> {
        let is_over = matches!(self.queue.front(), Some(Asked::Revoke { .. }));
        let Some(Answering::Assign { places, again }) = &mut self.answering else {
            return None;
        };
        if !is_over {
            return None;
        }
        // Unless it waits to be asked again, its question is still under way.
        self.given_up += usize::from(again.is_none());
        let places = std::mem::take(places);
        self.answering = None;
        Some(places)
    }

    fn revoke(&mut self, places: Vec<PartitionRef>, lost: bool) -> Step {
        self.answering = Some(Answering::Revoke {
            places: places.clone(),
            lost,
        });
        Step::Revoke { places, lost }
    }

    /// True while partitions drain that are still ours.
    pub(crate) fn is_revoking(&self) -> bool {
        matches!(self.answering, Some(Answering::Revoke { lost: false, .. }))
    }

    /// The current revoke has become a loss: the group has gone on without us. Returns its partitions.
    pub(crate) fn lose(&mut self) -> Option<Vec<PartitionRef>> {
        match &mut self.answering {
            Some(Answering::Revoke { places, lost }) => {
                *lost = true;
                Some(places.clone())
            }
            _ => None,
        }
    }

    /// The engine has released the partitions of the current revoke: returns them, and whether they
    /// are lost. `None` where they were released before: a revoke that becomes a loss is released twice.
    ///
    /// # Panics
    /// While an assign is being answered. Its answer would be forgotten, and the group wait for it.
    pub(crate) fn release(&mut self) -> Option<(Vec<PartitionRef>, bool)> {
        let (places, lost) = match self.answering.take()? {
            Answering::Revoke { places, lost } => (places, lost),
            Answering::Assign { places, .. } => panic!("{places:?} are released and not taken yet"),
        };
        let goes = |place: &PartitionRef| places.iter().any(|gone| std::ptr::eq(*gone, *place));
        self.assigned.retain(|place| !goes(place));
        Some((places, lost))
    }

    pub(crate) fn assigned(&self) -> &[PartitionRef] {
        &self.assigned
    }

    /// True while partitions come or go.
    pub(crate) fn is_busy(&self) -> bool {
        self.answering.is_some() || !self.queue.is_empty()
    }

    /// True when nothing is assigned and no answer is due.
    pub(crate) fn is_over(&self) -> bool {
        self.assigned.is_empty() && self.answering.is_none()
    }

    /// How long the driver may sleep.
    pub(crate) fn due(&self, now: Time) -> Option<Duration> {
        let again = match &self.answering {
            Some(Answering::Assign { again, .. }) => again.map(|again| again.saturating_sub(now)),
            _ => None,
        };
        again.into_iter().chain(self.membership.due()).min()
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

    fn revoke(partition: i32) -> Asked {
        Asked::Revoke {
            places: vec![place(partition)],
            lost: false,
        }
    }

    /// One that was assigned partition 0, and waits for its start.
    fn resolving() -> Rebalance {
        let mut rebalance = Rebalance::default();
        rebalance.push(Asked::Assign(vec![place(0)]));
        let step = rebalance.next(Time::ZERO);
        assert_eq!(step, Some(Step::Resolve(vec![place(0)])));
        rebalance
    }

    #[test]
    fn an_assign_is_answered_with_its_starts_and_a_revoke_when_it_is_released() {
        let mut rebalance = resolving();
        assert_eq!(rebalance.next(SECOND), None);
        rebalance.push(Asked::Resolved(Ok(vec![(place(0), 7)])));
        let step = rebalance.next(SECOND);
        assert_eq!(step, Some(Step::Assign(vec![(place(0), 7)])));
        assert_eq!(rebalance.assigned(), [place(0)]);

        rebalance.push(revoke(0));
        rebalance.push(Asked::Assign(vec![place(1)]));
        assert!(matches!(rebalance.next(SECOND), Some(Step::Revoke { .. })));
        assert_eq!(rebalance.next(SECOND), None, "the next assign waits");
        assert_eq!(rebalance.release(), Some((vec![place(0)], false)));
        assert_eq!(rebalance.assigned(), [] as [PartitionRef; 0]);
        let step = rebalance.next(SECOND);
        assert_eq!(step, Some(Step::Resolve(vec![place(1)])));
    }

    #[test]
    fn the_answer_to_an_assign_that_was_given_up_starts_nothing() {
        let mut rebalance = resolving();
        rebalance.push(revoke(0));
        let step = rebalance.next(Time::ZERO);
        assert_eq!(step, Some(Step::GiveUp(vec![place(0)])));
        let step = rebalance.next(Time::ZERO);
        assert!(matches!(step, Some(Step::Revoke { .. })), "{step:?}");
        rebalance.release();

        rebalance.push(Asked::Assign(vec![place(0)]));
        let step = rebalance.next(Time::ZERO);
        assert_eq!(step, Some(Step::Resolve(vec![place(0)])));
        rebalance.push(Asked::Resolved(Ok(vec![(place(0), 3)])));
        assert_eq!(rebalance.next(Time::ZERO), None, "it is the first answer");
        rebalance.push(Asked::Resolved(Ok(vec![(place(0), 9)])));
        let step = rebalance.next(Time::ZERO);
        assert_eq!(step, Some(Step::Assign(vec![(place(0), 9)])));
    }

    #[test]
    fn a_question_that_was_not_answered_is_asked_again_when_it_is_due() {
        let mut rebalance = resolving();
        let error = StartError::Retry("no coordinator".to_owned());
        rebalance.push(Asked::Resolved(Err(error)));
        let step = rebalance.next(Time::ZERO);
        assert!(matches!(step, Some(Step::AskAgain { .. })), "{step:?}");
        assert_eq!(rebalance.due(Time::ZERO), Some(ASK_AGAIN));
        assert_eq!(rebalance.next(ASK_AGAIN / 2), None);
        let step = rebalance.next(ASK_AGAIN);
        assert_eq!(step, Some(Step::Resolve(vec![place(0)])));
        assert_eq!(rebalance.next(SECOND), None, "once");
    }

    #[test]
    fn a_consumer_that_leaves_begins_nothing() {
        let mut rebalance = resolving();
        rebalance.membership.shut_down(Time::ZERO, SECOND);
        rebalance.push(Asked::Resolved(Ok(vec![(place(0), 7)])));
        assert_eq!(rebalance.next(Time::ZERO), Some(Step::Decline));
        rebalance.push(Asked::Assign(vec![place(1)]));
        assert_eq!(rebalance.next(Time::ZERO), Some(Step::Decline));
        assert!(rebalance.is_over());
    }
}
