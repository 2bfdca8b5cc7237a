//! The verdict over a [`History`], without a line of the runtime and without a stopwatch: what is asked is
//! always what came before what.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::Bound;

use super::history::{Due, Happened, History, Input, Millis, Place, Told};

mod repeats;
#[cfg(test)]
mod tests;
mod truth;

pub(super) use truth::PATIENCE;

/// A fault that lasts so long, and what is done until its end is felt: the 60 s after which a producer gives up a
/// record that is not acknowledged.
const GIVEN_UP: Millis = 45_000;

/// What must not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Finding {
    /// A flight without the leg that is due.
    Missing { place: Place, id: u64 },
    /// A record that can not be handled and is not in the dead letters.
    MissingLetter { place: Place },
    /// A leg that no flight makes, or not under this key.
    StrangeLeg { id: u64, at: Millis },
    /// A dead letter of a record that is none, or not with its key and payload.
    StrangeLetter { place: Place, at: Millis },
    /// Of the flights of one key a later one went out first.
    Inverted {
        key: String,
        place: Place,
        after: Place,
    },
    /// Committed when the leg or the letter was not there yet.
    CommittedTooEarly {
        place: Place,
        at: Millis,
        there: Option<Millis>,
    },
    /// A committed offset went back.
    WentBack { partition: i32, from: i64, to: i64 },
    /// Done again after it was committed.
    RepeatedAfterCommit {
        place: Place,
        at: Millis,
        committed: Millis,
    },
    /// Done again, and nothing has happened to whoever had its partition.
    Unexplained {
        place: Place,
        first: Millis,
        again: Millis,
    },
    /// Done again more often than something happened.
    TooOften {
        place: Place,
        times: usize,
        causes: usize,
    },
    /// Nothing was committed in a round.
    StoodStill { round: usize },
    /// At the end the committed offset is not the end.
    NotAtEnd {
        partition: i32,
        committed: Option<i64>,
        end: i64,
    },
    /// A process did not end cleanly although nothing kept it.
    Exited { process: String, code: i32 },
    /// The record at the committed offset waited for too long, and a process that had its partition all the
    /// while named nothing that could be the reason.
    Silent {
        place: Place,
        process: String,
        /// Since then the record waited and the process had the partition.
        from: Millis,
        at: Millis,
    },
    /// The record at the committed offset waited for too long, nobody had its partition, and nobody named it.
    Unowned {
        place: Place,
        from: Millis,
        at: Millis,
    },
    /// A process named a problem long after the last fault that it met was over.
    Outlived {
        process: String,
        told: Told,
        /// Since then it was named and no fault lasted.
        from: Millis,
        at: Millis,
    },
    /// A process said nothing of its health for long, and it was not stopped.
    Mute {
        process: String,
        from: Millis,
        until: Millis,
    },
}

/// What the ledger counted and found.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) findings: Vec<Finding>,
    records: usize,
    legs: usize,
    letters: usize,
    faults: usize,
    /// Per fault, in the order of the history: how many repeats it explains.
    repeats: Vec<(String, usize)>,
    /// Repeats of a partition that moved while an earlier record was open.
    held_open: usize,
    /// How often a record waited for too long, and what health named.
    truth: truth::Count,
}

/// One way that a record is done: when its leg or its letter was written, in time.
pub(super) type Done = Vec<Millis>;

pub(super) fn judge(history: &History) -> Verdict {
    let mut findings = Vec::new();
    let done = outcomes(history, &mut findings);
    key_order(history, &mut findings);
    commits(history, &done, &mut findings);
    let reasons = repeats::explain(history, &done, &mut findings);
    exits(history, &mut findings);
    let truth = truth::judge(history, &mut findings);
    let per_fault = history.faults.iter().zip(&reasons.faults);
    Verdict {
        findings,
        records: history.inputs.len(),
        legs: history.legs.len(),
        letters: history.letters.len(),
        faults: history.faults.len(),
        repeats: per_fault
            .map(|(happened, count)| (happened.to_string(), *count))
            .collect(),
        held_open: reasons.held_open,
        truth,
    }
}

/// When each record was done; missing is what never was, strange what nobody asked for.
fn outcomes(history: &History, findings: &mut Vec<Finding>) -> BTreeMap<Place, Done> {
    let inputs: HashMap<Place, &Input> = history.inputs.iter().map(|i| (i.place, i)).collect();
    let by_id = by_id(history);
    let mut done: BTreeMap<Place, Done> = BTreeMap::new();
    for leg in &history.legs {
        match by_id.get(&leg.id) {
            Some(input) if input.key == leg.key => {
                done.entry(input.place).or_default().push(leg.at);
            }
            _ => findings.push(Finding::StrangeLeg {
                id: leg.id,
                at: leg.at,
            }),
        }
    }
    for letter in &history.letters {
        let (place, at) = (letter.place, letter.at);
        match inputs.get(&place) {
            Some(input)
                if input.due == Due::Letter
                    && (&input.key, &input.value) == (&letter.key, &letter.value) =>
            {
                done.entry(place).or_default().push(at);
            }
            _ => findings.push(Finding::StrangeLetter { place, at }),
        }
    }
    for input in &history.inputs {
        let place = input.place;
        if done.contains_key(&place) {
            continue;
        }
        match input.due {
            Due::Leg(id) => findings.push(Finding::Missing { place, id }),
            Due::Letter => findings.push(Finding::MissingLetter { place }),
            Due::Nothing => {}
        }
    }
    done.values_mut().for_each(|times| times.sort_unstable());
    done
}

