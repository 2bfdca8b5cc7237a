//! Whether health told the truth: what waits is named, and what is named is not over.
//!
//! *Waits* is said of the record at the committed offset: as long as it is the same one, the partition makes no
//! progress, however many are handled behind it. A service that is only slow moves on. *Over* is a cause when
//! no fault lasts that the process meets: one of its own, or one of the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::kafka::chaos::history::{History, Look, Millis, Place, Told, Witness};
use crate::kafka::chaos::schedule::Fault;

use super::Finding;

#[cfg(test)]
mod tests;

/// For so long something may stand still, or may be named when it is over: the 30 s that health takes, and what
/// a machine with too much to do adds.
pub(in crate::kafka::chaos) const PATIENCE: Millis = 35_000;
/// When a cause is over, it is told at once, and what waited is committed only now.
const COMMITTED: Millis = 5_000;
/// Between two looks that are further apart, the process did not run.
const STOPPED: Millis = 3_000;
/// So long a process that runs needs no time to say a word.
const MUTE: Millis = 10_000;

/// What there was to judge.
#[derive(Debug, Default)]
pub(super) struct Count {
    looks: usize,
    waits: usize,
    /// How many processes named what.
    told: BTreeMap<String, usize>,
}

pub(super) fn judge(history: &History, findings: &mut Vec<Finding>) -> Count {
    let waits = waits(history);
    for wait in &waits {
        silent(history, wait, findings);
        unowned(history, wait, findings);
    }
    let mut told = BTreeMap::new();
    for witness in &history.witnesses {
        outlived(history, witness, findings);
        mute(history, witness, findings);
        let codes = witness.looks.iter().flat_map(|look| &look.problems);
        let codes: BTreeSet<_> = codes.map(|told| told.code.clone()).collect();
        for code in codes {
            *told.entry(code).or_default() += 1;
        }
    }
    Count {
        looks: history.witnesses.iter().map(|one| one.looks.len()).sum(),
        waits: waits.len(),
        told,
    }
}

/// A time in which the committed offset of a partition stood before a record that was there.
struct Wait {
    place: Place,
    from: Millis,
    until: Millis,
}

impl Wait {
    /// A look that ought to name what it waits for.
    fn has(&self, look: &Look) -> bool {
        (self.from..=self.until - COMMITTED).contains(&look.at)
    }
}

/// Those beyond [`PATIENCE`].
fn waits(history: &History) -> Vec<Wait> {
    let mut inputs: BTreeMap<Place, Millis> = BTreeMap::new();
    inputs.extend(history.inputs.iter().map(|i| (i.place, i.written)));
    let partitions: BTreeSet<i32> = inputs.keys().map(|place| place.0).collect();
    let mut waits = Vec::new();
    for partition in partitions {
        // Who has committed nothing begins at the beginning.
        let offset =
            |committed: &BTreeMap<i32, i64>| committed.get(&partition).copied().unwrap_or(0);
        let same = history
            .samples
            .chunk_by(|a, b| offset(&a.committed) == offset(&b.committed));
        for same in same {
            let next = (partition, offset(&same[0].committed))..(partition + 1, 0);
            let Some((&place, &written)) = inputs.range(next).next() else {
                continue;
            };
            let (from, until) = (same[0].answered.max(written), same[same.len() - 1].answered);
            if until - from > PATIENCE {
                waits.push(Wait { place, from, until });
            }
        }
    }
    waits
}

/// A process knows what it has had for as long as it runs.
fn silent(history: &History, wait: &Wait, findings: &mut Vec<Finding>) {
    let partition = wait.place.0;
    for witness in &history.witnesses {
        let mut since: Option<Millis> = None;
        let mut last = Millis::MIN;
        let during = witness.looks.iter();
        for look in during.filter(|look| wait.has(look)) {
            if look.at.saturating_sub(last) > STOPPED {
                since = None;
            }
            last = look.at;
            if !look.assigned.contains(&partition) {
                since = None;
                continue;
            }
            let from = *since.get_or_insert(look.at);
            if look.at - from > PATIENCE && !look.names(partition) {
                findings.push(Finding::Silent {
                    place: wait.place,
                    process: witness.process.clone(),
                    from,
                    at: look.at,
                });
                break;
            }
        }
    }
}

fn unowned(history: &History, wait: &Wait, findings: &mut Vec<Finding>) {
    let partition = wait.place.0;
    let looks = history.witnesses.iter().flat_map(|one| &one.looks);
    let during: Vec<_> = looks.filter(|look| wait.has(look)).collect();
    let owned = during
        .iter()
        .filter(|look| look.assigned.contains(&partition));
    let mut ends: Vec<_> = owned.map(|look| look.at).collect();
    ends.extend([wait.from, wait.until]);
    ends.sort_unstable();
    for gap in ends.windows(2) {
        let late: Vec<_> = during
            .iter()
            .filter(|look| look.at > gap[0] + PATIENCE && look.at < gap[1])
            .collect();
        if late.iter().any(|look| look.names(partition)) {
            continue;
        }
        findings.extend(late.first().map(|look| Finding::Unowned {
            place: wait.place,
            from: gap[0],
            at: look.at,
        }));
    }
}

fn outlived(history: &History, witness: &Witness, findings: &mut Vec<Finding>) {
    let mut since: BTreeMap<&Told, Millis> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for look in &witness.looks {
        since.retain(|told, _| look.problems.contains(told));
        let calm = calm_since(history, &witness.app, look.at);
        for told in &look.problems {
            let named = *since.entry(told).or_insert(look.at);
            let from = named.max(calm);
            if look.at - from > PATIENCE && found.insert(told) {
                findings.push(Finding::Outlived {
                    process: witness.process.clone(),
                    told: told.clone(),
                    from,
                    at: look.at,
                });
            }
        }
    }
}

/// When the last fault is over that the app has met until then.
fn calm_since(history: &History, app: &str, at: Millis) -> Millis {
    let met = history.faults.iter().filter(|happened| {
        let of_all = happened.app.is_none();
        happened.from <= at && (of_all || happened.app.as_deref() == Some(app))
    });
    met.map(|happened| happened.until)
        .max()
        .unwrap_or(Millis::MIN)
}

fn mute(history: &History, witness: &Witness, findings: &mut Vec<Finding>) {
    let stops = history.faults.iter().filter(|happened| {
        let mine = happened.app.as_deref() == Some(&*witness.app);
        mine && matches!(happened.fault, Fault::Stop { .. })
    });
    let stops: Vec<_> = stops.collect();
    let ends = [witness.began]
        .into_iter()
        .chain(witness.looks.iter().map(|look| look.at))
        .chain((witness.ended != Millis::MAX).then_some(witness.ended));
    let ends: Vec<_> = ends.collect();
    for gap in ends.windows(2) {
        let (from, until) = (gap[0], gap[1]);
        let stopped = stops
            .iter()
            .any(|stop| stop.from <= until && stop.until >= from);
        if until - from > MUTE && !stopped {
            findings.push(Finding::Mute {
                process: witness.process.clone(),
                from,
                until,
            });
        }
    }
}

impl Look {
    /// A reason why a partition stands still: the partition or its topic, an output, or all of a group, a
    /// client or the app.
    fn names(&self, partition: i32) -> bool {
        self.problems.iter().any(|told| {
            let elsewhere = told.topic.as_deref() == Some("flights")
                && told.partition.is_some_and(|other| other != partition);
            !elsewhere
        })
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { looks, waits, told } = self;
        write!(
            f,
            "{looks} looks, {waits} long waits; told by so many processes: {told:?}"
        )
    }
}
