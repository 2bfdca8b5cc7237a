//! Random schedules of everything that can happen, checked record by record.
#![allow(clippy::cast_possible_truncation)] // two partitions, eight records

use std::collections::BTreeMap;
use std::time::Duration;

use super::oracle::Truth;
use super::random::Random;
use super::run::Output;
use super::world::World;
use crate::{
    DeadLetterOutcome, Event, Failure, Limits, OnFailure, Order, PartIndex, Policy, RunId, Span,
};

#[derive(Clone, Copy, Debug)]
enum Action {
    Assign(usize),
    Fetch(usize),
    Reread(usize),
    Begin(usize),
    Succeed(usize),
    Fail(usize),
    Hear(usize),
    Acknowledge(RunId),
    Lose(RunId),
    Report(RunId),
    Letter(usize),
    Commit(usize),
    Revoke(usize),
    Kick(usize),
    Pass,
    Room(bool),
    Shutdown,
}

struct Schedule {
    world: World,
    random: Random,
    faults: bool,
    /// The record of partition 0 that never succeeds.
    poison: Option<i64>,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let policy = Policy {
            order: Order::Partition,
            attempts: [Some(1), Some(2), Some(3), None][random.below(4)],
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_secs(1),
            on_failure: [
                OnFailure::Stop,
                OnFailure::Skip,
                OnFailure::Exit,
                OnFailure::DeadLetter,
                OnFailure::DeadLetter,
            ][random.below(5)],
            batch: random.one_in(4),
        };
        let limits = Limits {
            held_records: 2 + random.below(6) as u64,
            held_bytes: 1000,
            max_uncommitted: 100,
            ahead: 1 + random.below(6) as u64,
            outstanding: 2 + random.below(8) as u64,
        };
        let logs = (0..2).map(|_| {
            let mut offset = 0;
            let next = |_| {
                offset += 1 + i64::from(random.one_in(4)) * 2;
                offset
            };
            (0..8).map(next).collect::<Vec<i64>>()
        });
        let logs: Vec<Vec<i64>> = logs.collect();
        let poison = (policy.attempts.is_some() && random.one_in(2)).then(|| logs[0][3]);
        Schedule {
            world: World::new(&policy, limits, logs),
            faults: !random.one_in(5),
            poison,
            random,
        }
    }

    fn truth(&self, p: usize) -> &Truth {
        &self.world.oracle.parts[p]
    }

    /// What can happen now; with `calm`, only what must happen in the end.
    fn enabled(&self, calm: bool) -> Vec<Action> {
        let world = &self.world;
        let mut actions = Vec::new();
        for (p, log) in world.logs.iter().enumerate() {
            let part = PartIndex(p as u32);
            let truth = self.truth(p);
            if !truth.assigned && !world.oracle.shutdown {
                actions.push(Action::Assign(p));
            }
            let more = log.read < log.offsets.len();
            if more && truth.assigned && !truth.held && world.engine.accepts(part) {
                actions.push(Action::Fetch(p));
            }
            if !log.said.is_empty() {
                actions.push(Action::Hear(p));
            }
            if truth.assigned && !calm {
                actions.push(Action::Commit(p));
                if self.faults {
                    actions.push(Action::Kick(p));
                    if log.read > 0 && !truth.held && world.engine.accepts(part) {
                        actions.push(Action::Reread(p));
                    }
                    if truth.revoking.is_none() {
                        actions.push(Action::Revoke(p));
                    }
                }
            }
        }
        for (i, lane) in world.lanes.iter().enumerate() {
            if lane.may_begin() {
                actions.push(Action::Begin(i));
            } else if lane.in_hand > 0 {
                actions.push(Action::Succeed(i));
                if self.faults && !calm {
                    actions.push(Action::Fail(i));
                }
            }
        }
        for (&id, run) in &world.runs {
            if run.has_news() {
                actions.push(Action::Report(id));
            }
            if run.outputs.contains(&Output::Pending) {
                actions.push(Action::Acknowledge(id));
                if self.faults && !calm {
                    actions.push(Action::Lose(id));
                }
            }
        }
        for i in 0..world.letters.len() {
            actions.push(Action::Letter(i));
        }
        if !calm {
            actions.push(Action::Pass);
            if self.faults {
                actions.push(Action::Room(self.random.0 & 1 == 0));
                actions.push(Action::Shutdown);
            }
        }
        actions
    }

    fn step(&mut self) {
        let actions = self.enabled(false);
        let action = actions[self.random.below(actions.len())];
        // What ends much is rare, or nothing but ends is seen.
        let rare = match action {
            Action::Kick(_) | Action::Revoke(_) | Action::Reread(_) => 4,
            Action::Shutdown => 40,
            Action::Room(_) | Action::Fail(_) | Action::Lose(_) => 2,
            _ => 1,
        };
        if self.random.one_in(rare) {
            self.act(action, false);
        }
    }

    fn act(&mut self, action: Action, calm: bool) {
        let now = self.world.now;
        match action {
            Action::Assign(p) => {
                let position = self.world.logs[p].committed;
                let log = &mut self.world.logs[p];
                log.read = log.offsets.partition_point(|&offset| offset < position);
                self.world.oracle.assigned(p, position);
                let part = PartIndex(p as u32);
                self.world.tell(Event::Assigned { part, position });
            }
            Action::Fetch(p) => self.fetch(p),
            Action::Reread(p) => {
                let log = &mut self.world.logs[p];
                log.read -= 1 + self.random.below(log.read);
                self.fetch(p);
            }
            Action::Begin(lane) => self.world.begin(lane),
            Action::Succeed(lane) => {
                let silent = self.random.one_in(3);
                self.finish(lane, silent);
            }
            Action::Fail(lane) => {
                let failure = self.random.failure();
                let good = self.random.one_in(2).then(|| self.random.below(3));
                self.world.fail(lane, failure, good);
            }
            Action::Hear(p) => {
                let event = self.world.logs[p].said.pop_front().unwrap();
                self.world.tell(event);
            }
            Action::Acknowledge(run) => self.output(run, Output::Acked),
            Action::Lose(run) => {
                let failure = self.random.failure();
                self.output(run, Output::Lost(failure));
            }
            Action::Report(run) => self.world.report(run),
            Action::Letter(i) => {
                let (part, run) = self.world.letters.swap_remove(i);
                let outcome = match self.random.below(6) {
                    0 if self.faults && !calm => DeadLetterOutcome::Permanent,
                    1 | 2 if self.faults && !calm => DeadLetterOutcome::Transient,
                    _ => DeadLetterOutcome::Written,
                };
                self.world
                    .tell(Event::DeadLetterDone { part, run, outcome });
            }
            Action::Commit(p) => {
                self.world.logs[p].committed = self.truth(p).stored;
            }
            Action::Revoke(p) => {
                let other = 1 - p;
                let mut parts = vec![p];
                if self.random.one_in(3)
                    && self.truth(other).assigned
                    && self.truth(other).revoking.is_none()
                {
                    parts.push(other);
                }
                self.revoke(&parts);
            }
            Action::Kick(p) => {
                self.world.oracle.lost(p);
                let parts = vec![PartIndex(p as u32)];
                for (_, draining) in &mut self.world.revokes {
                    draining.retain(|part| !parts.contains(part));
                }
                self.world.revokes.push((parts.clone(), Vec::new()));
                self.world.tell(Event::Lost { parts });
            }
            Action::Pass => {
                let due = self.world.engine.next_deadline();
                self.world.now = match due {
                    Some(due) if self.random.one_in(2) => due.max(now),
                    _ => now + Duration::from_millis(20),
                };
                self.world.tell(Event::Tick);
            }
            Action::Room(room) => self.world.tell(Event::Room(room)),
            Action::Shutdown => {
                self.world.oracle.shutdown = true;
                self.world.tell(Event::Shutdown);
            }
        }
    }

    fn fetch(&mut self, p: usize) {
        let log = &mut self.world.logs[p];
        let count = (1 + self.random.below(3)).min(log.offsets.len() - log.read);
        let read = log.offsets[log.read..log.read + count].to_vec();
        log.read += count;
        self.world.oracle.delivered(p, &read);
        let part = PartIndex(p as u32);
        let span = Span {
            first: read[0],
            next: read[count - 1] + 1,
            records: count as u32,
            bytes: 10 * count as u64,
        };
        self.world.tell(Event::Fetched { part, span });
    }

    fn finish(&mut self, lane: usize, silent: bool) {
        let bad = self
            .poison
            .and_then(|bad| self.world.position_in_hand(lane, bad));
        match bad {
            Some(good) => {
                let failure = Failure::Retry { after: None };
                self.world.fail(lane, failure, Some(good));
            }
            None => self.world.succeed(lane, silent),
        }
    }

    fn output(&mut self, run: RunId, output: Output) {
        let outputs = &mut self.world.runs.get_mut(&run).unwrap().outputs;
        let pending: Vec<_> = outputs
            .iter_mut()
            .filter(|o| **o == Output::Pending)
            .collect();
        let i = self.random.below(pending.len());
        *pending.into_iter().nth(i).unwrap() = output;
    }

    fn revoke(&mut self, parts: &[usize]) {
        let deadline = self.world.now + Duration::from_secs(2);
        for &p in parts {
            self.world.oracle.parts[p].revoking = Some(deadline);
        }
        let parts: Vec<_> = parts.iter().map(|&p| PartIndex(p as u32)).collect();
        self.world.revokes.push((parts.clone(), parts.clone()));
        self.world.tell(Event::Revoking { parts, deadline });
    }

    /// Lets everything happen that must, without further faults. [L1]
    fn calm_down(&mut self) {
        self.world.tell(Event::Room(true));
        if self.world.oracle.shutdown {
            let ours = |p: &usize| self.truth(*p).assigned && self.truth(*p).revoking.is_none();
            let left: Vec<_> = (0..2).filter(ours).collect();
            self.revoke(&left);
        }
        for _ in 0..10_000 {
            if let Some(action) = self.enabled(true).first().copied() {
                self.act(action, true);
                continue;
            }
            let Some(due) = self.world.engine.next_deadline() else {
                return self.rest();
            };
            let before = self.world.trace.len();
            self.world.now = self.world.now.max(due);
            self.world.tell(Event::Tick);
            let idle = self.world.trace.len() == before + 1 && self.world.revokes.is_empty();
            assert!(
                !idle || self.world.engine.next_deadline() != Some(due),
                "spins"
            );
        }
        panic!("L1: no rest");
    }

    /// Nothing can happen any more: everything is done.
    fn rest(&mut self) {
        let world = &self.world;
        assert!(world.revokes.is_empty(), "L5: a revoke was not answered");
        assert!(world.runs.is_empty(), "runs were not closed");
        for (p, log) in world.logs.iter().enumerate() {
            let truth = self.truth(p);
            if world.oracle.shutdown {
                assert!(!truth.assigned, "L5: {p} was not given back");
                continue;
            }
            assert!(truth.assigned);
            let part = PartIndex(p as u32);
            if truth.stopped {
                assert!(
                    world.engine.stopped().any(|s| s.part == part),
                    "L1: {p} is not reported"
                );
                assert!(truth.held, "{p} has stopped and is read");
                continue;
            }
            assert!(!truth.held, "L4: {p} is held back for ever");
            assert_eq!(truth.stored, log.offsets.last().unwrap() + 1, "L1: {p}");
            assert!(world.engine.starves(part));
        }
        if world.oracle.shutdown {
            assert_eq!((world.engine.busy(), world.engine.open()), (0, false), "L5");
        }
    }
}

#[test]
fn every_schedule_keeps_the_invariants_and_comes_to_rest() {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..6_000 {
        let mut schedule = Schedule::new(seed);
        schedule.world.trace.push(format!(
            "seed {seed}: {:?} {:?}",
            schedule.world.oracle.policy, schedule.world.oracle.limits
        ));
        // Short ones first: a failure is then found in a schedule that can be read.
        for _ in 0..20 + seed / 20 {
            schedule.step();
        }
        schedule.calm_down();
        for (name, count) in &schedule.world.seen {
            *seen.entry(name).or_default() += count;
        }
    }
    let names = [
        "start",
        "single",
        "cut",
        "dead letter",
        "skipped",
        "stopped",
        "exit",
        "hold back",
        "resume",
        "store",
        "release",
    ];
    for name in names {
        assert!(
            seen.get(name).is_some_and(|&n| n > 100),
            "{name} was hardly seen: {seen:?}"
        );
    }
}
