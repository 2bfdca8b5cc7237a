//! The specification, record by record: what the engine may do given what it was told.
//!
//! It shares no code and no representation with the engine: no pieces, no lanes, one entry for
//! each record of the current assignment.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{DeadLetterOutcome, Effect, Event, Failure, Limits, OnFailure, Policy, RunId, Time};

#[derive(Debug, Default)]
pub(super) struct Truth {
    pub(super) assigned: bool,
    /// The deadline of the revoke under way.
    pub(super) revoking: Option<Time>,
    pub(super) held: bool,
    pub(super) stopped: bool,
    pub(super) stored: i64,
    pub(super) records: BTreeMap<i64, Record>,
    letter: Option<(RunId, i64)>,
    /// When a dead letter that could not be written may be tried again.
    letter_due: Time,
}

#[derive(Debug, Default)]
pub(super) struct Record {
    /// The run whose results count for it.
    owner: Option<RunId>,
    state: State,
    /// When it began last, counted in begins.
    began: Option<u64>,
    /// Something happened that explains one more begin. [S4]
    excused: bool,
    failures: u32,
    due: Time,
    /// Nothing behind it may begin before it is settled.
    alone: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Fresh,
    InHand,
    Handled,
    Terminal,
}

pub(super) struct Oracle {
    pub(super) policy: Policy,
    pub(super) limits: Limits,
    pub(super) parts: Vec<Truth>,
    pub(super) shutdown: bool,
    begins: u64,
}

impl Record {
    /// Its policy's end is its last result.
    fn end(&mut self, order: u64) {
        self.state = State::Terminal;
        self.began = Some(order);
    }
}

impl Truth {
    fn open_below(&self, offset: i64) -> bool {
        let mut below = self.records.range(..offset);
        below.any(|(_, r)| r.state != State::Terminal)
    }

    /// The end of what is terminal at the front, in delivered records.
    fn watermark(&self, position: i64) -> i64 {
        let terminal = self
            .records
            .iter()
            .take_while(|(_, r)| r.state == State::Terminal);
        terminal.last().map_or(position, |(offset, _)| offset + 1)
    }

    pub(super) fn under_way(&self) -> bool {
        let open =
            |r: &Record| r.owner.is_some() && matches!(r.state, State::InHand | State::Handled);
        self.letter.is_some() || self.records.values().any(open)
    }
}

impl Oracle {
    pub(super) fn new(policy: Policy, limits: Limits, parts: usize) -> Self {
        Oracle {
            policy,
            limits,
            parts: (0..parts).map(|_| Truth::default()).collect(),
            shutdown: false,
            begins: 0,
        }
    }

    pub(super) fn assigned(&mut self, p: usize, position: i64) {
        self.parts[p] = Truth {
            assigned: true,
            stored: position,
            // librdkafka forgets no pause.
            held: self.parts[p].held,
            ..Truth::default()
        };
    }

    pub(super) fn lost(&mut self, p: usize) {
        self.parts[p] = Truth {
            held: self.parts[p].held,
            ..Truth::default()
        };
    }

    pub(super) fn delivered(&mut self, p: usize, offsets: &[i64]) {
        let part = &mut self.parts[p];
        // Read again: what was held from there on is another log's.
        let another = part.records.split_off(&offsets[0]);
        part.letter.take_if(|(_, at)| another.contains_key(at));
        if !part.open_below(i64::MAX) {
            // The head is gone, and only it can have had a dead letter.
            part.letter_due = Time::ZERO;
        }
        part.stored = part.stored.min(offsets[0]);
        for &offset in offsets {
            part.records.insert(offset, Record::default());
        }
    }

