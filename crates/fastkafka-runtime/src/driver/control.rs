//! Doing what the user wants: pause, resume, seek.
//!
//! A seek is three steps. First it is asked where to go on, while everything goes on. Then the engine
//! forgets the partition, the new position is stored, and it is committed: librdkafka's periodic
//! commits only go forward, and a crash must not undo the seek. From here on nothing that was read
//! before counts, nor is anything else committed, as what is stored is the new position. Last the
//! client is moved, and reads. So no record of the new position begins before its commit is answered,
//! and whatever ends the process in between, the group goes on at the old watermark or at the new
//! position.

use super::Driver;
use crate::control::{Command, ControlError, Position, Reply, Seek, Target};
use crate::transport::{GroupConsumer, PartitionRef};
use fastkafka_engine::{Event, PartIndex};

/// A seek under way.
pub(super) struct Moving {
    place: PartitionRef,
    /// Where to, once that is known: it is being committed.
    to: Option<i64>,
    /// The partition was given back meanwhile.
    gone: bool,
    reply: Reply,
}

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn handle_commands(&mut self) {
        for (command, reply) in self.setup.shared.take_commands() {
            self.apply_pauses();
            match command {
                Command::Pause => {}
                Command::Resume(target) => self.restart(&target),
                Command::Seek(target, to) => self.begin_seek(&target, to, &reply),
            }
            // Before the reply goes: who asked may look at once.
            self.report();
        }
    }

    /// Tells the engine which partitions are paused, where that is news.
    pub(crate) fn apply_pauses(&mut self) {
        for place in self.rebalance.assigned.clone() {
            let part = self.part(place);
            let pause = self.setup.pauses.contain(place);
            if self.at(part).user_paused != pause {
                self.at(part).user_paused = pause;
                tracing::info!(%place, "{}", if pause { "paused" } else { "resumed" });
                self.step(Event::Pause { part, pause });
            }
        }
    }

    pub(super) fn is_paused(&self, place: PartitionRef) -> bool {
        let part = self.index.get(&std::ptr::from_ref(place).addr());
        part.is_some_and(|part| self.parts[part.0 as usize].user_paused)
    }

    fn restart(&mut self, target: &Target) {
        for (place, part) in self.assigned(target) {
            self.step(Event::Restart { part });
            // Perhaps the log has grown up to the position since.
            if let Some(position) = self.truncated.remove(&part) {
                self.move_client(place, position);
            }
        }
    }

    fn assigned(&mut self, target: &Target) -> Vec<(PartitionRef, PartIndex)> {
        let places = self.rebalance.assigned.iter();
        let places: Vec<_> = places.copied().filter(|p| target.covers(p)).collect();
        let part = |place| (place, self.part(place));
        places.into_iter().map(part).collect()
    }

    fn begin_seek(&mut self, target: &Target, to: Seek, reply: &Reply) {
        for (place, _) in self.assigned(target) {
            if let Err(error) = self.may_move(place) {
                let _ = reply.send(Err(error));
                continue;
            }
            self.moving.push(Moving {
                place,
                to: None,
                gone: false,
                reply: reply.clone(),
            });
            self.consumer.find(place, to);
        }
    }

    fn may_move(&self, place: PartitionRef) -> Result<(), ControlError> {
        let (topic, partition) = (place.topic.clone(), place.partition);
        if self.rebalance.is_leaving() {
            Err(ControlError::Stopping)
        } else if self.rebalance.is_busy() {
            Err(ControlError::Rebalancing { topic, partition })
        } else if self.moving.iter().any(|moving| moving.place == place) {
            Err(ControlError::Seeking { topic, partition })
        } else {
            Ok(())
        }
    }

    /// Where a seek goes to is known, or why that is unknown.
    pub(super) fn found(&mut self, place: PartitionRef, found: Result<i64, ControlError>) {
        let i = self.moving.iter().position(|moving| moving.place == place);
        let mut moving = self
            .moving
            .remove(i.expect("only a seek asks for a position"));
        let found = if moving.gone {
            let target = Target::from((&*place.topic, place.partition));
            Err(ControlError::NotAssigned { target })
        } else {
            self.may_move(place).and(found)
        };
        let position = match found {
            Ok(position) => position,
            Err(error) => return drop(moving.reply.send(Err(error))),
        };
        let part = self.part(place);
        self.truncated.remove(&part);
        self.at(part).drop_work();
        self.step(Event::Seek { part, position });
        self.store();
        self.consumer.commit(place, position);
        moving.to = Some(position);
        self.moving.push(moving);
    }

    /// The commit of a seek is answered. Refused or not, the engine has moved, and the client follows.
    pub(super) fn moved(&mut self, place: PartitionRef, committed: Result<(), String>) {
        let i = self.moving.iter().position(|moving| moving.place == place);
        let moving = self
            .moving
            .remove(i.expect("only a seek commits by itself"));
        let offset = moving.to.expect("it was found before");
        if !moving.gone {
            tracing::info!(%place, "goes on at {offset}");
            self.move_client(place, offset);
        }
        let (topic, partition) = (place.topic.clone(), place.partition);
        let _ = moving.reply.send(match committed {
            Ok(()) => Ok(Position {
                topic,
                partition,
                offset,
            }),
            Err(why) => Err(ControlError::NotCommitted {
                topic,
                partition,
                offset,
                why,
            }),
        });
        self.report();
    }

    fn move_client(&mut self, place: PartitionRef, offset: i64) {
        if let Err(error) = self.consumer.seek(place, offset) {
            // To go on from elsewhere would leave records out.
            let reason = format!("{place} could not be moved to offset {offset}: {error}");
            self.setup.shared.fail(reason);
        }
        let part = self.part(place);
        if self.at(part).hold.is_none() {
            // It may have stood still at the end of a log that was cut.
            self.pause(part, false);
        }
    }

    /// True while records of a partition may come that were read before its seek.
    pub(super) fn is_moving(&self, place: PartitionRef) -> bool {
        self.moving
            .iter()
            .any(|moving| moving.place == place && moving.to.is_some() && !moving.gone)
    }

    /// These are given back: their next assignment begins where it is told to, not where a seek goes.
    pub(crate) fn stay(&mut self, places: &[PartitionRef]) {
        for moving in &mut self.moving {
            moving.gone |= places.contains(&moving.place);
        }
    }
}
