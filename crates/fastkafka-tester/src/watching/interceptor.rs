//! The watcher in its place around every call and output of an app.

use crate::lines::content_line;
use crate::schedule::choice::Choice;
use crate::schedule::gate::Gate;
use crate::watching::calls::{CallOutcome, EndedRecord, Number, RecordedCall, RecordedOutput};
use crate::watching::in_hand::InHand;
use crate::watching::mock::is_complaint;
use crate::watching::transcript::Event;
use crate::watching::watcher::Watcher;
use bytes::Bytes;
use fastkafka::error::Rejection;
use fastkafka::hook::{Around, HandlerCall, HandlerFuture};
use fastkafka::{Failure, ProduceError};
use fastkafka_core::{
    AppTask, ConsumerDef, Hooks, Interceptor, OutRecord, ProducerDef, RecordEnd, Run, RunEnd,
    RunFuture, TaskFailure, TaskGate, TopicPartition, panic_text,
};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

/// The watcher as the apps of one process meet it.
pub(crate) struct ProcessWatcher {
    watcher: Watcher,
    process: u32,
}

impl ProcessWatcher {
    /// For a process that starts now.
    pub(crate) fn new(watcher: &Watcher) -> Arc<Self> {
        Arc::new(Self {
            watcher: watcher.clone(),
            process: watcher.new_process(),
        })
    }

    pub(crate) fn process(&self) -> u32 {
        self.process
    }

    /// In an exploration a call may do everything and not return within its time limit.
    fn is_late(&self, call: &RecordedCall) -> bool {
        let steps = self.watcher.transcript().steps();
        steps.are_made()
            && steps.is_on_its_thread()
            && self.watcher.is_limited(call.function)
            && steps
                .ask(&format!("the end of {}", call.function), &[Choice::TimeOut])
                .is_some()
    }
}

impl Interceptor for ProcessWatcher {
    fn run<'r>(
        &'r self,
        handler: &'static ConsumerDef,
        run: &'r Run<'r>,
        hooks: Hooks<'r>,
    ) -> RunFuture<'r> {
        let future = match self.watcher.mock(handler.into()) {
            Some(mock) => mock.run(run, hooks),
            None => (handler.run)(run, hooks),
        };
        Box::pin(WatchedRun {
            of: self,
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
        // Recorded before the hook, which may fail the call or skip it.
        let running = RunningCall::begin(self, &call);
        let recorded = running.recorded.clone();
        let begun: HandlerFuture<'a> = Box::pin(async move {
            recorded.begin();
            self.watcher.notify();
            if let Some(delay) = self.watcher.delay(recorded.function) {
                tokio::time::sleep(delay).await;
            }
            next.await
        });
        let work = match hook {
            Some(hook) => hook.around(call, begun),
            None => begun,
        };
        let work = InHand::new(running.recorded.clone(), work);
        Box::pin(async move {
            let outcome = work.await;
            if self.is_late(&running.recorded) {
                let what = format!("{} does not return in time", running.recorded.function);
                self.watcher.transcript().note(Event::Deviation(what));
                std::future::pending::<()>().await;
            }
            running.end(outcome.as_ref().err());
            outcome
        })
    }

    fn block(&self, work: Box<dyn FnOnce() + Send>) {
        let steps = self.watcher.transcript().steps();
        if steps.are_made() {
            steps.block(work);
        } else {
            self.watcher.threads().run(work);
        }
    }

    fn undecoded(&self, call: &HandlerCall<'_>, rejection: &Rejection) {
        let running = RunningCall::begin(self, call);
        running.recorded.refuse(rejection);
        self.watcher.call_ended(&running.recorded);
        self.watcher.notify();
    }

    fn ended(
        &self,
        handler: &'static ConsumerDef,
        place: &'static TopicPartition,
        offset: i64,
        how: RecordEnd,
    ) {
        self.watcher.add_end(EndedRecord {
            function: handler.into(),
            process: self.process,
            place,
            offset,
            how,
            number: Number::next(),
        });
    }

    fn produced(
        &self,
        producer: &'static ProducerDef,
        record: &OutRecord<'_>,
        error: Option<&ProduceError>,
    ) {
        self.watcher.add_output(RecordedOutput {
            function: producer.into(),
            topic: record.topic.to_owned(),
            partition: record.partition,
            key: record.key.map(Bytes::copy_from_slice),
            payload: record.payload.map(Bytes::copy_from_slice),
            headers: record.headers.to_vec(),
            error: error.map(ToString::to_string),
            arrived: AtomicBool::new(false),
        });
    }

    fn gate(&self, task: AppTask<'_>) -> Option<Box<dyn TaskGate>> {
        Gate::before(self.watcher.transcript().steps(), self.process, task)
    }

    fn task_failed(&self, failure: &TaskFailure) {
        // An error before a restart is an outcome like others, a panic is not.
        let allowed = !failure.panicked || self.watcher.panics_allowed();
        if failure.is_final || !allowed {
            self.watcher.fail(failure.message.clone());
        }
    }
}

