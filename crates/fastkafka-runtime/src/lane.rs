//! The lane of a partition: a tokio task that runs what the engine starts, one run after another.
//!
//! The next run begins as soon as the handlers of the previous one have returned; nobody waits for
//! its outputs here. A failure halts the lane, and so does the round's stop flag, which a cut and a
//! failed output raise. A halted lane forgets what is left of the round (see the engine's `Event`).

use crate::dead_letter;
use crate::handler::Handler;
use crate::job::{Job, LaneHandle, OrderLock, ToLane};
use crate::mailbox::Mail;
use crate::owner::Shared;
use crate::tasks::{self, Tasks};
use crate::transport::Place;
use fastkafka_core::{
    Ambient, AppCore, CatchRun, Failure, Record, Run, RunEnd, ScopeRef, Scoped, panic_text,
};
use fastkafka_engine::Part;
use std::any::Any;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What a lane is made of.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) app: Arc<AppCore>,
    pub(crate) part: Part,
    pub(crate) place: Place,
    pub(crate) handler: Arc<Handler>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) lock: OrderLock,
}

impl Lane {
    pub(crate) fn spawn(self, tokio: &tokio::runtime::Handle) -> LaneHandle {
        let (to, inbox) = unbounded_channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let blocking = self.handler.def.blocking;
        let work = Work {
            lane: Arc::new(self),
            backlog: backlog.clone(),
            tasks: Tasks::new(),
            guard: None,
            halted: None,
            position: None,
            spare: Vec::new(),
        };
        LaneHandle {
            to,
            backlog,
            task: tokio.spawn(work.serve(inbox)),
            blocking,
        }
    }
}

struct Work {
    lane: Arc<Lane>,
    backlog: Arc<AtomicUsize>,
    tasks: Arc<Tasks>,
    /// Kept until the partition is given away and what its records spawned is gone.
    guard: Option<OwnedMutexGuard<()>>,
    /// The last round that is over.
    halted: Option<u32>,
    /// The first offset of the current round that was not begun.
    position: Option<i64>,
    spare: Vec<Record<'static>>,
}

/// A lane that is aborted leaves nothing behind that goes on.
impl Drop for Work {
    fn drop(&mut self) {
        self.tasks.abort_all();
    }
}

impl Work {
    async fn serve(mut self, mut inbox: UnboundedReceiver<ToLane>) {
        while let Some(message) = inbox.recv().await {
            match message {
                ToLane::Handle(job) => {
                    self.handle(job).await;
                    self.backlog.fetch_sub(1, Relaxed);
                }
                ToLane::Bury(burial) => {
                    let outcome = dead_letter::write(&self.lane, &burial).await;
                    self.lane.shared.mailbox.push(Mail::Disposed {
                        part: self.lane.part,
                        run: burial.run,
                        outcome,
                    });
                }
                ToLane::Fence { round } => {
                    let at = self.position.take();
                    self.halt(round);
                    self.lane.shared.mailbox.push(Mail::Ended {
                        part: self.lane.part,
                        round,
                        at,
                    });
                }
                ToLane::Free(fetched) => drop(fetched),
                ToLane::Released => {
                    self.tasks.end_all().await;
                    self.guard = None;
                }
                ToLane::End => break,
            }
        }
        self.tasks.end_all().await;
    }

    fn halt(&mut self, round: u32) {
        self.halted = Some(round);
        self.position = None;
    }

    async fn handle(&mut self, job: Job) {
        if self.halted.is_some_and(|halted| job.round <= halted) {
            return;
        }
        if job.halt.stopping() {
            self.position.get_or_insert(job.offset(0));
            return;
        }
        // What an earlier attempt of these records spawned must be over before they begin again.
        self.tasks.end_from(job.offset(0)).await;
        if self.guard.is_none() {
            self.guard = Some(self.lane.lock.clone().lock_owned().await);
        }
        let (end, spare) = match self.lane.handler.def.blocking {
            true => (self.run_blocking(&job).await, Vec::new()),
            false => {
                let spare = std::mem::take(&mut self.spare);
                self.run(&job, spare).await
            }
        };
        self.spare = spare;
        self.conclude(&job, end).await;
    }

    async fn conclude(&mut self, job: &Job, end: RunEnd) {
        let RunEnd { handled, failure } = end;
        match failure {
            None if handled == job.range.len() => {}
            None => {
                self.position.get_or_insert(job.offset(handled));
                job.scope.finish(handled, 0);
            }
            Some((records, failure)) => {
                let lane = self.lane.clone();
                let (at, next) = (job.offset(handled), job.offset(handled + records));
                self.tasks.end_from(at).await;
                tracing::warn!(
                    handler = lane.handler.def.name,
                    place = %lane.place,
                    offset = at,
                    attempt = if handled == 0 { job.attempt } else { 1 },
                    "record not handled: {}",
                    failure.message()
                );
                self.halt(job.round);
                // Before the scope closes: the engine then knows why the run ends early.
                lane.shared.mailbox.push(Mail::Failed {
                    part: lane.part,
                    run: job.run,
                    at,
                    next,
                    failure,
                });
                job.scope.finish(handled, records);
            }
        }
    }

