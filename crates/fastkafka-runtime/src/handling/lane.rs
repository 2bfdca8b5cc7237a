//! The lane of a partition: a tokio task that runs what the engine starts, one run after another.
//!
//! The next run begins as soon as the handlers of the previous one have returned; nobody waits for
//! its outputs here. A failure halts the lane, and so does the stop flag of the current cut, which the
//! engine and a failed output raise. A halted lane forgets what is left of that cut (see the engine's
//! `Event`).

use crate::handling::call::HandlerContext;
use crate::handling::dead_letter;
use crate::handling::job::{AtHand, InHand, Job, LaneHandle, ToLane};
use crate::handling::locks::OrderLock;
use crate::handling::spawned::Spawned;
use crate::mail::Mail;
use crate::tasks;
use fastkafka_core::{AppTask, Record, RunEnd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use tokio::sync::OwnedMutexGuard;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) context: Arc<HandlerContext>,
    pub(crate) lock: OrderLock,
}

impl Lane {
    pub(crate) fn spawn(self, tokio: &tokio::runtime::Handle) -> LaneHandle {
        let (to, inbox) = unbounded_channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let at_hand = AtHand::default();
        let blocking = self.context.handler.def.blocking;
        let context = self.context.clone();
        let name = match blocking {
            true => AppTask::Blocking(context.place),
            false => AppTask::Lane(context.place),
        };
        let work = Work {
            lane: Arc::new(self),
            backlog: backlog.clone(),
            at_hand: at_hand.clone(),
            spawned: Spawned::new(),
            guard: None,
            halted: None,
            position: None,
            spare: Vec::new(),
        };
        LaneHandle {
            to,
            backlog,
            at_hand,
            task: tasks::spawn(&context.app, tokio, name, work.serve(inbox)),
            blocking,
            aborted: AtomicBool::new(false),
        }
    }
}

struct Work {
    lane: Arc<Lane>,
    backlog: Arc<AtomicUsize>,
    at_hand: AtHand,
    spawned: Arc<Spawned>,
    /// Kept until the partition is given away and what its records spawned is gone.
    guard: Option<OwnedMutexGuard<()>>,
    /// The last cut that is over.
    halted: Option<u32>,
    /// The first offset of the current cut that was not begun.
    position: Option<i64>,
    /// The allocation of the last run's records.
    spare: Vec<Record<'static>>,
}

/// A lane that is aborted leaves nothing behind that goes on.
impl Drop for Work {
    fn drop(&mut self) {
        self.spawned.abort_all();
        self.at_hand.drop_block();
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
                ToLane::DeadLetter(job) => {
                    let at = job.block.offset(job.letter.index);
                    self.at_hand.set(Some(InHand::DeadLetter(at)));
                    let done = dead_letter::write(&self.lane.context, &job).await;
                    self.at_hand.set(None);
                    self.lane.context.shared.mailbox.push(done);
                }
                ToLane::Fence { cut } => {
                    let at = self.position.take();
                    self.halt(cut);
                    self.lane.context.shared.mailbox.push(Mail::Ended {
                        part: self.lane.context.part,
                        cut,
                        at,
                    });
                }
                ToLane::Free(block) => drop(block),
                ToLane::Released => {
                    self.spawned.end_all().await;
                    self.guard = None;
                }
                ToLane::End => break,
            }
        }
        self.spawned.end_all().await;
    }

    fn halt(&mut self, cut: u32) {
        self.halted = Some(cut);
        self.position = None;
    }

    async fn handle(&mut self, job: Job) {
        // The engine starts it again in a later cut.
        if self.halted.is_some_and(|halted| job.cut <= halted) {
            return;
        }
        // The answer to the cut names the first record that was not begun.
        if job.stop.stopping() {
            self.position.get_or_insert(job.offset(0));
            return;
        }
        // The tasks that an earlier attempt spawned must be over before they begin again.
        self.spawned.end_from(job.offset(0)).await;
        if self.guard.is_none() {
            self.guard = Some(self.lane.lock.clone().lock_owned().await);
        }
        let spare = std::mem::take(&mut self.spare);
        self.at_hand.set(Some(InHand::Run(job.clone())));
        let (end, spare) = self.lane.context.handle(&job, &self.spawned, spare).await;
        // The block has one holder less before anybody hears of the end.
        self.at_hand.returned(job.run, end.handled);
        self.spare = spare;
        self.conclude(&job, end).await;
    }

    async fn conclude(&mut self, job: &Job, end: RunEnd) {
        let RunEnd { handled, failure } = end;
        match failure {
            // The last record has closed its scope itself.
            None if handled == job.range.len() => {}
            // The stop flag was raised: what was not begun is forgotten.
            None => {
                self.position.get_or_insert(job.offset(handled));
                job.scope.finish(handled, 0);
            }
            Some((records, failure)) => {
                let context = self.lane.context.clone();
                let (at, next) = (job.offset(handled), job.offset(handled + records));
                self.spawned.end_from(at).await;
                context.warn(job, handled, &failure);
                self.halt(job.cut);
                // Before the scope closes: the engine then knows why the run ends early.
                context.shared.mailbox.push(Mail::Failed {
                    part: context.part,
                    run: job.run,
                    at,
                    next,
                    failure,
                });
                job.scope.finish(handled, records);
            }
        }
    }
}
