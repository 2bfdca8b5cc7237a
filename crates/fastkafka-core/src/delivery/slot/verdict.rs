//! The end of a run, and how much of it is settled before.

use super::{DeliveryScope, Report, Slot, index};
use crate::delivery::failure::{Failure, FailureKind};
use crate::delivery::settle::Closed;
use crate::delivery::sync::Ordering::*;
use crate::lock::unpoisoned;

impl DeliveryScope {
    /// The end of the run; asked once, by the thread that closed its last record.
    pub(super) fn verdict(&self) -> Closed {
        let end = self.end.load(Acquire);
        match unpoisoned(self.broken.lock()).take() {
            Some((at, failure)) if at < end => Closed {
                settled: at as usize,
                broken: Some(failure),
            },
            _ => Closed {
                settled: end as usize,
                broken: None,
            },
        }
    }

    /// The loop is over: `done` records were handled, then `failed` records (one, or a batch) were
    /// begun and not accepted; the rest was not begun.
    pub fn finish(&self, done: usize, failed: usize) {
        let n = self.slots.len();
        if done == n {
            return;
        }
        self.end.store(index(done), Release);
        debug_assert!(done + failed <= n, "those that failed are of the run");
        let mut closed = n - done;
        // Also those that were not begun: nobody may keep one of them open any more.
        for slot in &self.slots[done..] {
            // What a failed record has already sent is still under way.
            if slot.pending.fetch_sub(1, AcqRel) != 1 {
                closed -= 1;
            }
        }
        self.close(index(closed));
    }

    /// The number of records that are settled by now, from the first on. The caller knows that those below
    /// `from` are.
    pub fn progress(&self, from: usize) -> usize {
        let end = self.end.load(Acquire) as usize;
        let open = |slot: &Slot| slot.pending.load(Acquire) != 0;
        let settled = match self.slots.get(from..end) {
            Some(slots) => slots.iter().position(open).map_or(end, |n| from + n),
            None => end,
        };
        // A record that failed meanwhile is not pending either; `end` was moved before that.
        let settled = settled.min(self.end.load(Acquire) as usize);
        match &*unpoisoned(self.broken.lock()) {
            Some((at, _)) => settled.min(*at as usize),
            // Closed: what was lost, if anything, is on its way in the verdict and here no more.
            None if self.open.load(Acquire) == 0 => from,
            None => settled,
        }
    }

    /// Nothing but its handler keeps the record at `at` open, and nothing of it is lost.
    pub(crate) fn is_bare(&self, at: usize) -> bool {
        let lost = unpoisoned(self.broken.lock());
        self.slots[at].pending.load(Acquire) == 1
            && lost.as_ref().is_none_or(|(lost, _)| *lost != index(at))
    }

    /// The first record so far that will not settle, and why. A run that waits for something else
    /// has not told it yet.
    pub fn lost(&self) -> Option<(usize, FailureKind, String)> {
        let broken = unpoisoned(self.broken.lock());
        let (at, failure) = broken.as_ref()?;
        let handled = *at < self.end.load(Acquire);
        handled.then(|| (*at as usize, failure.kind(), failure.message().to_owned()))
    }

    /// Something that the record at `at` waited for is lost. Of several records the first counts: those
    /// after it are handled again with it.
    pub(super) fn fail(&self, at: u32, failure: Failure) {
        let mut broken = unpoisoned(self.broken.lock());
        let counts = broken.as_ref().is_none_or(|(first, _)| at < *first);
        let replaced = counts.then(|| broken.replace((at, failure)));
        drop(broken);
        // Without the lock: an error of the user's may hold an `Ack` of this very run.
        drop(replaced);
        // What follows would only have to be replayed.
        if let Report::Run { stop, .. } = &self.report {
            stop.stop();
        }
    }
}
