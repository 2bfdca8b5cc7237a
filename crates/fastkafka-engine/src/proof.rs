//! Digests of states, for the search of `proof`, which has to tell them apart.

use std::hash::{Hash, Hasher};

use crate::assigned::{Assigned, Records};
use crate::engine::{Engine, index};
use crate::event::{PartIndex, RunId, Time};
use crate::piece::{Past, State};

/// Takes in the parts of a state.
pub(crate) struct Digest<'a, H> {
    pub(crate) to: &'a mut H,
    now: Time,
    rename: &'a mut dyn FnMut(RunId) -> u64,
    order: &'a [PartIndex],
}

impl<H: Hasher> Digest<'_, H> {
    pub(crate) fn put(&mut self, value: impl Hash) {
        value.hash(self.to);
    }

    pub(crate) fn run(&mut self, run: RunId) {
        (self.rename)(run).hash(self.to);
    }

    fn part(&mut self, part: PartIndex) {
        self.put(self.order.iter().position(|&p| p == part));
    }

    /// The time until then; a date in the past is now.
    fn date(&mut self, date: Time) {
        self.put(date.saturating_sub(self.now));
    }

    pub(crate) fn state(&mut self, state: State) {
        self.put(std::mem::discriminant(&state));
        match state {
            State::Running(run) | State::WritingDeadLetter(run) => self.run(run),
            State::Waiting { due } | State::DeadLetterFailed { due } => self.date(due),
            State::Queued | State::Exhausted | State::Stopped | State::Terminal => {}
        }
    }

    pub(crate) fn past(&mut self, past: &Past) {
        // The date when it began to wait is for people.
        let wait = past.wait.map(|(wait, _)| std::mem::discriminant(&wait));
        self.put((past.failures, past.transients, wait));
        self.put((past.single, past.alone));
    }
}

impl Engine {
    /// The number of halts of its lane.
    pub fn cut(&self, part: PartIndex) -> u32 {
        self.partitions[index(part)].lane.cut()
    }

    /// Whether `run` was started since the last halt of its lane, so that its failure would be a halt.
    pub fn is_current(&self, part: PartIndex, run: RunId) -> bool {
        self.partitions[index(part)].lane.has(run)
    }

    /// Hashes everything that decides what this engine will do, and nothing else: dates relative
    /// to `now`, runs by the names that `rename` gives them in the order of appearance, partitions
    /// in the given order, and neither the numbers of cuts nor anything else that only counts.
    pub fn digest<H: Hasher>(
        &self,
        now: Time,
        order: &[PartIndex],
        rename: &mut dyn FnMut(RunId) -> u64,
        to: &mut H,
    ) {
        let mut digest = Digest {
            to,
            now,
            rename,
            order,
        };
        let d = &mut digest;
        d.put((self.room, self.shutting_down, self.outstanding));
        d.put(self.turn.is_some());
        if let Some(turn) = self.turn {
            d.part(PartIndex(
                u32::try_from(turn).expect("a partition's number"),
            ));
        }
        for handler in &self.handlers {
            d.put((handler.busy, handler.ready.len()));
            for &part in &handler.ready {
                d.part(part);
            }
        }
        for &part in order {
            let partition = &self.partitions[index(part)];
            if let Some(assigned) = &partition.assigned {
                assigned.digest(d);
            }
            partition.lane.digest(d);
            partition.tasks.digest(d);
        }
        d.put(self.revokes.len());
        for revoke in &self.revokes {
            d.date(revoke.deadline);
            // In the given order, whatever the caller's was.
            for &part in order {
                d.put((
                    revoke.parts.contains(&part),
                    revoke.draining.contains(&part),
                ));
            }
        }
    }
}

impl Assigned {
    fn digest<H: Hasher>(&self, d: &mut Digest<'_, H>) {
        d.put((self.watermark, self.read_to, self.stored, self.paused));
        d.put(self.held.map(|held| std::mem::discriminant(&held)));
        match &self.records {
            Records::Pieces(pieces) => {
                d.put(pieces.pieces.len());
                for piece in &pieces.pieces {
                    let span = piece.span;
                    d.put((
                        span.first,
                        span.next,
                        span.records,
                        span.bytes,
                        piece.origin,
                    ));
                    d.state(piece.state);
                    d.past(&piece.past);
                }
            }
            Records::Keyed(keyed) => keyed.digest(d),
        }
    }
}
