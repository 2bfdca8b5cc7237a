//! Events from outside: assignments, fetched records, pause, seek and restart.

use crate::assigned::{Assigned, Records};
use crate::engine::{Engine, Partition, Revoke};
use crate::event::{Effect, PartIndex, Read, Span, Time};
use crate::keyed::Keyed;
use crate::pieces::Pieces;
use crate::policy::Order;

impl Engine {
    pub(crate) fn assigned(&mut self, part: PartIndex, position: i64, out: &mut Vec<Effect>) {
        self.forget(part, out);
        let assigned = Assigned::new(position, self.no_records(part));
        self.at(part).assigned = Some(assigned);
        // librdkafka keeps the application's pause flag from one assignment to the next, so a
        // hold-back of the former one would never end. [L4]
        out.push(Effect::Resume { part });
    }

    pub(crate) fn no_records(&self, part: PartIndex) -> Records {
        match self.policy(part).order {
            Order::Partition => Records::Pieces(Pieces::default()),
            Order::Key { .. } => Records::Keyed(Keyed::default()),
        }
    }

    pub(crate) fn revoking(
        &mut self,
        parts: Vec<PartIndex>,
        deadline: Time,
        out: &mut Vec<Effect>,
    ) {
        let mut draining = parts.clone();
        draining.retain(|&part| self.at(part).assigned.is_some());
        for &part in &draining {
            self.cut_lane(part, out);
        }
        self.revokes.push(Revoke {
            parts,
            draining,
            deadline,
        });
    }

    pub(crate) fn lost(&mut self, parts: Vec<PartIndex>, out: &mut Vec<Effect>) {
        for &part in &parts {
            self.forget(part, out);
        }
        self.revokes.push(Revoke {
            parts,
            draining: Vec::new(),
            deadline: self.now,
        });
    }

    pub(crate) fn fetched(&mut self, part: PartIndex, span: Span, out: &mut Vec<Effect>) {
        if !self.accepts(part) || span.first >= span.next {
            return;
        }
        let Some(assigned) = &mut self.at(part).assigned else {
            return;
        };
        // After a truncation the log is read again from a lower offset. These are other records:
        // results for what was read before must not count for them.
        let again = span.first < assigned.seen();
        let pieces = assigned.pieces();
        let pieces = pieces.expect("records of a partition by key come one by one");
        if again {
            pieces.truncate(span.first);
        }
        pieces.fetch(span);
        if again {
            assigned.rewind(span.first);
            // The lane still runs the forgotten records, and the new ones have to wait for it. [S5]
            self.cut_lane(part, out);
        }
    }

    pub(crate) fn read(&mut self, part: PartIndex, records: &[Read]) {
        let Some(first) = records.first().filter(|_| self.accepts(part)) else {
            return;
        };
        let Partition {
            tasks,
            assigned: Some(assigned),
            ..
        } = self.at(part)
        else {
            return;
        };
        let again = first.offset < assigned.seen();
        let keyed = assigned.keyed();
        let keyed = keyed.expect("records in partition order come as runs");
        if again {
            keyed.truncate(first.offset, tasks);
        }
        keyed.read(records, tasks);
        if again {
            assigned.rewind(first.offset);
        }
    }

    pub(crate) fn read_to(&mut self, part: PartIndex, offset: i64) {
        // What is read of a partition that is given back is not taken in: the end of it says nothing.
        if !self.accepts(part) {
            return;
        }
        if let Some(assigned) = &mut self.at(part).assigned {
            assigned.read_to = assigned.read_to.max(offset);
        }
    }

    pub(crate) fn pause(&mut self, part: PartIndex, pause: bool, out: &mut Vec<Effect>) {
        if let Some(assigned) = &mut self.at(part).assigned {
            assigned.paused = pause;
            // Records that were started and not begun go back: a pause counts from the next record.
            if pause {
                self.cut_lane(part, out);
            }
        }
    }

    pub(crate) fn seek(&mut self, part: PartIndex, position: i64, out: &mut Vec<Effect>) {
        if !self.accepts(part) {
            return;
        }
        self.cut_lane(part, out);
        let records = self.no_records(part);
        if let Some(assigned) = &mut self.at(part).assigned {
            assigned.records = records;
            assigned.watermark = position;
            assigned.stored = position;
            assigned.read_to = position;
            // Also backwards: the user's seek is the only thing that may take a commit back. [S3]
            out.push(Effect::Store {
                part,
                offset: position,
            });
        }
    }

    pub(crate) fn restart(&mut self, part: PartIndex) {
        let Partition {
            tasks,
            assigned: Some(assigned),
            ..
        } = self.at(part)
        else {
            return;
        };
        match &mut assigned.records {
            Records::Pieces(pieces) => pieces.restart(),
            Records::Keyed(keyed) => keyed.restart(tasks),
        }
    }

    /// Forgets the records, never the lane and the tasks: handlers that still run hold up the next
    /// assignment. [S5]
    pub(crate) fn forget(&mut self, part: PartIndex, out: &mut Vec<Effect>) {
        self.at(part).assigned = None;
        for revoke in &mut self.revokes {
            revoke.draining.retain(|&draining| draining != part);
        }
        self.cut_lane(part, out);
    }

    pub(crate) fn cut_lane(&mut self, part: PartIndex, out: &mut Vec<Effect>) {
        if let Some(cut) = self.at(part).lane.begin_cut() {
            out.push(Effect::Cut { part, cut });
        }
    }
}
