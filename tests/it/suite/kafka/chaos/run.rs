//! Plays a schedule: apps, broker and ways meet their faults while flights come in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread::{park_timeout, scope};
use std::time::{Duration, Instant};

use kafka_lab::{Kafka, Proxy};

use super::history::{
    Exit, Happened, History, Life, Millis, Round, Sample, input, letter, now, output, owners,
};
use super::load::Load;
use super::schedule::{APPS, Actor, Fault, Planned, Schedule};
use crate::kafka::process::{Process, within};

/// How long anything may take that has to happen anyway, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Flights per second, in ten portions.
const RATE: usize = 500;
const PORTION: Duration = Duration::from_millis(100);

pub(super) struct ChaosRun {
    /// Written while the broker is away: nobody then asks it anything through the lab.
    kafka: RwLock<Kafka>,
    proxies: Vec<Proxy>,
    directory: PathBuf,
    over: AtomicBool,
    lives: Mutex<Vec<Life>>,
    history: Mutex<History>,
}

/// An app that stays, in one process after another.
struct App<'s> {
    run: &'s ChaosRun,
    name: String,
    bootstrap: String,
    process: Process,
}

/// The load and the sampler end with it, also in a panic.
struct Over<'s>(&'s AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl ChaosRun {
    pub(super) fn new() -> Self {
        let kafka = Kafka::builder().proxied(APPS).start().unwrap();
        // The broker's clock says when something was written, whatever the writer was doing meanwhile.
        let stamped = [("message.timestamp.type", "LogAppendTime")];
        kafka.create_topic("flights", 4, &[]).unwrap();
        kafka.create_topic("legs", 4, &stamped).unwrap();
        kafka.create_topic("flights.dead", 1, &stamped).unwrap();
        Self {
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
            let load = threads.spawn(|| self.load(schedule.seed));
            threads.spawn(|| self.sample());
            self.catch_up(&mut apps);
            for (round, planned) in schedule.rounds.iter().enumerate() {
                let from = now();
                self.round(round, planned, &mut apps);
                self.catch_up(&mut apps);
                let until = now();
                self.note(|history| history.rounds.push(Round { from, until }));
            }
            drop(over);
            load.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            self.catch_up(&mut apps);
        });
        for app in &mut apps {
            app.end(None);
        }
        self.read_all();
    }

    pub(super) fn history(&self) -> History {
        self.history.lock().unwrap().clone()
    }

    fn note(&self, write: impl FnOnce(&mut History)) {
        write(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn kafka<T>(&self, ask: impl FnOnce(&Kafka) -> T) -> T {
        ask(&self.kafka.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Flights at their pace; those that came late because the broker was away follow at once.
    fn load(&self, seed: u64) {
        let mut load = Load::new(seed);
        let began = Instant::now();
        for tick in 1.. {
            if self.over.load(Relaxed) {
                break;
            }
            let records = load.records(RATE / 10);
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
    fn happens(&self, fault: Fault, round: usize, app: Option<&str>, act: impl FnOnce()) {
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
        let bootstrap = self.kafka(|kafka| kafka.bootstrap().to_owned());
        let mut guest = App::start(self, "guest".to_owned(), bootstrap);
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

    fn read_all(&self) {
        let read = |topic: &str| {
            self.kafka(|kafka| kafka.consume(topic))
                .unwrap()
                .into_iter()
        };
        let committed = self.committed();
        let answered = now();
        let ends = self.kafka(|kafka| kafka.end_offsets("flights")).unwrap();
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
            history.legs = read("legs").map(output).collect();
            history.letters = read("flights.dead").map(letter).collect();
            history.owners = lives.iter().flat_map(owners).collect();
        });
    }
}

fn app_name(index: usize) -> String {
    format!("app-{index}")
}

impl<'s> App<'s> {
    fn new(run: &'s ChaosRun, index: usize) -> Self {
        let bootstrap = run.proxies[index].bootstrap().to_owned();
        Self::start(run, app_name(index), bootstrap)
    }

    fn start(run: &'s ChaosRun, name: String, bootstrap: String) -> Self {
        let process = Self::launch(run, &name, &bootstrap);
        Self {
            run,
            name,
            bootstrap,
            process,
        }
    }

    fn launch(run: &ChaosRun, name: &str, bootstrap: &str) -> Process {
        let mut lives = run.lives.lock().unwrap();
        let log = run.directory.join(format!("{name}.{}.log", lives.len()));
        lives.push(Life {
            app: name.to_owned(),
            log: log.clone(),
            ended: None,
        });
        Process::flights_logging_to(bootstrap, log)
    }

    fn meet(&mut self, fault: Fault, round: usize) {
        let (run, name) = (self.run, self.name.clone());
        run.happens(fault, round, Some(&name), || match fault {
            Fault::Kill { .. } => self.kill(),
            Fault::Terminate { .. } => self.end(Some(round)),
            Fault::Stop { lasts, .. } => {
                self.process.pause();
                pause(lasts);
                self.process.resume();
            }
            other => unreachable!("{other} is none of an app's"),
        });
        if let Fault::Kill { down, .. } | Fault::Terminate { down, .. } = fault {
            pause(down);
            self.process = Self::launch(run, &self.name, &self.bootstrap);
        }
    }

    fn kill(&mut self) {
        self.process.kill();
        self.ended();
    }

    /// SIGTERM, and its answer.
    fn end(&mut self, round: Option<usize>) {
        // Before its first word it does not listen to signals yet.
        self.process.says("");
        self.process.terminate();
        let code = self.process.exits_within(PATIENCE);
        self.ended();
        let process = self.process.to_string();
        self.run.note(|history| {
            history.exits.push(Exit {
                process,
                code,
                round,
            });
        });
    }

    fn ended(&self) {
        let at: Millis = now();
        let mut lives = self.run.lives.lock().unwrap();
        let mut mine = lives.iter_mut().rev();
        let life = mine
            .find(|life| life.app == self.name)
            .expect("it was started");
        life.ended = Some(at);
    }
}

impl fmt::Debug for ChaosRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stage({})", self.directory.display())
    }
}

/// A fault lasts, it is not waited for.
fn pause(time: Duration) {
    pause_until(Instant::now() + time);
}

fn pause_until(instant: Instant) {
    std::thread::sleep(instant.saturating_duration_since(Instant::now()));
}
