//! Records without progress, and since when.
//!
//! Several times a second the driver tells where everything stands that is under way. What stands where it
//! stood keeps its time; what has moved, or is told for the first time, begins anew; what is not told any
//! more is over.
//!
//! | what is told of a unit | next |
//! |---|---|
//! | another record, another attempt or stage of it | stands since now (a task of one record: since it began) |
//! | the same record in the same stage | stands since before |
//! | nothing | forgotten |
//! | the same record in the same poll, for [`BLOCKED`] | it blocks its thread; told once |
//!
//! A call that goes on when its partition is given away or moved keeps its time.
//!
//! In partition order there are two units: the record in hand, and the first one that is handled and open.
//! By key each run is one.

use fastkafka_engine::{PartIndex, RunId, Time};
use std::collections::BTreeMap;
use std::time::Duration;

/// A younger run is not worth a look.
pub(crate) const YOUNG: Duration = Duration::from_secs(1);
/// A poll that lasts for so long blocks its thread.
const BLOCKED: Duration = Duration::from_secs(1);

/// What stands or moves as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Standing {
    /// The lane's handler.
    Lane,
    /// The watermark of a partition in partition order.
    Watermark,
    /// By key.
    Run(RunId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    /// Its handler has it.
    InHand,
    /// It was handled; an output, an `Ack` or a spawned task keeps it open.
    Open,
}

/// Where a unit is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Work {
    /// Another run is another attempt.
    pub(crate) run: RunId,
    /// The offset of the record.
    pub(crate) at: i64,
    pub(crate) stage: Stage,
    /// It cannot be there for longer.
    pub(crate) begun: Option<Time>,
    /// The number of the handler's poll that goes on.
    pub(crate) poll: Option<u32>,
    /// Records wait behind it.
    pub(crate) holds_up: bool,
    /// The partition was given away or moved since: the call counts for nothing, and goes on.
    pub(crate) is_straggler: bool,
}

/// Where a unit stands, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stand {
    pub(crate) place: Work,
    pub(crate) since: Time,
    /// Since when the poll goes on.
    polling_since: Time,
    told: bool,
}

