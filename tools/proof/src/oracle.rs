//! The specification, record by record: what a member may do given what it was told.
//!
//! It shares no code and no representation with the engine: one [`Fact`] for each record of the
//! current assignment of a partition, and a [`Ledger`] of what is true whoever owns it.

use crate::search::Violation;
use crate::world::{Fault, PARTS, RECORDS, Scope, Set, below, ones};
use fastkafka_engine::{DeadLetterOutcome, Failure, OnFailure, RunId, Time};

pub(crate) type Checked<T = ()> = Result<T, Violation>;

pub(crate) fn broken<T>(invariant: &'static str, text: impl Into<String>) -> Checked<T> {
    Err(Violation::new(invariant, text))
}

/// The truth about the records of the partitions, whoever owns them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ledger {
    /// Settled, dead-lettered, skipped, or deleted by retention.
    pub(crate) terminal: [Set; PARTS],
    /// Begun, and nothing has happened since that explains another begin. [S4]
    pub(crate) spent: [Set; PARTS],
    /// The offset at which the group began.
    pub(crate) start: [Option<i64>; PARTS],
    /// The offset that was committed last.
    pub(crate) committed: [i64; PARTS],
    /// Seeks that have not taken the commit back: nothing else may. [S3]
    pub(crate) sought: [u8; PARTS],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Is {
    /// Not read by this assignment.
    #[default]
    Unread,
    Fresh,
    InHand,
    Handled,
    Terminal,
}

/// The state of one record in this assignment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fact {
    pub(crate) is: Is,
    /// The run whose results count for it.
    pub(crate) owner: Option<RunId>,
    pub(crate) failures: u8,
    pub(crate) due: Time,
    /// Nothing behind it in its order unit may begin before it is settled.
    pub(crate) alone: bool,
    /// Its failures are used up, and it stands.
    pub(crate) stopped: bool,
    pub(crate) freed: bool,
}

impl Fact {
    /// When it is tried again at the latest: the jitter takes up to a quarter off a wait of one
    /// second, and `due` is the shortest wait.
    pub(crate) fn latest(&self) -> Time {
        match self.due {
            Time::ZERO => Time::ZERO,
            due => due + Time::from_millis(250),
        }
    }
}

/// One partition in the eyes of one member.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct View {
    pub(crate) assigned: bool,
    /// The deadline of the revoke under way.
    pub(crate) revoking: Option<Time>,
    pub(crate) paused: bool,
    pub(crate) stored: i64,
    /// The engine was told that the log was read up to here.
    pub(crate) read_to: i64,
    /// Dead letters under way, by record.
    pub(crate) letters: [Option<RunId>; RECORDS],
    pub(crate) facts: [Fact; RECORDS],
}

impl View {
    pub(crate) fn assigned(position: i64) -> Self {
        View {
            assigned: true,
            stored: position,
            read_to: position,
            ..View::default()
        }
    }

    /// Records that were read, by what became of them.
    pub(crate) fn all(&self, is: impl Fn(&Fact) -> bool) -> Set {
        let read = |&i: &usize| self.facts[i].is != Is::Unread && is(&self.facts[i]);
        (0..RECORDS).filter(read).fold(0, |set, i| set | 1 << i)
    }

    pub(crate) fn open(&self) -> Set {
        self.all(|fact| fact.is != Is::Terminal)
    }

    pub(crate) fn owned_by(&self, run: RunId) -> Set {
        self.all(|fact| fact.owner == Some(run))
    }

    /// Whether a result that counts is still awaited.
    pub(crate) fn under_way(&self) -> bool {
        let works =
            |fact: &Fact| fact.owner.is_some() && matches!(fact.is, Is::InHand | Is::Handled);
        self.letters.iter().any(Option::is_some) || self.all(works) != 0
    }

    /// The offset after what is terminal at the front.
    pub(crate) fn watermark(&self, scope: &Scope, p: usize) -> i64 {
        let mut end = self.stored;
        for i in ones(self.all(|_| true)) {
            if self.facts[i].is != Is::Terminal {
                return end.max(self.read_to.min(scope.offset(p, i)));
            }
            end = end.max(scope.offset(p, i) + 1);
        }
        end.max(self.read_to)
    }

