//! The verdict over a [`History`], without a line of the runtime and without a stopwatch: what is asked is
//! always what came before what.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::history::{Due, Happened, History, Input, Millis, Place};

mod repeats;
#[cfg(test)]
mod tests;

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

/// The first occurrences of the legs of a key, as readers see them.
fn key_order(history: &History, findings: &mut Vec<Finding>) {
    let by_id = by_id(history);
    let mut last: HashMap<&[u8], Place> = HashMap::new();
    let mut seen = std::collections::HashSet::new();
    for leg in &history.legs {
        let Some(input) = by_id.get(&leg.id) else {
            continue;
        };
        if !seen.insert(leg.id) {
            continue;
        }
        match last.get(&*leg.key) {
            Some(after) if *after > input.place => findings.push(Finding::Inverted {
                key: String::from_utf8_lossy(&leg.key).into_owned(),
                place: input.place,
                after: *after,
            }),
            _ => {
                last.insert(&leg.key, input.place);
            }
        }
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
        const SHOWN: usize = 20;
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
        for finding in self.findings.iter().take(SHOWN) {
            writeln!(f, "  {finding:?}")?;
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
