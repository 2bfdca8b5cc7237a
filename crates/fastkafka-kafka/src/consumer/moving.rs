//! The calls that begin to read a partition or move it: after an assign, by a seek, out of a position that
//! its log does not have.

use super::KafkaConsumer;
use super::raw::{Event, Offsets, RawClient};
use fastkafka_runtime::platform::{ClientError, PartitionRef};

impl<C: RawClient> KafkaConsumer<C> {
    /// Begins to read beside what is read, nothing being paused of it.
    pub(super) fn begin(&mut self, starts: &Offsets) -> Result<(), ClientError> {
        self.take(starts)?;
        self.open(starts)
    }

    /// Takes these, beside the others.
    fn take(&mut self, starts: &Offsets) -> Result<(), ClientError> {
        // The first records must not go to the consumer's own queue.
        self.client.forward(starts);
        if self.client.is_cooperative() {
            self.client.assign_more(starts)
        } else {
            // librdkafka keeps none that is not in the list; the others go on where they are.
            let all = self.assigned.positions();
            self.client.assign(&all)?;
            // Forwarded sooner, one that was read before would be forwarded no more when it has stopped, and its
            // records would wait where nobody takes them.
            self.client.await_stops();
            self.client.forward(&all);
            Ok(())
        }
    }

    /// Makes sure that their records come, to where they are looked for.
    fn open(&mut self, starts: &Offsets) -> Result<(), ClientError> {
        // Again: a fetcher that stops late, because the partition was just given up, takes the forwarding
        // with it.
        self.client.forward(starts);
        // librdkafka keeps an application's pauses over a rebalance.
        self.client.resume(starts)?;
        self.check(starts);
        Ok(())
    }

    /// Begins with partitions outside of a rebalance. Where all are assigned anew, pauses are too.
    pub(super) fn begin_beside(&mut self, starts: &Offsets) -> Result<(), ClientError> {
        let begun = self.begin(starts);
        // Nobody can look for a rebalance and make the calls at once.
        if self.client.has_events() {
            self.rebalance.may_be_answered();
        }
        begun?;
        self.client.pause(&self.assigned.paused())
    }

    /// Begins with the partitions whose starts have waited.
    pub(super) fn add_waiting(&mut self) {
        if self.client.has_events() {
            return;
        }
        let starts = self.late.take().into_iter();
        let starts: Vec<_> = starts
            .map(|(place, offset)| (place, self.go_to(place, offset)))
            .collect();
        if starts.is_empty() {
            return;
        }
        if let Err(error) = self.begin_beside(&starts) {
            // The driver has heard that they are added: each is told, and taken later.
            for (place, at) in starts {
                self.seeks.add(place, at.offset);
                self.seeks.set_given_up(place, true);
                self.seeks.fail(place);
                let failed = Event::NotMoved(place, at.offset, error.clone());
                self.client.post(failed);
            }
        }
    }

    /// Moves a partition. librdkafka refuses a seek where reading stands still after an error: then it is given up
    /// and taken again. Until that has worked its seek is on its way; it may be tried again.
    pub(super) fn restart(&mut self, place: PartitionRef, offset: i64) -> Result<(), ClientError> {
        // What was lost was lost at the old position.
        self.lost.forget(place);
        self.errors.begun_again(place, self.client.now());
        let start = [(place, self.go_to(place, offset))];
        // By a seek, which moves this one alone and answers no rebalance, if the client takes it.
        let moved = if self.client.validate(&start).is_empty() {
            self.check(&start);
            Ok(())
        } else {
            let moved = self.give_up_and_take(place, &start);
            // Nobody can look for a rebalance and make the calls at once.
            if self.client.has_events() {
                self.rebalance.may_be_answered();
            }
            moved
        };
        match &moved {
            Ok(()) => self.seeks.end(place),
            Err(_) => self.seeks.fail(place),
        }
        moved
    }

    fn give_up_and_take(
        &mut self,
        place: PartitionRef,
        start: &Offsets,
    ) -> Result<(), ClientError> {
        if self.client.is_cooperative() {
            if !self.seeks.is_given_up(place) {
                self.client.unassign_some(start)?;
                self.seeks.set_given_up(place, true);
            }
            self.take(start)?;
            self.seeks.set_given_up(place, false);
            self.open(start)?;
        } else {
            // Eager groups know no single partitions.
            self.client.unassign()?;
            self.begin(&self.assigned.positions())?;
        }
        self.client.pause(&self.assigned.paused())
    }

    /// Moves the partitions whose seeks have waited.
    pub(super) fn restart_waiting(&mut self) {
        for (place, offset) in self.seeks.waiting() {
            if !self.assigned.contains(place) {
                self.seeks.end(place);
            } else if self.client.has_events() {
                // One of them may be a rebalance.
                self.client.wake();
                return;
            } else if let Err(error) = self.restart(place, offset) {
                self.client.post(Event::NotMoved(place, offset, error));
            }
        }
    }
}
