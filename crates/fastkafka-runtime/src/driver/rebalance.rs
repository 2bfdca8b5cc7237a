//! Assignments come and go: the part of a turn that answers the group, and the way out.
//!
//! The client waits for an answer to each assign and revoke, and asks nothing else meanwhile. An
//! assign is answered when its starts are committed, a revoke when its partitions are drained.

use crate::driver::Driver;
use crate::transport::{GroupConsumer, Notice, PartitionRef, StartError};
use fastkafka_engine::{Event, PartIndex, Time};
use std::collections::VecDeque;
use std::time::Duration;

/// How long to wait before asking again where partitions start.
const ASK_AGAIN: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(crate) struct Rebalance {
    asked: VecDeque<Notice>,
    answering: Option<Answering>,
    /// Questions about starts whose assign was given up; the client answers in order.
    given_up: usize,
    pub(crate) assigned: Vec<PartitionRef>,
    membership: Membership,
}

#[derive(Debug)]
enum Answering {
    /// Where they start is being worked out, or will be asked again at `again`.
    Assign {
        places: Vec<PartitionRef>,
        again: Option<Time>,
    },
    /// They drain until the engine releases them.
    Revoke {
        places: Vec<PartitionRef>,
        lost: bool,
    },
}

#[derive(Debug, Default)]
enum Membership {
    #[default]
    Member,
    /// Nothing starts any more. It stays in the group until what is in hand has ended: who has
    /// unsubscribed sends no heartbeats, and would be thrown out at the end of its session.
    Draining { deadlines: ShutdownDeadlines },
    /// The last revoke is on its way or being answered.
    Leaving { deadlines: ShutdownDeadlines },
    /// Nothing is assigned; the client is being closed.
    Closing { deadline: Time },
}

/// When the way out is to be over, and when what is in hand: the close needs a part of it.
#[derive(Clone, Copy, Debug)]
struct ShutdownDeadlines {
    drained_by: Time,
    deadline: Time,
}

impl Rebalance {
    pub(crate) fn push(&mut self, notice: Notice) {
        self.asked.push_back(notice);
    }

    /// Partitions come or go.
    pub(crate) fn is_busy(&self) -> bool {
        self.answering.is_some() || !self.asked.is_empty()
    }

    /// On the way out.
    pub(crate) fn is_leaving(&self) -> bool {
        !matches!(self.membership, Membership::Member)
    }

    /// On the way out, and still in the group.
    pub(crate) fn is_draining(&self) -> bool {
        matches!(self.membership, Membership::Draining { .. })
    }

    /// Lanes end then.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.membership, Membership::Closing { .. })
    }

    /// How long until there is something to do here without being woken.
    pub(crate) fn due(&self, now: Time) -> Option<Duration> {
        let again = match &self.answering {
            Some(Answering::Assign { again, .. }) => again.map(|again| again.saturating_sub(now)),
            _ => None,
        };
        let leaving = match self.membership {
            Membership::Member => None,
            Membership::Draining { .. } | Membership::Leaving { .. } => {
                Some(Duration::from_millis(50))
            }
            Membership::Closing { .. } => Some(Duration::from_millis(5)),
        };
        again.into_iter().chain(leaving).min()
    }
}

impl<T: GroupConsumer> Driver<T> {
    /// Lets nothing start any more, and leaves the group when what is in hand has ended.
    pub(crate) fn leave(&mut self) {
        if matches!(self.rebalance.membership, Membership::Member) {
            let within = self.setup.shared.shutdown_within();
            let within = within.unwrap_or(self.setup.shutdown_timeout);
            self.rebalance.membership = Membership::Draining {
                deadlines: ShutdownDeadlines {
                    drained_by: self.now + within - Duration::from_secs(2).min(within / 4),
                    deadline: self.now + within,
                },
            };
            tracing::info!(
                group = self.group(),
                "leaving the group: records in hand are finished, nothing new starts"
            );
            self.step(Event::Shutdown);
        }
        self.unsubscribe();
    }

    fn unsubscribe(&mut self) {
        if let Membership::Draining { deadlines } = self.rebalance.membership
            && (!self.engine.open() || self.now >= deadlines.drained_by)
        {
            self.rebalance.membership = Membership::Leaving { deadlines };
            self.consumer.unsubscribe();
        }
    }

