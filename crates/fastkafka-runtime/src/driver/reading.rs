//! Reading, and not reading: back-pressure.

use super::Driver;
use super::partition::OwnedPartition;
use crate::transport::GroupConsumer;
use fastkafka_core::Fetched;
use fastkafka_engine::{Event, PartIndex, Span};
use std::ops::Range;
use std::sync::Arc;

/// The records that one turn asks for.
const FETCH: usize = 1_024;

impl<T: GroupConsumer> Driver<T> {
    /// True when there may be more to read at once.
    pub(super) fn fetch(&mut self) -> bool {
        // A consumer that leaves wants no records; what is left in the client costs nothing.
        if self.is_held_back() || self.rebalance.membership.is_draining() {
            return false;
        }
        let mut blocks = std::mem::take(&mut self.blocks);
        let more = self.consumer.fetch(FETCH, &mut blocks);
        if !more {
            self.backpressure.read_to_end();
        }
        for (place, block) in blocks.drain(..) {
            // These records were read before the seek.
            if self.seeks.is_moving(place) {
                continue;
            }
            self.is_read(place);
            let part = self.part(place);
            let most = self.partitions[part].handler.max_records;
            for first in (0..block.len()).step_by(most) {
                // Of a partition that is being given back: the next owner reads it. One that has stopped is
                // read again when it goes on.
                if self.engine.accepts(part) && !self.engine.stands(part) {
                    self.backpressure.fed();
                    self.take_in(part, &block, first..block.len().min(first + most));
                }
            }
        }
        self.blocks = blocks;
        more
    }

    /// Keeps a run and tells the engine of it.
    fn take_in(&mut self, part: PartIndex, block: &Arc<dyn Fetched>, range: Range<usize>) {
        let partition = &mut self.partitions[part];
        if let Some(keyed) = &mut partition.keyed {
            let records = keyed.keep(block, range);
            return self.step(Event::Read { part, records });
        }
        let span = Span {
            first: block.offset(range.start),
            next: block.offset(range.end - 1) + 1,
            records: u32::try_from(range.len()).expect("a run has fewer than 2^32 records"),
            bytes: block.bytes(range.clone()),
        };
        partition.keep(span, block, range);
        self.step(Event::Fetched { part, span });
    }

    /// True while nothing is read for the sake of a full partition.
    fn is_held_back(&mut self) -> bool {
        let is_full = |p: &OwnedPartition| p.hold.is_some() && !p.paused;
        let numbered = self.partitions.numbered();
        let full = numbered.filter_map(|(part, p)| is_full(p).then_some(part));
        let full: Vec<_> = full.collect();
        let starves = !full.is_empty() && self.partitions.numbers().any(|part| self.starves(part));
        for part in self.backpressure.look(self.now, &full, starves) {
            self.pause(part, true);
        }
        self.partitions.iter().any(is_full)
    }

    /// Nothing of the partition can be handled unless more of it is read. In partition order it does
    /// not starve while its handler has work; an open output is no work.
    fn starves(&self, part: PartIndex) -> bool {
        let partition = &self.partitions[part];
        self.engine.wants(part) && partition.backlog() == 0
    }
}
