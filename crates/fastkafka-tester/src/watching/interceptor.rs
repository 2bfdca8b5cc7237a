//! The watcher in its place around every call and output of an app.

use crate::lines::content_line;
use crate::watching::calls::{CallOutcome, RecordedCall, RecordedOutput};
use crate::watching::mock::is_complaint;
use crate::watching::watcher::Watcher;
use bytes::Bytes;
use fastkafka::error::Rejection;
use fastkafka::hook::{Around, HandlerCall, HandlerFuture};
use fastkafka::{Failure, ProduceError};
use fastkafka_core::{
    ConsumerDef, Hooks, Interceptor, OutRecord, ProducerDef, Run, RunEnd, RunFuture, TaskFailure,
    panic_text,
};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

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
        Box::pin(WatchedRun {
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
        // Recorded before the hook, which may fail the call or skip it.
        let running = RunningCall::begin(self, &call);
        let recorded = running.recorded.clone();
        let begun: HandlerFuture<'a> = Box::pin(async move {
            recorded.begin();
            self.notify();
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
            running.end(outcome.as_ref().err());
            outcome
        })
    }

    fn block(&self, work: Box<dyn FnOnce() + Send>) {
        self.threads().run(work);
    }

    fn undecoded(&self, call: &HandlerCall<'_>, rejection: &Rejection) {
        let running = RunningCall::begin(self, call);
        running.recorded.refuse(rejection);
        self.notify();
    }

    fn produced(
        &self,
        producer: &'static ProducerDef,
        record: &OutRecord<'_>,
        error: Option<&ProduceError>,
    ) {
        self.add_output(RecordedOutput {
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

    fn task_failed(&self, failure: &TaskFailure) {
        // An error before a restart is an outcome like others, a panic is not.
        let allowed = !failure.panicked || self.panics_allowed();
        if failure.is_final || !allowed {
            self.fail(failure.message.clone());
        }
    }
}

/// A run that notes the text of a panic on its way to the runtime, which decides what follows from it.
struct WatchedRun<'r> {
    watcher: &'r Watcher,
    handler: &'static ConsumerDef,
    run: &'r Run<'r>,
    future: RunFuture<'r>,
}

impl WatchedRun<'_> {
    fn panicked(&self, text: &str) {
        let run = self.run;
        let current = run.scope.current();
        let record = &run.records[current];
        let calls = self.watcher.calls(self.handler.into());
        // The unwinding has dropped the call already, which counts as given up until here.
        let call = calls.iter().rev().find(|call| {
            call.metadata.topic() == run.place.topic
                && call.metadata.partition() == run.place.partition
                && call.metadata.offset() == record.offset
                && call.outcome() == CallOutcome::GivenUp
        });
        let is_complaint = is_complaint(text);
        if is_complaint || !self.watcher.panics_allowed() {
            let what = if is_complaint {
                text.to_owned()
            } else {
                format!("`{}` panicked: {text}", self.handler.name)
            };
            let position = format!("{} offset {}", run.place, record.offset);
            let record = content_line(&position, record.key, record.payload);
            let attempt = if current == 0 { run.attempt } else { 1 };
            self.watcher
                .fail(format!("{what}\n  record: {record}\n  attempt: {attempt}"));
        }
        // Last: a test that sees this outcome may end, and its end asks for the failures.
        if let Some(call) = call {
            call.end(CallOutcome::Panicked(text.to_owned()));
        }
        self.watcher.notify();
    }
}

impl Future for WatchedRun<'_> {
    type Output = RunEnd;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<RunEnd> {
        let this = &mut *self;
        let poll = AssertUnwindSafe(|| this.future.as_mut().poll(cx));
        match catch_unwind(poll) {
            Ok(poll) => poll,
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
    fn begin(watcher: &Watcher, call: &HandlerCall<'_>) -> Self {
        let recorded = Arc::new(RecordedCall::new(
            call.handler.into(),
            call.attempt(),
            call.records(),
            call.metadata(),
        ));
        watcher.add_call(recorded.clone());
        Self {
            recorded,
            watcher: watcher.clone(),
        }
    }

    fn end(&self, failure: Option<&Failure>) {
        self.recorded.end(CallOutcome::new(failure));
        self.watcher.notify();
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        if self.recorded.outcome() == CallOutcome::Running {
            self.recorded.end(CallOutcome::GivenUp);
            self.watcher.notify();
        }
    }
}
