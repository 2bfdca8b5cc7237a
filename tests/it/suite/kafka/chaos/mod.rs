//! The flights example under everything at once, out of a seed.
//!
//! Three processes take 500 flights a second while members die, freeze, come and go, the broker restarts, and
//! the ways between go bad. Then an independent ledger reads the topics and decides.
//!
//! It decides about health, too: each process writes down twice a second what its health says. What waits for
//! more than half a minute has to be named, and what is over must not be named for longer than that. Only a longer
//! run has faults that last so long: a round of one in four, and the outages.
//!
//! | variable | |
//! |---|---|
//! | `FASTKAFKA_CHAOS_SEEDS` | the seeds to play, as in `1,2,3`, two at a time |
//! | `FASTKAFKA_CHAOS_SECONDS` | about how long each takes; from 60 on outages are played, too |

mod app;
mod history;
mod ledger;
mod load;
mod outages;
mod run;
mod schedule;

use std::env;
use std::thread::scope;
use std::time::{Duration, Instant};

use run::ChaosRun;
use schedule::Schedule;

/// What is played unless the environment says otherwise.
const SEEDS: [u64; 2] = [2, 13];
const SECONDS: u64 = 45;
/// What an outage takes, in seconds, and what follows: only to tell how many fit into a time.
const OUTAGE: u64 = 60;
/// Most of their time they wait. Each has a broker of its own.
const AT_ONCE: usize = 2;

/// Tells how to play it again.
struct Played<'s>(&'s Schedule, &'s ChaosRun);

impl Drop for Played<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(schedule, run) = self;
            println!(
                "chaos: FAILED\n{schedule}logs: {}\nagain: FASTKAFKA_CHAOS_SEEDS={} \
                 FASTKAFKA_CHAOS_SECONDS={} cargo test -p it --features kafka chaos::",
                run.logs().display(),
                schedule.seed,
                seconds()
            );
        }
    }
}

fn seconds() -> u64 {
    env::var("FASTKAFKA_CHAOS_SECONDS").map_or(SECONDS, |text| text.parse().unwrap())
}

fn seeds() -> Vec<u64> {
    let Ok(list) = env::var("FASTKAFKA_CHAOS_SEEDS") else {
        return SEEDS.to_vec();
    };
    let seeds = list.split(',').map(|seed| seed.trim().parse().unwrap());
    seeds.collect()
}

fn play(schedule: &Schedule, run: &ChaosRun) {
    let began = Instant::now();
    println!("{schedule}");
    let seed = schedule.seed;
    let _played = Played(schedule, run);
    run.play(schedule);
    let verdict = ledger::judge(&run.history());
    println!("seed {seed}, {:.0?}: {verdict}", began.elapsed());
    assert!(verdict.is_clean(), "seed {seed}: {verdict}");
}

#[test]
fn nothing_is_lost_whatever_happens() {
    each_seed(|seed| {
        let schedule = Schedule::draw(seed, Duration::from_secs(seconds()));
        play(&schedule, &ChaosRun::new(seed));
    });
}

/// Each of these takes longer than all of a short run.
#[test]
fn what_stands_still_is_named_while_it_lasts_and_no_longer() {
    let count = usize::try_from(seconds() / OUTAGE).unwrap();
    if count > 0 {
        each_seed(|seed| play(&Schedule::outages(seed, count), &ChaosRun::apart(seed)));
    }
}

fn each_seed(play: impl Fn(u64) + Sync) {
    let play = &play;
    let mut failed = Vec::new();
    for some in seeds().chunks(AT_ONCE) {
        scope(|threads| {
            let played = some
                .iter()
                .map(|&seed| (seed, threads.spawn(move || play(seed))));
            for (seed, played) in played.collect::<Vec<_>>() {
                if played.join().is_err() {
                    failed.push(seed);
                }
            }
        });
    }
    assert!(failed.is_empty(), "of seeds {failed:?}: see above");
}
