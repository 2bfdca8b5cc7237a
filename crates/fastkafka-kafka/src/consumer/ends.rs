//! Ends of logs behind which no record comes: control records, and records of transactions that were aborted.
//!
//! librdkafka hands none of these out and does not say that it has passed them, so a group on a topic that
//! is written in transactions would never reach its end. A partition of which nothing comes, although its
//! log goes on, is looked at with a client of its own.
//!
//! The same client tells whether a partition can be read of which nothing comes since an error: silence does
//! not, for it may be paused or have no leader. And that there are records where the consumer reads none.

use super::fetch_position::FetchPosition;
use fastkafka_runtime::platform::PartitionRef;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two looks: a partition has to be quiet for so long.
const LOOK: Duration = Duration::from_secs(5);
/// Between two looks at a partition that stays where it is, at most. A transaction may be open for long, and
/// each look is a client that connects.
const SELDOM: Duration = Duration::from_secs(60);
/// A partition beside others that are busy has to be quiet for so long: what nothing came of may as well wait to
/// be handed out, and then each look is in vain.
const BESIDE_BUSY: Duration = Duration::from_secs(30);
/// So many are looked at together.
const MOST: usize = 100;

/// A partition since it stands where it does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Quiet {
    position: FetchPosition,
    since: Duration,
    /// When it may be looked at, and the time from that look to another.
    at: Duration,
    pause: Duration,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    look_at: Duration,
    /// The queue was empty since the last look: nothing that was read waits to be handed out.
    drained: bool,
    partitions: BTreeMap<PartitionRef, Quiet>,
    /// An answer is due.
    asked: bool,
}

/// A partition that may be looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) at: FetchPosition,
    /// Nothing has come of it since an error.
    pub(crate) is_in_doubt: bool,
    /// The end of its log, as far as the client knows.
    pub(crate) end: Option<i64>,
}

impl Ends {
    /// All that was read has been handed out.
    pub(crate) fn drained(&mut self) {
        self.drained = true;
    }

    /// All that was read has been handed out since the last look began.
    pub(crate) fn is_drained(&self) -> bool {
        self.drained
    }

    pub(crate) fn is_due(&self, now: Duration) -> bool {
        !self.asked && self.look_at <= now
    }

    /// The partitions to look at: those that have waited longest, if there are too many.
    pub(crate) fn look(&mut self, now: Duration, candidates: &[Candidate]) -> Vec<FetchPosition> {
        self.look_at = now + LOOK;
        let was_drained = std::mem::take(&mut self.drained);
        let before = std::mem::take(&mut self.partitions);
        let quiet = candidates.iter().map(|one| {
            let quiet = before.get(one.at.place);
            let quiet = quiet.filter(|quiet| quiet.position == one.at);
            let quiet = quiet.cloned().unwrap_or(Quiet {
                position: one.at,
                since: now,
                at: now + LOOK,
                pause: LOOK,
            });
            (one.at.place, quiet)
        });
        self.partitions = quiet.collect();
        // Whoever is busy may never let the queue run empty.
        let is_quiet = |quiet: &Quiet| was_drained || now - quiet.since >= BESIDE_BUSY;
        let mut due: Vec<_> = candidates
            .iter()
            .map(|one| (one, &self.partitions[one.at.place]))
            .filter(|(one, quiet)| {
                let goes_on = one.end.is_some_and(|end| end > one.at.next);
                one.is_in_doubt || goes_on && is_quiet(quiet)
            })
            .map(|(one, quiet)| (quiet.at, one.at))
            .filter(|(at, _)| *at <= now)
            .collect();
        due.sort_unstable();
        due.truncate(MOST);
        for (_, FetchPosition { place, .. }) in &due {
            if let Some(quiet) = self.partitions.get_mut(place) {
                quiet.at = now + quiet.pause;
                quiet.pause = SELDOM.min(quiet.pause * 2);
            }
        }
        self.asked = !due.is_empty();
        due.into_iter().map(|(_, position)| position).collect()
    }