    /// A lane takes a record, or a batch, in hand.
    pub(super) fn begin(&mut self, p: usize, run: RunId, unit: &[i64], now: Time) {
        let allowed = self
            .policy
            .attempts
            .map(|n| n + u32::from(self.policy.batch));
        let part = &mut self.parts[p];
        let ours = part.assigned && part.revoking.is_none() && !self.shutdown;
        assert!(ours, "S10: {p}/{unit:?} begins when nothing may");
        assert!(!part.stopped, "{p}/{unit:?} begins in a stopped partition");
        for (before, r) in part.records.range(..unit[0]) {
            assert!(
                matches!(r.state, State::Handled | State::Terminal),
                "S5: {p}/{unit:?} overtakes {before}: {r:?}"
            );
            assert!(
                !r.alone || r.state == State::Terminal,
                "{p}/{unit:?} begins beside {before}, which must be alone"
            );
        }
        for offset in unit {
            self.begins += 1;
            let r = part
                .records
                .get_mut(offset)
                .expect("a record that was read");
            assert!(
                r.began.is_none() || r.excused,
                "S4: {p}/{offset} begins again"
            );
            assert!(now >= r.due, "S9: {p}/{offset} begins before it is due");
            assert!(
                allowed.is_none_or(|n| r.failures < n),
                "S9: {p}/{offset} begins after {} attempts",
                r.failures
            );
            r.owner = Some(run);
            r.state = State::InHand;
            r.began = Some(self.begins);
            r.excused = false;
        }
    }

    pub(super) fn handled(&mut self, p: usize, run: RunId, offset: i64) {
        if let Some(r) = self.owned(p, run, offset) {
            r.state = State::Handled;
        }
    }

    fn owned(&mut self, p: usize, run: RunId, offset: i64) -> Option<&mut Record> {
        let r = self.parts[p].records.get_mut(&offset)?;
        (r.owner == Some(run)).then_some(r)
    }

    /// What the engine is about to be told.
    pub(super) fn told(&mut self, now: Time, event: &Event) {
        match event {
            Event::Settled {
                part,
                run,
                prefix,
                broken,
                ..
            } => {
                let p = part.0 as usize;
                for r in self.parts[p].records.range_mut(..prefix).map(|(_, r)| r) {
                    if r.owner == Some(*run) && r.state == State::Handled {
                        r.state = State::Terminal;
                    }
                }
                if let Some(broken) = broken
                    && self.fails(p, *run, *prefix, broken.failure, now)
                {
                    for (offset, r) in self.parts[p].records.range_mut(prefix..) {
                        if offset == prefix {
                            r.alone = true;
                        }
                        r.owner = None;
                        r.excused = true;
                        r.state = State::Fresh;
                    }
                }
            }
            Event::Failed {
                part,
                run,
                at,
                next,
                failure,
            } => {
                let p = part.0 as usize;
                let unit = self.parts[p].records.range(at..next);
                for offset in unit.map(|(offset, _)| *offset).collect::<Vec<_>>() {
                    self.fails(p, *run, offset, *failure, now);
                }
                // The rest of a batch was in hand as well.
                for r in self.parts[p].records.range_mut(next..).map(|(_, r)| r) {
                    if r.owner == Some(*run) && r.state == State::InHand {
                        r.owner = None;
                        r.excused = true;
                        r.state = State::Fresh;
                    }
                }
            }
            Event::DeadLetterDone { part, run, outcome } => {
                let part = &mut self.parts[part.0 as usize];
                if let Some((_, at)) = part.letter.take_if(|(letter, _)| letter == run) {
                    let r = part
                        .records
                        .get_mut(&at)
                        .expect("a dead letter of a record");
                    match outcome {
                        DeadLetterOutcome::Written => {
                            self.begins += 1;
                            r.end(self.begins);
                        }
                        DeadLetterOutcome::Transient => {
                            part.letter_due = now + self.policy.backoff * 3 / 4
                        }
                        DeadLetterOutcome::Permanent => part.stopped = true,
                    }
                }
            }
            _ => {}
        }
    }

