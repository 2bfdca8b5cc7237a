//! Questions between steps. Every answer is looked up in the records.

use crate::assigned::{Assigned, Records};
use crate::engine::{Engine, Partition, among, index};
use crate::event::{PartIndex, RunId, Time};
use crate::piece::State;

impl Engine {
    /// The time to step with [`Event::Tick`](crate::Event::Tick) if nothing happens before: the next
    /// attempt, the next try of a dead letter, or the end of a revoke.
    ///
    /// A record that is due and waits for something else, such as room, gives no deadline.
    pub fn next_deadline(&self) -> Option<Time> {
        let dues = self
            .assignments()
            .filter(|&(part, _)| self.accepts(part))
            .filter_map(|(_, assigned)| assigned.due())
            .filter(|&due| due > self.now && due < Time::MAX);
        dues.chain(self.revokes.iter().map(|revoke| revoke.deadline))
            .min()
    }

    /// Whether records read of it are wanted: it is assigned and not being given back, and the
    /// engine is not shutting down. A stopped or paused partition takes what comes before its
    /// hold-back has taken effect: it will go on behind that.
    pub fn accepts(&self, part: PartIndex) -> bool {
        let assigned = self.partitions[index(part)].assigned.is_some();
        assigned && !self.shutting_down && !self.is_revoked(part)
    }

    /// Whether it has stopped at a record: nothing of it starts before a restart or a seek. By key only the
    /// record's key stands still, never the partition.
    pub fn stands(&self, part: PartIndex) -> bool {
        let assigned = self.partitions[index(part)].assigned.as_ref();
        assigned.is_some_and(Assigned::stands)
    }

    /// Its watermark while it is assigned: everything below is terminal.
    pub fn watermark(&self, part: PartIndex) -> Option<i64> {
        let assigned = self.partitions[index(part)].assigned.as_ref();
        assigned.map(|assigned| assigned.watermark)
    }

    /// Whether it [accepts](Self::accepts) records and holds none.
    pub fn starves(&self, part: PartIndex) -> bool {
        let assigned = self.partitions[index(part)].assigned.as_ref();
        self.accepts(part) && assigned.is_some_and(|a| a.is_empty() && !a.paused)
    }

    /// Whether more of it could start at once: it is read, and of what it holds nothing waits to start.
    /// What has started may still be at work. By key that is so also while some keys wait, as others may
    /// come; without room for any start it is so for none.
    pub fn wants(&self, part: PartIndex) -> bool {
        let assigned = self.partitions[index(part)].assigned.as_ref();
        let wants = |a: &Assigned| !a.paused && a.held.is_none() && a.wants();
        self.accepts(part) && self.has_capacity() && assigned.is_some_and(wants)
    }

    /// Whether records wait to be handled after the ones of `[at, next)`, which are in hand: in partition
    /// order those behind them, by key those of the same key.
    pub fn holds_up(&self, part: PartIndex, at: i64, next: i64) -> bool {
        let assigned = self.partitions[index(part)].assigned.as_ref();
        assigned.is_some_and(|assigned| match &assigned.records {
            Records::Pieces(pieces) => pieces.end() > Some(next),
            Records::Keyed(keyed) => keyed.holds_up(at),
        })
    }

    /// Whether records wait for the task of `run`, which may be of a former assignment: in partition order
    /// any, by key those of its key.
    pub fn waits_for(&self, part: PartIndex, run: RunId) -> bool {
        let partition = &self.partitions[index(part)];
        let assigned = partition.assigned.as_ref();
        assigned.is_some_and(|assigned| match &assigned.records {
            Records::Pieces(pieces) => pieces.end().is_some(),
            Records::Keyed(keyed) => {
                let task = partition.tasks.get(run);
                task.is_some_and(|task| keyed.waits_for(&task))
            }
        })
    }

    /// Whether a result of `run` for the record at `at` still counts. It does not once the record has
    /// failed, is handled again by another run, or is not held any more.
    pub fn counts(&self, part: PartIndex, run: RunId, at: i64) -> bool {
        let assigned = self.partitions[index(part)].assigned.as_ref();
        let state = assigned.and_then(|assigned| match &assigned.records {
            Records::Pieces(pieces) => pieces.state(at),
            Records::Keyed(keyed) => keyed.state(at),
        });
        state == Some(State::Running(run))
    }

    /// Whether a revoke of it ends with a step at `now`, whatever is still open.
    pub fn gives_up(&self, part: PartIndex, now: Time) -> bool {
        let mut due = self.revokes.iter().filter(|revoke| revoke.deadline <= now);
        due.any(|revoke| revoke.draining.contains(&part))
    }

    /// The number of lanes and tasks that have not ended and runs that are not closed, those of former
    /// assignments included. A lane that has nothing to do ends when it is cut.
    pub fn busy(&self) -> usize {
        let of = |p: &Partition| usize::from(!p.lane.is_idle()) + p.lane.runs() + p.tasks.busy();
        self.partitions.iter().map(of).sum()
    }

    /// Whether a result that still counts is awaited from an assigned partition: a lane, a run or
    /// a dead letter. After [`Event::Shutdown`](crate::Event::Shutdown) this ends.
    pub fn open(&self) -> bool {
        let assigned = self.partitions.iter().filter_map(|p| {
            let assigned = p.assigned.as_ref()?;
            Some(!p.lane.is_idle() || p.tasks.running() > 0 || !assigned.is_quiet())
        });
        assigned.into_iter().any(|open| open)
    }

    /// Whether a revoke of it is under way.
    pub(crate) fn is_revoked(&self, part: PartIndex) -> bool {
        self.revokes.iter().any(|r| r.draining.contains(&part))
    }

    pub(crate) fn assignment(&self, part: PartIndex) -> Option<&Assigned> {
        self.partitions[index(part)].assigned.as_ref()
    }

    pub(crate) fn assignments(&self) -> impl Iterator<Item = (PartIndex, &Assigned)> {
        among(0..self.partitions.len())
            .zip(&self.partitions)
            .filter_map(|(part, partition)| {
                let assigned = partition.assigned.as_ref()?;
                Some((part, assigned))
            })
    }
}
