//! Plays a schedule: apps, broker and ways meet their faults while flights come in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread::{park_timeout, scope};
use std::time::{Duration, Instant};

use kafka_lab::{Kafka, Proxy};
use rustix::process::{Pid, Signal, kill_process};

use super::app::{App, app_name};
use super::history::{
    Happened, History, Life, Round, Sample, input, letter, looks, now, output, owners, witness,
};
use super::ledger::PATIENCE as BOUND;
use super::load::Load;
use super::schedule::{APPS, Actor, Fault, Planned, Schedule};
use crate::kafka::process::within;

/// How long anything may take that has to happen anyway, on a slow machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// Flights per second, in ten portions.
const RATE: usize = 500;
const PORTION: Duration = Duration::from_millis(100);

/// The broker's clock says when something was written, whatever the writer was doing meanwhile.
const STAMPED: (&str, &str) = ("message.timestamp.type", "LogAppendTime");

pub(super) struct ChaosRun {
    /// Written while the broker is away: nobody then asks it anything through the lab.
    pub(super) kafka: RwLock<Kafka>,
    /// The cluster of the legs, where it is another one.
    pub(super) elsewhere: Option<RwLock<Kafka>>,
    /// Its address, where apps are told one.
    pub(super) legs_at: Option<String>,
    pub(super) load: Mutex<Load>,
    /// Where flights go to; without any, the key decides.
    pub(super) writable: RwLock<Vec<i32>>,
    pub(super) proxies: Vec<Proxy>,
    pub(super) directory: PathBuf,
    over: AtomicBool,
    pub(super) lives: Mutex<Vec<Life>>,
    history: Mutex<History>,
}

/// The load and the sampler end with it, also in a panic.
struct Over<'s>(&'s AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl ChaosRun {
    pub(super) fn new(seed: u64) -> Self {
        let kafka = Kafka::builder().proxied(APPS).start().unwrap();
        kafka.create_topic("flights", 4, &[STAMPED]).unwrap();
        kafka.create_topic("legs", 4, &[STAMPED]).unwrap();
        kafka.create_topic("flights.dead", 1, &[STAMPED]).unwrap();
        Self::on(kafka, seed)
    }

    /// On two brokers, for outages.
    pub(super) fn apart(seed: u64) -> Self {
        let kafka = Kafka::builder().brokers(2).authorized().start().unwrap();
        let elsewhere = (seed % 2 == 1).then(|| Kafka::start().unwrap());
        let compressed = ("compression.type", "zstd");
        let legs_on = elsewhere.as_ref().unwrap_or(&kafka);
        legs_on.create_topic("legs", 4, &[STAMPED]).unwrap();
        kafka
            .create_topic("flights", 6, &[STAMPED, compressed])
            .unwrap();
        kafka.create_topic("flights.dead", 1, &[STAMPED]).unwrap();
        Self {
            legs_at: Some(legs_on.bootstrap().to_owned()),
            elsewhere: elsewhere.map(RwLock::new),
            writable: RwLock::new((0..6).collect()),
            ..Self::on(kafka, seed)
        }
    }

    fn on(kafka: Kafka, seed: u64) -> Self {
        Self {
            elsewhere: None,
            legs_at: None,
            load: Mutex::new(Load::new(seed)),
            writable: RwLock::default(),
            proxies: kafka.proxies().to_vec(),
            directory: kafka.log().parent().unwrap().to_owned(),
            kafka: RwLock::new(kafka),
            over: AtomicBool::new(false),
            lives: Mutex::default(),
            history: Mutex::default(),
        }
    }

    /// Where the logs of broker, proxy and apps are; they stay when the test fails.
    pub(super) fn logs(&self) -> &Path {
        &self.directory
    }

    pub(super) fn play(&self, schedule: &Schedule) {
        let mut apps: Vec<_> = (0..APPS).map(|app| App::new(self, app)).collect();
        for app in &mut apps {
            app.process.is_started();
        }
        scope(|threads| {
            let over = Over(&self.over);
            let load = threads.spawn(|| self.load());
            threads.spawn(|| self.sample());
            self.catch_up(&mut apps);
            for (round, planned) in schedule.rounds.iter().enumerate() {
                let from = now();
                self.round(round, planned, &mut apps);
                self.catch_up(&mut apps);
                let until = now();
                self.note(|history| history.rounds.push(Round { from, until }));
                self.calm();
            }
            drop(over);
            load.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            self.catch_up(&mut apps);
        });
        self.calm();
        for app in &mut apps {
            app.end(None);
        }
        self.read_all();
    }

