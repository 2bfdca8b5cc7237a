//! Doing what the engine says.

use super::Driver;
use crate::driver::partition::{Offsets, Started};
use crate::handling::job::{DeadLetterJob, Job, LaneHandle, ToLane};
use crate::handling::lane::Lane;
use crate::transport::GroupConsumer;
use fastkafka_core::{DeliveryScope, RunTag};
use fastkafka_engine::{Effect, HoldBack, PartIndex, RunId, Span};
use std::sync::Arc;

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Start {
                part,
                cut,
                run,
                span,
                attempt,
                single,
            } => self.start(part, cut, run, span, attempt, single),
            Effect::Cut { part, cut } => {
                let partition = self.at(part);
                partition.halt(cut).stop();
                if let Some(lane) = &partition.lane {
                    lane.send(ToLane::Fence { cut });
                }
            }
            Effect::DeadLetter {
                part,
                run,
                at,
                attempts,
            } => self.dead_letter(part, run, at, attempts),
            Effect::Skipped { part, at } => {
                let p = self.at(part);
                let error = p.errors.get(&at).map_or("", String::as_str);
                tracing::error!(handler = p.handler.def.name, place = %p.place, offset = at, "record skipped: {error}");
            }
            // Told once per turn: by key many may stop in one.
            Effect::Stopped { .. } => self.health_dirty = true,
            Effect::Exit { part, at } => {
                let p = self.at(part);
                let error = p.errors.get(&at).map_or("", String::as_str);
                let reason = format!(
                    "`{}` could not handle {} at offset {at}: {error}",
                    p.handler.def.name, p.place
                );
                self.setup.shared.fail(reason);
            }
            Effect::HoldBack { part, why } => {
                self.at(part).hold = Some(why);
                // Nobody knows how long: it must not block the others.
                if why != HoldBack::Full {
                    self.pause(part, true);
                }
            }
            Effect::Resume { part } => {
                self.at(part).hold = None;
                if !self.truncated.contains_key(&part) {
                    self.pause(part, false);
                }
            }
            Effect::Store { part, offset } => {
                let partition = self.at(part);
                partition.store = Some(offset);
                partition.free_below(offset);
            }
            Effect::Free { part, at } => {
                let partition = self.at(part);
                partition.errors.remove(&at);
                if let Some(keyed) = &mut partition.keyed {
                    keyed.free(at);
                }
            }
            Effect::Release { parts } => self.release(&parts),
        }
    }

    pub(super) fn start(
        &mut self,
        part: PartIndex,
        cut: u32,
        run: RunId,
        span: Span,
        attempt: u32,
        single: bool,
    ) {
        let mailbox = self.setup.shared.clone();
        let partition = &mut self.parts[part.0 as usize];
        let (fetched, range) = partition
            .find(span.first, span.next)
            .expect("the engine starts what was kept");
        let halt = partition.halt(cut);
        let tag = RunTag {
            part: part.0,
            run: run.0,
        };
        let scope = DeliveryScope::of_run(range.len(), mailbox, tag, halt.clone());
        partition.started.push_back(Started {
            run,
            offsets: match (&partition.keyed, range.len()) {
                (Some(_), 1) => Offsets::One(span.first),
                _ => Offsets::Of(fetched.clone(), range.clone()),
            },
            next: span.next,
            scope: scope.clone(),
            halt: halt.clone(),
            settled: 0,
            broken: None,
        });
        let job = Job {
            cut,
            halt,
            run,
            fetched,
            range,
            next: span.next,
            scope,
            attempt,
            single,
        };
        match &mut self.at(part).keyed {
            Some(keyed) => keyed.start(job),
            None => self.lane(part).send(ToLane::Handle(job)),
        }
    }

    pub(super) fn lane(&mut self, part: PartIndex) -> &LaneHandle {
        let (setup, partition) = (&self.setup, &mut self.parts[part.0 as usize]);
        partition.lane.get_or_insert_with(|| {
            let lane = Lane {
                context: Arc::new(setup.context(part, partition.place, &partition.handler)),
                lock: setup.locks.lock(partition.place),
            };
            lane.spawn(&setup.tokio)
        })
    }

    pub(super) fn dead_letter(&mut self, part: PartIndex, run: RunId, at: i64, attempts: u32) {
        let partition = self.at(part);
        let (fetched, range) = partition
            .find(at, at + 1)
            .expect("the engine buries what was kept");
        let error = partition.errors.get(&at).cloned().unwrap_or_default();
        let letter = DeadLetterJob {
            run,
            fetched,
            index: range.start,
            attempts,
            error,
        };
        match &mut self.at(part).keyed {
            Some(keyed) => keyed.dead_letter(at, letter),
            None => self.lane(part).send(ToLane::DeadLetter(letter)),
        }
    }

    /// Hands all new watermarks to the client.
    pub(crate) fn store(&mut self) {
        let offsets: Vec<_> = self
            .parts
            .iter_mut()
            .filter_map(|p| p.store.take().map(|offset| (p.place, offset)))
            .collect();
        if offsets.is_empty() {
            return;
        }
        self.setup.shared.note_settled(&offsets);
        for (place, why) in self.consumer.store(&offsets) {
            // It was revoked under our hands; its next owner starts from what was committed.
            tracing::warn!(%place, "offset not stored: {why}");
        }
    }
}
