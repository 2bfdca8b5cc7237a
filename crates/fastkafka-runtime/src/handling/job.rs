//! The jobs of a lane, and the driver's end of it.

use crate::lock::lock;
use fastkafka_core::{Fetched, ScopeRef, StopFlag};
use fastkafka_engine::RunId;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

/// A run to handle.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) cut: u32,
    pub(crate) stop: Arc<StopFlag>,
    pub(crate) run: RunId,
    pub(crate) block: Arc<dyn Fetched>,
    /// The run's part of the block.
    pub(crate) range: Range<usize>,
    /// The offset after its last record, as the engine counts.
    pub(crate) next: i64,
    pub(crate) scope: ScopeRef,
    /// 1 for the first attempt of its first record.
    pub(crate) attempt: u32,
    /// A batch handler is given the records one by one.
    pub(crate) single: bool,
}

/// A record to write to the dead-letter topic.
#[derive(Debug)]
pub(crate) struct DeadLetterJob {
    pub(crate) run: RunId,
    pub(crate) block: Arc<dyn Fetched>,
    /// The record's index in the block, and its offset.
    pub(crate) index: usize,
    pub(crate) offset: i64,
    pub(crate) attempts: u32,
    pub(crate) error: String,
}

/// A message of the driver to a lane.
#[derive(Debug)]
pub(crate) enum ToLane {
    Handle(Job),
    DeadLetter(DeadLetterJob),
    /// Answer `Ended` once everything before this is over.
    Fence {
        cut: u32,
    },
    /// The last use of this block: it is freed here, and not on the driver's thread.
    Free(Arc<dyn Fetched>),
    /// The partition was given away: what its records spawned is aborted.
    Released,
    /// Nothing follows.
    End,
}

/// What a lane is at.
#[derive(Debug)]
pub(crate) enum InHand {
    /// The run is next. It has not begun.
    Next(RunId),
    Run(Job),
    /// The dead letter of the record at this offset.
    DeadLetter(i64),
    /// The lane was dropped with this: a run with the number of records that were handled, and the offsets.
    Dropped {
        run: Option<(RunId, usize)>,
        offsets: (i64, i64),
    },
}

/// What a lane is at, for the driver to name. `None` between two jobs.
#[derive(Clone, Debug, Default)]
pub(crate) struct AtHand(Arc<Mutex<Option<InHand>>>);

impl AtHand {
    /// The lane is dropped: it keeps no block.
    pub(crate) fn drop_block(&self) {
        let mut at_hand = lock(&self.0);
        let before = at_hand.take();
        *at_hand = match &before {
            Some(InHand::Run(job)) => Some(InHand::Dropped {
                run: Some((job.run, job.scope.current())),
                offsets: job.in_hand(),
            }),
            Some(InHand::DeadLetter(at)) => Some(InHand::Dropped {
                run: None,
                offsets: (*at, *at),
            }),
            _ => None,
        };
        drop(at_hand);
        drop(before);
    }

    pub(crate) fn set(&self, in_hand: Option<InHand>) {
        let before = std::mem::replace(&mut *lock(&self.0), in_hand);
        // Outside the lock: it may be the last to hold a block.
        drop(before);
    }
}

/// The driver's end of a lane.
#[derive(Debug)]
pub(crate) struct LaneHandle {
    pub(crate) to: UnboundedSender<ToLane>,
    /// Jobs that were sent and have not returned.
    pub(crate) backlog: Arc<AtomicUsize>,
    pub(crate) at_hand: AtHand,
    pub(crate) task: JoinHandle<()>,
    pub(crate) blocking: bool,
    /// It was ended: nothing is in hand any more.
    pub(crate) aborted: AtomicBool,
}

impl Job {
    /// The offset of the record at `index` of the run; of the end, the one after the last record.
    pub(crate) fn offset(&self, index: usize) -> i64 {
        let at = self.range.start + index;
        if at < self.range.end {
            self.block.offset(at)
        } else {
            self.next
        }
    }
}

impl Job {
    /// The first and the last offset of the call that is under way.
    fn in_hand(&self) -> (i64, i64) {
        let first = self.scope.current();
        let last = first + self.scope.taken().max(1) - 1;
        (
            self.offset(first),
            self.offset(last.min(self.range.len() - 1)),
        )
    }
}

impl LaneHandle {
    pub(crate) fn send(&self, message: ToLane) {
        if matches!(message, ToLane::Handle(_)) {
            self.backlog.fetch_add(1, Relaxed);
        }
        // A lane ends before its driver only when it is aborted at the deadline, or its tokio runtime is gone.
        let _ = self.to.send(message);
    }

    /// The number of jobs that were sent and have not returned: the first of them is in hand.
    pub(crate) fn backlog(&self) -> usize {
        self.backlog.load(Relaxed)
    }

    /// The first and the last offset of what the handler has in hand, or whose dead letter is being written.
    /// Also when the lane went with its tokio runtime.
    pub(crate) fn in_hand(&self) -> Option<(i64, i64)> {
        match lock(&self.at_hand.0).as_ref()? {
            InHand::Next(_) => None,
            InHand::Run(job) => Some(job.in_hand()),
            InHand::DeadLetter(at) => Some((*at, *at)),
            InHand::Dropped { offsets, .. } => (!self.aborted.load(Relaxed)).then_some(*offsets),
        }
    }

    /// The run whose call is under way, if that is not known: its offset, and the number of its poll.
    pub(crate) fn straggler(
        &self,
        is_known: impl Fn(RunId) -> bool,
    ) -> Option<(RunId, i64, Option<u32>)> {
        match lock(&self.at_hand.0).as_ref()? {
            InHand::Run(job) if !is_known(job.run) => {
                Some((job.run, job.in_hand().0, job.scope.polling()))
            }
            _ => None,
        }
    }

    /// How many records of this run were handled, at most.
    pub(crate) fn handled(&self, run: RunId) -> usize {
        match lock(&self.at_hand.0).as_ref() {
            Some(InHand::Next(at)) if run >= *at => 0,
            Some(InHand::Run(job)) if run > job.run => 0,
            Some(InHand::Run(job)) if run == job.run => job.scope.current(),
            Some(InHand::Dropped {
                run: Some((at, _)), ..
            }) if run > *at => 0,
            Some(InHand::Dropped {
                run: Some((at, handled)),
                ..
            }) if run == *at => *handled,
            // It takes no run that was sent since then.
            None if self.is_over() => 0,
            _ => usize::MAX,
        }
    }

    /// Ends the lane: at its next await, or when the thread of a blocking handler returns, which
    /// nothing can end before.
    pub(crate) fn abort(&self) {
        self.aborted.store(true, Relaxed);
        if self.blocking {
            self.send(ToLane::End);
        } else {
            self.task.abort();
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.task.is_finished()
    }
}