    pub(crate) fn rebalance_step(&mut self) {
        self.ask_again();
        self.notice_loss();
        // While an answer is awaited only the starts of an assign can be new.
        while let Some(notice) = self.next_notice() {
            match notice {
                Notice::Assign(places) => self.assign(places),
                Notice::Revoke { places, lost } => self.revoke(places, lost),
                Notice::Resolved(starts) => self.resolved(starts),
                other => unreachable!("not a matter of the rebalance: {other:?}"),
            }
        }
    }

    fn next_notice(&mut self) -> Option<Notice> {
        let asked = &mut self.rebalance.asked;
        match self.rebalance.answering {
            None => asked.pop_front(),
            // The assign is over before it was answered: the group has moved on.
            Some(Answering::Assign { .. })
                if matches!(asked.front(), Some(Notice::Revoke { .. })) =>
            {
                self.give_up_assign();
                self.rebalance.asked.pop_front()
            }
            Some(_) => {
                let at = asked
                    .iter()
                    .position(|notice| matches!(notice, Notice::Resolved(_)))?;
                asked.remove(at)
            }
        }
    }

    /// Answers an assign whose starts are not known. Nothing is read of it: the engine does not know
    /// of these partitions, and their revoke follows at once.
    fn give_up_assign(&mut self) {
        if let Some(Answering::Assign { places, again }) = self.rebalance.answering.take() {
            // Unless it waits to ask again, its question is still under way.
            self.rebalance.given_up += usize::from(again.is_none());
            let starts: Vec<_> = places.into_iter().map(|place| (place, 0)).collect();
            if let Err(error) = self.consumer.assign(&starts) {
                tracing::warn!(group = self.group(), "assignment given up: {error}");
            }
        }
    }

    fn assign(&mut self, places: Vec<PartitionRef>) {
        if !matches!(self.rebalance.membership, Membership::Member) || places.is_empty() {
            // On the way out there is nothing to begin; the revoke follows.
            self.answer_assign(&[]);
            return;
        }
        self.rebalance.answering = Some(Answering::Assign {
            places,
            again: None,
        });
        self.ask();
    }

    fn ask(&mut self) {
        let Some(Answering::Assign { places, again }) = &mut self.rebalance.answering else {
            return;
        };
        *again = None;
        let places = places.clone();
        let starts = places.into_iter().map(|place| {
            let part = self.part(place);
            (place, self.parts[part.0 as usize].handler.reset)
        });
        let starts = starts.collect();
        self.consumer.resolve(starts);
    }

    fn ask_again(&mut self) {
        if let Some(Answering::Assign {
            again: Some(again), ..
        }) = self.rebalance.answering
            && again <= self.now
        {
            self.ask();
        }
    }

    fn resolved(&mut self, starts: Result<Vec<(PartitionRef, i64)>, StartError>) {
        if let Some(left) = self.rebalance.given_up.checked_sub(1) {
            // Since then another member may have gone on from there.
            self.rebalance.given_up = left;
            return;
        }
        let Some(Answering::Assign { places, again }) = &mut self.rebalance.answering else {
            return;
        };
        let leaving = !matches!(self.rebalance.membership, Membership::Member);
        match starts {
            _ if leaving => {
                self.rebalance.answering = None;
                self.answer_assign(&[]);
            }
            Ok(starts) => {
                let places = std::mem::take(places);
                self.rebalance.answering = None;
                for (place, position) in &starts {
                    let part = self.part(place);
                    self.step(Event::Assigned {
                        part,
                        position: *position,
                    });
                }
                self.setup.shared.note_settled(&starts);
                self.rebalance.assigned.extend(places);
                self.answer_assign(&starts);
            }
            Err(StartError::Retry(why)) => {
                *again = Some(self.now + ASK_AGAIN);
                tracing::warn!(group = self.group(), "{why}; asking again");
            }
            Err(error @ StartError::NoCommit(_)) => {
                self.rebalance.answering = None;
                self.setup.shared.fail(error.to_string());
                self.answer_assign(&[]);
            }
        }
    }

    fn answer_assign(&mut self, starts: &[(PartitionRef, i64)]) {
        if let Err(error) = self.consumer.assign(starts) {
            // A member that owns what it does not read would stand still in silence.
            let group = self.group();
            let reason =
                format!("the consumer of group `{group}` did not take its assignment: {error}");
            self.setup.shared.fail(reason);
        }
        for (place, _) in starts {
            // The client begins with nothing paused.
            let part = self.part(place);
            self.parts[part.0 as usize].paused = false;
        }
        self.apply_pauses();
        if !starts.is_empty() {
            let list: Vec<_> = starts
                .iter()
                .map(|(place, offset)| format!("{place}@{offset}"))
                .collect();
            tracing::info!(group = self.group(), "assigned {}", list.join(" "));
        }
        self.report();
        if matches!(self.rebalance.membership, Membership::Member)
            && self.setup.shared.failure().is_none()
        {
            self.mark_started();
        }
    }

