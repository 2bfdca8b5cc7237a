//! Noting where the partitions stand, for those who watch. Nobody waits for it, and it waits for nobody.

use super::Driver;
use crate::state::Figures;
use crate::transport::{GroupConsumer, PartitionRef};
use fastkafka_engine::{self as engine, PartIndex};
use std::time::Duration;

/// Between two looks. A driver turns as often where nothing happens.
const LOOK: Duration = Duration::from_secs(1);

impl<T: GroupConsumer> Driver<T> {
    /// Looks if it is time.
    pub(super) fn look_from_time_to_time(&mut self) {
        if self.now.saturating_sub(self.looked) >= LOOK {
            self.look_at_partitions();
        }
    }

    /// At once, as when partitions have come or gone.
    pub(super) fn look_at_partitions(&mut self) {
        self.looked = self.now;
        let stopped: Vec<_> = self.engine.stopped().map(|stopped| stopped.part).collect();
        let places = self.rebalance.assigned().to_vec();
        let figures = places.into_iter().filter_map(|place| {
            let part = self.partitions.find(place)?;
            let held = self.engine.figures(part)?;
            Some(self.figures(place, part, held, stopped.contains(&part)))
        });
        let figures = figures.collect();
        self.setup.shared.set_figures(figures);
    }

    fn figures(
        &mut self,
        place: PartitionRef,
        part: PartIndex,
        held: engine::Figures,
        stopped: bool,
    ) -> Figures {
        let now = self.now;
        let end = self.consumer.end(place);
        let commits = self.setup.shared.commits();
        // The engine counts what is read again when it goes on.
        let bytes = match self.engine.stands(part) {
            true => 0,
            false => held.bytes,
        };
        let partition = &mut self.partitions[part];
        let mut seen = partition.seen;
        if !commits {
            seen.committed = None;
        }
        let oldest = seen.oldest(held.first_open, now, |at| partition.written(at));
        let unread = seen.unread(held.position, end, now);
        let uncommitted = seen.uncommitted(held.watermark, now);
        partition.seen = seen;
        Figures {
            place,
            handler: partition.handler.def.name,
            committed: seen.committed,
            settled: held.watermark,
            position: held.position,
            end,
            oldest,
            open: held.open,
            span: held.span,
            bytes,
            in_hand: partition.in_hand().len(),
            unread,
            unanswered: None,
            uncommitted,
            stopped: stopped || partition.truncated.is_some(),
            paused: partition.user_paused,
        }
    }
}
