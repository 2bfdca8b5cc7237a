//! Reading, and not reading: back-pressure.

use super::{Driver, STARVED};
use crate::driver::partition::OwnedPartition;
use crate::transport::GroupConsumer;
use fastkafka_core::Fetched;
use fastkafka_engine::{Event, HoldBack, PartIndex, Span};
use std::ops::Range;
use std::sync::Arc;

/// How many records one turn asks for.
const FETCH: usize = 1_024;

impl<T: GroupConsumer> Driver<T> {
    /// True when there may be more to read at once.
    pub(super) fn fetch(&mut self) -> bool {
        // On the way out nothing is wanted; what is left in the client costs nothing.
        if self.held_back() || self.rebalance.is_draining() {
            return false;
        }
        let mut runs = std::mem::take(&mut self.runs);
        let more = self.consumer.fetch(FETCH, &mut runs);
        for (place, fetched) in runs.drain(..) {
            // What was read before a seek is not what follows it.
            if self.is_moving(place) {
                continue;
            }
            let part = self.part(place);
            let most = self.at(part).handler.max_records;
            for first in (0..fetched.len()).step_by(most) {
                // Revoked: dropped unseen, the next owner reads it. What has stopped is kept for its restart.
                if self.engine.accepts(part) {
                    self.take_in(part, &fetched, first..fetched.len().min(first + most));
                }
            }
        }
        self.runs = runs;
        more
    }

    pub(super) fn take_in(
        &mut self,
        part: PartIndex,
        fetched: &Arc<dyn Fetched>,
        range: Range<usize>,
    ) {
        let partition = self.at(part);
        if let Some(keyed) = &mut partition.keyed {
            let records = keyed.keep(fetched, range);
            return self.step(Event::Read { part, records });
        }
        let span = Span {
            first: fetched.offset(range.start),
            next: fetched.offset(range.end - 1) + 1,
            records: u32::try_from(range.len()).expect("a run has fewer than 2^32 records"),
            bytes: fetched.bytes(range.clone()),
        };
        self.at(part).keep(span, fetched, range);
        self.step(Event::Fetched { part, span });
    }

    /// Back-pressure is not to read: it costs nothing, where a pause throws away what was prefetched.
    /// A full partition is paused only when that lasts, another one has nothing to do, and it is
    /// its handlers that are slow: when it waits for reports, a pause would help nobody.
    pub(super) fn held_back(&mut self) -> bool {
        let full = |p: &OwnedPartition| p.hold == Some(HoldBack::Full) && !p.paused;
        if !self.parts.iter().any(full) {
            self.gated = None;
            return false;
        }
        let since = *self.gated.get_or_insert(self.now);
        let parts = (0..).map(PartIndex).take(self.parts.len());
        if self.now.saturating_sub(since) < STARVED
            || !parts.clone().any(|part| self.engine.starves(part))
        {
            return true;
        }
        for part in parts {
            let p = &self.parts[part.0 as usize];
            if full(p) && p.is_handling() {
                self.pause(part, true);
            }
        }
        self.parts.iter().any(full)
    }

    pub(crate) fn pause(&mut self, part: PartIndex, pause: bool) {
        let partition = &mut self.parts[part.0 as usize];
        if partition.paused == pause {
            return;
        }
        partition.paused = pause;
        tracing::debug!(place = %partition.place, pause, "reading");
        if let Err(error) = self.consumer.pause(partition.place, pause) {
            tracing::error!(place = %partition.place, "cannot pause or resume: {error}");
        }
    }
}
