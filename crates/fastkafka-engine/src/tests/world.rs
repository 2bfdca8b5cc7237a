//! A process around the engine: logs, lanes, outputs on their way, and a mailbox.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::oracle::Oracle;
use super::run::{Output, Run};
use crate::{Broken, Effect, Engine, Event, Failure, Limits, PartIndex, Policy, RunId, Span, Time};

pub(super) struct World {
    pub(super) now: Time,
    pub(super) engine: Engine,
    pub(super) oracle: Oracle,
    pub(super) logs: Vec<Log>,
    pub(super) lanes: Vec<Lane>,
    pub(super) runs: BTreeMap<RunId, Run>,
    /// Dead letters under way.
    pub(super) letters: Vec<(PartIndex, RunId)>,
    /// What was asked back, and which of it is still to be drained.
    pub(super) revokes: Vec<(Vec<PartIndex>, Vec<PartIndex>)>,
    pub(super) trace: Vec<String>,
    /// Effects by name, for coverage.
    pub(super) seen: BTreeMap<&'static str, u32>,
}

/// A partition at the broker, and where its reader stands.
pub(super) struct Log {
    pub(super) offsets: Vec<i64>,
    pub(super) read: usize,
    pub(super) committed: i64,
    /// What its lane said and the engine has not heard; reports of outputs do not wait for it.
    pub(super) said: VecDeque<Event>,
}

/// One round of one partition, as a task of its own: an overlap would be seen.
pub(super) struct Lane {
    pub(super) part: PartIndex,
    cut: u32,
    queue: VecDeque<RunId>,
    /// Records in hand: of the first run in the queue.
    pub(super) in_hand: usize,
    is_cut: bool,
    parked: bool,
    over: bool,
}

impl Lane {
    pub(super) fn may_begin(&self) -> bool {
        self.in_hand == 0 && !self.parked && !self.over && !self.queue.is_empty()
    }
}

