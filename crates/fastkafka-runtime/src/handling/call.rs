//! One call of a handler's run: on the task at hand or on a thread, with its time limit, its panics
//! and what it spawns.

use crate::handling::dead_letter::RunLetters;
use crate::handling::few_lines::FewLines;
use crate::handling::handler::Handler;
use crate::handling::job::Job;
use crate::handling::spawned::{self, Origin, Spawned};
use crate::measures::Meters;
use crate::shared::Shared;
use crate::transport::PartitionRef;
use fastkafka_core::{
    Ambient, AppContext, CatchRun, Failure, Record, Run, RunEnd, ScopeRef, Scoped, handle,
};
use fastkafka_engine::PartIndex;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;
use tokio::sync::oneshot;

/// The end of a call: that of the run, or a panic.
type CallEnd = Result<RunEnd, String>;

/// The surroundings of a handler that is called for a partition.
#[derive(Debug)]
pub(crate) struct HandlerContext {
    pub(crate) app: Arc<AppContext>,
    pub(crate) part: PartIndex,
    pub(crate) place: PartitionRef,
    pub(crate) handler: Arc<Handler>,
    pub(crate) meters: Arc<Meters>,
    pub(crate) shared: Arc<Shared>,
    /// Of dead letters that are written.
    pub(crate) letter_lines: FewLines,
}

impl HandlerContext {
    /// Handles the run. `spare` is the allocation of an earlier one.
    pub(crate) async fn handle(
        self: &Arc<Self>,
        job: &Job,
        spawned: &Arc<Spawned>,
        spare: Vec<Record<'static>>,
    ) -> (RunEnd, Vec<Record<'static>>) {
        let begun = tokio::time::Instant::now();
        let (end, spare) = if self.handler.def.blocking {
            (self.run_blocking(job, spawned).await, Vec::new())
        } else {
            self.run(job, spawned, spare).await
        };
        let failure = end.failure.as_ref();
        let failed = failure.map(|(records, failure)| (*records, failure.kind()));
        self.meters.ended(begun.elapsed(), end.handled, failed);
        (end, spare)
    }

    /// Tells the log what was not accepted.
    pub(crate) fn warn(&self, job: &Job, handled: usize, failure: &Failure) {
        tracing::warn!(
            handler = self.handler.def.name,
            place = %self.place,
            offset = job.offset(handled),
            attempt = if handled == 0 { job.attempt } else { 1 },
            "record not handled: {}",
            failure.message()
        );
    }

    /// Handles the run on this task.
    async fn run(
        self: &Arc<Self>,
        job: &Job,
        spawned: &Arc<Spawned>,
        spare: Vec<Record<'static>>,
    ) -> (RunEnd, Vec<Record<'static>>) {
        let mut records = reuse(spare);
        job.block.records(job.range.clone(), &mut records);
        let end = {
            let letters = self.letters(job);
            let run = self.as_run(job, &records, None, &letters);
            let call = polled(&job.scope, self.call(job, spawned.clone(), &run));
            match self.handler.timeout {
                None => Some(call.await),
                Some(limit) => within(limit, &job.scope, call).await,
            }
        };
        let end = match end {
            Some(Ok(end)) => end,
            Some(Err(panic)) => failed(&job.scope, panicked(&panic)),
            None => failed(&job.scope, self.timed_out()),
        };
        (end, reuse(records))
    }

    /// Handles the run on a thread of its own.
    ///
    /// A thread cannot be stopped: a call that takes too long is reported when it returns, as failed.
    async fn run_blocking(self: &Arc<Self>, job: &Job, spawned: &Arc<Spawned>) -> RunEnd {
        let expired = Arc::new(AtomicUsize::new(0));
        let (tell, told) = oneshot::channel();
        let work = {
            let (context, job, spawned) = (self.clone(), job.clone(), spawned.clone());
            let (tokio, expired) = (tokio::runtime::Handle::current(), expired.clone());
            move || {
                let end = context.run_on_thread(&tokio, job, spawned, &expired);
                // Nobody listens any more once the tokio runtime is gone.
                let _ = tell.send(end);
            }
        };
        match self.app.interceptor() {
            Some(interceptor) => interceptor.block(Box::new(work)),
            None => drop(tokio::task::spawn_blocking(work)),
        }
        match self.returned(job, told, &expired).await {
            Ok(Ok(end)) => end,
            Ok(Err(panic)) => failed(&job.scope, panicked(&panic)),
            // Only the end of the tokio runtime cancels it.
            Err(_) => failed(
                &job.scope,
                Failure::retry("the thread of the handler was cancelled"),
            ),
        }
    }

