//! The flights example under everything at once, out of a seed.
//!
//! Three processes take 500 flights a second while members die, freeze, come and go, the broker restarts, and
//! the ways between go bad. Then an independent ledger reads the topics and decides.
//!
//! | variable | |
//! |---|---|
//! | `FASTKAFKA_CHAOS_SEEDS` | the seeds to play, as in `1,2,3`, two at a time |
//! | `FASTKAFKA_CHAOS_SECONDS` | about how long each takes |

mod history;
mod ledger;
mod load;
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
                 FASTKAFKA_CHAOS_SECONDS={} cargo test -p it --features kafka chaos::nothing",
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

fn play(seed: u64) {
    let schedule = Schedule::draw(seed, Duration::from_secs(seconds()));
    let began = Instant::now();
    println!("{schedule}");
    let run = ChaosRun::new();
    let _played = Played(&schedule, &run);
    run.play(&schedule);
    let verdict = ledger::judge(&run.history());
    println!("seed {seed}, {:.0?}: {verdict}", began.elapsed());
    assert!(verdict.is_clean(), "seed {seed}: {verdict}");
}

#[test]
fn nothing_is_lost_whatever_happens() {
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
