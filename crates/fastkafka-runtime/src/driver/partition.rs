//! A partition as its driver knows it, through all of its assignments.

use super::errors::Errors;
use super::kept_runs::KeptRuns;
use super::seen::Seen;
use super::started::{Lost, StartedRuns};
use crate::control::command::Seek;
use crate::handling::handler::Handler;
use crate::handling::job::{LaneHandle, ToLane};
use crate::handling::keyed::Keyed;
use crate::measures::Meters;
use crate::transport::PartitionRef;
use fastkafka_core::{FailureKind, Fetched, StopFlag};
use fastkafka_engine::{self as engine, Broken, HoldBack, RunId, Span, Time};
use std::ops::Range;
use std::sync::Arc;

/// Where a partition that stands still goes on by itself, and when that is tried next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GoesOn {
    pub(super) to: Seek,
    pub(super) at: Time,
}

#[derive(Debug)]
pub(crate) struct OwnedPartition {
    pub(crate) place: PartitionRef,
    pub(crate) handler: Arc<Handler>,
    pub(crate) lane: Option<LaneHandle>,
    /// Instead of a lane, in order by key and without order.
    pub(crate) keyed: Option<Keyed>,
    /// The current cut and its stop flag.
    cut: (u32, Arc<StopFlag>),
    pub(crate) started: StartedRuns,
    /// The watermark that the client is given at the end of the turn.
    pub(crate) store: Option<i64>,
    pub(crate) hold: Option<HoldBack>,
    /// Paused in the client.
    pub(crate) paused: bool,
    /// Paused by the user, as far as the engine knows.
    pub(crate) user_paused: bool,
    /// The position, when it does not belong to the log.
    pub(crate) truncated: Option<i64>,
    /// By itself, when it stands still for that.
    pub(crate) goes_on: Option<GoesOn>,
    /// Why records failed; for dead letters and health.
    pub(crate) errors: Errors,
    /// With those of its tasks.
    pub(crate) meters: Arc<Meters>,
    /// For those who watch.
    pub(crate) seen: Seen,
    kept: KeptRuns,
}

impl OwnedPartition {
    pub(crate) fn new(
        place: PartitionRef,
        handler: Arc<Handler>,
        keyed: Option<Keyed>,
        meters: Arc<Meters>,
    ) -> Self {
        Self {
            meters,
            place,
            handler,
            lane: None,
            cut: (u32::MAX, Arc::default()),
            keyed,
            started: StartedRuns::default(),
            store: None,
            hold: None,
            paused: false,
            user_paused: false,
            truncated: None,
            goes_on: None,
            errors: Errors::default(),
            seen: Seen::default(),
            kept: KeptRuns::default(),
        }
    }

    /// Keeps a run of which the engine is about to be told.
    pub(crate) fn keep(&mut self, span: Span, block: &Arc<dyn Fetched>, range: Range<usize>) {
        self.kept.keep(span, block, range);
    }

    /// The records of `[first, next)`, which were kept together.
    pub(crate) fn find(&self, first: i64, next: i64) -> Option<(Arc<dyn Fetched>, Range<usize>)> {
        match &self.keyed {
            Some(keyed) => keyed.find(first, next),
            None => self.kept.find(first, next),
        }
    }

    /// Gives back what lies below the watermark.
    pub(crate) fn free_below(&mut self, watermark: i64) {
        while let Some(block) = self.kept.pop_below(watermark) {
            // On the lane: to free a block takes time, and the driver must not lose it.
            if let Some(lane) = &self.lane {
                lane.send(ToLane::Free(block));
            }
        }
        self.errors.forget_below(watermark);
        self.meters.done_below(watermark);
    }

    /// Gives all records back, now that the partition has stopped at the one at `at`. The engine knows them still, and
    /// starts none of them.
    pub(crate) fn let_go(&mut self, at: i64, now: Time) {
        let mut seen = self.seen;
        // Those who watch ask when it was written.
        seen.oldest(Some(at), now, |at| self.written(at));
        self.seen = seen;
        self.started.let_go();
        while let Some(block) = self.kept.pop_below(i64::MAX) {
            if let Some(lane) = &self.lane {
                lane.send(ToLane::Free(block));
            }
        }
    }