/// A run that notes its end on the way to the runtime, which decides what follows from it: which records
/// it has handled, and the text of a panic.
struct WatchedRun<'r> {
    of: &'r ProcessWatcher,
    handler: &'static ConsumerDef,
    run: &'r Run<'r>,
    future: RunFuture<'r>,
}

impl WatchedRun<'_> {
    /// The last call with a record of the run that `is_it`.
    fn last_call(
        &self,
        offset: i64,
        is_it: impl Fn(&RecordedCall) -> bool,
    ) -> Option<Arc<RecordedCall>> {
        let place = self.run.place;
        let calls = self.of.watcher.calls(self.handler.into());
        let mut latest_first = calls.into_iter().rev();
        latest_first.find(|call| {
            call.process == self.of.process
                && call.metadata.topic() == place.topic
                && call.metadata.partition() == place.partition
                && call.records.iter().any(|record| record.offset == offset)
                && is_it(call)
        })
    }

    fn ended(&self, end: &RunEnd) {
        if let Some((_, failure)) = &end.failure {
            let offset = self.run.records[end.handled].offset;
            if let Some(call) = self.last_call(offset, |_| true) {
                let accepted = call.records.iter().filter(|record| record.offset < offset);
                call.judge(accepted.count(), failure);
            }
        }
    }

    fn panicked(&self, text: &str) {
        let run = self.run;
        let current = run.scope.current();
        let record = &run.records[current];
        let watcher = &self.of.watcher;
        // The unwinding has dropped the call already, which counts as given up until here.
        let call = self.last_call(record.offset, |call| {
            call.metadata.offset() == record.offset && call.outcome() == CallOutcome::GivenUp
        });
        let is_complaint = is_complaint(text);
        if is_complaint || !watcher.panics_allowed() {
            let what = if is_complaint {
                text.to_owned()
            } else {
                format!("`{}` panicked: {text}", self.handler.name)
            };
            let position = format!("{} offset {}", run.place, record.offset);
            let record = content_line(&position, record.key, record.payload);
            let attempt = if current == 0 { run.attempt } else { 1 };
            watcher.fail(format!("{what}\n  record: {record}\n  attempt: {attempt}"));
        }
        // Last: a test that sees this outcome may end, and its end asks for the failures.
        if let Some(call) = call {
            call.end(CallOutcome::Panicked(text.to_owned()));
        }
        watcher.notify();
    }
}

impl Future for WatchedRun<'_> {
    type Output = RunEnd;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<RunEnd> {
        let this = &mut *self;
        let poll = AssertUnwindSafe(|| this.future.as_mut().poll(cx));
        match catch_unwind(poll) {
            Ok(poll) => {
                if let Poll::Ready(end) = &poll {
                    this.ended(end);
                }
                poll
            }
            Err(panic) => {
                this.panicked(panic_text(&*panic));
                resume_unwind(panic)
            }
        }
    }
}

/// A call until its end. A call that is dropped without an outcome was given up; if a panic dropped
/// it, [`WatchedRun`] says so right after.
struct RunningCall {
    recorded: Arc<RecordedCall>,
    watcher: Watcher,
}

impl RunningCall {
    fn begin(of: &ProcessWatcher, call: &HandlerCall<'_>) -> Self {
        let recorded = Arc::new(RecordedCall::new(
            call.handler.into(),
            of.process,
            call.attempt(),
            call.records(),
            call.metadata(),
        ));
        of.watcher.add_call(recorded.clone());
        Self {
            recorded,
            watcher: of.watcher.clone(),
        }
    }

    fn end(&self, failure: Option<&Failure>) {
        self.recorded.end(CallOutcome::new(failure));
        self.watcher.call_ended(&self.recorded);
        self.watcher.notify();
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        if self.recorded.outcome() == CallOutcome::Running {
            self.recorded.end(CallOutcome::GivenUp);
            self.watcher.call_ended(&self.recorded);
            self.watcher.notify();
        }
    }
}
