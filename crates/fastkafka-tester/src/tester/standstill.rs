//! Virtual time that stands still because the apps never come to rest.
//!
//! The clock moves when everything waits. A handler that writes to its own topic never does, and the test
//! would wait for it without end.

use super::Tester;
use crate::function::Function;
use crate::lines::record_line;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// The most calls, and records that arrive, at one instant.
const STEPS: usize = 100_000;
/// As many more for each record that there was before: a test may send as many as it likes.
const STEPS_PER_RECORD: usize = 20;

/// The most looks, one after another, that find neither.
const LOOKS: usize = 10_000;

/// Counts what happens at one instant of virtual time. In real time each instant is another one.
pub(super) struct Standstill {
    since: Instant,
    /// Of all calls and records those that there were then.
    calls: usize,
    records: usize,
    /// The steps at the last look, and how many looks have found no other since.
    steps: usize,
    looks: usize,
}

impl Standstill {
    pub(super) fn new(tester: &Tester) -> Self {
        Self {
            since: Instant::now(),
            calls: tester.watcher().number_of_calls(),
            records: tester.journal().number_of_records(),
            steps: 0,
            looks: 0,
        }
    }

    /// To be called whenever something has happened. Names what happens without end.
    pub(super) fn look(&mut self, tester: &Tester) -> Option<String> {
        if Instant::now() != self.since {
            *self = Self::new(tester);
            return None;
        }
        let calls = tester.watcher().number_of_calls() - self.calls;
        let records = tester.journal().number_of_records() - self.records;
        let steps = calls + records;
        if steps == self.steps {
            self.looks += 1;
        } else {
            (self.steps, self.looks) = (steps, 0);
        }
        if self.looks <= LOOKS && steps <= STEPS + STEPS_PER_RECORD * self.records {
            return None;
        }
        let busiest = self.busiest(tester);
        let busiest = busiest.unwrap_or_else(|| "the consumers wake each other".to_owned());
        Some(format!("a loop in which no time passes: {busiest}"))
    }

    /// The handler with the most calls, and the last record that was written.
    fn busiest(&self, tester: &Tester) -> Option<String> {
        let calls = tester.watcher().calls_from(self.calls);
        let mut often: BTreeMap<Function, usize> = BTreeMap::new();
        for call in &calls {
            *often.entry(call.function).or_default() += 1;
        }
        let (function, times) = often.into_iter().max_by_key(|(_, times)| *times)?;
        let last = calls.iter().rev().find(|call| call.function == function)?;
        let called = format!("{function} was called {times} times, last: {}", last.line());
        let written = tester.journal().all();
        Some(match written.get(self.records..) {
            Some([.., last]) => format!("{called}\n  the last record: {}", record_line(last)),
            _ => called,
        })
    }
}
