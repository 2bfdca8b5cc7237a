//! Why a record was done twice.

use std::collections::{BTreeMap, BTreeSet};

use super::super::history::{Happened, History, Millis, Place, Round};
use super::{Done, Finding};

/// A time in which what an app has done with a partition may show.
struct Period<'h> {
    app: &'h str,
    from: Millis,
    /// The app has it no more, and whoever has it next has it.
    until: Millis,
}

/// Reports what is repeated without a reason; returns for each fault how many repeats it explains.
pub(super) fn explain(
    history: &History,
    done: &BTreeMap<Place, Done>,
    findings: &mut Vec<Finding>,
) -> Vec<usize> {
    let mut explained = vec![0; history.faults.len()];
    for (&place, times) in done.iter().filter(|(_, times)| times.len() > 1) {
        let periods = periods(history, place.0);
        let mut causes = BTreeSet::new();
        for two in times.windows(2) {
            let (first, again) = (two[0], two[1]);
            let found = causes_between(history, &periods, first, again);
            match found.last() {
                Some(&latest) => explained[latest] += 1,
                None => findings.push(Finding::Unexplained {
                    place,
                    first,
                    again,
                }),
            }
            after_commit(history, &periods, place, again, findings);
            causes.extend(found);
        }
        if times.len() - 1 > causes.len() && !causes.is_empty() {
            findings.push(Finding::TooOften {
                place,
                times: times.len(),
                causes: causes.len(),
            });
        }
    }
    explained
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
        from: owner.from,
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

/// What was committed before is done again only by whoever had it before that and was held up, in the same
/// round.
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
        let Round { from, until } = history.rounds[happened.round];
        happened.fault.delays()
            && from <= sample.answered
            && at <= until
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
