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
    pub(crate) letter: Letter,
}

/// What is said of a record in its dead letter.
#[derive(Debug)]
pub(crate) struct Letter {
    /// The record's index in its block, and its offset.
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
    Run(Job),
    /// The dead letter of the record at this offset.
    DeadLetter(i64),
    /// The lane was dropped with these offsets in hand.
    Dropped((i64, i64)),
}

/// What a lane is at, for the driver to name.
#[derive(Clone, Debug, Default)]
pub(crate) struct AtHand(Arc<Mutex<At>>);

#[derive(Debug, Default)]
struct At {
    /// `None` between two jobs.
    in_hand: Option<InHand>,
    /// The last run that has returned, with the number of its records that were handled. It is told of also when
    /// the lane is gone: what was handled may not be settled.
    returned: Option<(RunId, usize)>,
}

impl AtHand {
    /// The lane is dropped: it keeps no block.
    pub(crate) fn drop_block(&self) {
        let mut at = lock(&self.0);
        let before = at.in_hand.take();
        match &before {
            Some(InHand::Run(job)) => {
                at.in_hand = Some(InHand::Dropped(job.in_hand()));
                at.returned = Some((job.run, job.scope.current()));
            }
            Some(InHand::DeadLetter(offset)) => {
                at.in_hand = Some(InHand::Dropped((*offset, *offset)));
            }
            _ => {}
        }
        drop(at);
        drop(before);
    }

    pub(crate) fn set(&self, in_hand: Option<InHand>) {
        let before = std::mem::replace(&mut lock(&self.0).in_hand, in_hand);
        // Outside the lock: it may be the last to hold a block.
        drop(before);
    }

    /// The run in hand has returned, after so many of its records were handled.
    pub(crate) fn returned(&self, run: RunId, handled: usize) {
        lock(&self.0).returned = Some((run, handled));
        self.set(None);
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
        match lock(&self.at_hand.0).in_hand.as_ref()? {
            InHand::Run(job) => Some(job.in_hand()),
            InHand::DeadLetter(at) => Some((*at, *at)),
            InHand::Dropped(offsets) => (!self.aborted.load(Relaxed)).then_some(*offsets),
        }
    }

    /// The run whose call is under way, if that is not known: its offset, and the number of its poll.
    pub(crate) fn straggler(
        &self,
        is_known: impl Fn(RunId) -> bool,
    ) -> Option<(RunId, i64, Option<u32>)> {
        match lock(&self.at_hand.0).in_hand.as_ref()? {
            InHand::Run(job) if !is_known(job.run) => {
                Some((job.run, job.in_hand().0, job.scope.polling()))
            }
            _ => None,
        }
    }

    /// How many records of this run were handled, at most.
    pub(crate) fn handled(&self, run: RunId) -> usize {
        let at = lock(&self.at_hand.0);
        let last = match &at.in_hand {
            Some(InHand::Run(job)) => Some((job.run, job.scope.current())),
            _ => at.returned,
        };
        // Those behind it wait in the lane, or went with it.
        match last {
            Some((last, handled)) if run == last => handled,
            Some((last, _)) if run < last => usize::MAX,
            _ => 0,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lane_that_has_gone_between_two_jobs_tells_what_was_handled_and_what_was_not() {
        let (to, _) = tokio::sync::mpsc::unbounded_channel();
        let task = tokio::spawn(std::future::ready(()));
        let lane = LaneHandle {
            to,
            backlog: Arc::default(),
            at_hand: AtHand::default(),
            task,
            blocking: false,
            aborted: AtomicBool::new(false),
        };
        assert_eq!(lane.handled(RunId(1)), 0, "it has begun none");
        lane.at_hand.returned(RunId(4), 10);
        lane.at_hand.returned(RunId(6), 2);
        for gone in [false, true] {
            if gone {
                lane.at_hand.drop_block();
            }
            let handled = [4, 6, 7, 8].map(|run| lane.handled(RunId(run)));
            assert_eq!(handled, [usize::MAX, 2, 0, 0]);
            assert_eq!(lane.in_hand(), None);
        }
        lane.at_hand.set(Some(InHand::DeadLetter(33)));
        lane.at_hand.drop_block();
        assert_eq!(lane.in_hand(), Some((33, 33)));
        assert_eq!(lane.handled(RunId(7)), 0, "it is behind the dead letter");
    }
}
