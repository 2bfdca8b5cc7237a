//! Doing what the engine says.

use super::Driver;
use super::started::{Offsets, StartedRun};
use crate::handling::job::{DeadLetterJob, Job, LaneHandle, Letter, ToLane};
use crate::transport::GroupConsumer;
use fastkafka_core::{DeliveryScope, RecordEnd, RunTag};
use fastkafka_engine::{Effect, HoldBack, PartIndex, RunId, Span};

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
                let partition = &mut self.partitions[part];
                // The flag halts the lane at its next record, the fence makes it answer.
                partition.stop_flag(cut).stop();
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
                let p = &self.partitions[part];
                p.meters.skipped();
                tracing::error!(handler = p.handler.def.name, place = %p.place, offset = at, "record skipped: {}", p.error(at));
                if let Some(interceptor) = self.setup.app.interceptor() {
                    interceptor.ended(p.handler.def, p.place, at, RecordEnd::Skipped);
                }
            }
            Effect::Stopped { part, at, .. } => {
                let partition = &mut self.partitions[part];
                // It may stand for days. By key others go on, and each record is kept for itself.
                if partition.keyed.is_none() {
                    partition.let_go(at, self.now);
                }
                // Worked out once per turn: by key many may stop in one.
                self.upkeep.health_changed();
            }
            Effect::Exit { part, at } => {
                let p = &self.partitions[part];
                let reason = format!(
                    "`{}` could not handle {} at offset {at}: {}",
                    p.handler.def.name,
                    p.place,
                    p.error(at)
                );
                self.setup.shared.fail(reason);
            }
            Effect::HoldBack { part, why } => {
                self.partitions[part].hold = Some(why);
                // Any other reason may last: it must not keep the other partitions waiting.
                if why != HoldBack::Full {
                    self.pause(part, true);
                }
            }
            Effect::Resume { part } => {
                let partition = &mut self.partitions[part];
                partition.hold = None;
                self.backpressure.resume(part, self.now);
                if partition.truncated.is_none() {
                    self.pause(part, false);
                }
            }
            Effect::Store { part, offset } => {
                let partition = &mut self.partitions[part];
                partition.store = Some(offset);
                partition.free_below(offset);
            }
            Effect::Free { part, at } => {
                let partition = &mut self.partitions[part];
                partition.errors.forget(at);
                partition.meters.done(at);
                if let Some(keyed) = &mut partition.keyed {
                    keyed.free(at);
                }
            }
            Effect::Release { parts } => self.release(&parts),
        }
    }

    fn start(
        &mut self,
        part: PartIndex,
        cut: u32,
        run: RunId,
        span: Span,
        attempt: u32,
        single: bool,
    ) {
        let partition = &mut self.partitions[part];
        let (block, range) = partition
            .find(span.first, span.next)
            .expect("the engine starts what was kept");
        let stop = partition.stop_flag(cut);
        let tag = RunTag {
            part: part.0,
            run: run.0,
        };
        let shared = self.setup.shared.clone();
        let scope = DeliveryScope::of_run(range.len(), shared, tag, stop.clone());
        let offsets = match (&partition.keyed, range.len()) {
            (Some(_), 1) => Offsets::One(span.first),
            _ => Offsets::Of(block.clone(), range.clone()),
        };
        let in_batches = partition.handler.def.batch && !single;
        partition.started.push(StartedRun::new(
            run,
            offsets,
            span.next,
            scope.clone(),
            stop.clone(),
            (self.now, in_batches),
        ));
        let job = Job {
            cut,
            stop,
            run,
            block,
            range,
            next: span.next,
            scope,
            attempt,
            single,
        };
        match &mut partition.keyed {
            Some(keyed) => keyed.start(job),
            None => self.lane(part).send(ToLane::Handle(job)),
        }
    }

    fn dead_letter(&mut self, part: PartIndex, run: RunId, at: i64, attempts: u32) {
        let partition = &mut self.partitions[part];
        let (block, range) = partition
            .find(at, at + 1)
            .expect("the engine gives up what was kept");
        let job = DeadLetterJob {
            run,
            block,
            letter: Letter {
                index: range.start,
                offset: at,
                attempts,
                error: partition.error(at).to_owned(),
            },
        };
        match &mut partition.keyed {
            Some(keyed) => keyed.dead_letter(at, job),
            None => self.lane(part).send(ToLane::DeadLetter(job)),
        }
    }

    /// The partition's lane, which begins with its first run.
    fn lane(&mut self, part: PartIndex) -> &LaneHandle {
        let (setup, partition) = (&self.setup, &mut self.partitions[part]);
        partition.lane.get_or_insert_with(|| {
            let lane = setup.lane(part, partition.place, &partition.handler, &partition.meters);
            lane.spawn(&setup.tokio)
        })
    }

    /// Hands all new watermarks to the client.
    pub(super) fn store(&mut self) {
        let offsets: Vec<_> = self
            .partitions
            .iter_mut()
            .filter_map(|p| p.store.take().map(|offset| (p.place, offset)))
            .collect();
        if offsets.is_empty() {
            return;
        }
        self.setup.shared.note_settled(&offsets);
        for (place, why) in self.consumer.store(&offsets) {
            // The client has lost it meanwhile: its next owner starts from what was committed.
            tracing::warn!(%place, "offset not stored: {why}");
        }
    }
}
