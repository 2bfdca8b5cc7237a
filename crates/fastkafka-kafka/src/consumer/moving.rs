//! The calls that begin to read a partition or move it: after an assign, by a seek, out of a position that
//! its log does not have.

use super::KafkaConsumer;
use super::raw::{Event, Offsets, RawClient};
use fastkafka_runtime::platform::{ClientError, PartitionRef};

impl<C: RawClient> KafkaConsumer<C> {
    /// Begins to read, nothing being paused.
    pub(super) fn begin(&mut self, starts: &Offsets) -> Result<(), ClientError> {
        // Before: the first records must not go to the consumer's own queue. After: a fetcher that
        // stops late, because the partition was just given up, takes the forwarding with it.
        self.client.forward(starts);
        if self.client.is_cooperative() {
            self.client.assign_more(starts)?;
        } else if self.standalone.is_some() {
            // librdkafka keeps none that is not in the list; the others go on where they are.
            let all = self.assigned.positions();
            self.client.assign(&all)?;
            self.client.forward(&all);
        } else {
            self.client.assign(starts)?;
        }
        self.client.forward(starts);
        // librdkafka keeps an application's pauses over a rebalance.
        self.client.resume(starts)
    }

    /// Moves a partition by giving it up and taking it again: librdkafka's own `seek` is refused,
    /// silently, for a partition that stands still after an error.
    pub(super) fn restart(&mut self, place: PartitionRef, offset: i64) -> Result<(), ClientError> {
        // What was lost was lost at the old position.
        self.lost.settle(place);
        self.errors.begun_again(place, self.client.now());
        if let Some(part) = self.assigned.get_mut(place) {
            part.next = offset;
        }
        let start = [(place, offset)];
        if self.client.is_cooperative() {
            self.client.unassign_some(&start)?;
            self.begin(&start)?;
        } else {
            // Eager groups know no single partitions.
            self.client.unassign()?;
            self.begin(&self.assigned.positions())?;
        }
        self.client.pause(&self.assigned.paused())
    }

    /// Moves the partitions whose seeks have waited.
    pub(super) fn restart_waiting(&mut self) {
        for (place, offset) in self.seeks.take() {
            if self.assigned.contains(place)
                && let Err(error) = self.restart(place, offset)
            {
                self.client.post(Event::Error(error));
            }
        }
    }
}