    pub(crate) fn answered(&mut self) {
        self.asked = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::fetch_position::Move;
    use fastkafka_core::TopicPartition;

    fn candidate(partition: i32, next: i64, end: i64) -> Candidate {
        let at = FetchPosition {
            place: TopicPartition::intern("orders", partition),
            next,
            since: Move::default(),
        };
        Candidate {
            at,
            is_in_doubt: false,
            end: Some(end),
        }
    }

    /// A look when everything was handed out, and its answer.
    fn look(ends: &mut Ends, now: Duration, candidates: &[Candidate]) -> Vec<i32> {
        ends.drained();
        let looked_at = ends.look(now, candidates);
        ends.answered();
        let looked_at = looked_at.into_iter();
        looked_at.map(|at| at.place.partition).collect()
    }

    #[test]
    fn a_partition_is_looked_at_when_nothing_comes_of_a_log_that_goes_on() {
        let mut ends = Ends::default();
        let first = [candidate(0, 7, 7), candidate(1, 3, 9), candidate(2, 7, 9)];
        assert!(look(&mut ends, LOOK, &first).is_empty(), "the first look");
        let next = [candidate(0, 7, 7), candidate(1, 4, 9), candidate(2, 7, 9)];
        assert!(!ends.is_due(LOOK));
        ends.drained();
        assert_eq!(ends.look(2 * LOOK, &next), [next[2].at]);
        assert!(!ends.is_due(9 * LOOK), "an answer is due");
        ends.answered();
        // Its records may wait in the client.
        assert_eq!(ends.look(4 * LOOK, &next), []);
    }

    #[test]
    fn a_partition_that_stays_where_it_is_is_looked_at_more_and_more_seldom() {
        let mut ends = Ends::default();
        let open = |next| [candidate(0, next, 9)];
        let mut looks_until = |seconds: u64, next| {
            let looks = (0..seconds / 5).filter(|n| {
                let now = Duration::from_secs(seconds * 1_000 + n * 5);
                !look(&mut ends, now, &open(next)).is_empty()
            });
            looks.count()
        };
        assert_eq!(
            looks_until(600, 3),
            13,
            "with pauses of 5, 10, 20, 40, 60 seconds"
        );
        // It has moved: another transaction is open.
        assert_eq!(looks_until(601, 4), 13);
    }

    #[test]
    fn of_too_many_partitions_each_is_looked_at_in_turn() {
        let mut ends = Ends::default();
        let open: Vec<_> = (0..250)
            .map(|partition| candidate(partition, 3, 9))
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..4 {
            seen.extend(look(&mut ends, LOOK * n, &open));
        }
        assert_eq!(seen.len(), open.len());
    }

    /// The queue never runs empty, so nothing else tells that none of its records waits there.
    #[test]
    fn beside_busy_partitions_each_that_is_quiet_is_looked_at_in_turn_and_later() {
        let mut ends = Ends::default();
        let mut looked_at = std::collections::BTreeMap::<_, Vec<_>>::new();
        for n in 0..15 {
            // One of them is busy.
            let next = |partition| if partition == 7 { i64::from(n) } else { 3 };
            let all = (0..250).map(|partition| candidate(partition, next(partition), 99));
            for at in ends.look(LOOK * n, &all.collect::<Vec<_>>()) {
                looked_at.entry(at.place.partition).or_default().push(n);
            }
            ends.answered();
        }
        assert_eq!(looked_at.len(), 249);
        for (partition, looks) in &looked_at {
            assert!((6..9).contains(&looks[0]), "{partition}: {looks:?}");
            assert!(looks.len() >= 2, "{partition}: {looks:?}");
        }
    }

    /// It would be looked at in its stead.
    #[test]
    fn a_partition_that_came_back_to_where_it_was_has_been_quiet_since_then() {
        let mut ends = Ends::default();
        let mut moves = Move::default();
        let mut one = candidate(0, 3, 9);
        for n in 0..5 {
            one.at.since = moves.next();
            assert!(look(&mut ends, LOOK * n, &[one]).is_empty());
        }
        assert_eq!(look(&mut ends, LOOK * 5, &[one]), [0]);
    }

    #[test]
    fn a_partition_in_doubt_is_looked_at_wherever_its_log_ends() {
        let mut ends = Ends::default();
        let in_doubt = Candidate {
            is_in_doubt: true,
            end: None,
            ..candidate(0, 3, 3)
        };
        for (n, expected) in [(0, 0), (1, 1)] {
            // Others hold reading up.
            let looked_at = ends.look(LOOK * n, &[in_doubt]);
            ends.answered();
            assert_eq!(looked_at.len(), expected);
        }
    }
}
