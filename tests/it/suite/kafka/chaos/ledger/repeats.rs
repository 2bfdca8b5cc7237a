//! Why a record was done twice.

use std::collections::{BTreeMap, BTreeSet};

use super::super::history::{Happened, History, Millis, Place};
use super::super::schedule::Fault;
use super::{Done, Finding};

/// A time in which what an app has done with a partition may show.
struct Period<'h> {
    app: &'h str,
    start: i64,
    from: Millis,
    /// The app gave it back, or ended.
    given_back: Millis,
    /// The app has it no more, and whoever has it next has it.
    until: Millis,
}

/// How many repeats have which reason.
pub(super) struct Reasons {
    /// Each fault, in the order of the history.
    pub(super) faults: Vec<usize>,
    /// The partition moved while an earlier record was open.
    pub(super) held_open: usize,
}

/// Reports what is repeated without a reason.
pub(super) fn explain(
    history: &History,
    done: &BTreeMap<Place, Done>,
    findings: &mut Vec<Finding>,
) -> Reasons {
    let mut reasons = Reasons {
        faults: vec![0; history.faults.len()],
        held_open: 0,
    };
    for (&place, times) in done.iter().filter(|(_, times)| times.len() > 1) {
        let periods = periods(history, place.0);
        let mut causes = BTreeSet::new();
        let mut moves = 0;
        for two in times.windows(2) {
            let (first, again) = (two[0], two[1]);
            let found = causes_between(history, &periods, first, again);
            let moved = held_open(done, &periods, place, first, again);
            moves += usize::from(moved);
            match found.last() {
                Some(&latest) => reasons.faults[latest] += 1,
                None if moved => reasons.held_open += 1,
                None => findings.push(Finding::Unexplained {
                    place,
                    first,
                    again,
                }),
            }
            after_commit(history, &periods, place, again, findings);
            causes.extend(found);
        }
        // While outputs are given up, each that is repeats its key.
        let lasting = |cause: &usize| matches!(history.faults[*cause].fault, Fault::Outage { .. });
        let often = causes.iter().any(lasting);
        let causes = causes.len() + moves;
        if times.len() - 1 > causes && causes > 0 && !often {
            findings.push(Finding::TooOften {
                place,
                times: times.len(),
                causes,
            });
        }
    }
    reasons
}

/// In order by key an open record, one that waits for its turn, its next attempt or its dead letter, keeps
/// the committed offset below what is done behind it. Whoever gets the partition takes up at that record, and
/// does all behind it. In order by partition nothing is done behind it.
fn held_open(
    done: &BTreeMap<Place, Done>,
    periods: &[Period<'_>],
    (partition, offset): Place,
    first: Millis,
    again: Millis,
) -> bool {
    periods.windows(2).any(|two| {
        let (before, after) = (&two[0], &two[1]);
        let moved = first <= after.from && after.from <= again && after.start < offset;
        // A flight without a leg does not say when it was done.
        let open = done.get(&(partition, after.start));
        moved && open.is_none_or(|times| times[0] > before.given_back)
    })
}

fn periods(history: &History, partition: i32) -> Vec<Period<'_>> {
    let mut owners: Vec<_> = history
        .owners
        .iter()
        .filter(|o| o.partition == partition)
        .collect();
    owners.sort_by_key(|owner| owner.from);
    let next = owners
        .iter()
        .skip(1)
        .map(|owner| owner.from)
        .chain([Millis::MAX]);
    let both = owners.iter().zip(next);
    both.map(|(owner, next)| Period {
        app: &owner.app,
        start: owner.start,
        from: owner.from,
        given_back: owner.until,
        until: owner.until.max(next),
    })
    .collect()
}

/// What happened between the two to somebody who had the partition. A graceful end is a cause only when the
/// group could not commit: after something else in the same round.
fn causes_between(
    history: &History,
    periods: &[Period<'_>],
    first: Millis,
    again: Millis,
) -> Vec<usize> {
    let faults = history.faults.iter().enumerate();
    let causes = faults.filter(|(_, happened)| {
        let rounds_end = history.rounds[happened.round].until;
        if happened.from > again || rounds_end < first {
            return false;
        }
        let touched = periods.iter().any(|period| {
            let until = if happened.fault.delays() {
                period.until.max(rounds_end)
            } else {
                period.until
            };
            touches(happened, period) && period.from <= again && until >= first
        });
        touched && (!happened.fault.is_graceful() || in_a_gap(history, happened))
    });
    causes.map(|(index, _)| index).collect()
}

fn touches(happened: &Happened, period: &Period<'_>) -> bool {
    happened.app.as_ref().is_none_or(|app| app == period.app)
        && happened.from <= period.until
        && happened.until >= period.from
}

/// While a group rebalances, or its coordinator is away, nobody's commits get through.
fn in_a_gap(history: &History, happened: &Happened) -> bool {
    history.faults.iter().any(|other| {
        other.round == happened.round && !other.fault.is_graceful() && other.from <= happened.until
    })
}

/// What was committed before is done again only by whoever had it before that and was held up. It may have
/// caught up itself long after the others have: a client waits between two tries to connect.
fn after_commit(
    history: &History,
    periods: &[Period<'_>],
    place: Place,
    at: Millis,
    findings: &mut Vec<Finding>,
) {
    let mut earlier = history.samples.iter().filter(|sample| sample.answered < at);
    let committed = earlier.find(|sample| sample.committed.get(&place.0) > Some(&place.1));
    let Some(sample) = committed else {
        return;
    };
    let held_up = history.faults.iter().any(|happened| {
        let from = history.rounds[happened.round].from;
        let next = history.rounds.get(happened.round + 1);
        happened.fault.delays()
            && from <= sample.answered
            && next.is_none_or(|next| at <= next.until)
            && happened.from <= at
            && periods.iter().any(|period| touches(happened, period))
    });
    if !held_up {
        findings.push(Finding::RepeatedAfterCommit {
            place,
            at,
            committed: sample.answered,
        });
    }
}