impl Work {
    fn is_at(&self, other: &Self) -> bool {
        (self.run, self.at, self.stage) == (other.run, other.at, other.stage)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Stalls(BTreeMap<(PartIndex, Standing), Stand>);

impl Stalls {
    /// A look at everything that is under way. Returns the records whose handler blocks its thread, where
    /// that is news.
    pub(crate) fn look(
        &mut self,
        now: Time,
        places: impl Iterator<Item = ((PartIndex, Standing), Work)>,
    ) -> Vec<(PartIndex, i64)> {
        let before = std::mem::take(&mut self.0);
        let mut blocked = Vec::new();
        for (unit, place) in places {
            let same = |stand: &&Stand| stand.place.is_at(&place);
            let same = before.get(&unit).filter(same);
            let mut stand = match same {
                Some(stand) => Stand { place, ..*stand },
                None => Stand {
                    place,
                    since: place.begun.unwrap_or(now),
                    polling_since: now,
                    told: false,
                },
            };
            if place.poll.is_none() || same.is_none_or(|stand| stand.place.poll != place.poll) {
                (stand.polling_since, stand.told) = (now, false);
            } else if !stand.told && now.saturating_sub(stand.polling_since) >= BLOCKED {
                stand.told = true;
                blocked.push((unit.0, place.at));
            }
            self.0.insert(unit, stand);
        }
        blocked
    }

    /// Those that stand for longer than they may.
    pub(crate) fn stalled(
        &self,
        now: Time,
        may: impl Fn(PartIndex, Stage) -> Duration,
    ) -> impl Iterator<Item = (PartIndex, Stand)> {
        let stands = self.0.iter().map(|((part, _), stand)| (*part, *stand));
        stands.filter(move |&(part, stand)| {
            now.saturating_sub(stand.since) >= may(part, stand.place.stage)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LANE: (PartIndex, Standing) = (PartIndex(0), Standing::Lane);

    fn in_hand(at: i64) -> Work {
        Work {
            run: RunId(1),
            at,
            stage: Stage::InHand,
            begun: None,
            poll: None,
            holds_up: false,
            is_straggler: false,
        }
    }

    fn look(stalls: &mut Stalls, seconds: u32, places: &[((PartIndex, Standing), Work)]) {
        let blocked = stalls.look(SECOND * seconds, places.iter().copied());
        assert_eq!(blocked, []);
    }

    /// Offset and age, in seconds, of what stands for longer than ten.
    fn stalled(stalls: &Stalls, seconds: u32) -> Vec<(i64, u64)> {
        let now = SECOND * seconds;
        let stalled = stalls.stalled(now, |_, _| SECOND * 10);
        stalled
            .map(|(_, stand)| (stand.place.at, (now - stand.since).as_secs()))
            .collect()
    }

    #[test]
    fn what_does_not_move_stalls_and_goes_when_it_moves_or_ends() {
        let mut stalls = Stalls::default();
        look(&mut stalls, 1, &[(LANE, in_hand(7))]);
        look(&mut stalls, 10, &[(LANE, in_hand(7))]);
        assert_eq!(stalled(&stalls, 10), []);
        look(&mut stalls, 11, &[(LANE, in_hand(7))]);
        assert_eq!(stalled(&stalls, 11), [(7, 10)]);
        look(&mut stalls, 12, &[(LANE, in_hand(8))]);
        assert_eq!(stalled(&stalls, 12), []);
        look(&mut stalls, 30, &[(LANE, in_hand(8))]);
        assert_eq!(stalled(&stalls, 30), [(8, 18)]);
        look(&mut stalls, 31, &[]);
        assert_eq!(stalls, Stalls::default());
    }

    #[test]
    fn a_call_keeps_its_time_when_its_partition_is_moved() {
        let mut stalls = Stalls::default();
        let straggler = Work {
            is_straggler: true,
            ..in_hand(7)
        };
        look(&mut stalls, 0, &[(LANE, in_hand(7))]);
        look(&mut stalls, 5, &[(LANE, straggler)]);
        look(&mut stalls, 10, &[(LANE, straggler)]);
        assert_eq!(stalled(&stalls, 10), [(7, 10)]);
    }

    #[test]
    fn to_be_handled_is_progress_of_the_record() {
        let mut stalls = Stalls::default();
        let open = Work {
            stage: Stage::Open,
            ..in_hand(7)
        };
        look(&mut stalls, 0, &[(LANE, in_hand(7))]);
        look(&mut stalls, 20, &[(LANE, open)]);
        assert_eq!(stalled(&stalls, 20), []);
        look(&mut stalls, 30, &[(LANE, open)]);
        assert_eq!(stalled(&stalls, 30), [(7, 10)]);
    }

    #[test]
    fn each_attempt_has_its_own_time() {
        let mut stalls = Stalls::default();
        for attempt in 1..9 {
            let run = RunId(attempt.into());
            look(
                &mut stalls,
                9 * attempt,
                &[(LANE, Work { run, ..in_hand(7) })],
            );
            assert_eq!(stalled(&stalls, 9 * attempt + 8), []);
        }
    }

    #[test]
    fn the_task_of_a_record_stands_since_it_began() {
        let mut stalls = Stalls::default();
        let run = (PartIndex(0), Standing::Run(RunId(1)));
        let begun = Some(SECOND);
        let place = Work {
            begun,
            ..in_hand(7)
        };
        look(&mut stalls, 20, &[(run, place)]);
        assert_eq!(stalled(&stalls, 20), [(7, 19)]);
    }

    #[test]
    fn each_poll_that_goes_on_for_a_second_is_told_once() {
        let mut stalls = Stalls::default();
        let mut told = |half_seconds: u32, poll| {
            let place = Work { poll, ..in_hand(7) };
            let now = SECOND / 2 * half_seconds;
            stalls.look(now, std::iter::once((LANE, place))).len()
        };
        assert_eq!(told(0, Some(1)), 0);
        assert_eq!(told(1, Some(1)), 0);
        assert_eq!(told(2, Some(1)), 1);
        assert_eq!(told(9, Some(1)), 0, "once");
        assert_eq!(told(10, None), 0);
        // Another one each time.
        for half in 11..20 {
            assert_eq!(told(half, Some(half)), 0);
        }
        assert_eq!(told(21, Some(19)), 1);
    }
}