fn by_id(history: &History) -> HashMap<u64, &Input> {
    let with_leg = history.inputs.iter().filter_map(|input| match input.due {
        Due::Leg(id) => Some((id, input)),
        Due::Letter | Due::Nothing => None,
    });
    with_leg.collect()
}

/// The first occurrences of the legs of a key, as readers see them. Where a leg may be given up, later ones of
/// its key may come before it, and have to come again behind it.
fn key_order(history: &History, findings: &mut Vec<Finding>) {
    let may_be_given_up = history
        .faults
        .iter()
        .any(|happened| happened.until - happened.from >= GIVEN_UP);
    let by_id = by_id(history);
    let mut keys: BTreeMap<&[u8], Vec<Place>> = BTreeMap::new();
    for leg in &history.legs {
        if let Some(input) = by_id.get(&leg.id) {
            keys.entry(&leg.key).or_default().push(input.place);
        }
    }
    for (key, places) in keys {
        let inverted = |place, after| Finding::Inverted {
            key: String::from_utf8_lossy(key).into_owned(),
            place,
            after,
        };
        let mut seen = BTreeSet::new();
        let mut due_again = BTreeMap::new();
        for place in places {
            due_again.remove(&place);
            if !seen.insert(place) {
                continue;
            }
            let behind = (Bound::Excluded(place), Bound::Unbounded);
            if may_be_given_up {
                due_again.extend(seen.range(behind).map(|after| (*after, place)));
            } else if let Some(&after) = seen.range(behind).next_back() {
                findings.push(inverted(place, after));
            }
        }
        let never = due_again.into_iter();
        findings.extend(never.map(|(after, place)| inverted(place, after)));
    }
}

/// Offsets only grow, never run ahead of what they stand for, grow in each round, and end at the end.
fn commits(history: &History, done: &BTreeMap<Place, Done>, findings: &mut Vec<Finding>) {
    let mut inputs: Vec<_> = history.inputs.iter().collect();
    inputs.sort_by_key(|input| input.place);
    let mut last: BTreeMap<i32, i64> = BTreeMap::new();
    for sample in &history.samples {
        for (&partition, &to) in &sample.committed {
            let from = last.insert(partition, to).unwrap_or(0);
            if to < from {
                findings.push(Finding::WentBack {
                    partition,
                    from,
                    to,
                });
                continue;
            }
            // What this commit let go.
            let begin = inputs.partition_point(|input| input.place < (partition, from));
            let fresh = inputs[begin..].iter();
            for input in fresh.take_while(|input| input.place < (partition, to)) {
                let there = done.get(&input.place).map(|times| times[0]);
                let early =
                    input.due != Due::Nothing && there.is_none_or(|at| at > sample.answered);
                if early {
                    findings.push(Finding::CommittedTooEarly {
                        place: input.place,
                        at: sample.answered,
                        there,
                    });
                }
            }
        }
    }
    for (round, span) in history.rounds.iter().enumerate() {
        if committed_at(history, span.from) >= committed_at(history, span.until) {
            findings.push(Finding::StoodStill { round });
        }
    }
    for (&partition, &end) in &history.ends {
        let committed = last.get(&partition).copied();
        if committed.unwrap_or(0) != end {
            findings.push(Finding::NotAtEnd {
                partition,
                committed,
                end,
            });
        }
    }
}

/// Of all partitions together, as was known then.
fn committed_at(history: &History, at: Millis) -> i64 {
    let known = history.samples.iter().rev();
    let mut known = known.skip_while(|sample| sample.answered > at);
    known
        .next()
        .map_or(0, |sample| sample.committed.values().sum())
}

/// A process that is asked to end may say that it could not finish only while something else goes wrong.
fn exits(history: &History, findings: &mut Vec<Finding>) {
    for exit in &history.exits {
        let mut faults = history.faults.iter();
        let hindered = exit.round.is_some_and(|round| {
            faults.any(|happened| happened.round == round && !happened.fault.is_graceful())
        });
        if exit.code != 0 && !(exit.code == 1 && hindered) {
            findings.push(Finding::Exited {
                process: exit.process.clone(),
                code: exit.code,
            });
        }
    }
}

impl Verdict {
    pub(super) fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        let by_faults: usize = self.repeats.iter().map(|(_, count)| count).sum();
        let repeated = by_faults + self.held_open;
        writeln!(
            f,
            "{} records, {} legs, {} dead letters, {} faults, {repeated} repeated, {} findings",
            self.records,
            self.legs,
            self.letters,
            self.faults,
            self.findings.len()
        )?;
        for (fault, count) in &self.repeats {
            writeln!(f, "  {count:5} repeated: {fault}")?;
        }
        writeln!(
            f,
            "  {:5} repeated: behind an open record when the partition moved",
            self.held_open
        )?;
        writeln!(f, "  health: {}", self.truth)?;
        let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for finding in &self.findings {
            let text = format!("{finding:?}");
            let kind = text.split(' ').next().unwrap_or_default().to_owned();
            kinds.entry(kind).or_default().push(text);
        }
        for (kind, findings) in &kinds {
            writeln!(f, "  {kind}: {}", findings.len())?;
            for finding in findings.iter().take(SHOWN) {
                writeln!(f, "    {finding}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fault,
            round,
            from,
            until,
            ..
        } = self;
        write!(f, "round {}, {from}..{until}, {fault}", round + 1)
    }
}
