//! The calls that move, pause and resume a partition in the client, made until they are taken.

use super::Driver;
use super::state::failed_calls::Call;
use super::state::problems::Key;
use crate::client_error::ClientError;
use crate::health::ProblemCode;
use crate::transport::{GroupConsumer, PartitionRef};
use fastkafka_engine::PartIndex;

impl<T: GroupConsumer> Driver<T> {
    /// Stops or resumes reading a partition in the client.
    pub(super) fn pause(&mut self, part: PartIndex, pause: bool) {
        let partition = &mut self.partitions[part];
        let place = partition.place;
        if partition.paused != pause {
            tracing::debug!(%place, pause, "reading");
            if let Err(error) = self.consumer.pause(place, pause) {
                self.failed_calls.not_paused(part, pause, self.now);
                let what = if pause { "paused" } else { "resumed" };
                return self.stuck(place, &format!("it cannot be {what}: {error}"));
            }
            self.partitions[part].paused = pause;
        }
        if self.failed_calls.paused(part) {
            self.not_stuck(place);
        }
    }

    /// Moves the client to another position of a partition. Until that has worked nothing that is read of
    /// the partition counts: to go on from elsewhere would leave records out.
    pub(super) fn move_client(&mut self, place: PartitionRef, offset: i64) {
        let part = self.part(place);
        match self.consumer.seek(place, offset) {
            Ok(()) => self.failed_calls.moved(part, offset, self.now),
            Err(error) => self.not_moved(place, offset, &error),
        }
        if self.partitions[part].hold.is_none() {
            // It may have stood still at the end of a log that was cut.
            self.pause(part, false);
        }
    }

    /// The client could not move a partition, or not after all.
    pub(super) fn not_moved(&mut self, place: PartitionRef, offset: i64, error: &ClientError) {
        let part = self.part(place);
        // Another seek is on its way, or the partition is another member's.
        if self.seeks.is_moving(place) || !self.engine.accepts(part) {
            return;
        }
        self.failed_calls.not_moved(part, offset, self.now);
        self.stuck(place, &format!("it cannot be moved to {offset}: {error}"));
    }

    /// Makes the calls that failed once more.
    pub(super) fn repeat_calls(&mut self) {
        let (calls, over) = self.failed_calls.take_due(self.now);
        for (part, call) in calls {
            match call {
                Call::Move(offset) => self.move_client(self.partitions[part].place, offset),
                Call::Pause(pause) => self.pause(part, pause),
            }
        }
        for part in over {
            self.not_stuck(self.partitions[part].place);
        }
    }

    fn stuck(&mut self, place: PartitionRef, what: &str) {
        let key = Key::partition(ProblemCode::PartitionStuck, place);
        // Once: it is tried each second.
        if self.problems.raise(key, self.now, what) {
            tracing::error!(%place, "{what}; trying again");
        }
    }

    fn not_stuck(&mut self, place: PartitionRef) {
        let key = Key::partition(ProblemCode::PartitionStuck, place);
        if self.problems.clear(&key).is_some() {
            tracing::info!(%place, "moved, paused or resumed as it should be");
        }
    }
}
