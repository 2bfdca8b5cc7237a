//! Order by key and no order, beside the least time in which the handlers can be done.

use crate::keys::{CONCURRENCY, EACH, PARTITIONS, Times, WAIT, ZIPF, fill};
use crate::rounds::{Broker, load, machine, name, run};
use crate::{Options, Program};
use std::fmt;

/// What is measured: a program of ours and the same by hand.
struct Case {
    order: &'static str,
    keys: &'static str,
    ordered: bool,
    programs: [Program; 2],
}

const CASES: [Case; 3] = [
    Case {
        order: "key",
        keys: "Zipf(1.0)",
        ordered: true,
        programs: [Program::OursZipf, Program::RawZipf],
    },
    Case {
        order: "key",
        keys: "all different",
        ordered: true,
        programs: [Program::OursEach, Program::RawEach],
    },
    Case {
        order: "none",
        keys: "Zipf(1.0)",
        ordered: false,
        programs: [Program::OursUnordered, Program::RawUnordered],
    },
];

/// The figures of one program over all rounds.
#[derive(Default)]
struct Figures {
    bound: Vec<f64>,
    measured: Vec<f64>,
    ratio: Vec<f64>,
    nominal: Vec<f64>,
}

impl Figures {
    fn add(&mut self, times: &Times, ordered: bool) {
        self.bound.push(times.bound(ordered));
        self.measured.push(times.measured);
        self.ratio.push(times.bound(ordered) / times.measured);
        self.nominal.push(times.nominal(ordered) / times.measured);
    }
}

/// The median, and the least and the most.
struct Spread<'a>(&'a [f64]);

impl fmt::Display for Spread<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else {
            return f.write_str("-");
        };
        let median = sorted[sorted.len() / 2];
        write!(f, "{median:.3} ({least:.3} to {most:.3})")
    }
}

/// Runs all programs in each round and prints a table.
pub(crate) fn compare(options: &Options) -> anyhow::Result<()> {
    let records = options.records.unwrap_or(40_000);
    let topics = [ZIPF, EACH].map(|topic| (topic, PARTITIONS));
    let broker = Broker::start(options.bootstrap.as_deref(), &topics)?;
    eprintln!("filling the topics with {records} records each");
    fill(broker.bootstrap(), records)?;
    println!(
        "## order: {records} records in {PARTITIONS} partitions, handlers that wait {WAIT:?}, concurrency {CONCURRENCY}, {}\n",
        machine()
    );
    let mut figures: [[Figures; 2]; CASES.len()] = Default::default();
    for round in 0..options.rounds {
        for (case, figures) in CASES.iter().zip(&mut figures) {
            for turn in 0..2 {
                let which = (round + turn) % 2;
                let program = case.programs[which];
                let printed = run(program, broker.bootstrap(), records, round)?;
                let times: Times = serde_json::from_str(&printed)?;
                figures[which].add(&times, case.ordered);
                eprintln!("round {}: {}, load {}", round + 1, name(program), load());
            }
        }
    }
    println!(
        "| order | keys | program | bound s | measured s | bound / measured | the same at {WAIT:?} sharp |\n|---|---|---|---|---|---|---|"
    );
    for (case, figures) in CASES.iter().zip(&figures) {
        for (program, figures) in case.programs.into_iter().zip(figures) {
            println!(
                "| {} | {} | {} | {} | {} | {} | {} |",
                case.order,
                case.keys,
                name(program),
                Spread(&figures.bound),
                Spread(&figures.measured),
                Spread(&figures.ratio),
                Spread(&figures.nominal),
            );
        }
    }
    println!(
        "\nMedian of {} rounds (least to most), load at the end {}. The bound: the longer of the time in the handlers of the hottest key, if there is an order, and the time in all handlers / {CONCURRENCY}.",
        options.rounds,
        load()
    );
    Ok(())
}