    /// Takes what it needs by value: its records are given back before anybody hears of the end.
    fn run_on_thread(
        self: Arc<Self>,
        tokio: &tokio::runtime::Handle,
        job: Job,
        spawned: Arc<Spawned>,
        expired: &AtomicUsize,
    ) -> CallEnd {
        let mut records = Vec::with_capacity(job.range.len());
        job.block.records(job.range.clone(), &mut records);
        let letters = self.letters(&job);
        let run = self.as_run(&job, &records, Some(expired), &letters);
        let _tokio = tokio.enter();
        on_this_thread(self.call(&job, spawned, &run))
    }

    /// Waits for the thread, and names a record in `expired` that alone takes too long there.
    async fn returned(
        &self,
        job: &Job,
        told: oneshot::Receiver<CallEnd>,
        expired: &AtomicUsize,
    ) -> Result<CallEnd, oneshot::error::RecvError> {
        let Some(limit) = self.handler.timeout else {
            return told.await;
        };
        let mut told = pin!(told);
        loop {
            let (before, at) = (job.scope.current(), tokio::time::sleep(limit));
            tokio::select! {
                told = &mut told => return told,
                () = at => {}
            }
            let late = before + 1;
            if job.scope.current() == before && expired.swap(late, AcqRel) != late {
                tracing::error!(
                    handler = self.handler.def.name,
                    place = %self.place,
                    offset = job.offset(before),
                    "blocking handler is past its time limit; its order unit waits until it returns"
                );
            }
        }
    }

    /// The call itself: what it produces and spawns finds the app and the run, and its panic is caught.
    fn call<'r>(
        &'r self,
        job: &'r Job,
        spawned: Arc<Spawned>,
        run: &'r Run<'r>,
    ) -> impl Future<Output = CallEnd> + 'r {
        let origin = Origin {
            block: job.block.clone(),
            base: job.range.start,
            scope: job.scope.clone(),
        };
        let ambient = Ambient::of_run(self.app.clone(), job.scope.clone());
        let call = CatchRun::new(handle(&self.app, self.handler.def, run));
        spawned::scope(spawned, origin, Scoped::new(ambient, call))
    }

    fn letters<'r>(self: &'r Arc<Self>, job: &'r Job) -> RunLetters<'r> {
        RunLetters { context: self, job }
    }

    fn as_run<'r>(
        &'r self,
        job: &'r Job,
        records: &'r [Record<'r>],
        expired: Option<&'r AtomicUsize>,
        letters: &'r RunLetters<'r>,
    ) -> Run<'r> {
        Run {
            states: self.app.states(),
            place: self.place,
            records,
            fetched: &*job.block,
            base: job.range.start,
            scope: &job.scope,
            single: job.single,
            attempt: job.attempt,
            expired,
            letters: Some(letters),
        }
    }

    fn timed_out(&self) -> Failure {
        Failure::retry(format_args!(
            "timed out after {:?}",
            self.handler.timeout.unwrap_or_default()
        ))
    }
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives a call on this thread. Not by tokio's `block_on`: a thread that is in it may not be in that of another
/// runtime, and many a blocking client (`postgres`, `reqwest::blocking`) has a runtime of its own.
pub(crate) fn on_this_thread<F: Future>(call: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut call = pin!(call);
    loop {
        if let Poll::Ready(output) = call.as_mut().poll(&mut cx) {
            return output;
        }
        thread::park();
    }
}

/// Notes each poll: one that goes on and on blocks the thread of other tasks.
async fn polled<F: Future>(scope: &ScopeRef, call: F) -> F::Output {
    let mut call = pin!(call);
    std::future::poll_fn(|cx| {
        scope.begin_poll();
        let polled = call.as_mut().poll(cx);
        scope.end_poll();
        polled
    })
    .await
}

fn failed(scope: &ScopeRef, failure: Failure) -> RunEnd {
    RunEnd {
        handled: scope.current(),
        failure: Some((scope.taken(), failure)),
    }
}

fn panicked(panic: &str) -> Failure {
    Failure::retry(format_args!("panicked: {panic}"))
}

/// Polls `run` until one record alone took longer than `limit`; `None` then, and the run is dropped.
///
/// A record that spans a wait began in the poll before it, so its time is counted from the end of
/// that poll. Records that never wait cost nothing here, and no timer could end them anyway.
async fn within<F: Future>(limit: Duration, scope: &ScopeRef, run: F) -> Option<F::Output> {
    let mut run = pin!(run);
    let mut timer = pin!(tokio::time::sleep(limit));
    let mut waiting = None;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = run.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        let current = scope.current();
        if waiting.replace(current) != Some(current) {
            // A limit beyond all time is none.
            if let Some(end) = tokio::time::Instant::now().checked_add(limit) {
                timer.as_mut().reset(end);
            }
        }
        timer.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// Keeps the allocation, not the borrows: collecting an empty vector in place changes only the
/// lifetime.
fn reuse<'b>(mut records: Vec<Record<'_>>) -> Vec<Record<'b>> {
    records.clear();
    records
        .into_iter()
        .map(|_| -> Record<'b> { unreachable!("the vector is empty") })
        .collect()
}
