//! The watcher: what was called and sent, the mocks, and the failures of the test.
//!
//! Apps run on any thread, a test fails on its own. So a failure is kept here until the test asks.

use crate::function::Function;
use crate::lock::lock;
use crate::record::TopicRecord;
use crate::time::threads::Threads;
use crate::topology::Topology;
use crate::watching::calls::{CallOutcome, EndedRecord, RecordedCall, RecordedOutput};
use crate::watching::mock::Mock;
use crate::watching::transcript::{Event, Transcript};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Everything that a test sees of the functions of its apps. Clones share one watcher.
#[derive(Clone)]
pub(crate) struct Watcher(Arc<Shared>);

struct Shared {
    transcript: Transcript,
    /// The handlers with a time limit.
    limited: Mutex<BTreeSet<Function>>,
    seen: Mutex<Seen>,
    changed: Arc<Notify>,
    threads: Arc<Threads>,
    /// The number of processes so far.
    processes: AtomicU32,
}

#[derive(Default)]
struct Seen {
    calls: Vec<Arc<RecordedCall>>,
    ends: Vec<EndedRecord>,
    outputs: Vec<Arc<RecordedOutput>>,
    mocks: BTreeMap<Function, Arc<dyn Mock>>,
    /// Time that passes before each call of a handler begins.
    delays: BTreeMap<Function, Duration>,
    /// The longest random time before each call of any handler.
    jitter: Option<(Duration, SmallRng)>,
    failures: Vec<String>,
    panics_allowed: bool,
}

impl Watcher {
    /// `patience`: how long the clock stands still for a call that blocks its thread.
    pub(crate) fn new(patience: Duration, transcript: Transcript) -> Self {
        Self(Arc::new(Shared {
            transcript,
            limited: Mutex::default(),
            seen: Mutex::default(),
            changed: Arc::default(),
            threads: Threads::new(patience),
            processes: AtomicU32::new(0),
        }))
    }

    pub(crate) fn transcript(&self) -> &Transcript {
        &self.0.transcript
    }

    /// Names the handlers with a time limit, for an exploration.
    pub(crate) fn set_limited(&self, limited: BTreeSet<Function>) {
        *lock(&self.0.limited) = limited;
    }

    pub(super) fn is_limited(&self, function: Function) -> bool {
        lock(&self.0.limited).contains(&function)
    }

    pub(crate) fn threads(&self) -> &Arc<Threads> {
        &self.0.threads
    }