    /// Handles the run on this task.
    async fn run(&self, job: &Job, spare: Vec<Record<'static>>) -> (RunEnd, Vec<Record<'static>>) {
        let (lane, scope) = (&*self.lane, &job.scope);
        let mut records = reuse(spare);
        job.fetched.records(job.range.clone(), &mut records);
        let end = {
            let run = lane.as_run(job, &records, None);
            let ambient = Ambient::of_run(lane.app.clone(), scope.clone());
            let future = Scoped::new(ambient, CatchRun::new((lane.handler.def.run)(&run)));
            let future = tasks::scope(self.tasks.clone(), place_of(job), future);
            match lane.handler.timeout {
                None => Some(future.await),
                Some(limit) => within(limit, scope, future).await,
            }
        };
        let end = match end {
            Some(Ok(end)) => end,
            Some(Err(panic)) => failed(scope, panicked(&*panic)),
            None => failed(scope, lane.timed_out()),
        };
        (end, reuse(records))
    }

    /// Handles the run on a thread of its own.
    ///
    /// A thread cannot be stopped: a call that takes too long is reported when it returns, as failed.
    async fn run_blocking(&self, job: &Job) -> RunEnd {
        let expired = Arc::new(AtomicBool::new(false));
        let (lane, fetched, range, scope) = (
            self.lane.clone(),
            job.fetched.clone(),
            job.range.clone(),
            job.scope.clone(),
        );
        let (attempt, single, flag) = (job.attempt, job.single, expired.clone());
        let (tokio, tasks, place) = (
            tokio::runtime::Handle::current(),
            self.tasks.clone(),
            place_of(job),
        );
        let work = move || {
            let mut records = Vec::with_capacity(range.len());
            fetched.records(range.clone(), &mut records);
            let run = Run {
                app: &lane.app,
                place: lane.place,
                records: &records,
                fetched: &*fetched,
                base: range.start,
                scope: &scope,
                single,
                attempt,
                expired: Some(&flag),
            };
            let ambient = Ambient::of_run(lane.app.clone(), scope.clone());
            let future = Scoped::new(ambient, CatchRun::new((lane.handler.def.run)(&run)));
            tokio.block_on(tasks::scope(tasks, place, future))
        };
        let mut thread = pin!(tokio::task::spawn_blocking(work));
        let joined = match self.lane.handler.timeout {
            None => thread.await,
            Some(limit) => loop {
                let (before, at) = (job.scope.current(), tokio::time::sleep(limit));
                tokio::select! {
                    joined = &mut thread => break joined,
                    () = at => {}
                }
                if job.scope.current() == before && !expired.swap(true, AcqRel) {
                    tracing::error!(
                        handler = self.lane.handler.def.name,
                        place = %self.lane.place,
                        offset = job.offset(before),
                        "blocking handler is past its time limit; its partition waits until it returns"
                    );
                }
            },
        };
        match joined {
            Ok(Ok(end)) => end,
            Ok(Err(panic)) => failed(&job.scope, panicked(&*panic)),
            // Only the end of the tokio runtime cancels it.
            Err(_) => failed(
                &job.scope,
                Failure::retry("the thread of the handler was cancelled"),
            ),
        }
    }
}

impl Lane {
    fn as_run<'r>(
        &'r self,
        job: &'r Job,
        records: &'r [Record<'r>],
        expired: Option<&'r AtomicBool>,
    ) -> Run<'r> {
        Run {
            app: &self.app,
            place: self.place,
            records,
            fetched: &*job.fetched,
            base: job.range.start,
            scope: &job.scope,
            single: job.single,
            attempt: job.attempt,
            expired,
        }
    }

    fn timed_out(&self) -> Failure {
        Failure::retry(format_args!(
            "timed out after {:?}",
            self.handler.timeout.unwrap_or_default()
        ))
    }
}

fn place_of(job: &Job) -> tasks::Origin {
    tasks::Origin {
        fetched: job.fetched.clone(),
        base: job.range.start,
        scope: job.scope.clone(),
    }
}

fn failed(scope: &ScopeRef, failure: Failure) -> RunEnd {
    RunEnd {
        handled: scope.current(),
        failure: Some((scope.taken(), failure)),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Failure {
    Failure::retry(format_args!("panicked: {}", panic_text(panic)))
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
