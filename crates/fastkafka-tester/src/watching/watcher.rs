//! Sees every call and output of the apps under test, puts mocks in place of handlers, and keeps
//! what has to fail the test until its own thread asks.

use crate::function::Function;
use crate::functions::mock::{self, Mock};
use crate::observed::report::content_line;
use crate::time::threads::Threads;
use crate::topology::Topology;
use crate::watching::calls::{CallOutcome, HandedOver, Recorded};
use crate::watching::journal::TopicRecord;
use bytes::Bytes;
use fastkafka::error::Rejection;
use fastkafka::hook::{Around, HandlerCall, HandlerFuture};
use fastkafka::{Failure, ProduceError};
use fastkafka_core::{
    ConsumerDef, Hooks, Interceptor, OutRecord, ProducerDef, Run, RunEnd, RunFuture, TaskFailure,
    panic_text,
};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// See the module. Cloned handles are one watcher.
#[derive(Clone)]
pub(crate) struct Watcher(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    changed: Arc<Notify>,
    threads: Arc<Threads>,
}

#[derive(Default)]
struct State {
    calls: Vec<Arc<Recorded>>,
    outputs: Vec<Arc<HandedOver>>,
    mocks: BTreeMap<Function, Arc<dyn Mock>>,
    /// How long calls of a handler take before they begin.
    slow: BTreeMap<Function, Duration>,
    /// The same of every call: at most so long, by chance.
    jitter: Option<(Duration, SmallRng)>,
    failures: Vec<String>,
    panics_allowed: bool,
}

impl Watcher {
    /// `patience`: how long the clock stands still for a call that blocks its thread.
    pub(crate) fn new(patience: Duration) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            changed: Arc::default(),
            threads: Threads::new(patience),
        }))
    }

    pub(crate) fn threads(&self) -> &Threads {
        &self.0.threads
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.0.changed.notify_waiters();
    }

    /// Rung by what the watcher itself does not see.
    pub(crate) fn wakeup(&self) -> Arc<Notify> {
        self.0.changed.clone()
    }

    /// Ends with the next call, outcome or output. Make it before looking, await it after.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.0.changed.notified()
    }

    /// The calls of a handler in the order in which they began, with what it refused.
    pub(crate) fn calls(&self, function: Function) -> Vec<Arc<Recorded>> {
        let mut calls = self.state().calls.clone();
        calls.retain(|call| call.function == function);
        calls
    }

    /// From here on each call of a handler takes so long before it begins.
    pub(crate) fn slow(&self, function: Function, time: Duration) {
        self.state().slow.insert(function, time);
    }

    /// From here on each call of any handler takes at most so long before it begins; `None`: no longer.
    pub(crate) fn jitter(&self, jitter: Option<(Duration, u64)>) {
        let jitter = jitter.map(|(most, seed)| (most, SmallRng::seed_from_u64(seed)));
        self.state().jitter = jitter;
    }

    fn delay(&self, function: Function) -> Option<Duration> {
        let mut state = self.state();
        let slow = state.slow.get(&function).copied();
        let jitter = state.jitter.as_mut();
        let jitter = jitter.map(|(most, rng)| rng.random_range(Duration::ZERO..=*most));
        match (slow, jitter) {
            (None, None) => None,
            (slow, jitter) => Some(slow.unwrap_or_default() + jitter.unwrap_or_default()),
        }
    }

    /// The calls that have not returned, a line each.
    pub(crate) fn running(&self) -> Vec<String> {
        let calls = self.state().calls.clone();
        let running = calls
            .iter()
            .filter(|call| call.outcome() == CallOutcome::Running);
        running
            .map(|call| format!("{}: {}", call.function, call.line()))
            .collect()
    }

    /// What a producer has handed over.
    pub(crate) fn outputs(&self, function: Function) -> Vec<Arc<HandedOver>> {
        let mut outputs = self.state().outputs.clone();
        outputs.retain(|output| output.function == function);
        outputs
    }

    /// Which producer a record comes from that a real broker shows: the first that handed over the
    /// same and has not been seen yet.
    pub(crate) fn claim(&self, record: &TopicRecord, topology: &Topology) -> Option<Function> {
        let outputs = self.state().outputs.clone();
        let same = |output: &&Arc<HandedOver>| {
            output.error.is_none()
                && output.topic == record.topic
                && topology.cluster_of(output.function) == record.cluster
                && output.key == record.key
                && output.payload == record.payload
                && output.headers == record.headers
                && !output.arrived.load(Relaxed)
        };
        let output = outputs.iter().find(same)?;
        output.arrived.store(true, Relaxed);
        Some(output.function)
    }

    /// The mock of a function, if it has one.
    pub(crate) fn mock(&self, function: Function) -> Option<Arc<dyn Mock>> {
        self.state().mocks.get(&function).cloned()
    }

    pub(crate) fn set_mock(&self, function: Function, mock: Arc<dyn Mock>) {
        self.state().mocks.insert(function, mock);
    }

    /// A panic of a handler is an outcome like others: it does not fail the test.
    pub(crate) fn allow_panics(&self) {
        self.state().panics_allowed = true;
    }

    /// Something that has to fail the test.
    pub(crate) fn fail(&self, failure: String) {
        self.state().failures.push(failure);
        self.tell();
    }

    /// What has to fail the test, once: the first, and how many more.
    pub(crate) fn take_failure(&self) -> Option<String> {
        let failures = std::mem::take(&mut self.state().failures);
        let more = failures.len().saturating_sub(1);
        let mut first = failures.into_iter().next()?;
        if more > 0 {
            first.push_str(&format!("\n  and {more} more like it or after it"));
        }
        Some(first)
    }

    /// Calls that wait for a mock which the test has not put in place: nothing but the test can end
    /// that.
    pub(crate) fn waiting_for_mocks(&self) -> Vec<String> {
        let mocks: Vec<_> = self.state().mocks.values().cloned().collect();
        mocks.iter().filter_map(|mock| mock.waited_for()).collect()
    }

    /// The expectations of mocks that are not met. They are not checked again.
    pub(crate) fn verify(&self) -> Vec<String> {
        let mocks: Vec<_> = self.state().mocks.values().cloned().collect();
        mocks.iter().filter_map(|mock| mock.verify()).collect()
    }

    fn record(&self, call: &HandlerCall<'_>) -> UnderWay {
        let recorded = Arc::new(Recorded::new(
            call.handler.into(),
            call.attempt(),
            call.records(),
            call.metadata(),
        ));
        self.state().calls.push(recorded.clone());
        UnderWay {
            recorded,
            watcher: self.clone(),
        }
    }

    fn panicked(&self, handler: &'static ConsumerDef, run: &Run<'_>, text: &str) {
        let mut state = self.state();
        let current = run.scope.current();
        let record = &run.records[current];
        let call = state.calls.iter().rev().find(|call| {
            call.function == handler.into()
                && call.metadata.topic() == run.place.topic
                && call.metadata.partition() == run.place.partition
                && call.metadata.offset() == record.offset
                && call.outcome() == CallOutcome::GivenUp
        });
        if let Some(call) = call {
            call.end(CallOutcome::Panicked(text.to_owned()));
        }
        let is_mismatch = mock::is_mismatch(text);
        if is_mismatch || !state.panics_allowed {
            let what = match is_mismatch {
                true => text.to_owned(),
                false => format!("`{}` panicked: {text}", handler.name),
            };
            let place = format!("{} offset {}", run.place, record.offset);
            let record = content_line(&place, record.key, record.payload);
            let attempt = if current == 0 { run.attempt } else { 1 };
            state
                .failures
                .push(format!("{what}\n  record: {record}\n  attempt: {attempt}"));
        }
        drop(state);
        self.tell();
    }
}