    /// When the record at this offset was written, in milliseconds since 1970.
    pub(crate) fn written(&self, at: i64) -> Option<i64> {
        let (block, range) = self.find(at, at + 1)?;
        let mut records = Vec::with_capacity(1);
        block.records(range, &mut records);
        records.first()?.timestamp.millis()
    }

    /// Why the record at `at` failed, as far as it is known.
    pub(crate) fn error(&self, at: i64) -> &str {
        self.errors.of_handler(at)
    }

    /// Notes a record that was handled and will not settle.
    pub(crate) fn note_lost(&mut self, lost: Lost) -> Broken {
        let Lost {
            at,
            next,
            kind,
            why,
        } = lost;
        tracing::warn!(
            handler = self.handler.def.name,
            place = %self.place,
            offset = at,
            "record not settled: {why}"
        );
        self.meters.not_settled(at, next, kind);
        self.errors.failed(at, why);
        Broken {
            at,
            next,
            failure: failure(kind),
        }
    }

    /// Forgets everything of the assignment.
    pub(crate) fn forget(&mut self) {
        self.drop_work();
        self.store = None;
        self.hold = None;
        self.paused = false;
        self.user_paused = false;
        self.seen = Seen::default();
    }

    /// Forgets the records. Results that still come count for nothing.
    pub(crate) fn drop_work(&mut self) {
        self.cut.1.release();
        self.started.release();
        self.kept.clear();
        self.errors.clear();
        self.meters.forget();
        if let Some(lane) = &self.lane {
            lane.send(ToLane::Released);
        }
        if let Some(keyed) = &mut self.keyed {
            keyed.forget();
            // Its tasks are never cut: those of one assignment share a flag, and the next gets a new one.
            self.cut.0 = u32::MAX;
        }
    }

    /// The number of runs that the lane has not handled.
    pub(crate) fn backlog(&self) -> usize {
        self.lane.as_ref().map_or(0, LaneHandle::backlog)
    }

    /// The records that handlers have in hand, or whose dead letters are being written: the first and the
    /// last offset of each run.
    pub(crate) fn in_hand(&self) -> Vec<(i64, i64)> {
        match (&self.keyed, &self.lane) {
            (Some(keyed), _) => keyed.in_hand(),
            (None, Some(lane)) => lane.in_hand().into_iter().collect(),
            (None, None) => Vec::new(),
        }
    }

    /// The call of a lane that goes on although the partition was given back or moved.
    pub(crate) fn straggler(&self) -> Option<(RunId, i64, Option<u32>)> {
        let lane = self.lane.as_ref()?;
        lane.straggler(|run| self.started.has(run))
    }

    /// The first offset of each run that was handled and is not settled, where that `counts` for the engine.
    /// A run may stay open for a late report when its records have failed, or are handled again.
    pub(crate) fn unsettled(&self, counts: impl Fn(RunId, i64) -> bool) -> Vec<i64> {
        let handled = |run| match (&self.keyed, &self.lane) {
            (Some(keyed), _) if keyed.is_at_work(run) => 0,
            (Some(_), _) => usize::MAX,
            (None, Some(lane)) => lane.handled(run),
            (None, None) => 0,
        };
        self.started.unsettled(handled, counts)
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

    /// Ends the handlers whatever state the rest is in.
    pub(crate) fn halt(&self) {
        self.cut.1.release();
        self.abort();
    }

    /// The stop flag of a cut: a new one for each.
    pub(crate) fn stop_flag(&mut self, cut: u32) -> Arc<StopFlag> {
        if self.cut.0 != cut {
            let flag = match self.keyed {
                Some(_) => StopFlag::whole(),
                None => StopFlag::default(),
            };
            self.cut = (cut, Arc::new(flag));
        }
        self.cut.1.clone()
    }
}

/// A failure in the engine's words.
pub(crate) fn failure(kind: FailureKind) -> engine::Failure {
    match kind {
        FailureKind::Retry { after } => engine::Failure::Retry { after },
        FailureKind::Rejected => engine::Failure::Rejected,
        FailureKind::Transient { after } => engine::Failure::Transient { after },
    }
}
