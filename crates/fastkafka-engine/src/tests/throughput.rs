//! How well order by key uses its concurrency: handlers that take virtual time, beside the least
//! time in which they could be done.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::lab::{RETRY, assigned, failed, handled, settled};
use crate::{Effect, Engine, Event, Key, Limits, Order, PartIndex, Policy, Read, Time};

const WAIT: Duration = Duration::from_millis(5);
const CONCURRENCY: u32 = 64;
/// What is read together.
const FETCH: usize = 1_024;
/// What a record weighs.
const BYTES: u64 = 100;

/// The key whose records fail.
const POISON: Option<Key> = Some(Key(0));

struct Plant {
    engine: Engine,
    now: Time,
    /// What each partition has not delivered yet.
    logs: Vec<VecDeque<(i64, Option<Key>)>>,
    keys: Vec<Vec<Option<Key>>>,
    held_back: Vec<bool>,
    /// When the handlers under way return.
    busy: BinaryHeap<Reverse<(Time, u32, u64, i64)>>,
    handled: usize,
    freed: usize,
    failures: u32,
    most_held: usize,
    read: usize,
    /// Until when the poison fails.
    poisoned: Time,
    last: Time,
}

impl Plant {
    fn new(partitions: Vec<Vec<Option<Key>>>, poisoned: Time) -> Self {
        let mut engine = Engine::new(Limits::default());
        let handler = engine.handler(Policy {
            order: Order::Key {
                concurrency: CONCURRENCY,
            },
            attempts: None,
            backoff_max: Duration::from_secs(1),
            ..Policy::default()
        });
        for _ in &partitions {
            engine.add(handler);
        }
        let log = |keys: &Vec<_>| (0..).zip(keys.iter().copied()).collect();
        let mut plant = Plant {
            engine,
            now: Time::ZERO,
            logs: partitions.iter().map(log).collect(),
            held_back: vec![false; partitions.len()],
            keys: partitions,
            busy: BinaryHeap::new(),
            handled: 0,
            freed: 0,
            failures: 0,
            most_held: 0,
            read: 0,
            poisoned,
            last: Time::ZERO,
        };
        for part in 0..plant.logs.len() {
            plant.step(assigned(u32::try_from(part).unwrap(), 0));
        }
        plant
    }

