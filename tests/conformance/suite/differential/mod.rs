//! One random schedule on Apache Kafka and on the model: whatever a member sees is the same.
//!
//! Who gets which partition is Kafka's choice. The model follows it, so that everything else can be
//! compared exactly: records, positions, commits and their outcomes, revokes, losses.

mod play;
mod schedule;

use crate::sim::{Sim, Wanted};
use crate::{EXPECTED, kafka};
use conformance::Protocol;
use libtest_mimic::{Failed, Trial};
use play::{Play, Sight};
use schedule::Step;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Which schedules to run, `100..200` say, instead of a few.
const SEEDS: &str = "FASTKAFKA_DIFFERENTIAL_SEEDS";
/// How many steps each has.
const STEPS: &str = "FASTKAFKA_DIFFERENTIAL_STEPS";
/// How long to leave steps out of a schedule that shows a difference.
const SHRINK: Duration = Duration::from_secs(120);

pub(crate) fn trials() -> Vec<Trial> {
    let seeds = std::env::var(SEEDS).unwrap_or_else(|_| "0..8".into());
    let (from, to) = seeds.split_once("..").expect("seeds are FROM..TO");
    let seeds = from.parse().expect("a seed")..to.parse().expect("a seed");
    let steps = std::env::var(STEPS).map_or(40, |n| n.parse().expect("a number of steps"));
    let protocols = [Protocol::Eager, Protocol::Cooperative, Protocol::Consumer];
    seeds
        .flat_map(|seed: u64| protocols.map(|protocol| (seed, protocol)))
        .map(|(seed, protocol)| {
            let name = format!("kafka::differential::{protocol:?}::seed_{seed}");
            Trial::test(name, move || compare(seed, protocol, steps))
        })
        .collect()
}

fn compare(seed: u64, protocol: Protocol, steps: usize) -> Result<(), Failed> {
    let schedule = schedule::random(seed, steps);
    let Some(mut difference) = difference(&schedule, protocol) else {
        return Ok(());
    };
    let deadline = Instant::now() + SHRINK;
    let mut schedule = difference.schedule();
    let mut size = schedule.len() / 2;
    while size > 0 && Instant::now() < deadline {
        let mut at = 0;
        while at < schedule.len() && Instant::now() < deadline {
            let mut shorter = schedule.clone();
            shorter.drain(at..(at + size).min(schedule.len()));
            match self::difference(&shorter, protocol) {
                Some(found) => {
                    schedule = found.schedule();
                    difference = found;
                }
                None => at += size,
            }
        }
        size /= 2;
    }
    Err(Failed::from(format!(
        "seed {seed}, {protocol:?}, {} of {} steps:\n{}",
        schedule.len(),
        steps,
        difference.table()
    )))
}

/// Both sides up to the first step after which they differ.
struct Difference(Vec<(Step, Outcome, Outcome)>);

/// What was seen after a step, or why it never ended.
type Outcome = Result<Sight, String>;

impl Difference {
    fn schedule(&self) -> Vec<Step> {
        self.0.iter().map(|(step, _, _)| *step).collect()
    }

    fn table(&self) -> String {
        let text = |outcome: &Outcome| match outcome {
            Ok(sight) => sight.text.trim().to_owned(),
            Err(why) => why.lines().next().unwrap_or_default().to_owned(),
        };
        let rows = self.0.iter().enumerate().map(|(n, (step, kafka, sim))| {
            let (kafka, sim) = (text(kafka), text(sim));
            let mark = if kafka == sim { ' ' } else { '*' };
            format!("{n:3} {mark}{step:?}\n      kafka {kafka}\n      sim   {sim}\n")
        });
        rows.collect()
    }
}

fn difference(schedule: &[Step], protocol: Protocol) -> Option<Difference> {
    static RUN: AtomicUsize = AtomicUsize::new(0);
    let run = RUN.fetch_add(1, Ordering::Relaxed);
    let mut kafka = kafka::start(format!("differential.{run}"));
    let mut play = Play::new(&mut kafka, protocol, Wanted::default());
    let kafka = outcomes(schedule, &mut play, |_| ());
    drop(play);

    let wanted = Wanted::default();
    let mut sim = Sim::following(wanted.clone());
    let mut play = Play::new(&mut sim, protocol, wanted.clone());
    let sim = outcomes(schedule, &mut play, |n| {
        if let Some(Ok(sight)) = kafka.get(n) {
            *wanted.borrow_mut() = sight.settled.clone().into();
        }
    });
    let mut rows = Vec::new();
    for (step, (kafka, sim)) in schedule.iter().zip(kafka.into_iter().zip(sim)) {
        let same = matches!((&kafka, &sim), (Ok(k), Ok(s)) if k.text == s.text);
        rows.push((*step, kafka, sim));
        if !same {
            return Some(Difference(rows));
        }
    }
    None
}

fn outcomes(schedule: &[Step], play: &mut Play<'_>, before: impl Fn(usize)) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for (n, step) in schedule.iter().enumerate() {
        before(n);
        EXPECTED.set(true);
        let done = panic::catch_unwind(AssertUnwindSafe(|| play.step(*step)));
        EXPECTED.set(false);
        if let Err(panic) = done {
            let why = panic.downcast::<String>().map_or("panic".into(), |s| *s);
            outcomes.push(Err(why));
            break;
        }
        outcomes.push(Ok(play.sights.last().expect("of this step").clone()));
    }
    outcomes
}
