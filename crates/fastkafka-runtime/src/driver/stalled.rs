//! What is under way and does not move: looked for with each look at the progress of runs.

use super::Driver;
use super::partition::OwnedPartition;
use super::started::StartedRun;
use super::state::stalls::{Stage, Stand, Standing, Work, YOUNG};
use crate::handling::keyed::Keyed;
use crate::health::{StalledAt, StalledRecord};
use crate::transport::GroupConsumer;
use fastkafka_engine::{HoldBack, PartIndex, RunId};

/// By key many records may have stalled: so many are listed.
const LISTED: usize = 100;

/// A unit of a partition, and where it is.
type Item = ((PartIndex, Standing), Work);

impl<T: GroupConsumer> Driver<T> {
    /// Notes where everything stands, and names in the log what blocks its thread.
    pub(super) fn look_for_stalls(&mut self) {
        let mut standing = Vec::new();
        for (part, partition) in self.partitions.numbered() {
            match &partition.keyed {
                Some(keyed) => self.by_key(part, partition, keyed, &mut standing),
                None => self.in_order(part, partition, &mut standing),
            }
        }
        for (part, at) in self.stalls.look(self.now, standing.into_iter()) {
            let partition = &self.partitions[part];
            tracing::warn!(
                handler = partition.handler.def.name,
                place = %partition.place,
                offset = at,
                "the handler has not given its thread back for a second: other tasks wait for that; \
                 write `blocking` on it, or use `tokio::task::spawn_blocking`"
            );
        }
    }

    /// The record in hand of a lane, and the first of those that are handled and open. One that is handled
    /// again does not count any more.
    fn in_order(&self, part: PartIndex, partition: &OwnedPartition, into: &mut Vec<Item>) {
        let started = &partition.started;
        // Those behind the one in hand wait in the lane.
        let returned = started.iter().len().saturating_sub(partition.backlog());
        let in_hand = started.iter().nth(returned);
        if let Some(run) = in_hand {
            let (at, next) = run.in_hand();
            let place = Work {
                run: run.run,
                at,
                stage: Stage::InHand,
                begun: None,
                poll: run.scope.polling(),
                holds_up: self.holds_up(part, partition, (at, next)),
                is_straggler: false,
            };
            into.push(((part, Standing::Lane), place));
        } else if let Some((run, at, poll)) = partition.straggler() {
            let place = Work {
                poll,
                ..self.straggler(part, partition, run, at)
            };
            into.push(((part, Standing::Lane), place));
        }
        let Some(first) = started.iter().find(|run| self.counts(part, run)) else {
            return;
        };
        if in_hand.is_none_or(|run| first.first_open() < run.in_hand().0) {
            let place = open(first, partition);
            into.push(((part, Standing::Watermark), place));
        }
    }

    /// Each run that counts, once it has gone on for a while.
    fn by_key(
        &self,
        part: PartIndex,
        partition: &OwnedPartition,
        keyed: &Keyed,
        into: &mut Vec<Item>,
    ) {
        for (run, at) in keyed.stragglers() {
            let place = self.straggler(part, partition, run, at);
            into.push(((part, Standing::Run(run)), place));
        }
        let runs = partition.started.iter();
        // In the order in which they have begun.
        for run in runs.take_while(|run| run.begun + YOUNG <= self.now) {
            let place = if keyed.is_at_work(run.run) {
                let (at, next) = run.in_hand();
                Work {
                    run: run.run,
                    at,
                    stage: Stage::InHand,
                    begun: Some(run.begun),
                    poll: run.scope.polling(),
                    holds_up: is_full(partition) || self.holds_up(part, partition, (at, next)),
                    is_straggler: false,
                }
            } else if self.counts(part, run) {
                open(run, partition)
            } else {
                continue;
            };
            into.push(((part, Standing::Run(run.run)), place));
        }
    }

    /// The first open record of the run is not handled again.
    fn counts(&self, part: PartIndex, run: &StartedRun) -> bool {
        self.engine.counts(part, run.run, run.first_open())
    }

    /// A call of a former assignment, or from before a move, at this offset.
    fn straggler(&self, part: PartIndex, partition: &OwnedPartition, run: RunId, at: i64) -> Work {
        Work {
            run,
            at,
            stage: Stage::InHand,
            begun: None,
            poll: None,
            holds_up: !partition.user_paused && self.engine.waits_for(part, run),
            is_straggler: true,
        }
    }

    /// Records wait for those in hand. Those of a partition that the user has paused wait for the user.
    fn holds_up(
        &self,
        part: PartIndex,
        partition: &OwnedPartition,
        (at, next): (i64, i64),
    ) -> bool {
        !partition.user_paused && self.engine.holds_up(part, at, next)
    }

    /// The records that have stalled.
    pub(super) fn stalled(&self) -> Vec<(PartIndex, Stand)> {
        let may = |part: PartIndex, stage| {
            let handler = &self.partitions[part].handler;
            match stage {
                Stage::InHand => handler.stalls_in_hand,
                Stage::Open => handler.stalls_open,
            }
        };
        self.stalls.stalled(self.now, may).collect()
    }

    /// The first of them for health, and how many more there are.
    pub(super) fn stalled_records(
        &self,
        stalled: &[(PartIndex, Stand)],
    ) -> (Vec<StalledRecord>, usize) {
        let listed = stalled.iter().take(LISTED);
        let listed = listed.map(|(part, stand)| {
            let partition = &self.partitions[*part];
            StalledRecord {
                cluster: partition.place.cluster.clone(),
                topic: partition.place.topic.clone(),
                partition: partition.place.partition,
                offset: stand.place.at,
                handler: partition.handler.def.name,
                at: match stand.place.stage {
                    Stage::InHand if stand.place.is_straggler => StalledAt::Straggler,
                    Stage::InHand => StalledAt::Handler,
                    Stage::Open => StalledAt::Settling,
                },
                since: self.now.saturating_sub(stand.since),
                holds_up: stand.place.holds_up,
            }
        });
        (listed.collect(), stalled.len().saturating_sub(LISTED))
    }
}

/// A record that is handled and open. Those behind it are handled all the same, until as many are held as
/// may be.
fn open(run: &StartedRun, partition: &OwnedPartition) -> Work {
    Work {
        run: run.run,
        at: run.first_open(),
        stage: Stage::Open,
        begun: None,
        poll: None,
        holds_up: is_full(partition),
        is_straggler: false,
    }
}

fn is_full(partition: &OwnedPartition) -> bool {
    partition.hold == Some(HoldBack::Full)
}
