//! A table of events and of what the engine answers, in words.

use std::ops::Range;
use std::time::Duration;

use crate::{
    Broken, DeadLetterOutcome, Effect, Engine, Event, Failure, HoldBack, Key, Limits, OnFailure,
    PartIndex, Policy, Read, RunId, Span, Time,
};

pub(super) const RETRY: Failure = Failure::Retry { after: None };
pub(super) const TRANSIENT: Failure = Failure::Transient { after: None };

pub(super) struct Lab {
    pub(super) engine: Engine,
    pub(super) now: Time,
}

pub(super) fn policy(attempts: u32, on_failure: OnFailure) -> Policy {
    Policy {
        attempts: Some(attempts),
        on_failure,
        ..Policy::default()
    }
}

impl Lab {
    /// One partition, `PartIndex(0)`, assigned from offset 0 on.
    pub(super) fn new(policy: Policy) -> Self {
        Lab::limited(policy, Limits::default())
    }

    pub(super) fn limited(policy: Policy, limits: Limits) -> Self {
        let mut lab = Lab {
            engine: Engine::new(limits),
            now: Duration::ZERO,
        };
        lab.add(policy);
        lab
    }

    pub(super) fn add(&mut self, policy: Policy) {
        let handler = self.engine.handler(policy);
        let part = self.engine.add(handler);
        self.step(assigned(part.0, 0), &format!("{}resume", prefix(part)));
    }

    /// What the engine answers to `event` must read as `answer`.
    #[track_caller]
    pub(super) fn step(&mut self, event: Event, answer: &str) {
        let what = format!("{event:?}");
        let mut out = Vec::new();
        self.engine.step(self.now, event, &mut out);
        let words: Vec<_> = out.iter().map(in_words).collect();
        assert_eq!(words.join(", "), answer, "after {what}");
    }

    /// Nothing happens until the next deadline; then `answer` does.
    #[track_caller]
    pub(super) fn wait(&mut self, answer: &str) {
        let due = self.engine.next_deadline().expect("a deadline");
        assert!(due > self.now, "the deadline has passed");
        self.now = due - Duration::from_nanos(1);
        self.step(Event::Tick, "");
        self.now = due;
        self.step(Event::Tick, answer);
    }
}

fn prefix(part: PartIndex) -> String {
    match part.0 {
        0 => String::new(),
        n => format!("p{n} "),
    }
}

fn in_words(effect: &Effect) -> String {
    let (part, words) = match effect {
        Effect::Start {
            part,
            cut,
            run,
            span,
            attempt,
            single,
        } => {
            let mut words = format!("start #{} {}..{}", run.0, span.first, span.next);
            if *cut > 0 {
                words += &format!(" cut {cut}");
            }
            if *attempt > 1 {
                words += &format!(" attempt {attempt}");
            }
            if *single {
                words += " single";
            }
            (part, words)
        }
        Effect::Cut { part, cut } => (part, format!("cut {cut}")),
        Effect::DeadLetter {
            part,
            run,
            at,
            attempts,
        } => (
            part,
            format!("dead letter #{} {at} after {attempts}", run.0),
        ),
        Effect::Skipped { part, at } => (part, format!("skipped {at}")),
        Effect::Stopped { part, at, attempts } => (part, format!("stopped {at} after {attempts}")),
        Effect::Exit { part, at } => (part, format!("exit {at}")),
        Effect::HoldBack { part, why } => {
            let why = match why {
                HoldBack::Full => "full",
                HoldBack::Waiting => "waiting",
                HoldBack::Paused => "paused",
            };
            (part, format!("hold back {why}"))
        }
        Effect::Resume { part } => (part, "resume".to_owned()),
        Effect::Store { part, offset } => (part, format!("store {offset}")),
        Effect::Free { part, at } => (part, format!("free {at}")),
        Effect::Release { parts } => {
            let parts: Vec<_> = parts.iter().map(|p| p.0).collect();
            return format!("release {parts:?}");
        }
    };
    prefix(*part) + &words
}

pub(super) fn assigned(part: u32, position: i64) -> Event {
    let part = PartIndex(part);
    Event::Assigned { part, position }
}

/// Records without gaps, of ten bytes each.
pub(super) fn fetched(part: u32, offsets: Range<i64>) -> Event {
    let records = u32::try_from(offsets.end - offsets.start).unwrap();
    fetched_with_gaps(part, offsets, records)
}

pub(super) fn fetched_with_gaps(part: u32, offsets: Range<i64>, records: u32) -> Event {
    Event::Fetched {
        part: PartIndex(part),
        span: Span {
            first: offsets.start,
            next: offsets.end,
            records,
            bytes: u64::from(records) * 10,
        },
    }
}

/// One record each of ten bytes; `_` has no key, every other letter is one.
pub(super) fn read(part: u32, first: i64, keys: &str) -> Event {
    let read = |(offset, letter): (i64, char)| Read {
        offset,
        key: (letter != '_').then_some(Key(u64::from(letter))),
        bytes: 10,
    };
    Event::Read {
        part: PartIndex(part),
        records: (first..).zip(keys.chars()).map(read).collect(),
    }
}

pub(super) fn handled(part: u32, run: u64) -> Event {
    let (part, run) = (PartIndex(part), RunId(run));
    Event::Handled { part, run }
}

pub(super) fn settled(part: u32, run: u64, prefix: i64) -> Event {
    Event::Settled {
        part: PartIndex(part),
        run: RunId(run),
        prefix,
        broken: None,
        closed: true,
    }
}

pub(super) fn progress(part: u32, run: u64, prefix: i64) -> Event {
    Event::Settled {
        part: PartIndex(part),
        run: RunId(run),
        prefix,
        broken: None,
        closed: false,
    }
}

/// An output of the record at `at` is lost.
pub(super) fn broken(part: u32, run: u64, at: i64, failure: Failure) -> Event {
    let next = at + 1;
    Event::Settled {
        part: PartIndex(part),
        run: RunId(run),
        prefix: at,
        broken: Some(Broken { at, next, failure }),
        closed: true,
    }
}

pub(super) fn failed(part: u32, run: u64, unit: Range<i64>, failure: Failure) -> Event {
    Event::Failed {
        part: PartIndex(part),
        run: RunId(run),
        at: unit.start,
        next: unit.end,
        failure,
    }
}

pub(super) fn ended(part: u32, cut: u32, at: Option<i64>) -> Event {
    let part = PartIndex(part);
    Event::Ended { part, cut, at }
}

pub(super) fn dead_letter_done(run: u64, outcome: DeadLetterOutcome) -> Event {
    Event::DeadLetterDone {
        part: PartIndex(0),
        run: RunId(run),
        outcome,
    }
}

pub(super) fn revoking(parts: &[u32], deadline: u64) -> Event {
    Event::Revoking {
        parts: parts.iter().copied().map(PartIndex).collect(),
        deadline: Duration::from_secs(deadline),
    }
}

pub(super) fn lost(parts: &[u32]) -> Event {
    Event::Lost {
        parts: parts.iter().copied().map(PartIndex).collect(),
    }
}