    /// The log is read again from the first record of `set`, if that or a later one was read before:
    /// what was read from there on is forgotten.
    pub(crate) fn reads_again(&mut self, scope: &Scope, p: usize, set: Set) -> bool {
        let Some(first) = ones(set).next() else {
            return false;
        };
        let again = self.all(|_| true) & !below(first) != 0;
        if again {
            self.facts[first..].fill(Fact::default());
            self.letters[first..].fill(None);
            self.stored = self.stored.min(scope.offset(p, first));
            self.read_to = self.read_to.min(scope.offset(p, first));
        }
        again
    }

    pub(crate) fn delivered(&mut self, set: Set) {
        for i in ones(set) {
            self.facts[i] = Fact {
                is: Is::Fresh,
                ..Fact::default()
            };
        }
    }

    /// A handler takes records in hand.
    pub(crate) fn begins(
        &mut self,
        scope: &Scope,
        p: usize,
        run: RunId,
        unit: Set,
        now: Time,
    ) -> Checked {
        if !self.assigned {
            return broken("S10", "a record begins outside of the assignment");
        }
        if self.revoking.is_some() {
            return broken("S10", "a record begins while its partition is revoked");
        }
        if self.paused {
            return broken("S10", "a record begins while its partition is paused");
        }
        for i in ones(unit) {
            let fact = self.facts[i];
            let at = scope.offset(p, i);
            if fact.is == Is::Unread {
                return broken("S10", format!("{at} begins and was not read"));
            }
            if fact.freed {
                return broken("S1", format!("{at} begins after its payload was freed"));
            }
            if now < fact.due {
                return broken("S9", format!("{at} begins before it is due"));
            }
            if fact.stopped {
                return broken("S9", format!("{at} begins and has stopped"));
            }
            let allowed = scope
                .policy
                .attempts
                .map(|n| n + u32::from(scope.policy.batch));
            if allowed.is_some_and(|n| u32::from(fact.failures) >= n) {
                return broken("S9", format!("{at} begins after all its attempts"));
            }
            let beside = scope.unit(p, i) & !unit;
            for j in ones(beside & self.all(|_| true)) {
                let other = self.facts[j];
                let done = matches!(other.is, Is::Handled | Is::Terminal);
                if j < i && !done {
                    return broken("S5", format!("{at} overtakes {}", scope.offset(p, j)));
                }
                if j < i && other.alone && other.is != Is::Terminal {
                    let text = format!("{at} begins beside {}", scope.offset(p, j));
                    return broken("S5", format!("{text}, whose output was lost"));
                }
                if j > i && (done || other.is == Is::InHand) {
                    let text = format!("{at} begins again and leaves {}", scope.offset(p, j));
                    return broken("S5", format!("{text} as it was"));
                }
            }
        }
        for i in ones(unit) {
            self.facts[i].owner = Some(run);
            self.facts[i].is = Is::InHand;
        }
        Ok(())
    }

    pub(crate) fn handled(&mut self, run: RunId, unit: Set) {
        for i in ones(unit & self.owned_by(run)) {
            self.facts[i].is = Is::Handled;
        }
    }

    pub(crate) fn settled(&mut self, run: RunId, prefix: Set) {
        for i in ones(prefix & self.owned_by(run)) {
            if self.facts[i].is == Is::Handled {
                self.facts[i].is = Is::Terminal;
                self.facts[i].alone = false;
            }
        }
    }

    /// A failed attempt. Whether it counts.
    pub(crate) fn fails(
        &mut self,
        scope: &Scope,
        run: RunId,
        i: usize,
        f: Failure,
        now: Time,
    ) -> bool {
        let policy = &scope.policy;
        let fact = &mut self.facts[i];
        if fact.owner != Some(run) {
            return false;
        }
        fact.owner = None;
        fact.is = Is::Fresh;
        let shortest = policy.backoff * 3 / 4;
        let wait = match f {
            Failure::Retry { after } | Failure::Transient { after } => after.unwrap_or(shortest),
            Failure::Rejected => Time::ZERO,
        };
        let transient = matches!(f, Failure::Transient { .. });
        fact.failures += u8::from(!transient);
        let most = policy.attempts.unwrap_or(u32::MAX);
        if f == Failure::Rejected && !policy.batch {
            fact.failures = fact.failures.max(u8::try_from(most).unwrap_or(u8::MAX));
        }
        // Out of attempts: its end, or the run record by record, is at once. A record of a batch
        // that is run alone may have none left and still wait for a transient failure to pass.
        let at_once = !transient && u32::from(fact.failures) >= most;
        fact.due = if at_once { now } else { now + wait };
        true
    }

