//! What the owner keeps of one partition: the records that may have to be replayed, the runs whose
//! results it awaits, and what it knows about the records that failed.

use crate::handling::handler::Handler;
use crate::handling::job::{LaneHandle, ToLane};
use crate::handling::keyed::Keyed;
use crate::transport::PartitionRef;
use fastkafka_core::{FailureKind, Fetched, ScopeRef, StopFlag};
use fastkafka_engine::{Broken, HoldBack, RunId, Span};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// A fetched run, kept until the watermark has passed it.
#[derive(Debug)]
struct Held {
    next: i64,
    fetched: Arc<dyn Fetched>,
    /// What of it was taken in: a fetched block may be cut into several runs.
    range: Range<usize>,
}

/// A run that was started and is not closed.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) run: RunId,
    pub(crate) offsets: Offsets,
    /// The offset after its last record, as the engine counts.
    pub(crate) next: i64,
    pub(crate) scope: ScopeRef,
    /// The stop flag of its round.
    pub(crate) halt: Arc<StopFlag>,
    /// Records known to be settled.
    pub(crate) settled: usize,
    /// The first record of which the engine was told that it will not settle.
    pub(crate) broken: Option<usize>,
}

/// Where the records of a run stand.
#[derive(Debug)]
pub(crate) enum Offsets {
    /// The run is one record; it may stay open for long, and need not keep what it was read with.
    One(i64),
    Of(Arc<dyn Fetched>, Range<usize>),
}

impl Started {
    /// The engine does not know yet that the record at `index` will not settle. It knows of all
    /// behind one that it was told of.
    pub(crate) fn is_news(&self, index: usize) -> bool {
        self.broken.is_none_or(|told| index < told)
    }

    /// The offset of the record at `index` of the run; of the end, the one after the last record.
    pub(crate) fn offset(&self, index: usize) -> i64 {
        match &self.offsets {
            Offsets::One(at) if index == 0 => *at,
            Offsets::Of(fetched, range) if index < range.len() => {
                fetched.offset(range.start + index)
            }
            _ => self.next,
        }
    }
}

#[derive(Debug)]
pub(crate) struct OwnedPartition {
    pub(crate) place: PartitionRef,
    pub(crate) handler: Arc<Handler>,
    pub(crate) lane: Option<LaneHandle>,
    /// Instead of a lane, in order by key and without order.
    pub(crate) keyed: Option<Keyed>,
    pub(crate) cut: (u32, Arc<StopFlag>),
    pub(crate) started: VecDeque<Started>,
    /// The watermark to store with the next turn's end.
    pub(crate) store: Option<i64>,
    pub(crate) hold: Option<HoldBack>,
    /// Paused in the client.
    pub(crate) paused: bool,
    /// Paused by the user, as the engine knows.
    pub(crate) user_paused: bool,
    /// Why records failed, by offset; for dead letters and health.
    pub(crate) errors: BTreeMap<i64, String>,
    held: VecDeque<Held>,
}

impl OwnedPartition {
    pub(crate) fn new(place: PartitionRef, handler: Arc<Handler>, keyed: Option<Keyed>) -> Self {
        Self {
            place,
            handler,
            lane: None,
            cut: (u32::MAX, Arc::default()),
            keyed,
            started: VecDeque::new(),
            store: None,
            hold: None,
            paused: false,
            user_paused: false,
            errors: BTreeMap::new(),
            held: VecDeque::new(),
        }
    }

    /// Keeps what the engine is about to be told of.
    pub(crate) fn keep(&mut self, span: Span, fetched: &Arc<dyn Fetched>, range: Range<usize>) {
        // The log was read again: what is held of the old one from here on is forgotten.
        while self
            .held
            .back()
            .is_some_and(|held| held.fetched.offset(held.range.start) >= span.first)
        {
            self.held.pop_back();
        }
        if let Some(back) = self.held.back_mut()
            && back.next > span.first
        {
            (back.range.end, back.next) = (back.index(span.first), span.first);
        }
        self.held.push_back(Held {
            next: span.next,
            fetched: fetched.clone(),
            range,
        });
    }

