//! Order by key under random schedules, against an account that knows records and no slots.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::random::Random;
use crate::{
    Broken, DeadLetterOutcome, Effect, Engine, Event, Failure, Key, Limits, OnFailure, Order,
    PartIndex, Policy, Read, RunId, Span, Time,
};

const CONCURRENCY: u32 = 3;
const LENGTH: usize = 14;

struct Task {
    part: usize,
    run: RunId,
    offsets: Vec<usize>,
    /// The assignment it belongs to; results of another count for nothing.
    epoch: u32,
    ended: bool,
    /// What it accepted and has not told the outcome of.
    open: Vec<usize>,
}

#[derive(Default)]
struct Log {
    keys: Vec<Option<u64>>,
    epoch: u32,
    assigned: bool,
    held: bool,
    read: usize,
    stored: usize,
    failures: BTreeMap<usize, u32>,
    /// Accepted, by the run whose outcome counts.
    accepted: BTreeMap<usize, RunId>,
    terminal: BTreeSet<usize>,
    freed: BTreeSet<usize>,
    stopped: BTreeSet<usize>,
}

struct Walk {
    engine: Engine,
    now: Time,
    random: Random,
    logs: Vec<Log>,
    tasks: Vec<Task>,
    letters: Vec<(usize, RunId, usize, u32)>,
    releases: VecDeque<PartIndex>,
    calm: bool,
    starts: u64,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let policy = Policy {
            order: Order::Key {
                concurrency: CONCURRENCY,
            },
            attempts: Some(2),
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_millis(100),
            on_failure: [OnFailure::Stop, OnFailure::Skip, OnFailure::DeadLetter][random.below(3)],
            batch: false,
        };
        let batch = random.one_in(4);
        let limits = Limits {
            held_records: 6,
            ..Limits::default()
        };
        let mut engine = Engine::new(limits);
        let handler = engine.handler(Policy { batch, ..policy });
        let mut log = |_| {
            let keys = (0..LENGTH).map(|_| match random.below(4) {
                0 => None,
                key if !batch => Some(key as u64),
                _ => None,
            });
            Log {
                keys: keys.collect(),
                ..Log::default()
            }
        };
        let logs: Vec<Log> = (0..2).map(&mut log).collect();
        for _ in &logs {
            engine.add(handler);
        }
        Walk {
            engine,
            now: Duration::ZERO,
            random,
            logs,
            tasks: Vec::new(),
            letters: Vec::new(),
            releases: VecDeque::new(),
            calm: false,
            starts: 0,
        }
    }

    fn run(&mut self) {
        (0..2).for_each(|p| self.assign(p));
        for _ in 0..300 {
            self.act();
        }
        self.calm = true;
        for _ in 0..2_000 {
            if self.is_over() {
                return;
            }
            self.act();
        }
        panic!("L1: it does not come to rest");
    }

    fn is_over(&mut self) -> bool {
        let done = |log: &Log| log.stored == LENGTH;
        self.tasks.is_empty() && self.logs.iter().all(done)
    }

    fn assign(&mut self, p: usize) {
        let log = &mut self.logs[p];
        log.epoch += 1;
        log.assigned = true;
        log.read = log.stored;
        log.held = false;
        log.failures.clear();
        log.accepted.clear();
        log.freed.clear();
        log.stopped.clear();
        let position = i64::try_from(log.stored).unwrap();
        self.step(Event::Assigned {
            part: part(p),
            position,
        });
    }

    fn act(&mut self) {
        let p = self.random.below(2);
        match self.random.below(8) {
            0 | 1 => self.read(p),
            2 | 3 => self.end_task(),
            4 | 5 => self.settle(),
            6 => self.end_letter(),
            _ if self.random.one_in(6) && !self.calm => self.revoke(p),
            _ => {
                self.now += Duration::from_millis(60);
                self.step(Event::Tick);
                if self.calm {
                    let stopped = self.logs.iter().position(|log| !log.stopped.is_empty());
                    if let Some(p) = stopped {
                        let log = &mut self.logs[p];
                        let stopped = std::mem::take(&mut log.stopped);
                        log.failures.retain(|o, _| !stopped.contains(o));
                        self.step(Event::Restart { part: part(p) });
                    }
                }
            }
        }
        if !self.logs[p].assigned {
            self.assign(p);
        }
    }

    fn read(&mut self, p: usize) {
        let most = 1 + self.random.below(3);
        let log = &mut self.logs[p];
        if log.held || !log.assigned || !self.engine.accepts(part(p)) {
            return;
        }
        let end = LENGTH.min(log.read + most);
        let read = |o: usize| Read {
            offset: i64::try_from(o).unwrap(),
            key: log.keys[o].map(Key),
            bytes: 1,
        };
        let records: Vec<Read> = (log.read..end).map(read).collect();
        log.read = end;
        if !records.is_empty() {
            self.step(Event::Read {
                part: part(p),
                records,
            });
        }
    }

    fn end_task(&mut self) {
        let running: Vec<usize> = (0..self.tasks.len())
            .filter(|&i| !self.tasks[i].ended)
            .collect();
        if running.is_empty() {
            return;
        }
        let i = running[self.random.below(running.len())];
        let fails = !self.calm && self.random.one_in(3);
        let task = &mut self.tasks[i];
        task.ended = true;
        let (p, run) = (task.part, task.run);
        let accepted = if fails {
            self.random.below(task.offsets.len())
        } else {
            task.offsets.len()
        };
        task.open = task.offsets[..accepted].to_vec();
        let counts = task.epoch == self.logs[p].epoch;
        let log = &mut self.logs[p];
        let owned: Vec<usize> = task
            .offsets
            .iter()
            .copied()
            .filter(|o| log.accepted.get(o) == Some(&run))
            .collect();
        if counts {
            for o in owned.iter().filter(|o| !task.open.contains(o)) {
                log.accepted.remove(o);
            }
        }
        if !fails {
            return self.step(Event::Handled { part: part(p), run });
        }
        let at = self.tasks[i].offsets[accepted];
        let owned = counts && owned.contains(&at);
        // A batch fails whole from there, or at one record that did not decode.
        let last = *self.tasks[i].offsets.last().unwrap();
        let next = if accepted == 0 { last + 1 } else { at + 1 };
        if owned {
            for o in at..next {
                *self.logs[p].failures.entry(o).or_default() += 1;
            }
        }
        self.step(Event::Failed {
            part: part(p),
            run,
            at: i64::try_from(at).unwrap(),
            next: i64::try_from(next).unwrap(),
            failure: Failure::Retry { after: None },
        });
    }

    fn settle(&mut self) {
        let ended: Vec<usize> = (0..self.tasks.len())
            .filter(|&i| self.tasks[i].ended)
            .collect();
        if ended.is_empty() {
            return;
        }
        let task = self.tasks.remove(ended[self.random.below(ended.len())]);
        let (p, run) = (task.part, task.run);
        let lost = !self.calm && !task.open.is_empty() && self.random.one_in(3);
        let good = if lost {
            self.random.below(task.open.len())
        } else {
            task.open.len()
        };
        let log = &mut self.logs[p];
        let counts =
            |log: &Log, o: usize| task.epoch == log.epoch && log.accepted.get(&o) == Some(&run);
        for &o in &task.open[..good] {
            log.terminal.insert(o);
        }
        let prefix = match task.open.get(good) {
            Some(&o) => o,
            None => task.offsets[..task.open.len()]
                .last()
                .map_or(task.offsets[0], |o| o + 1),
        };
        let broken = lost.then(|| {
            let at = task.open[good];
            if counts(log, at) {
                *log.failures.entry(at).or_default() += 1;
                log.accepted.remove(&at);
                if let Some(key) = log.keys[at] {
                    let keys = &log.keys;
                    log.accepted.retain(|&o, _| o < at || keys[o] != Some(key));
                }
            }
            Broken {
                at: i64::try_from(at).unwrap(),
                next: i64::try_from(at + 1).unwrap(),
                failure: Failure::Retry { after: None },
            }
        });
        if lost {
            // In a batch nobody tells of what lies behind a lost output: it is handled again.
            for &o in &task.open[good + 1..] {
                log.terminal.insert(o);
                if counts(log, o) {
                    log.accepted.remove(&o);
                }
            }
        }
        self.step(Event::Settled {
            part: part(p),
            run,
            prefix: i64::try_from(prefix).unwrap(),
            broken,
            closed: true,
        });
    }

    fn end_letter(&mut self) {
        if self.letters.is_empty() {
            return;
        }
        let i = self.random.below(self.letters.len());
        let (p, run, at, epoch) = self.letters.swap_remove(i);
        let outcome = match self.random.below(3) {
            0 if !self.calm => DeadLetterOutcome::Transient,
            _ => DeadLetterOutcome::Written,
        };
        if outcome == DeadLetterOutcome::Written {
            self.logs[p].terminal.insert(at);
            if epoch == self.logs[p].epoch {
                self.logs[p].accepted.insert(at, run);
            }
        }
        self.step(Event::DeadLetterDone {
            part: part(p),
            run,
            outcome,
        });
    }

    fn revoke(&mut self, p: usize) {
        if !self.logs[p].assigned {
            return;
        }
        let wait = if self.random.one_in(2) { 0 } else { 10 };
        let deadline = self.now + Duration::from_secs(wait);
        let parts = vec![part(p)];
        if self.random.one_in(3) {
            self.step(Event::Lost { parts });
        } else {
            self.step(Event::Revoking { parts, deadline });
        }
        while self.logs[p].assigned {
            if self.random.one_in(4) {
                self.now = self.now.max(deadline);
                self.step(Event::Tick);
            } else if self.random.one_in(2) {
                self.end_task();
            } else {
                self.settle();
                self.end_letter();
            }
        }
    }

    fn step(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.engine.step(self.now, event, &mut effects);
        for effect in effects {
            self.sees(effect);
        }
    }

    fn sees(&mut self, effect: Effect) {
        match effect {
            Effect::Start {
                part,
                run,
                span,
                attempt,
                ..
            } => self.started(part.0 as usize, run, span, attempt),
            Effect::DeadLetter { part, run, at, .. } => {
                let (p, at) = (part.0 as usize, usize::try_from(at).unwrap());
                let log = &self.logs[p];
                let before =
                    (0..at).filter(|&o| log.keys[at].is_some() && log.keys[o] == log.keys[at]);
                before.for_each(|o| assert!(log.terminal.contains(&o), "S7: {o} before {at}"));
                self.letters.push((p, run, at, log.epoch));
            }
            Effect::Skipped { part, at } => {
                let log = &mut self.logs[part.0 as usize];
                log.terminal.insert(usize::try_from(at).unwrap());
            }
            Effect::Stopped { part, at, .. } => {
                let log = &mut self.logs[part.0 as usize];
                log.stopped.insert(usize::try_from(at).unwrap());
            }
            Effect::HoldBack { part, .. } => self.logs[part.0 as usize].held = true,
            Effect::Resume { part } => self.logs[part.0 as usize].held = false,
            Effect::Store { part, offset } => {
                let offset = usize::try_from(offset).unwrap();
                let log = &mut self.logs[part.0 as usize];
                assert!(offset > log.stored, "S3");
                (0..offset).for_each(|o| assert!(log.terminal.contains(&o), "S1: {o}"));
                log.stored = offset;
            }
            Effect::Free { part, at } => {
                let at = usize::try_from(at).unwrap();
                let log = &mut self.logs[part.0 as usize];
                assert!(log.freed.insert(at), "freed twice");
                assert!(log.terminal.contains(&at), "S1: {at} is freed");
            }
            Effect::Release { parts } => self.releases.extend(parts),
            Effect::Exit { .. } | Effect::Cut { .. } => unreachable!("{effect:?}"),
        }
        while let Some(part) = self.releases.pop_front() {
            let log = &mut self.logs[part.0 as usize];
            log.assigned = false;
            log.epoch += 1;
        }
    }

    fn started(&mut self, p: usize, run: RunId, span: Span, attempt: u32) {
        self.starts += 1;
        let log = &mut self.logs[p];
        assert!(log.assigned, "S10");
        let offsets: Vec<usize> =
            (usize::try_from(span.first).unwrap()..usize::try_from(span.next).unwrap()).collect();
        assert_eq!(offsets.len(), span.records as usize);
        for &o in &offsets {
            assert!(!log.freed.contains(&o), "{o} starts after it was freed");
            assert!(!log.accepted.contains_key(&o), "S4: {o} is at work");
            let failures = log.failures.get(&o).copied().unwrap_or_default();
            assert_eq!(attempt, failures + 1, "S9: {o}");
            let Some(key) = log.keys[o] else { continue };
            for other in (0..log.read).filter(|&other| log.keys[other] == Some(key)) {
                let done = log.accepted.contains_key(&other);
                if other > o {
                    assert!(!done, "S5: {other} keeps its result from before {o}");
                } else if other < o {
                    let before = done || log.stored > other || log.freed.contains(&other);
                    assert!(before, "S5: {o} overtakes {other}");
                }
            }
            let same = |t: &&Task| {
                t.part == p && !t.ended && t.offsets.iter().any(|&x| log.keys[x] == Some(key))
            };
            assert!(
                self.tasks.iter().find(same).is_none(),
                "S5: two of key {key}"
            );
        }
        let epoch = log.epoch;
        for &o in &offsets {
            log.accepted.insert(o, run);
        }
        self.tasks.push(Task {
            part: p,
            run,
            offsets,
            epoch,
            ended: false,
            open: Vec::new(),
        });
        let running = self.tasks.iter().filter(|t| !t.ended).count();
        assert!(running <= CONCURRENCY as usize, "S10: {running} at once");
    }
}

fn part(p: usize) -> PartIndex {
    PartIndex(u32::try_from(p).unwrap())
}

#[test]
fn by_key_every_schedule_keeps_the_invariants_and_comes_to_rest() {
    let mut starts = 0;
    for seed in 0..1_000 {
        let mut walk = Walk::new(seed);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| walk.run()));
        if let Err(panic) = result {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
        starts += walk.starts;
    }
    assert!(starts > 20_000, "{starts} starts show little");
}
