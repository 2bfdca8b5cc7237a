//! The order in which a driver answers its group.
//!
//! The client waits for the answer to each assign and to each revoke, and reads nothing of any partition
//! meanwhile. So an assign is answered within [`ANSWER`], with the partitions whose starts are committed by
//! then; [`starts`](super::starts) goes on asking for the others, and each is added when its start is known.
//! A revoke is answered when its partitions are drained.
//!
//! | the answer due is | what happens | and it is | step |
//! |---|---|---|---|
//! | none | an assign | that of an assign | ask for the starts |
//! | none | a start that came late | none | add it |
//! | of an assign | each start is known, or was asked for in vain, or the time is over | none | assign what is known |
//! | of an assign | its revoke | none | give up; the revoke is next |
//! | none | a revoke | that of a revoke | drain |
//! | of a revoke | the engine releases its partitions | none | - |

#[cfg(test)]
mod tests;

use super::membership::Membership;
use super::starts::{Question, StartsToKnow, Unstarted};
use crate::transport::{PartitionRef, StartError, Starts};
use fastkafka_engine::Time;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

/// How long an assign waits for starts that are not known.
pub(crate) const ANSWER: Duration = Duration::from_secs(2);
/// How long the start of the app waits for starts of its first assignment, after the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Partitions and the offsets where reading begins.
pub(crate) type Offsets = Vec<(PartitionRef, i64)>;

/// A notice of the client that concerns the rebalance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    Assign(Vec<PartitionRef>),
    Revoke {
        places: Vec<PartitionRef>,
        lost: bool,
    },
    /// The answer to [`Step::Resolve`].
    Resolved(Starts),
}

/// The driver's next step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Ask the client where these start. It answers [`Asked::Resolved`].
    Resolve(Question),
    /// These are asked for again, for reasons that are news.
    NotKnown(Vec<(PartitionRef, StartError)>),
    /// Read from these starts, and answer the assign.
    Assign(Offsets),
    /// Read these, too: they were given earlier, and no rebalance waits for an answer.
    Add(Offsets),
    /// Answer the assign with nothing.
    Decline,
    /// The same, of an assign that the group has taken back already: its revoke follows at once.
    GiveUp,
    /// Drain these, or forget them when they are lost.
    Revoke {
        places: Vec<PartitionRef>,
        lost: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Answering {
    /// The starts of these are asked for.
    Assign { places: Vec<PartitionRef>, by: Time },
    /// These drain until the engine releases them.
    Revoke {
        places: Vec<PartitionRef>,
        lost: bool,
    },
}

/// The first assignment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum First {
    #[default]
    Awaited,
    AnsweredAt(Time),
    /// The app is started with it.
    Begun,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Rebalance {
    pub(crate) membership: Membership,
    assigned: Vec<PartitionRef>,
    starts: StartsToKnow,
    /// Starts that no step has taken: of the assign that is to be answered, or late ones.
    known: Offsets,
    /// Notices that no step has followed yet.
    queue: VecDeque<Asked>,
    answering: Option<Answering>,
    first: First,
}

impl First {
    fn answer(&mut self, now: Time) {
        if *self == Self::Awaited {
            *self = Self::AnsweredAt(now);
        }
    }

    /// What was answered is taken back: another assign follows.
    fn revoke(&mut self) {
        if *self != Self::Begun {
            *self = Self::Awaited;
        }
    }
}

impl Rebalance {
    pub(crate) fn push(&mut self, asked: Asked) {
        self.queue.push_back(asked);
    }

    /// The next step. Call again until there is none.
    pub(crate) fn next(&mut self, now: Time) -> Option<Step> {
        if !self.membership.is_member() {
            // While the consumer leaves there is nothing to begin, and the revoke follows.
            self.starts.clear();
            self.known.clear();
        }
        if let Some(question) = self.starts.ask_again(now) {
            return Some(Step::Resolve(question));
        }
        loop {
            if let Some(step) = self.answer_assign(now) {
                return Some(step);
            }
            let Some(asked) = self.take() else {
                return self.add();
            };
            let step = match asked {
                Asked::Assign(places) => Some(self.assign(places, now)),
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

    fn assign(&mut self, places: Vec<PartitionRef>, now: Time) -> Step {
        if !self.membership.is_member() || places.is_empty() {
            self.first.answer(now);
            return Step::Decline;
        }
        self.answering = Some(Answering::Assign {
            places: places.clone(),
            by: now + ANSWER,
        });
        Step::Resolve(self.starts.ask(places, now))
    }

    fn resolved(&mut self, starts: Starts, now: Time) -> Option<Step> {
        let Starts { known, unknown } = self.starts.answer(starts, now);
        self.known.extend(known);
        (!unknown.is_empty()).then_some(Step::NotKnown(unknown))
    }

    /// The answer to an assign, when it is due.
    fn answer_assign(&mut self, now: Time) -> Option<Step> {
        let Some(Answering::Assign { places, by }) = &self.answering else {
            return None;
        };
        let is_member = self.membership.is_member();
        let is_over = matches!(self.queue.front(), Some(Asked::Revoke { .. }));
        if is_member && !is_over && now < *by && self.starts.are_new(places) {
            return None;
        }
        let places: HashSet<_> = places.iter().copied().collect();
        self.answering = None;
        if !is_member {
            return Some(Step::Decline);
        }
        if is_over {
            return Some(Step::GiveUp);
        }
        self.first.answer(now);
        let known = std::mem::take(&mut self.known);
        let (known, late) = known
            .into_iter()
            .partition(|(place, _)| places.contains(place));
        self.known = late;
        Some(Step::Assign(self.begin(known)))
    }

    /// Starts that came late, once no rebalance waits for an answer.
    fn add(&mut self) -> Option<Step> {
        if self.answering.is_some() || self.known.is_empty() {
            return None;
        }
        let known = std::mem::take(&mut self.known);
        Some(Step::Add(self.begin(known)))
    }

    fn begin(&mut self, starts: Offsets) -> Offsets {
        self.assigned.extend(starts.iter().map(|(place, _)| *place));
        starts
    }

    fn revoke(&mut self, places: Vec<PartitionRef>, lost: bool) -> Step {
        self.answering = Some(Answering::Revoke {
            places: places.clone(),
            lost,
        });
        self.starts.forget(&places);
        self.known.retain(|(place, _)| !places.contains(place));
        self.first.revoke();
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

    /// The partitions that are read.
    pub(crate) fn assigned(&self) -> &[PartitionRef] {
        &self.assigned
    }

    /// The partitions that are ours and not read: their starts are not known.
    pub(crate) fn unstarted(&self) -> impl Iterator<Item = &Unstarted> {
        self.starts.iter()
    }

    /// There is no partition for the consumer. An assign follows when there is.
    pub(crate) fn has_nothing_to_read(&mut self, now: Time) {
        self.first.answer(now);
    }

    /// True once, when the first assignment is read: all of it, or what is known of it after [`PATIENCE`].
    pub(crate) fn starts_app(&mut self, now: Time) -> bool {
        let First::AnsweredAt(answered) = self.first else {
            return false;
        };
        let all = self.unstarted().next().is_none() && self.known.is_empty();
        let starts = self.membership.is_member() && (all || now >= answered + PATIENCE);
        if starts {
            self.first = First::Begun;
        }
        starts
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
        let answer = match &self.answering {
            Some(Answering::Assign { by, .. }) => Some(by.saturating_sub(now)),
            _ => None,
        };
        let all = [answer, self.starts.due(now), self.membership.due()];
        all.into_iter().flatten().min()
    }
}