    pub(super) fn history(&self) -> History {
        self.history.lock().unwrap().clone()
    }

    pub(super) fn note(&self, write: impl FnOnce(&mut History)) {
        write(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn bootstrap(&self) -> String {
        self.kafka(|kafka| kafka.bootstrap().to_owned())
    }

    /// To all processes.
    pub(super) fn signal(&self, signal: Signal) {
        let lives = self.lives.lock().unwrap();
        for life in lives.iter().filter(|life| life.ended.is_none()) {
            let pid = Pid::from_raw(i32::try_from(life.pid).unwrap()).unwrap();
            kill_process(pid, signal).unwrap();
        }
    }

    pub(super) fn kafka<T>(&self, ask: impl FnOnce(&Kafka) -> T) -> T {
        ask(&self.kafka.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Flights at their pace; those that came late because the broker was away follow at once.
    fn load(&self) {
        let began = Instant::now();
        for tick in 1.. {
            if self.over.load(Relaxed) {
                break;
            }
            let records = {
                let writable = self.writable.read().unwrap();
                let mut load = self.load.lock().unwrap();
                if writable.is_empty() {
                    load.records(RATE / 10)
                } else {
                    load.records_to(&writable, RATE / 10)
                }
            };
            // What fails may have been written all the same: what counts is read from the topic at last.
            if let Err(error) = self.kafka(|kafka| kafka.produce("flights", &records)) {
                println!("load: {error}");
            }
            pause_until(began + PORTION * tick);
        }
    }

    fn committed(&self) -> BTreeMap<i32, i64> {
        let committed = self.kafka(|kafka| kafka.committed("flights", "flights"));
        committed.unwrap()
    }

    fn sample(&self) {
        while !self.over.load(Relaxed) {
            let committed = self.committed();
            let answered = now();
            self.note(|history| {
                history.samples.push(Sample {
                    answered,
                    committed,
                });
            });
            park_timeout(Duration::from_millis(200));
        }
    }

    fn round(&self, round: usize, planned: &[Planned], apps: &mut [App<'_>]) {
        let began = Instant::now();
        let of = |actor: Actor| {
            let mine = planned
                .iter()
                .filter(move |planned| planned.fault.actor() == actor);
            mine.inspect(move |planned| pause_until(began + planned.at))
                .map(|planned| planned.fault)
        };
        scope(|threads| {
            for (index, app) in apps.iter_mut().enumerate() {
                threads
                    .spawn(move || of(Actor::App(index)).for_each(|fault| app.meet(fault, round)));
                threads.spawn(move || {
                    of(Actor::Way(index)).for_each(|fault| self.way(index, fault, round));
                });
            }
            threads.spawn(|| of(Actor::Broker).for_each(|fault| self.broker(fault, round)));
            threads.spawn(|| of(Actor::Guest).for_each(|fault| self.guest(fault, round)));
        });
    }

    /// Lets a fault happen, and writes down when.
    pub(super) fn happens(
        &self,
        fault: Fault,
        round: usize,
        app: Option<&str>,
        act: impl FnOnce(),
    ) {
        let from = now();
        act();
        let until = now();
        let app = app.map(str::to_owned);
        self.note(|history| {
            history.faults.push(Happened {
                fault,
                round,
                app,
                from,
                until,
            });
        });
    }

    fn broker(&self, fault: Fault, round: usize) {
        if let Fault::Outage { outage, lasts } = fault {
            self.happens(fault, round, None, || self.outage(outage, lasts));
            return;
        }
        let mut kafka = self.kafka.write().unwrap();
        self.happens(fault, round, None, || match fault {
            Fault::Restart { down, killed } => {
                if killed {
                    kafka.kill()
                } else {
                    kafka.terminate()
                }
                .unwrap();
                pause(down);
                kafka.restart().unwrap();
            }
            Fault::Pause { lasts } => {
                kafka.pause().unwrap();
                pause(lasts);
                kafka.resume().unwrap();
            }
            other => unreachable!("{other} is none of the broker's"),
        });
    }

    fn way(&self, index: usize, fault: Fault, round: usize) {
        let Fault::Way { toxic, lasts, .. } = fault else {
            unreachable!("{fault} is none of a way's")
        };
        self.happens(fault, round, Some(&app_name(index)), || {
            self.proxies[index].ail(toxic).unwrap();
            pause(lasts);
            self.proxies[index].cure().unwrap();
        });
    }

    fn guest(&self, fault: Fault, round: usize) {
        let Fault::Guest { lasts, killed } = fault else {
            unreachable!("{fault} is no guest")
        };
        let mut guest = App::start(self, "guest".to_owned(), self.bootstrap());
        pause(lasts);
        self.happens(fault, round, Some("guest"), || {
            if killed {
                guest.kill();
            } else {
                guest.end(Some(round));
            }
        });
    }

    /// All members have partitions again, what is in the topic now is committed, and while the load goes on
    /// more than that was before.
    fn catch_up(&self, apps: &mut [App<'_>]) {
        let ends = self.kafka(|kafka| kafka.end_offsets("flights")).unwrap();
        let sum = |committed: &BTreeMap<i32, i64>| committed.values().sum::<i64>();
        let before = sum(&self.committed());
        let mut committed = BTreeMap::new();
        within(PATIENCE, "the apps catch up", || {
            for app in &mut *apps {
                app.process.lives();
            }
            let group = self.kafka(|kafka| kafka.group("flights")).unwrap();
            let whole = group.state == "Stable"
                && group.members.len() == APPS
                && group
                    .members
                    .iter()
                    .all(|member| !member.assigned.is_empty());
            committed = self.committed();
            let more = sum(&committed) > before || self.over.load(Relaxed);
            let there = |(partition, end): (&i32, &i64)| committed.get(partition) >= Some(end);
            (whole && more && ends.iter().all(there)).then_some(())
        });
        let answered = now();
        self.note(|history| {
            history.samples.push(Sample {
                answered,
                committed,
            });
        });
    }

    /// All is repaired: waits until no process names a problem any more, as long as it may. What is named
    /// then is for the ledger.
    fn calm(&self) {
        let from = now();
        let names_nothing = |life: &Life| {
            let looks = looks(&life.health);
            let last = looks.last().filter(|look| look.at >= from);
            last.is_some_and(|look| look.problems.is_empty())
        };
        while now() <= from + BOUND + 2_000 {
            let lives = self.lives.lock().unwrap();
            let mut living = lives.iter().filter(|life| life.ended.is_none());
            if living.all(names_nothing) {
                return;
            }
            drop(lives);
            pause(Duration::from_millis(500));
        }
    }

    fn read_all(&self) {
        let read = |topic: &str| {
            self.kafka(|kafka| kafka.consume(topic))
                .unwrap()
                .into_iter()
        };
        let committed = self.committed();
        let answered = now();
        let ends = self.kafka(|kafka| kafka.end_offsets("flights")).unwrap();
        let legs = match &self.elsewhere {
            Some(elsewhere) => elsewhere.read().unwrap().consume("legs").unwrap(),
            None => read("legs").collect(),
        };
        let lives = self.lives.lock().unwrap();
        self.note(|history| {
            history.samples.push(Sample {
                answered,
                committed,
            });
            history.samples.sort_by_key(|sample| sample.answered);
            history.faults.sort_by_key(|happened| happened.from);
            history.ends = ends;
            history.inputs = read("flights").map(input).collect();
            history.legs = legs.into_iter().map(output).collect();
            history.letters = read("flights.dead").map(letter).collect();
            history.owners = lives.iter().flat_map(owners).collect();
            history.witnesses = lives.iter().map(witness).collect();
        });
    }
}

impl fmt::Debug for ChaosRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stage({})", self.directory.display())
    }
}

/// A fault lasts, it is not waited for.
pub(super) fn pause(time: Duration) {
    pause_until(Instant::now() + time);
}

fn pause_until(instant: Instant) {
    std::thread::sleep(instant.saturating_duration_since(Instant::now()));
}