impl Interceptor for Watcher {
    fn run<'r>(
        &'r self,
        handler: &'static ConsumerDef,
        run: &'r Run<'r>,
        hooks: Hooks<'r>,
    ) -> RunFuture<'r> {
        let future = match self.mock(handler.into()) {
            Some(mock) => mock.run(run, hooks),
            None => (handler.run)(run, hooks),
        };
        Box::pin(Watched {
            watcher: self,
            handler,
            run,
            future,
        })
    }

    fn call<'a>(
        &'a self,
        call: HandlerCall<'a>,
        hook: Option<&'a dyn Around>,
        next: HandlerFuture<'a>,
    ) -> HandlerFuture<'a> {
        let under_way = self.record(&call);
        let recorded = under_way.recorded.clone();
        let begun: HandlerFuture<'a> = Box::pin(async move {
            recorded.begin();
            self.tell();
            if let Some(delay) = self.delay(recorded.function) {
                tokio::time::sleep(delay).await;
            }
            next.await
        });
        let work = match hook {
            Some(hook) => hook.around(call, begun),
            None => begun,
        };
        Box::pin(async move {
            let outcome = work.await;
            under_way.end(outcome.as_ref().err());
            outcome
        })
    }

    fn block(&self, work: Box<dyn FnOnce() + Send>) {
        self.0.threads.run(work);
    }

    fn undecoded(&self, call: &HandlerCall<'_>, rejection: &Rejection) {
        let under_way = self.record(call);
        under_way.recorded.refuse(rejection);
        self.tell();
    }

    fn produced(
        &self,
        producer: &'static ProducerDef,
        record: &OutRecord<'_>,
        error: Option<&ProduceError>,
    ) {
        let output = HandedOver {
            function: producer.into(),
            topic: record.topic.to_owned(),
            partition: record.partition,
            key: record.key.map(Bytes::copy_from_slice),
            payload: record.payload.map(Bytes::copy_from_slice),
            headers: record.headers.to_vec(),
            error: error.map(ToString::to_string),
            arrived: AtomicBool::new(false),
        };
        self.state().outputs.push(Arc::new(output));
        self.tell();
    }

    fn task_failed(&self, failure: &TaskFailure) {
        // An error before a restart is an outcome like others, a panic is not.
        let allowed = !failure.panicked || self.state().panics_allowed;
        if failure.is_final || !allowed {
            self.fail(failure.message.clone());
        }
    }
}

/// A run that notes the text of a panic on its way to the runtime, which judges it.
struct Watched<'r> {
    watcher: &'r Watcher,
    handler: &'static ConsumerDef,
    run: &'r Run<'r>,
    future: RunFuture<'r>,
}

impl Future for Watched<'_> {
    type Output = RunEnd;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<RunEnd> {
        let this = &mut *self;
        let poll = AssertUnwindSafe(|| this.future.as_mut().poll(cx));
        match catch_unwind(poll) {
            Ok(poll) => poll,
            Err(panic) => {
                this.watcher
                    .panicked(this.handler, this.run, panic_text(&*panic));
                resume_unwind(panic)
            }
        }
    }
}

/// A call until its end. Where none is told, it was given up; a panic says so right after.
struct UnderWay {
    recorded: Arc<Recorded>,
    watcher: Watcher,
}

impl UnderWay {
    fn end(&self, failure: Option<&Failure>) {
        self.recorded.end(CallOutcome::new(failure));
        self.watcher.tell();
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.recorded.outcome() == CallOutcome::Running {
            self.recorded.end(CallOutcome::GivenUp);
            self.watcher.tell();
        }
    }
}
