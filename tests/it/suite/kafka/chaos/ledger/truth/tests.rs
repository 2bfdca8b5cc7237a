//! A health that lies, in both directions, and one that tells the truth.

use std::time::Duration;

use kafka_lab::Toxic;

use super::*;
use crate::kafka::chaos::history::{Due, Happened, Input, Sample};

const END: Millis = 60_000;

/// Nothing of partition 0 is committed for a minute, then all of it. App 0 has it and names nothing.
fn history() -> History {
    let input = |offset| Input {
        place: (0, offset),
        key: b"N1".to_vec(),
        value: Vec::new(),
        written: 0,
        due: Due::Nothing,
    };
    let sample = |answered, offset| Sample {
        answered,
        committed: BTreeMap::from([(0, offset)]),
    };
    History {
        inputs: (0..5).map(input).collect(),
        samples: vec![sample(0, 0), sample(END, 0), sample(END + 1, 5)],
        witnesses: vec![witness("app-0", 0, END, |_| vec![])],
        ..History::default()
    }
}

fn told(topic: Option<&str>, partition: Option<i32>) -> Told {
    Told {
        code: "a-code".to_owned(),
        topic: topic.map(str::to_owned),
        partition,
    }
}

fn witness(app: &str, began: Millis, ended: Millis, says: impl Fn(Millis) -> Vec<Told>) -> Witness {
    let ticks = (0..).map(|tick| began + 500 * tick);
    let looks = ticks.take_while(|at| *at <= ended).map(|at| Look {
        at,
        assigned: BTreeSet::from([0]),
        problems: says(at),
    });
    Witness {
        process: format!("{app}.0"),
        app: app.to_owned(),
        began,
        ended,
        looks: looks.collect(),
    }
}

fn found(history: &History) -> Vec<Finding> {
    let mut findings = Vec::new();
    judge(history, &mut findings);
    findings
}

/// What is found when the only process says this.
fn found_with(says: impl Fn(Millis) -> Vec<Told>) -> Vec<Finding> {
    found(&History {
        witnesses: vec![witness("app-0", 0, END, says)],
        ..history()
    })
}

fn silent(process: &str, from: Millis, at: Millis) -> Finding {
    Finding::Silent {
        place: (0, 0),
        process: process.to_owned(),
        from,
        at,
    }
}

fn way(from: Millis, until: Millis, app: Option<&str>) -> Happened {
    Happened {
        fault: Fault::Way {
            app: 0,
            toxic: Toxic::Reset,
            lasts: Duration::ZERO,
        },
        round: 0,
        app: app.map(str::to_owned),
        from,
        until,
    }
}

#[test]
fn a_partition_that_stands_still_unnamed_is_found() {
    assert_eq!(found(&history()), [silent("app-0.0", 0, 35_500)]);
}

#[test]
fn what_is_named_in_time_is_not_found_and_what_is_named_too_late_is() {
    let from =
        |since| move |at| Vec::from_iter((at >= since).then(|| told(Some("flights"), Some(0))));
    assert_eq!(found_with(from(35_000)), []);
    assert_eq!(found_with(from(36_500)), [silent("app-0.0", 0, 35_500)]);
    // Nor may it be forgotten before it is over.
    let until = |at| Vec::from_iter((at < 50_000).then(|| told(Some("flights"), Some(0))));
    assert_eq!(found_with(until)[0], silent("app-0.0", 0, 50_000));
    let until = |at| {
        Vec::from_iter(
            (30_000..END - 3_000)
                .contains(&at)
                .then(|| told(Some("flights"), Some(0))),
        )
    };
    assert_eq!(found_with(until), [], "the commit is on its way");
}

#[test]
fn a_reason_is_the_partition_the_topic_an_output_or_the_cluster_but_no_other_partition() {
    // From when on it is due: what nothing is wrong with must not be named for longer.
    let says = |topic: Option<&'static str>, partition| {
        move |at| Vec::from_iter((at >= 30_000).then(|| told(topic, partition)))
    };
    assert_eq!(found_with(says(Some("flights"), None)), []);
    assert_eq!(found_with(says(Some("legs"), Some(3))), []);
    assert_eq!(found_with(says(None, None)), []);
    let other = found_with(says(Some("flights"), Some(1)));
    assert_eq!(other, [silent("app-0.0", 0, 35_500)]);
}

