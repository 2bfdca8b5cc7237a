//! An app of the chaos: one process after another, each with a log and with a witness of its health.

use super::history::{Exit, Life, Millis, now};
use super::run::{ChaosRun, PATIENCE, pause};
use super::schedule::Fault;
use crate::kafka::process::Process;

/// An app that stays, in one process after another.
pub(super) struct App<'s> {
    run: &'s ChaosRun,
    name: String,
    bootstrap: String,
    pub(super) process: Process,
}

pub(super) fn app_name(index: usize) -> String {
    format!("app-{index}")
}

impl<'s> App<'s> {
    pub(super) fn new(run: &'s ChaosRun, index: usize) -> Self {
        let proxy = run.proxies.get(index).map(kafka_lab::Proxy::bootstrap);
        let bootstrap = proxy.map_or_else(|| run.bootstrap(), str::to_owned);
        Self::start(run, app_name(index), bootstrap)
    }

    pub(super) fn start(run: &'s ChaosRun, name: String, bootstrap: String) -> Self {
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
        let file = |kind| {
            let number = lives.len();
            run.directory.join(format!("{name}.{number}.{kind}"))
        };
        let (log, health) = (file("log"), file("health"));
        let mut variables = vec![("WITNESS", health.to_str().unwrap())];
        let mut broker = bootstrap;
        if let Some(elsewhere) = &run.legs_at {
            broker = "lab";
            variables.extend([("HERE", bootstrap), ("ELSEWHERE", elsewhere)]);
            variables.push(("FASTKAFKA_HANDLERS__ON_FLIGHTS__GROUP_INSTANCE_ID", name));
        }
        let process = Process::flights_with(broker, log.clone(), &variables);
        lives.push(Life {
            app: name.to_owned(),
            log,
            health,
            pid: process.pid(),
            began: now(),
            ended: None,
        });
        process
    }

    pub(super) fn meet(&mut self, fault: Fault, round: usize) {
        let (run, name) = (self.run, self.name.clone());
        run.happens(fault, round, Some(&name), || match fault {
            Fault::Kill { .. } => self.kill(),
            Fault::Terminate { .. } => self.end(Some(round)),
            Fault::Fence { .. } => self.is_fenced(),
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

    pub(super) fn kill(&mut self) {
        self.process.kill();
        self.ended(self.process.pid());
    }

    /// It ends by itself, and says that this is not right.
    fn is_fenced(&mut self) {
        let next = Self::launch(self.run, &self.name, &self.bootstrap);
        let mut fenced = std::mem::replace(&mut self.process, next);
        assert_eq!(fenced.exits_within(PATIENCE), 1, "{fenced} was fenced");
        self.ended(fenced.pid());
    }

    /// SIGTERM, and its answer.
    pub(super) fn end(&mut self, round: Option<usize>) {
        // Before its first word it does not listen to signals yet.
        self.process.says("");
        self.process.terminate();
        let code = self.process.exits_within(PATIENCE);
        self.ended(self.process.pid());
        let process = self.process.to_string();
        self.run.note(|history| {
            history.exits.push(Exit {
                process,
                code,
                round,
            });
        });
    }

    fn ended(&self, pid: u32) {
        let at: Millis = now();
        let mut lives = self.run.lives.lock().unwrap();
        let mut last = lives.iter_mut().rev();
        let life = last.find(|life| life.pid == pid).expect("it was started");
        life.ended = Some(at);
    }
}