    fn fails(&mut self, p: usize, run: RunId, offset: i64, failure: Failure, now: Time) -> bool {
        let (shortest, batch) = (self.policy.backoff * 3 / 4, self.policy.batch);
        let attempts = self.policy.attempts.unwrap_or(u32::MAX);
        let Some(r) = self.owned(p, run, offset) else {
            return false;
        };
        r.owner = None;
        r.excused = true;
        r.state = State::Fresh;
        let wait = match failure {
            Failure::Retry { after } | Failure::Transient { after } => after.unwrap_or(shortest),
            Failure::Rejected => Duration::ZERO,
        };
        if !matches!(failure, Failure::Transient { .. }) {
            r.failures += 1;
            if failure == Failure::Rejected && !batch {
                r.failures = r.failures.max(attempts);
            }
        }
        // The run record by record, after the last attempt of a batch, is at once.
        r.due = if batch && r.failures >= attempts {
            now
        } else {
            now + wait
        };
        true
    }

    /// What the engine wants.
    pub(super) fn sees(&mut self, now: Time, effect: &Effect) {
        match effect {
            Effect::Start {
                part,
                span,
                attempt,
                ..
            } => {
                let truth = &self.parts[part.0 as usize];
                let failures = truth.records[&span.first].failures;
                assert_eq!(*attempt, failures + 1, "S9: {effect:?}");
                assert!(
                    truth.assigned && truth.revoking.is_none(),
                    "S10: {effect:?}"
                );
                assert!(!self.shutdown, "L5: {effect:?}");
                let due = truth.records[&span.first].due;
                assert!(now >= due, "S9: {effect:?} before {due:?}");
            }
            Effect::DeadLetter { part, run, at, .. } => {
                let truth = &mut self.parts[part.0 as usize];
                assert!(
                    truth.assigned && truth.revoking.is_none(),
                    "S10: {effect:?}"
                );
                assert!(!truth.open_below(*at), "S7: {effect:?} overtakes");
                assert!(now >= truth.letter_due, "S9: {effect:?}");
                assert_eq!(truth.letter.replace((*run, *at)), None, "two dead letters");
            }
            Effect::Skipped { part, at } => {
                let truth = &mut self.parts[part.0 as usize];
                assert_eq!(self.policy.on_failure, OnFailure::Skip);
                assert!(!truth.open_below(*at), "S7: {effect:?} overtakes");
                self.begins += 1;
                truth.records.get_mut(at).unwrap().end(self.begins);
            }
            Effect::Stopped { part, at, .. } | Effect::Exit { part, at } => {
                let truth = &mut self.parts[part.0 as usize];
                assert!(!truth.open_below(*at), "{effect:?} overtakes");
                truth.stopped = true;
            }
            Effect::Store { part, offset } => self.stores(part.0 as usize, *offset),
            Effect::HoldBack { part, .. } => {
                let truth = &mut self.parts[part.0 as usize];
                assert!(truth.assigned, "S10: {effect:?} outside of the assignment");
                truth.held = true;
            }
            Effect::Resume { part } => self.parts[part.0 as usize].held = false,
            Effect::Cut { .. } | Effect::Free { .. } | Effect::Release { .. } => {}
        }
    }

    fn stores(&mut self, p: usize, offset: i64) {
        let part = &mut self.parts[p];
        assert!(
            part.assigned,
            "store {p}/{offset} outside of the assignment"
        );
        assert!(
            offset > part.stored,
            "S3: store {p}/{offset} after {}",
            part.stored
        );
        assert!(
            !part.open_below(offset),
            "S1: store {p}/{offset} passes an open record"
        );
        let seen = part
            .records
            .last_key_value()
            .map_or(part.stored, |(o, _)| o + 1);
        // The offset after a record is that of the next one read with it, gaps included.
        assert!(offset <= seen, "S3: store {p}/{offset} beyond {seen}");
        let mut last = 0;
        for (at, r) in part.records.range(..offset) {
            let began = r.began.expect("a terminal record began");
            assert!(
                began > last,
                "S5: {p}/{at} keeps a result older than its predecessor's"
            );
            last = began;
        }
        part.stored = offset;
    }

    /// Whether everything terminal was stored.
    pub(super) fn is_stored(&self, p: usize) -> bool {
        let part = &self.parts[p];
        part.stored >= part.watermark(part.stored)
    }

    /// Records read and not below what is stored.
    pub(super) fn held(&self, p: usize) -> usize {
        self.parts[p].records.range(self.parts[p].stored..).count()
    }
}
