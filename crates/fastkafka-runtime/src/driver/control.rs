//! The user's commands: pause, resume, seek.
//!
//! A seek is three steps. First the client is asked for the position, while everything goes on. Then
//! the engine forgets the partition, the position is stored, and it is committed by itself: librdkafka's
//! periodic commits only go forward, and a crash must not undo the seek. From here on nothing that was
//! read before counts, nor is anything else committed, as what is stored is the new position. Last the
//! client is moved, and reads. So no record of the new position begins before its commit is answered,
//! and whatever ends the process in between, the group goes on at the old watermark or at the new
//! position.

use super::Driver;
use super::state::seeks::Sought;
use crate::client_error::ClientError;
use crate::control::command::{Command, Position, Reply, Seek};
use crate::control::error::ControlError;
use crate::control::target::Target;
use crate::transport::{GroupConsumer, PartitionRef};
use fastkafka_engine::{Event, PartIndex};

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn handle_commands(&mut self) {
        for (command, reply) in self.setup.shared.take_commands() {
            self.apply_pauses();
            match command {
                Command::Pause => {}
                Command::Resume(target) => self.restart(&target),
                Command::Seek(target, to) => self.begin_seek(&target, to, &reply),
            }
            // Before the reply is dropped: the caller may look at once.
            self.report();
        }
    }

    /// Tells the engine which partitions are paused, where that is news.
    pub(super) fn apply_pauses(&mut self) {
        for place in self.rebalance.assigned().to_vec() {
            let part = self.part(place);
            let pause = self.setup.pauses.contain(place);
            let partition = &mut self.partitions[part];
            if partition.user_paused != pause {
                partition.user_paused = pause;
                tracing::info!(%place, "{}", if pause { "paused" } else { "resumed" });
                self.step(Event::Pause { part, pause });
            }
        }
    }

    fn restart(&mut self, target: &Target) {
        for (place, part) in self.assigned(target) {
            if self.engine.stands(part) {
                self.read_again(place, part);
            } else {
                self.step(Event::Restart { part });
            }
            // The log may have grown up to the position since.
            if let Some(position) = self.partitions[part].truncated {
                self.leave_position(place);
                self.move_client(place, position);
            }
        }
    }

    /// Nothing is kept of a partition that has stopped: it goes on at its watermark, and the client is moved there.
    fn read_again(&mut self, place: PartitionRef, part: PartIndex) {
        // One that is being given back goes on where its next owner begins.
        if !self.engine.accepts(part) {
            return;
        }
        let Some(position) = self.engine.watermark(part) else {
            return;
        };
        let partition = &mut self.partitions[part];
        partition.drop_work();
        let store = partition.store;
        self.leave_position(place);
        self.step(Event::Seek { part, position });
        // That is no seek of the user's. The client has the watermark, or is about to be told: told again it sends
        // nothing, and the next offset would wait for the answer.
        self.partitions[part].store = store;
        self.move_client(place, position);
    }

    fn assigned(&mut self, target: &Target) -> Vec<(PartitionRef, PartIndex)> {
        let mut places = self.rebalance.assigned().to_vec();
        places.retain(|place| target.covers(place));
        let part = |place| (place, self.part(place));
        places.into_iter().map(part).collect()
    }

    fn begin_seek(&mut self, target: &Target, to: Seek, reply: &Reply) {
        for (place, _) in self.assigned(target) {
            let (topic, partition) = (place.topic.clone(), place.partition);
            let error = match self.may_move(place) {
                Ok(()) if self.seeks.is_under_way(place) => {
                    Some(ControlError::Seeking { topic, partition })
                }
                allowed => allowed.err(),
            };
            if let Some(error) = error {
                let _ = reply.send(Err(error));
                continue;
            }
            self.seeks.begin(place, reply.clone());
            self.consumer.find(place, to);
        }
    }

    pub(super) fn may_move(&self, place: PartitionRef) -> Result<(), ControlError> {
        if !self.rebalance.membership.is_member() {
            return Err(ControlError::Stopping);
        }
        if self.rebalance.is_busy() {
            let (topic, partition) = (place.topic.clone(), place.partition);
            return Err(ControlError::Rebalancing { topic, partition });
        }
        Ok(())
    }

    /// The client has found the position of a seek, or says why it could not.
    pub(super) fn seek_found(&mut self, place: PartitionRef, found: Result<i64, ControlError>) {
        let found = if self.seeks.is_given_back(place) {
            Err(self.not_assigned_since(place))
        } else {
            self.may_move(place).and(found)
        };
        let position = match found {
            Ok(position) => position,
            Err(error) => {
                self.cannot_go_on(place, &error);
                return drop(self.seeks.fail(place).send(Err(error)));
            }
        };
        self.seeks.commit(place, position);
        let part = self.part(place);
        let partition = &mut self.partitions[part];
        partition.drop_work();
        self.leave_position(place);
        self.step(Event::Seek { part, position });
        self.store();
        self.consumer.commit(place, position);
    }

    /// The partition was given back while its position was sought, and may be assigned again.
    fn not_assigned_since(&self, place: PartitionRef) -> ControlError {
        let (topic, partition) = (place.topic.clone(), place.partition);
        if self.rebalance.assigned().contains(&place) {
            return ControlError::Rebalancing { topic, partition };
        }
        let target = Target::from((&*topic, partition));
        ControlError::NotAssigned { target }
    }

    /// The commit of a seek is answered. Refused or not, the engine has moved, and the client follows.
    pub(super) fn seek_committed(
        &mut self,
        place: PartitionRef,
        committed: Result<(), ClientError>,
    ) {
        let Sought {
            position: offset,
            given_back,
            reply,
        } = self.seeks.end(place);
        if !given_back {
            tracing::info!(%place, "goes on at {offset}");
            self.move_client(place, offset);
        }
        if committed.is_ok() {
            let part = self.part(place);
            self.partitions[part].seen.committed = Some(offset);
        }
        let (topic, partition) = (place.topic.clone(), place.partition);
        let _ = reply.send(match committed {
            Ok(()) => Ok(Position {
                topic,
                partition,
                offset,
            }),
            Err(error) => Err(ControlError::NotCommitted {
                topic,
                partition,
                offset,
                why: error.message,
            }),
        });
        self.report();
    }
}