#[test]
fn who_is_only_slow_does_not_wait() {
    let mut history = history();
    history.samples[1].answered = 30_000;
    let sample = |answered, offset| Sample {
        answered,
        committed: BTreeMap::from([(0, offset)]),
    };
    history.samples.insert(2, sample(END, 1));
    assert_eq!(found(&history), []);
}

#[test]
fn a_record_waits_since_it_is_there() {
    let mut history = history();
    history
        .inputs
        .iter_mut()
        .for_each(|input| input.written = 26_000);
    assert_eq!(found(&history), []);
    // Of an empty partition nothing waits.
    history.inputs.clear();
    assert_eq!(found(&history), []);
}

#[test]
fn a_process_knows_what_it_has_had_for_as_long_as_it_runs() {
    // Half of the time was another's,
    let mut moved = history();
    moved.witnesses = vec![
        witness("app-0", 0, 30_000, |_| vec![]),
        witness("app-1", 30_000, END, |_| vec![]),
    ];
    assert_eq!(found(&moved), []);
    // or it did not run,
    let mut stopped = history();
    stopped.witnesses[0]
        .looks
        .retain(|look| !(20_000..25_000).contains(&look.at));
    assert_eq!(found(&stopped), []);
    // or it was not its own.
    let mut lent = history();
    lent.witnesses[0].looks[50].assigned.clear();
    assert_eq!(found(&lent), []);
}

#[test]
fn a_partition_that_nobody_has_and_nobody_names_is_found() {
    let mut history = history();
    let nobodys = |history: &mut History| {
        for look in &mut history.witnesses[0].looks {
            look.assigned.clear();
        }
    };
    nobodys(&mut history);
    let unowned = Finding::Unowned {
        place: (0, 0),
        from: 0,
        at: 35_500,
    };
    assert_eq!(found(&history), [unowned]);
    // One that belongs to the group is told by any of it.
    history.witnesses = vec![witness("app-0", 0, END, |at| {
        Vec::from_iter((at >= 30_000).then(|| told(None, None)))
    })];
    nobodys(&mut history);
    assert_eq!(found(&history), []);
}

/// The record waits for a moment, and then nothing does.
fn idle(says: impl Fn(Millis) -> Vec<Told>, fault: Happened) -> Vec<Finding> {
    let mut history = history();
    history.inputs.clear();
    history.witnesses = vec![witness("app-0", 0, 2 * END, says)];
    history.faults.push(fault);
    found(&history)
}

#[test]
fn a_problem_that_outlives_its_cause_is_found() {
    let outlived = |from, at| Finding::Outlived {
        process: "app-0.0".to_owned(),
        told: told(None, None),
        from,
        at,
    };
    let says = |until| move |at| Vec::from_iter((at < until).then(|| told(None, None)));
    let (mine, of_all) = (way(0, 40_000, Some("app-0")), way(0, 40_000, None));
    for fault in [mine.clone(), of_all] {
        assert_eq!(idle(says(75_000), fault.clone()), []);
        assert_eq!(idle(says(80_000), fault), [outlived(40_000, 75_500)]);
    }
    // What somebody else met is no cause, and what lasts is one.
    let others = way(0, 40_000, Some("app-1"));
    assert_eq!(idle(says(80_000), others), [outlived(0, 35_500)]);
    assert_eq!(idle(says(2 * END), way(0, 3 * END, None)), []);
    // Each time it comes it has its time.
    let comes_and_goes = |at| Vec::from_iter((at % 20_000 < 15_000).then(|| told(None, None)));
    assert_eq!(idle(comes_and_goes, mine), []);
}

#[test]
fn a_process_that_says_nothing_is_found_unless_it_was_stopped() {
    let mut history = history();
    history.inputs.clear();
    history.witnesses[0]
        .looks
        .retain(|look| !(20_000..=35_000).contains(&look.at));
    let mute = Finding::Mute {
        process: "app-0.0".to_owned(),
        from: 19_500,
        until: 35_500,
    };
    assert_eq!(found(&history), [mute]);
    history.faults.push(Happened {
        fault: Fault::Stop {
            app: 0,
            lasts: Duration::ZERO,
        },
        ..way(20_000, 35_000, Some("app-0"))
    });
    assert_eq!(found(&history), []);
    // Not even a first word, and not the last.
    history.witnesses[0].looks.clear();
    history.faults.clear();
    assert_eq!(found(&history).len(), 1);
}
