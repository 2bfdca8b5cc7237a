//! The jobs of a lane, and the driver's end of it.

use fastkafka_core::{Fetched, ScopeRef, StopFlag};
use fastkafka_engine::RunId;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
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

/// The driver's end of a lane.
#[derive(Debug)]
pub(crate) struct LaneHandle {
    pub(crate) to: UnboundedSender<ToLane>,
    /// Jobs that were sent and have not returned.
    pub(crate) backlog: Arc<AtomicUsize>,
    pub(crate) task: JoinHandle<()>,
    pub(crate) blocking: bool,
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

impl LaneHandle {
    pub(crate) fn send(&self, message: ToLane) {
        if matches!(message, ToLane::Handle(_)) {
            self.backlog.fetch_add(1, Relaxed);
        }
        // A lane ends before its driver only when it is aborted at the deadline.
        let _ = self.to.send(message);
    }

    /// The number of jobs that were sent and have not returned: the first of them is in hand.
    pub(crate) fn backlog(&self) -> usize {
        self.backlog.load(Relaxed)
    }

    /// Ends the lane: at its next await, or when the thread of a blocking handler returns, which
    /// nothing can end before.
    pub(crate) fn abort(&self) {
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
