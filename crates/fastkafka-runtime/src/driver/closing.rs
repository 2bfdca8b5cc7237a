//! The end of a driver: the handlers are over or cut, the client is closed, and what did not end is named.

use super::Driver;
use crate::transport::GroupConsumer;
use fastkafka_engine::{Event, PartIndex};
use std::task::Poll;

impl<T: GroupConsumer> Driver<T> {
    /// Ends the handlers and closes the client once the group is left; `Some` when that is over.
    pub(super) fn close_consumer(&mut self) -> Option<Result<(), String>> {
        let given_back = self.rebalance.is_over();
        let membership = &mut self.rebalance.membership;
        if membership.is_leaving()
            && membership.close(self.now, given_back, self.partitions.are_at_work())
        {
            self.cut();
            self.end_handlers();
            // The tasks need a moment to end.
            return None;
        }
        let deadline = membership.closing_deadline()?;
        let left = deadline.saturating_sub(self.now);
        let busy = self.partitions.iter().any(|p| !p.is_over());
        if !busy && let Poll::Ready(closed) = self.consumer.close(left) {
            self.is_closed = true;
            // The answer to the last commit may have come with the end.
            self.poll();
            return Some(self.unfinished.result([self.not_committed(), closed.err()]));
        }
        if !left.is_zero() {
            return None;
        }
        let group = self.setup.group();
        let open = if busy {
            format!(
                "the client of group `{group}` stays open: a handler that does not return has its records"
            )
        } else {
            "the consumer could not be closed in time; offsets may not be committed".to_owned()
        };
        Some(self.unfinished.result([Some(open)]))
    }

    /// What became of the commits since the consumer leaves its group.
    fn not_committed(&self) -> Option<String> {
        let refused = self.not_committed.iter();
        let refused: Vec<_> = refused
            .map(|(place, why)| format!("{place}: {why}"))
            .collect();
        (!refused.is_empty()).then(|| {
            let refused = refused.join(", ");
            format!("the last offsets could not be committed: {refused}")
        })
    }

    /// Notes what is cut now, in the log and for the result of the stop.
    fn cut(&mut self) {
        for part in self.partitions.numbers() {
            self.note_unsettled(part);
            let partition = &self.partitions[part];
            for (first, last) in partition.in_hand() {
                let offsets = offsets(first, last);
                tracing::error!(
                    handler = partition.handler.def.name,
                    place = %partition.place,
                    offset = first,
                    "the handler did not end in time and is cut; {offsets} will be handled again"
                );
                self.unfinished.cut(format!(
                    "`{}` on {} at {offsets}",
                    partition.handler.def.name, partition.place
                ));
            }
        }
        // A revoke that has not come is waited for no more: nobody may store or give back anything from here.
        self.rebalance.lose();
        let assigned = self.rebalance.assigned().to_vec();
        let parts = self.parts(&assigned);
        if !parts.is_empty() {
            self.step(Event::Lost { parts });
        }
    }

    /// Notes what is open in partitions whose revoke ends now, whatever is open: with the step of the engine
    /// it is forgotten.
    pub(super) fn note_given_up(&mut self) {
        // What is lost is another member's.
        if self.rebalance.membership.is_member() || self.consumer.lost() {
            return;
        }
        for part in self.partitions.numbers() {
            if self.engine.gives_up(part, self.now) {
                self.note_unsettled(part);
            }
        }
    }

    /// Notes the records of a partition that were handled and are not settled, when that is given up.
    pub(super) fn note_unsettled(&mut self, part: PartIndex) {
        if self.rebalance.membership.is_member() {
            return;
        }
        let partition = &self.partitions[part];
        let counts = |run, at| self.engine.counts(part, run, at);
        for offset in partition.unsettled(counts) {
            tracing::error!(
                handler = partition.handler.def.name,
                place = %partition.place,
                offset,
                "an output, an `Ack` or a spawned task of the record did not end in time; it will be handled again"
            );
            self.unfinished.unsettled(format!(
                "`{}` on {} from offset {offset}",
                partition.handler.def.name, partition.place
            ));
        }
    }
}

fn offsets(first: i64, last: i64) -> String {
    if first == last {
        format!("offset {first}")
    } else {
        format!("offsets {first} to {last}")
    }
}