    /// The records of a span, which lies in one kept run.
    pub(crate) fn find(&self, first: i64, next: i64) -> Option<(Arc<dyn Fetched>, Range<usize>)> {
        if let Some(keyed) = &self.keyed {
            return keyed.find(first, next);
        }
        let held = self
            .held
            .get(self.held.partition_point(|held| held.next <= first))?;
        let (from, to) = (held.index(first), held.index(next));
        (from < to).then(|| (held.fetched.clone(), from..to))
    }

    /// Gives back what lies below the watermark, on the lane: the owner has better things to do.
    pub(crate) fn free_below(&mut self, watermark: i64) {
        while self.held.front().is_some_and(|held| held.next <= watermark) {
            let held = self.held.pop_front().expect("there is a front");
            if let Some(lane) = &self.lane {
                lane.send(ToLane::Free(held.fetched));
            }
        }
        if self
            .errors
            .first_key_value()
            .is_some_and(|(offset, _)| *offset < watermark)
        {
            self.errors = self.errors.split_off(&watermark);
        }
    }

    /// Notes why the record at `at` will not settle; `next` is the offset after it.
    pub(crate) fn broken(&mut self, at: i64, next: i64, kind: FailureKind, why: &str) -> Broken {
        tracing::warn!(
            handler = self.handler.def.name,
            place = %self.place,
            offset = at,
            "record not settled: {why}"
        );
        self.errors.insert(at, why.to_owned());
        Broken {
            at,
            next,
            failure: crate::driver::kind(kind),
        }
    }

    /// Forgets everything of the assignment.
    pub(crate) fn forget(&mut self) {
        self.drop_work();
        self.store = None;
        self.hold = None;
        self.paused = false;
        self.user_paused = false;
    }

    /// Forgets the records. Results that still come count for nothing.
    pub(crate) fn drop_work(&mut self) {
        self.cut.1.release();
        // Those of earlier rounds are not over either while something keeps their records open.
        self.started.drain(..).for_each(|run| run.halt.release());
        self.held.clear();
        self.errors.clear();
        if let Some(lane) = &self.lane {
            lane.send(ToLane::Released);
        }
        if let Some(keyed) = &mut self.keyed {
            keyed.forget();
            // Its tasks know no rounds: those of one assignment share a flag.
            self.cut.0 = u32::MAX;
        }
    }

    /// Handlers have work.
    pub(crate) fn is_handling(&self) -> bool {
        match &self.keyed {
            Some(keyed) => keyed.is_handling(),
            None => self.lane.as_ref().is_some_and(LaneHandle::is_handling),
        }
    }

    /// No handler goes on, also none that was aborted.
    pub(crate) fn is_over(&self) -> bool {
        match &self.keyed {
            Some(keyed) => keyed.is_over(),
            None => self.lane.as_ref().is_none_or(LaneHandle::is_over),
        }
    }

    /// Ends the handlers: at their next await, or when the thread of a blocking one returns.
    pub(crate) fn abort(&self) {
        self.lane.iter().for_each(LaneHandle::abort);
        self.keyed.iter().for_each(Keyed::abort);
    }

    /// The stop flag of a round: a new one for each.
    pub(crate) fn halt(&mut self, cut: u32) -> Arc<StopFlag> {
        if self.cut.0 != cut {
            let halt = match self.keyed {
                Some(_) => StopFlag::whole(),
                None => StopFlag::default(),
            };
            self.cut = (cut, Arc::new(halt));
        }
        self.cut.1.clone()
    }
}

impl Held {
    /// Index of the first record at or after `offset`.
    fn index(&self, offset: i64) -> usize {
        let (mut low, mut high) = (self.range.start, self.range.end);
        while low < high {
            let middle = low.midpoint(high);
            if self.fetched.offset(middle) < offset {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