    fn revoke(&mut self, places: Vec<PartitionRef>, lost: bool) {
        let parts: Vec<PartIndex> = places.iter().map(|place| self.part(place)).collect();
        let lost = lost || self.consumer.lost();
        self.rebalance.answering = Some(Answering::Revoke { places, lost });
        if lost {
            self.step(Event::Lost { parts });
        } else {
            let deadline = self.drained_by();
            self.step(Event::Revoking { parts, deadline });
        }
    }

    /// Until when a revoke that comes now may drain.
    fn drained_by(&self) -> Time {
        let rebalanced = self.now + self.setup.rebalance_timeout;
        match self.rebalance.membership {
            Membership::Member => rebalanced,
            Membership::Draining { deadlines } => deadlines.drained_by.min(rebalanced),
            Membership::Leaving { deadlines } => deadlines.drained_by,
            Membership::Closing { .. } => self.now,
        }
    }

    /// A revoke that takes too long becomes a loss: the group has moved on without us.
    fn notice_loss(&mut self) {
        let Some(Answering::Revoke { places, lost }) = &mut self.rebalance.answering else {
            return;
        };
        if !*lost && self.consumer.lost() {
            *lost = true;
            let places = places.clone();
            let parts = places.iter().map(|place| self.part(place)).collect();
            self.step(Event::Lost { parts });
        }
    }

    /// The engine gives the partitions of the current revoke back.
    pub(crate) fn release(&mut self, parts: &[PartIndex]) {
        let Some(Answering::Revoke { places, lost }) = self.rebalance.answering.take() else {
            return;
        };
        let lost = lost || self.consumer.lost();
        if lost {
            // What could not be committed is not ours to commit any more.
            self.forget_refused_commits();
            for part in parts {
                self.parts[part.0 as usize].store = None;
            }
        }
        // Before the answer, which makes a member that still subscribes join again.
        self.unsubscribe();
        // Before it, too: unassigning commits what is stored.
        self.store();
        for part in parts {
            self.parts[part.0 as usize].forget();
            self.truncated.remove(part);
        }
        self.stay(&places);
        self.rebalance
            .assigned
            .retain(|place| !places.iter().any(|gone| std::ptr::eq(*gone, *place)));
        if let Err(error) = self.consumer.unassign(&places) {
            tracing::error!(group = self.group(), "revoke not answered: {error}");
        }
        let list: Vec<_> = places.iter().map(ToString::to_string).collect();
        tracing::info!(group = self.group(), lost, "gave back {}", list.join(" "));
        self.report();
    }

    /// The way out; `Some` when it is over.
    pub(crate) fn close_step(&mut self) -> Option<Result<(), String>> {
        match self.rebalance.membership {
            Membership::Member | Membership::Draining { .. } => None,
            Membership::Leaving {
                deadlines: ShutdownDeadlines { deadline, .. },
            } => {
                let drained =
                    self.rebalance.assigned.is_empty() && self.rebalance.answering.is_none();
                if drained || self.now >= deadline {
                    self.rebalance.membership = Membership::Closing { deadline };
                    // What did not end by now no longer counts; async handlers end at their next await.
                    for partition in &mut self.parts {
                        partition.forget();
                        partition.abort();
                    }
                }
                None
            }
            Membership::Closing { deadline } => {
                let busy: Vec<_> = self.parts.iter().filter(|p| !p.is_over()).collect();
                let names: Vec<_> = busy
                    .iter()
                    .map(|p| format!("`{}` on {}", p.handler.def.name, p.place))
                    .collect();
                if names.is_empty() && self.consumer.close() {
                    return Some(self.refused_commit().map_or(Ok(()), Err));
                }
                if self.now < deadline {
                    return None;
                }
                Some(Err(match &*names {
                    [] => "the consumer could not be closed in time; offsets may not be committed"
                        .to_owned(),
                    names => format!("handlers did not end in time: {}", names.join(", ")),
                }))
            }
        }
    }
}