    /// The rest of a failed unit, or what is replayed.
    pub(crate) fn taken_back(&mut self, set: Set) {
        for i in ones(set & self.all(|fact| fact.owner.is_some())) {
            self.facts[i].owner = None;
            self.facts[i].is = Is::Fresh;
            self.facts[i].alone = false;
        }
    }

    /// A record meets the end its policy has for it: only behind what is terminal.
    pub(crate) fn ends(&self, scope: &Scope, p: usize, i: usize, what: &str) -> Checked {
        if !self.assigned {
            return broken("S10", format!("{what} outside of the assignment"));
        }
        if scope.unit(p, i) & below(i) & self.open() != 0 {
            let at = scope.offset(p, i);
            return broken("S7", format!("{what} of {at} overtakes an open record"));
        }
        // A batch goes to its end through its records: the good ones do not share it.
        let is_bad = (scope.poison[p] | scope.unsendable[p]) & (1 << i) != 0;
        let any_may_fail = [Fault::Handler, Fault::Output].map(|fault| scope.budget.has(fault));
        if !is_bad && !any_may_fail.contains(&true) {
            let at = scope.offset(p, i);
            return broken("S9", format!("{what} of {at}, which has not failed"));
        }
        let used_up = |n| u32::from(self.facts[i].failures) >= n;
        if !scope.policy.batch && !scope.policy.attempts.is_some_and(used_up) {
            let at = scope.offset(p, i);
            return broken("S9", format!("{what} of {at} with attempts left"));
        }
        Ok(())
    }

    /// While a partition drains no dead letter is begun; what needs no time may still happen.
    pub(crate) fn letter_begins(
        &mut self,
        scope: &Scope,
        p: usize,
        i: usize,
        run: RunId,
    ) -> Checked {
        if self.revoking.is_some() {
            return broken("S10", "a dead letter begins during a revoke");
        }
        self.ends(scope, p, i, "the dead letter")?;
        if self.letters[i].is_some() {
            return broken("S7", "two dead letters of one record are under way");
        }
        self.letters[i] = Some(run);
        Ok(())
    }

    pub(crate) fn dead_letter_done(
        &mut self,
        scope: &Scope,
        run: RunId,
        outcome: DeadLetterOutcome,
        now: Time,
    ) -> Option<usize> {
        let i = self
            .letters
            .iter()
            .position(|letter| *letter == Some(run))?;
        self.letters[i] = None;
        let fact = &mut self.facts[i];
        match outcome {
            DeadLetterOutcome::Written => fact.is = Is::Terminal,
            DeadLetterOutcome::Transient => fact.due = now + scope.policy.backoff * 3 / 4,
            DeadLetterOutcome::Permanent => fact.stopped = true,
        }
        Some(i)
    }

    pub(crate) fn stores(&mut self, scope: &Scope, p: usize, offset: i64) -> Checked {
        if !self.assigned {
            return broken("S3", "a store outside of the assignment: its answer is out");
        }
        if offset <= self.stored {
            return broken("S3", format!("{offset} is stored after {}", self.stored));
        }
        let read = self.all(|_| true);
        let end = (Set::BITS - read.leading_zeros()).checked_sub(1);
        let end = end.map_or(self.stored, |i| scope.offset(p, i as usize) + 1);
        let end = end.max(self.read_to);
        if offset > end {
            return broken("S3", format!("{offset} is stored and {end} is the end"));
        }
        let first = ones(self.open()).find(|&i| scope.offset(p, i) < offset);
        if let Some(i) = first {
            let at = scope.offset(p, i);
            let fact = self.facts[i];
            if fact.is == Is::Handled {
                return broken(
                    "S6",
                    format!("{offset} is stored before the outputs of {at}"),
                );
            }
            if self.letters[i].is_some() {
                return broken(
                    "S7",
                    format!("{offset} is stored before the dead letter of {at}"),
                );
            }
            return broken("S1", format!("{offset} is stored and {at} is open"));
        }
        self.stored = offset;
        Ok(())
    }

    pub(crate) fn skips(&mut self, scope: &Scope, p: usize, i: usize) -> Checked {
        if scope.policy.on_failure != OnFailure::Skip {
            return broken("S1", "a record is skipped and nobody asked for it");
        }
        self.ends(scope, p, i, "the skip")?;
        self.facts[i].is = Is::Terminal;
        Ok(())
    }
}
