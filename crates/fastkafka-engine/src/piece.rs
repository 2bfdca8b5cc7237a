//! Consecutive records in the same state.

use crate::assigned::Failed;
use crate::backoff;
use crate::event::{Failure, PartIndex, RunId, Span, Time};
use crate::health::Wait;
use crate::policy::Policy;

/// Some records of one fetched run that share their state and their past.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) span: Span,
    /// First offset of the fetched run it was cut from. A start never reaches over two of them,
    /// because the caller keeps payloads by fetched run.
    pub(crate) origin: i64,
    pub(crate) state: State,
    pub(crate) past: Past,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Waits for its turn.
    Queued,
    /// Handed to the lane: not begun, in hand, or handled and not settled. The engine does not need
    /// to know which. Results of this run count.
    Running(RunId),
    /// Failed, and waits for the next attempt.
    Waiting { due: Time },
    /// No attempt is left. Its end waits until everything before it is terminal: an output of an
    /// earlier record could still fail, and the replay would find this record gone.
    Exhausted,
    /// Its dead letter is under way.
    WritingDeadLetter(RunId),
    /// Its dead letter could not be written and waits for another try.
    DeadLetterFailed { due: Time },
    /// The partition stands still because of it.
    Stopped,
    /// Settled, dead-lettered or skipped.
    Terminal,
}

/// The failures of the records of a piece; a replay keeps them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past {
    /// Failed attempts.
    pub(crate) failures: u32,
    /// Transient failures since the last of those.
    pub(crate) transients: u32,
    /// The reason why it is not done yet, and the time since when.
    pub(crate) wait: Option<(Wait, Time)>,
    /// Its attempts as a batch are used up: the records are handed over one by one.
    pub(crate) single: bool,
    /// An output of it was lost after later records were done: those wait until it is settled, or
    /// readers of the outputs would see the later ones first.
    pub(crate) alone: bool,
}

impl Piece {
    pub(crate) fn is_terminal(&self) -> bool {
        self.state == State::Terminal
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// Whether a result that still counts is awaited for it.
    pub(crate) fn is_under_way(&self) -> bool {
        matches!(self.state, State::Running(_) | State::WritingDeadLetter(_))
    }

    /// Cuts off and returns what lies at and after `at`, which must be inside.
    ///
    /// Where offsets have gaps only the caller knows how many records lie on which side; counts
    /// and bytes are shared out by offsets and always add up.
    pub(crate) fn split_off(&mut self, at: i64) -> Piece {
        let whole = self.span;
        debug_assert!(whole.first < at && at < whole.next);
        let share = |amount: u64| {
            let part = u128::from(amount) * u128::from(whole.first.abs_diff(at))
                / u128::from(whole.first.abs_diff(whole.next));
            u64::try_from(part).expect("a part is not above the whole")
        };
        let most = whole.records.saturating_sub(1).max(1);
        let records = u32::try_from(share(u64::from(whole.records)))
            .expect("a part is not above the whole")
            .clamp(1, most);
        let bytes = share(whole.bytes);
        let mut rest = self.clone();
        rest.span = Span {
            first: at,
            next: whole.next,
            records: whole.records.saturating_sub(records),
            bytes: whole.bytes - bytes,
        };
        self.span = Span {
            first: whole.first,
            next: at,
            records,
            bytes,
        };
        rest
    }

    /// Takes in its right neighbour if nothing tells them apart.
    pub(crate) fn absorb(&mut self, right: &Piece) -> bool {
        let plain = Past::default();
        let same = self.origin == right.origin
            && self.state == right.state
            && matches!(self.state, State::Queued | State::Terminal)
            && (self.past, right.past) == (plain, plain);
        if same {
            self.span.next = right.span.next;
            self.span.records += right.span.records;
            self.span.bytes += right.span.bytes;
        }
        same
    }

    /// A failed attempt of the unit that this piece is.
    pub(crate) fn fail(&mut self, failure: Failure, policy: &Policy, part: PartIndex, now: Time) {
        // Offsets are exact where counts are estimates: only what is surely one record alone is
        // spared another attempt alone.
        let many = self.span.next - self.span.first > 1;
        let at = (part, self.span.first);
        self.state = self.past.fail(failure, policy, at, many, now);
    }

    /// Its dead letter could not be written now.
    pub(crate) fn dead_letter_failed(&mut self, policy: &Policy, part: PartIndex, now: Time) {
        let at = (part, self.span.first);
        self.state = self.past.dead_letter_failed(policy, at, now);
    }

    pub(crate) fn report(&self) -> Failed {
        self.past.report(self.span.first, self.state)
    }
}

impl Past {
    /// A failed attempt of a unit at `at` with this past, `many` records of a batch or one.
    pub(crate) fn fail(
        &mut self,
        failure: Failure,
        policy: &Policy,
        at: (PartIndex, i64),
        many: bool,
        now: Time,
    ) -> State {
        if let Failure::Transient { after } = failure {
            self.transients = self.transients.saturating_add(1);
            self.wait(Wait::Transient, now);
            let wait = after.unwrap_or_else(|| delay(policy, at, self.transients));
            let due = now.saturating_add(wait);
            return State::Waiting { due };
        }
        self.failures = self.failures.saturating_add(1);
        self.transients = 0;
        self.wait(Wait::Retry, now);
        let used_up = policy.attempts.is_some_and(|n| self.failures >= n);
        match failure {
            Failure::Retry { after } if !used_up && !self.single => {
                let wait = after.unwrap_or_else(|| delay(policy, at, self.failures));
                let due = now.saturating_add(wait);
                State::Waiting { due }
            }
            _ if policy.batch && !self.single && many => {
                self.single = true;
                State::Queued
            }
            _ => State::Exhausted,
        }
    }

    /// The dead letter could not be written now.
    pub(crate) fn dead_letter_failed(
        &mut self,
        policy: &Policy,
        at: (PartIndex, i64),
        now: Time,
    ) -> State {
        self.transients = self.transients.saturating_add(1);
        self.wait(Wait::DeadLetter, now);
        let due = now.saturating_add(delay(policy, at, self.transients));
        State::DeadLetterFailed { due }
    }

    /// For health.
    pub(crate) fn report(&self, at: i64, state: State) -> Failed {
        Failed {
            at,
            attempts: self.failures,
            wait: self.wait.filter(|_| state != State::Stopped),
            due: match state {
                State::Waiting { due } | State::DeadLetterFailed { due } => Some(due),
                _ => None,
            },
        }
    }

    /// Remembers what it waits for; the date is that of the first failure of this kind in a row.
    fn wait(&mut self, kind: Wait, now: Time) {
        if self.wait.is_none_or(|(before, _)| before != kind) {
            self.wait = Some((kind, now));
        }
    }
}

fn delay(policy: &Policy, (part, offset): (PartIndex, i64), nth: u32) -> Time {
    backoff::delay(policy, part, offset, nth)
}