    /// The number of a process that starts now.
    pub(super) fn new_process(&self) -> u32 {
        self.0.processes.fetch_add(1, Relaxed)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.0.seen)
    }

    /// Wakes everything that awaits [`Watcher::changed`].
    pub(crate) fn notify(&self) {
        self.0.changed.notify_waiters();
    }

    /// For changes that the watcher itself does not see.
    pub(crate) fn notifier(&self) -> Arc<Notify> {
        self.0.changed.clone()
    }

    /// Ends with the next call, outcome or output. Make it before looking, await it after.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.0.changed.notified()
    }

    pub(super) fn add_call(&self, call: Arc<RecordedCall>) {
        self.0.transcript.note(Event::Called(call.clone()));
        self.seen().calls.push(call);
    }

    /// The calls of a handler in the order in which they began, refused records included.
    pub(crate) fn calls(&self, function: Function) -> Vec<Arc<RecordedCall>> {
        let mut calls = self.seen().calls.clone();
        calls.retain(|call| call.function == function);
        calls
    }

    /// The calls of all handlers so far.
    pub(crate) fn number_of_calls(&self) -> usize {
        self.seen().calls.len()
    }

    /// The calls of all handlers without the `first` ones.
    pub(crate) fn calls_from(&self, first: usize) -> Vec<Arc<RecordedCall>> {
        self.seen().calls.get(first..).unwrap_or_default().to_vec()
    }

    pub(super) fn call_ended(&self, call: &Arc<RecordedCall>) {
        self.0.transcript.note(Event::Returned(call.clone()));
    }

    pub(super) fn add_end(&self, end: EndedRecord) {
        self.0.transcript.note(Event::Ended(end));
        self.seen().ends.push(end);
        self.notify();
    }

    /// The records of a handler that have ended without having been accepted by it.
    pub(crate) fn ends(&self, function: Function) -> Vec<EndedRecord> {
        let mut ends = self.seen().ends.clone();
        ends.retain(|end| end.function == function);
        ends
    }

    /// The calls that have not returned, a line for each.
    pub(crate) fn running(&self) -> Vec<String> {
        let calls = self.seen().calls.clone();
        calls
            .iter()
            .filter(|call| call.outcome() == CallOutcome::Running)
            .map(|call| format!("{}: {}", call.function, call.line()))
            .collect()
    }

    /// Delays each call of a handler from here on.
    pub(crate) fn slow(&self, function: Function, time: Duration) {
        self.seen().delays.insert(function, time);
    }

    /// Delays each call of any handler from here on, by a random time up to the given one; the seed
    /// decides. `None` ends it.
    pub(crate) fn jitter(&self, jitter: Option<(Duration, u64)>) {
        let jitter = jitter.map(|(longest, seed)| (longest, SmallRng::seed_from_u64(seed)));
        self.seen().jitter = jitter;
    }

    /// The time that passes before a call begins.
    pub(super) fn delay(&self, function: Function) -> Option<Duration> {
        let mut seen = self.seen();
        let delay = seen.delays.get(&function).copied();
        let jitter = seen
            .jitter
            .as_mut()
            .map(|(longest, rng)| rng.random_range(Duration::ZERO..=*longest));
        match (delay, jitter) {
            (None, None) => None,
            (delay, jitter) => Some(delay.unwrap_or_default() + jitter.unwrap_or_default()),
        }
    }

    pub(super) fn add_output(&self, output: RecordedOutput) {
        self.seen().outputs.push(Arc::new(output));
        self.notify();
    }

    /// The records that a producer has handed over.
    pub(crate) fn outputs(&self, function: Function) -> Vec<Arc<RecordedOutput>> {
        let mut outputs = self.seen().outputs.clone();
        outputs.retain(|output| output.function == function);
        outputs
    }

    /// The producer of a record that a real broker shows, which does not say where it comes from: the
    /// first one that handed over the same record and was not taken for another record before.
    pub(crate) fn claim(&self, record: &TopicRecord, topology: &Topology) -> Option<Function> {
        let outputs = self.seen().outputs.clone();
        let output = outputs.iter().find(|output| {
            output.error.is_none()
                && output.topic == record.topic
                && topology.cluster_of(output.function) == record.cluster
                && output.key == record.key
                && output.payload == record.payload
                && output.headers == record.headers
                && !output.arrived.load(Relaxed)
        })?;
        output.arrived.store(true, Relaxed);
        Some(output.function)
    }

    /// The mock of a function, if it has one.
    pub(crate) fn mock(&self, function: Function) -> Option<Arc<dyn Mock>> {
        self.seen().mocks.get(&function).cloned()
    }

    pub(crate) fn set_mock(&self, function: Function, mock: Arc<dyn Mock>) {
        self.seen().mocks.insert(function, mock);
    }

    fn mocks(&self) -> Vec<Arc<dyn Mock>> {
        self.seen().mocks.values().cloned().collect()
    }

    /// Calls that wait for a mock whose guard the test holds: only the test can end that.
    pub(crate) fn blocked_calls(&self) -> Vec<String> {
        let mocks = self.mocks();
        mocks
            .iter()
            .filter_map(|mock| mock.blocked_call())
            .collect()
    }

    /// The expectations of mocks that are not met. They are not checked again.
    pub(crate) fn verify(&self) -> Vec<String> {
        let mocks = self.mocks();
        mocks.iter().filter_map(|mock| mock.verify()).collect()
    }

    /// A panic of a handler is an outcome like others from here on: it does not fail the test.
    pub(crate) fn allow_panics(&self) {
        self.seen().panics_allowed = true;
    }

    pub(super) fn panics_allowed(&self) -> bool {
        self.seen().panics_allowed
    }

    /// Keeps a failure for the test.
    pub(crate) fn fail(&self, failure: String) {
        self.seen().failures.push(failure);
        self.notify();
    }

    /// Takes the failures of the test: the first one, and the number of the others.
    pub(crate) fn take_failure(&self) -> Option<String> {
        let failures = std::mem::take(&mut self.seen().failures);
        let more = failures.len().saturating_sub(1);
        let mut first = failures.into_iter().next()?;
        if more > 0 {
            first.push_str(&format!("\n  and {more} more like it or after it"));
        }
        Some(first)
    }
}