    fn step(&mut self, event: Event) {
        let mut out = Vec::new();
        self.engine.step(self.now, event, &mut out);
        for effect in out {
            match effect {
                Effect::Start {
                    part, run, span, ..
                } => {
                    let end = (self.now + WAIT, part.0, run.0, span.first);
                    self.busy.push(Reverse(end));
                    assert!(self.busy.len() <= CONCURRENCY as usize);
                }
                Effect::HoldBack { part, .. } => self.held_back[part.0 as usize] = true,
                Effect::Resume { part } => self.held_back[part.0 as usize] = false,
                Effect::Free { .. } => self.freed += 1,
                Effect::Store { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads what may be read, all partitions in turn.
    fn read(&mut self) {
        loop {
            let mut any = false;
            for part in 0..self.logs.len() {
                if self.held_back[part] || self.logs[part].is_empty() {
                    continue;
                }
                any = true;
                let n = FETCH.min(self.logs[part].len());
                let records = self.logs[part].drain(..n);
                let records = records.map(|(offset, key)| Read {
                    offset,
                    key,
                    bytes: BYTES,
                });
                let records: Vec<_> = records.collect();
                self.read += n;
                let part = PartIndex(u32::try_from(part).unwrap());
                self.step(Event::Read { part, records });
                self.most_held = self.most_held.max(self.read - self.freed);
            }
            if !any {
                return;
            }
        }
    }

    /// On to whatever comes next: a handler that returns, or a date of the engine's.
    fn go_on(&mut self) -> bool {
        self.read();
        let due = self.engine.next_deadline();
        let ends = self.busy.peek().map(|Reverse((end, ..))| *end);
        if due.is_some_and(|due| ends.is_none_or(|end| due < end)) {
            self.now = due.unwrap();
            self.step(Event::Tick);
            return true;
        }
        let Some(Reverse((end, part, run, at))) = self.busy.pop() else {
            return false;
        };
        self.now = end;
        let key = self.keys[part as usize][usize::try_from(at).unwrap()];
        if key == POISON && self.now < self.poisoned {
            self.failures += 1;
            self.step(failed(part, run, at..at + 1, RETRY));
            self.step(settled(part, run, at));
        } else {
            self.handled += 1;
            self.last = self.now;
            self.step(handled(part, run));
            self.step(settled(part, run, at + 1));
        }
        true
    }
}

/// `SplitMix64`: the same shuffle on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((x ^ x >> 31) % n as u64).unwrap()
    }
}

/// So many records as Zipf's law with exponent 1 gives each of 10,000 keys, shuffled; each key in
/// one of six partitions.
fn zipf(records: u32) -> (Vec<Vec<Option<Key>>>, usize) {
    let harmonic: f64 = (1..=10_000).map(|k| 1.0 / f64::from(k)).sum();
    let mut all = Vec::new();
    let mut left = 0.0;
    let mut hottest = 0;
    for k in 1..=10_000_u32 {
        left += f64::from(records) / f64::from(k) / harmonic;
        while left >= 1.0 {
            left -= 1.0;
            all.push(k);
        }
        if k == 1 {
            hottest = all.len();
        }
    }
    let mut random = Random(4);
    for i in (1..all.len()).rev() {
        all.swap(i, random.below(i + 1));
    }
    let mut partitions = vec![Vec::new(); 6];
    for k in all {
        partitions[k as usize % 6].push(Some(Key(k.into())));
    }
    (partitions, hottest)
}

fn seconds(tasks: usize) -> f64 {
    WAIT.as_secs_f64() * f64::from(u32::try_from(tasks).unwrap())
}

/// Runs to the end; says how near the bound it came.
fn efficiency(partitions: Vec<Vec<Option<Key>>>, hottest: usize) -> f64 {
    let records = partitions.iter().map(Vec::len).sum();
    let mut plant = Plant::new(partitions, Time::ZERO);
    while plant.go_on() {}
    assert_eq!(plant.handled, records);
    let bound = seconds(hottest).max(seconds(records) / f64::from(CONCURRENCY));
    bound / plant.now.as_secs_f64()
}

#[test]
fn by_key_the_hottest_key_never_waits() {
    let (partitions, hottest) = zipf(30_000);
    let efficiency = efficiency(partitions, hottest);
    assert!(efficiency > 0.99, "{efficiency}");
}

#[test]
fn keys_that_all_differ_and_records_without_one_use_the_whole_concurrency() {
    let keys: [fn(u64) -> Option<Key>; 2] = [|n| Some(Key(n + 1)), |_| None];
    for key in keys {
        // Of very different sizes: a partition that is over leaves its share to the others.
        let sizes = [10_000, 1, 0, 3_000, 20_000, 500];
        let partitions = sizes.map(|size: u64| (0..size).map(key).collect());
        let efficiency = efficiency(partitions.to_vec(), 1);
        assert!(efficiency > 0.99, "{efficiency}");
    }
}

#[test]
fn a_poison_key_that_fails_for_a_minute_holds_up_none_of_90_000_records_behind_it() {
    let others = (0..90_000).map(|n| Some(Key(1 + n % 1_000)));
    let partition = std::iter::once(POISON).chain(others).collect();
    let minute = Duration::from_secs(60);
    let mut plant = Plant::new(vec![partition], minute);
    while plant.handled < 90_000 {
        assert!(plant.go_on());
    }
    // The poison took a place of 64 for a small part of the time.
    let most = Duration::from_secs_f64(seconds(90_000) / 63.0);
    assert!(plant.now < most, "{:?}, not {most:?}", plant.now);
    assert_eq!(plant.freed, 90_000);
    let limits = Limits::default();
    let held = usize::try_from(limits.held_records).unwrap() + FETCH;
    assert!(plant.most_held <= held, "{} were held", plant.most_held);
    while plant.go_on() {}
    assert!(plant.last >= minute && plant.failures > 50);
    assert_eq!((plant.handled, plant.freed), (90_001, 90_001));
}