impl World {
    pub(super) fn new(policy: &Policy, limits: Limits, logs: Vec<Vec<i64>>) -> Self {
        let mut engine = Engine::new(limits);
        for _ in &logs {
            let handler = engine.handler(policy.clone());
            engine.add(handler);
        }
        World {
            now: Duration::ZERO,
            engine,
            oracle: Oracle::new(policy.clone(), limits, logs.len()),
            logs: logs
                .into_iter()
                .map(|offsets| Log {
                    offsets,
                    read: 0,
                    committed: 0,
                    said: VecDeque::new(),
                })
                .collect(),
            lanes: Vec::new(),
            runs: BTreeMap::new(),
            letters: Vec::new(),
            revokes: Vec::new(),
            trace: Vec::new(),
            seen: BTreeMap::new(),
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.trace.push(format!("{:?} {event:?}", self.now));
        self.oracle.told(self.now, &event);
        let mut effects = Vec::new();
        self.engine.step(self.now, event, &mut effects);
        for effect in effects {
            self.trace.push(format!("        {effect:?}"));
            self.oracle.sees(self.now, &effect);
            self.perform(effect);
        }
        self.check();
    }

    fn perform(&mut self, effect: Effect) {
        let name = match &effect {
            Effect::Start { single: true, .. } => "single",
            Effect::Start { .. } => "start",
            Effect::Cut { .. } => "cut",
            Effect::DeadLetter { .. } => "dead letter",
            Effect::Skipped { .. } => "skipped",
            Effect::Stopped { .. } => "stopped",
            Effect::Exit { .. } => "exit",
            Effect::HoldBack { .. } => "hold back",
            Effect::Resume { .. } => "resume",
            Effect::Store { .. } => "store",
            Effect::Free { .. } => unreachable!("in partition order the watermark frees"),
            Effect::Release { .. } => "release",
        };
        *self.seen.entry(name).or_default() += 1;
        match effect {
            Effect::Start {
                part,
                cut,
                run,
                span,
                single,
                ..
            } => self.enqueue(part, cut, run, span, single),
            Effect::Cut { part, cut } => {
                let lane = self.lane(part, cut).expect("only what started is cut");
                self.lanes[lane].is_cut = true;
                if self.lanes[lane].over {
                    self.say(
                        part,
                        Event::Ended {
                            part,
                            cut,
                            at: None,
                        },
                    );
                } else if self.lanes[lane].in_hand == 0 {
                    self.halt(lane);
                }
            }
            Effect::DeadLetter { part, run, .. } => self.letters.push((part, run)),
            Effect::Release { parts } => self.released(&parts),
            _ => {}
        }
    }

    fn lane(&self, part: PartIndex, cut: u32) -> Option<usize> {
        let same = |lane: &Lane| (lane.part, lane.cut) == (part, cut);
        self.lanes.iter().position(same)
    }

    fn enqueue(&mut self, part: PartIndex, cut: u32, run: RunId, span: Span, single: bool) {
        let lane = self.lane(part, cut).unwrap_or_else(|| {
            self.lanes.push(Lane {
                part,
                cut,
                queue: VecDeque::new(),
                in_hand: 0,
                is_cut: false,
                parked: false,
                over: false,
            });
            self.lanes.len() - 1
        });
        assert!(!self.lanes[lane].is_cut, "a start in a round that was cut");
        if self.lanes[lane].over {
            return;
        }
        let all = &self.logs[part.0 as usize].offsets;
        let within = |offset: &&i64| (span.first..span.next).contains(*offset);
        let offsets: Vec<i64> = all.iter().filter(within).copied().collect();
        assert!(!offsets.is_empty(), "a run without records");
        self.lanes[lane].queue.push_back(run);
        self.runs.insert(
            run,
            Run {
                part,
                cut,
                offsets,
                next: span.next,
                unit: self.oracle.policy.batch && !single,
                outputs: Vec::new(),
                done: false,
                told: 0,
                broken: false,
            },
        );
    }

    pub(super) fn begin(&mut self, lane: usize) {
        let (part, id) = (self.lanes[lane].part, self.lanes[lane].queue[0]);
        let beside = |l: &Lane| l.part == part && l.in_hand > 0;
        assert!(
            !self.lanes.iter().any(beside),
            "S5: two lanes of {part:?} at work"
        );
        let run = &self.runs[&id];
        let at = run.outputs.len();
        let end = if run.unit { run.offsets.len() } else { at + 1 };
        let unit = run.offsets[at..end].to_vec();
        self.trace.push(format!("        begins {part:?} {unit:?}"));
        self.oracle.begin(part.0 as usize, id, &unit, self.now);
        self.lanes[lane].in_hand = unit.len();
    }

    /// The handler accepts what is in hand; `silent` records have no outputs.
    pub(super) fn succeed(&mut self, lane: usize, silent: bool) {
        let count = std::mem::take(&mut self.lanes[lane].in_hand);
        self.handle(lane, count, silent);
        let id = self.lanes[lane].queue[0];
        let run = self.runs.get_mut(&id).unwrap();
        if run.outputs.len() == run.offsets.len() {
            run.done = true;
            self.lanes[lane].queue.pop_front();
        }
        if self.lanes[lane].is_cut {
            self.halt(lane);
        }
    }

    /// How far into what is in hand `offset` is, if at all.
    pub(super) fn position_in_hand(&self, lane: usize, offset: i64) -> Option<usize> {
        let lane = &self.lanes[lane];
        let run = &self.runs[&lane.queue[0]];
        if lane.part != PartIndex(0) {
            return None;
        }
        let unit = &run.offsets[run.outputs.len()..][..lane.in_hand];
        unit.iter().position(|&inside| inside == offset)
    }

    fn handle(&mut self, lane: usize, count: usize, silent: bool) {
        let id = self.lanes[lane].queue[0];
        let run = self.runs.get_mut(&id).unwrap();
        for _ in 0..count {
            let offset = run.offsets[run.outputs.len()];
            self.oracle.handled(run.part.0 as usize, id, offset);
            run.outputs.push(match silent {
                true => Output::Acked,
                false => Output::Pending,
            });
        }
    }

    /// The handler refuses what is in hand, or of a batch the record `good`, those before it
    /// being done.
    pub(super) fn fail(&mut self, lane: usize, failure: Failure, good: Option<usize>) {
        let mut count = std::mem::take(&mut self.lanes[lane].in_hand);
        if let Some(good) = good.filter(|&good| good < count) {
            self.handle(lane, good, false);
            count = 1;
        }
        let (part, cut) = (self.lanes[lane].part, self.lanes[lane].cut);
        let id = self.lanes[lane].queue.pop_front().unwrap();
        let run = self.runs.get_mut(&id).unwrap();
        run.done = true;
        let (at, next) = (
            run.offset(run.outputs.len()),
            run.offset(run.outputs.len() + count),
        );
        self.over(lane);
        let failed = Event::Failed {
            part,
            run: id,
            at,
            next,
            failure,
        };
        self.say(part, failed);
        if self.lanes[lane].is_cut {
            let at = Some(next);
            self.say(part, Event::Ended { part, cut, at });
        }
    }

    /// A cut lane at a boundary.
    fn halt(&mut self, lane: usize) {
        let (part, cut) = (self.lanes[lane].part, self.lanes[lane].cut);
        let first = self.lanes[lane].queue.front().copied();
        let at = first.map(|id| self.runs[&id].offset(self.runs[&id].outputs.len()));
        if let Some(id) = first
            && !self.runs[&id].outputs.is_empty()
        {
            self.runs.get_mut(&id).unwrap().done = true;
            self.lanes[lane].queue.pop_front();
        }
        self.over(lane);
        self.say(part, Event::Ended { part, cut, at });
    }

    fn over(&mut self, lane: usize) {
        self.lanes[lane].over = true;
        for forgotten in std::mem::take(&mut self.lanes[lane].queue) {
            self.runs.remove(&forgotten);
        }
    }

    fn say(&mut self, part: PartIndex, event: Event) {
        self.logs[part.0 as usize].said.push_back(event);
    }

    /// Reports what is new about a run.
    pub(super) fn report(&mut self, id: RunId) {
        let run = self.runs.get_mut(&id).unwrap();
        let (part, settled) = (run.part, run.settled());
        run.told = settled;
        let broken = run.lost().map(|failure| Broken {
            at: run.offset(settled),
            next: run.offset(settled + 1),
            failure,
        });
        run.broken |= broken.is_some();
        let (prefix, closed, cut) = (run.offset(settled), run.closes(), run.cut);
        if closed {
            self.runs.remove(&id);
        }
        if broken.is_some()
            && let Some(lane) = self.lane(part, cut)
        {
            self.lanes[lane].parked = true;
        }
        self.tell(Event::Settled {
            part,
            run: id,
            prefix,
            broken,
            closed,
        });
    }

    fn released(&mut self, parts: &[PartIndex]) {
        let answered = self.revokes.iter().position(|(asked, _)| asked == parts);
        let answered = answered.expect("a release answers a revoke or a loss");
        let (_, draining) = self.revokes.remove(answered);
        for p in draining.iter().map(|part| part.0 as usize) {
            let truth = &mut self.oracle.parts[p];
            let deadline = truth.revoking.take().expect("a revoke has a deadline");
            if self.now < deadline {
                assert!(!truth.under_way(), "S4: {p} released while at work");
                let at_work = |l: &Lane| l.part.0 as usize == p && l.in_hand > 0;
                assert!(
                    !self.lanes.iter().any(at_work),
                    "S4: {p} released in its middle"
                );
            }
            assert!(
                self.oracle.is_stored(p),
                "S4: {p} released before its store"
            );
            let truth = &mut self.oracle.parts[p];
            truth.assigned = false;
            self.logs[p].committed = truth.stored;
        }
    }

    fn check(&self) {
        let limits = &self.oracle.limits;
        let open = self
            .runs
            .values()
            .map(|run| run.offsets.len() as u64)
            .sum::<u64>();
        assert!(
            open < limits.outstanding + 3,
            "S10: {open} records outstanding"
        );
        for (_, draining) in &self.revokes {
            let at_work = |part: &PartIndex| {
                let p = part.0 as usize;
                let truth = &self.oracle.parts[p];
                let runs = self.lanes.iter().any(|l| l.part == *part && !l.over);
                runs || truth.under_way() || !self.logs[p].said.is_empty()
            };
            assert!(draining.iter().any(at_work), "L5: {draining:?} is drained");
        }
        for (p, truth) in self
            .oracle
            .parts
            .iter()
            .enumerate()
            .filter(|(_, t)| t.assigned)
        {
            assert!(
                self.oracle.is_stored(p),
                "L6: {p} is settled and not stored"
            );
            let held = self.oracle.held(p) as u64;
            assert!(held < limits.held_records + 3, "S10: {held} records held");
            assert!(
                truth.held
                    || held < limits.held_records
                    || truth.revoking.is_some()
                    || self.oracle.shutdown,
                "S10: {p} is not held back"
            );
        }
    }
}

impl Drop for World {
    /// A failed schedule tells how it came to that.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.trace.join("\n"));
        }
    }
}
