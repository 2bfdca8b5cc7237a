//! The records of a partition in partition order that may have to be handled again.

use fastkafka_core::Fetched;
use fastkafka_engine::Span;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Runs that were read, in offset order, each until the watermark has passed it: a replay comes from
/// memory.
#[derive(Debug, Default)]
pub(crate) struct KeptRuns(VecDeque<KeptRun>);

#[derive(Debug)]
struct KeptRun {
    /// The offset after the last record.
    next: i64,
    block: Arc<dyn Fetched>,
    /// The run's part of the block: a block may be cut into several runs.
    range: Range<usize>,
}

impl KeptRuns {
    pub(crate) fn keep(&mut self, span: Span, block: &Arc<dyn Fetched>, range: Range<usize>) {
        // The log was read again from here on: what is kept of the old one is forgotten.
        while self.0.back().is_some_and(|kept| kept.first() >= span.first) {
            self.0.pop_back();
        }
        if let Some(back) = self.0.back_mut()
            && back.next > span.first
        {
            (back.range.end, back.next) = (back.index(span.first), span.first);
        }
        self.0.push_back(KeptRun {
            next: span.next,
            block: block.clone(),
            range,
        });
    }

    /// The records of `[first, next)`, which lie in one run.
    pub(crate) fn find(&self, first: i64, next: i64) -> Option<(Arc<dyn Fetched>, Range<usize>)> {
        let at = self.0.partition_point(|kept| kept.next <= first);
        let kept = self.0.get(at)?;
        let (from, to) = (kept.index(first), kept.index(next));
        (from < to).then(|| (kept.block.clone(), from..to))
    }

    /// Takes out a run that lies below the watermark.
    pub(crate) fn pop_below(&mut self, watermark: i64) -> Option<Arc<dyn Fetched>> {
        self.0.front().filter(|kept| kept.next <= watermark)?;
        self.0.pop_front().map(|kept| kept.block)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl KeptRun {
    fn first(&self) -> i64 {
        self.block.offset(self.range.start)
    }

    /// Index of the first record at or after `offset`.
    fn index(&self, offset: i64) -> usize {
        let (mut low, mut high) = (self.range.start, self.range.end);
        while low < high {
            let middle = low.midpoint(high);
            if self.block.offset(middle) < offset {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
