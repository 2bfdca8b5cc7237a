//! Calls of the client that failed, and are made again: a partition that could not be moved, paused or
//! resumed.
//!
//! | state of a move | event | next |
//! |---|---|---|
//! | - | [`FailedCalls::not_moved`] | failed: nothing that is read counts; due in a second |
//! | failed | due | made again |
//! | made again | it fails | failed |
//! | made again | it is taken | taken: what is read counts; due in a second |
//! | taken | `not_moved` meanwhile: the client could not do it after all | failed |
//! | taken | due | over |
//! | any | the partition is given back | over |
//!
//! A pause or resume that is taken is over at once.

use fastkafka_engine::{PartIndex, Time};
use std::collections::BTreeMap;
use std::time::Duration;

/// Between a call that failed and the next one.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct FailedCalls(BTreeMap<PartIndex, Failed>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Failed {
    move_to: Option<Move>,
    /// It should be paused, or resumed.
    pause: Option<bool>,
    due: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Move {
    to: i64,
    is_taken: bool,
}

/// A call that is to be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Move(i64),
    Pause(bool),
}

impl FailedCalls {
    fn entry(&mut self, part: PartIndex, now: Time) -> &mut Failed {
        let failed = self.0.entry(part).or_insert(Failed {
            move_to: None,
            pause: None,
            due: now,
        });
        failed.due = now + AGAIN;
        failed
    }

    pub(crate) fn not_moved(&mut self, part: PartIndex, to: i64, now: Time) {
        let is_taken = false;
        self.entry(part, now).move_to = Some(Move { to, is_taken });
    }

    pub(crate) fn not_paused(&mut self, part: PartIndex, pause: bool, now: Time) {
        self.entry(part, now).pause = Some(pause);
    }

    /// The client takes a move of the partition.
    pub(crate) fn moved(&mut self, part: PartIndex, to: i64, now: Time) {
        if self
            .0
            .get(&part)
            .is_some_and(|failed| failed.move_to.is_some())
        {
            let is_taken = true;
            self.entry(part, now).move_to = Some(Move { to, is_taken });
        }
    }

    /// The partition is paused or not, as it should be. True when nothing of it fails any more.
    pub(crate) fn paused(&mut self, part: PartIndex) -> bool {
        let Some(failed) = self.0.get_mut(&part) else {
            return false;
        };
        failed.pause = None;
        self.ends(part)
    }

    fn ends(&mut self, part: PartIndex) -> bool {
        let is_over = |failed: &Failed| failed.move_to.is_none() && failed.pause.is_none();
        self.0.get(&part).is_some_and(is_over) && self.0.remove(&part).is_some()
    }

    /// True while what is read of the partition was read at a position that it should have left.
    pub(crate) fn is_moving(&self, part: PartIndex) -> bool {
        let failed = self.0.get(&part).and_then(|failed| failed.move_to);
        failed.is_some_and(|failed| !failed.is_taken)
    }

    /// The calls to make now, and the partitions of which nothing fails any more.
    pub(crate) fn take_due(&mut self, now: Time) -> (Vec<(PartIndex, Call)>, Vec<PartIndex>) {
        let (mut calls, mut over) = (Vec::new(), Vec::new());
        for (part, failed) in self.0.iter_mut().filter(|(_, failed)| failed.due <= now) {
            failed.due = now + AGAIN;
            failed.move_to.take_if(|failed| failed.is_taken);
            calls.extend(failed.move_to.map(|failed| (*part, Call::Move(failed.to))));
            calls.extend(failed.pause.map(|pause| (*part, Call::Pause(pause))));
            over.push(*part);
        }
        over.retain(|part| self.ends(*part));
        (calls, over)
    }

    /// The partition is given back, or begun with.
    pub(crate) fn forget(&mut self, part: PartIndex) {
        self.0.remove(&part);
    }

    /// How long the driver may sleep.
    pub(crate) fn due(&self, now: Time) -> Option<Duration> {
        let due = self.0.values().map(|failed| failed.due).min()?;
        Some(due.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: PartIndex = PartIndex(0);

    #[test]
    fn a_move_that_failed_is_made_each_second_until_the_client_has_done_it() {
        let mut calls = FailedCalls::default();
        calls.moved(PART, 5, Time::ZERO);
        assert_eq!(calls, FailedCalls::default(), "it did not fail");
        calls.not_moved(PART, 7, Time::ZERO);
        assert!(calls.is_moving(PART));
        assert_eq!(calls.due(Time::ZERO), Some(AGAIN));
        assert_eq!(calls.take_due(AGAIN / 2), (vec![], vec![]));
        let again = vec![(PART, Call::Move(7))];
        assert_eq!(calls.take_due(AGAIN), (again.clone(), vec![]));
        assert_eq!(calls.take_due(AGAIN), (vec![], vec![]), "once");
        calls.moved(PART, 7, AGAIN);
        assert!(!calls.is_moving(PART));
        // The client took it, and could not do it after all.
        calls.not_moved(PART, 7, AGAIN);
        assert!(calls.is_moving(PART));
        assert_eq!(calls.take_due(AGAIN * 2), (again, vec![]));
        calls.moved(PART, 7, AGAIN * 2);
        assert_eq!(calls.take_due(AGAIN * 3), (vec![], vec![PART]));
        assert_eq!(calls, FailedCalls::default());
    }

    #[test]
    fn a_pause_that_failed_is_over_when_it_is_done_or_not_wanted_any_more() {
        let mut calls = FailedCalls::default();
        assert!(!calls.paused(PART));
        calls.not_paused(PART, false, Time::ZERO);
        assert!(!calls.is_moving(PART));
        let again = vec![(PART, Call::Pause(false))];
        assert_eq!(calls.take_due(AGAIN), (again, vec![]));
        assert!(calls.paused(PART));
        calls.not_moved(PART, 7, Time::ZERO);
        calls.not_paused(PART, true, Time::ZERO);
        assert!(!calls.paused(PART), "it is not moved");
        calls.forget(PART);
        assert_eq!(calls.due(Time::ZERO), None);
    }
}
