//! Waiting until nothing is left to do: every record of every topic that is read is terminal.

use super::standstill::Standstill;
use super::{Backend, Tester};
use crate::apps;
use crate::memory::clusters::MemoryClusters;
use crate::memory::open::OpenRecord;
use crate::remote::RemoteClusters;
use crate::unsettled::Unsettled;
use crate::watching::calls::CallOutcome;
use crate::watching::watcher::Watcher;
use fastkafka::App;
use std::time::Duration;

/// The time between two questions to a real broker.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How far the groups are.
enum Progress {
    /// Everything is terminal.
    Settled,
    /// Not everything, and nothing says that it will not be.
    Open,
    /// Only an action of the test can change it.
    Stuck(Vec<String>),
}

impl Tester {
    /// Waits until every record of every topic that is read is terminal: handled with all its outputs
    /// acknowledged and its offset committed, skipped, or dead-lettered. Retries are waited for, in
    /// virtual time.
    ///
    /// # Errors
    /// Names the records: a partition that stands still, a record that is retried without end, an
    /// `Ack` that is never settled, an app that has to end.
    pub async fn settle(&self) -> Result<(), Unsettled> {
        match &self.backend {
            Backend::Memory(clusters) => self.wait(|| progress(clusters, &self.apps())).await,
            Backend::Remote(clusters) => self.settle_on(clusters).await,
        }
    }

    /// Asks real brokers again and again.
    async fn settle_on(&self, clusters: &RemoteClusters) -> Result<(), Unsettled> {
        let begun = tokio::time::Instant::now();
        loop {
            self.check_failures()?;
            let apps = self.apps();
            let stopped = apps::stopped(&apps);
            if !stopped.is_empty() {
                return Err(Unsettled::new(stopped));
            }
            let mut open = clusters
                .open_records(&apps)
                .await
                .unwrap_or_else(|error| vec![error]);
            if open.is_empty() {
                // Again, for failures that came while the brokers were asked.
                return self.check_failures();
            }
            if begun.elapsed() >= self.patience {
                open.push(self.waited());
                return Err(Unsettled::new(open));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits on clusters in memory until `done`, which is asked whenever something has happened.
    ///
    /// # Errors
    /// As [`Tester::settle`].
    pub(crate) async fn until(&self, mut done: impl FnMut() -> bool) -> Result<(), Unsettled> {
        self.wait(|| {
            if done() {
                Progress::Settled
            } else {
                Progress::Open
            }
        })
        .await
    }

    async fn wait(&self, mut progress: impl FnMut() -> Progress) -> Result<(), Unsettled> {
        let patience = tokio::time::sleep(self.patience);
        tokio::pin!(patience);
        let mut standstill = Standstill::new(self);
        loop {
            // Armed before anything is looked at, so that no change between is missed.
            let (changed, called) = (self.memory().changed(), self.watcher.changed());
            tokio::pin!(changed, called);
            changed.as_mut().enable();
            called.as_mut().enable();
            self.check_failure()?;
            match progress() {
                Progress::Settled => return Ok(()),
                Progress::Stuck(problems) => return Err(Unsettled::new(problems)),
                Progress::Open => {}
            }
            self.check_mocks()?;
            if let Some(endless) = standstill.look(self) {
                return Err(Unsettled::new(vec![endless]));
            }
            tokio::select! {
                biased;
                () = changed => {}
                () = called => {}
                () = &mut patience => {
                    let mut problems = open_records(self.memory(), &self.apps(), &self.watcher);
                    problems.push(self.waited());
                    return Err(Unsettled::new(problems));
                }
            }
        }
    }

    /// Waits until the time has come.
    ///
    /// # Errors
    /// It never does: what happens without end.
    pub(super) async fn sleep(&self, time: Duration) -> Result<(), String> {
        let sleep = tokio::time::sleep(time);
        tokio::pin!(sleep);
        let mut standstill = Standstill::new(self);
        loop {
            let (changed, called) = (self.memory().changed(), self.watcher.changed());
            tokio::select! {
                biased;
                () = &mut sleep => return Ok(()),
                () = changed => {}
                () = called => {}
            }
            if let Some(endless) = standstill.look(self) {
                return Err(endless);
            }
        }
    }

    fn waited(&self) -> String {
        format!("waited for {:?}", self.patience)
    }

    fn check_failures(&self) -> Result<(), Unsettled> {
        self.check_failure()?;
        self.check_mocks()
    }

    /// Handlers that have failed the test.
    fn check_failure(&self) -> Result<(), Unsettled> {
        match self.watcher.take_failure() {
            None => Ok(()),
            Some(failure) => Err(Unsettled::new(vec![failure])),
        }
    }

    /// Calls that wait for a mock whose guard the test holds.
    fn check_mocks(&self) -> Result<(), Unsettled> {
        let blocked = self.watcher.blocked_calls();
        if blocked.is_empty() {
            Ok(())
        } else {
            Err(Unsettled::new(blocked))
        }
    }
}

fn progress(clusters: &MemoryClusters, apps: &[App]) -> Progress {
    let mut stuck: Vec<String> = clusters
        .all()
        .flat_map(|cluster| cluster.state().complaints.clone())
        .collect();
    stuck.extend(apps::stopped(apps));
    if !stuck.is_empty() {
        return Progress::Stuck(stuck);
    }
    let mut is_open = false;
    for cluster in clusters.all() {
        let state = cluster.state();
        if state.open_records().is_empty() {
            continue;
        }
        is_open = true;
        if state.down {
            stuck.push(state.down_message());
        }
    }
    if !stuck.is_empty() {
        Progress::Stuck(stuck)
    } else if is_open {
        Progress::Open
    } else {
        Progress::Settled
    }
}

/// A line for the first open record of each partition, and for each broker that is down.
fn open_records(clusters: &MemoryClusters, apps: &[App], watcher: &Watcher) -> Vec<String> {
    let mut lines = Vec::new();
    let mut down = Vec::new();
    for cluster in clusters.all() {
        // Not under the lock: a health report takes the locks of the app.
        let (open, down_message) = {
            let state = cluster.state();
            let down_message = state.down.then(|| state.down_message());
            (state.open_records(), down_message)
        };
        for open in &open {
            lines.push(format!("{open}: {}", reason(open, apps, watcher)));
        }
        down.extend(down_message);
    }
    lines.append(&mut down);
    lines
}

/// Why a record is open.
fn reason(open: &OpenRecord, apps: &[App], watcher: &Watcher) -> String {
    let retried = apps
        .iter()
        .flat_map(|app| app.health().groups)
        .flat_map(|group| group.waiting)
        .find(|waiting| {
            waiting.cluster == open.cluster
                && waiting.topic == open.topic
                && waiting.partition == open.partition
                && waiting.offset == open.offset
        });
    match retried {
        Some(waiting) => format!(
            "`{}` fails again and again: {}",
            waiting.handler, waiting.error
        ),
        None if !open.is_assigned => "no member of the group reads it".to_owned(),
        None => last_call(open, apps, watcher),
    }
}

/// The state of the handler's last call with a record that is assigned and has not failed.
fn last_call(open: &OpenRecord, apps: &[App], watcher: &Watcher) -> String {
    let mut groups = apps::groups(apps);
    let group = groups.find(|group| group.cluster == open.cluster && group.id == open.group);
    let mut handlers = group.iter().flat_map(|group| &group.handlers);
    let Some(handler) = handlers.find(|handler| handler.def.takes(&open.topic)) else {
        return "no app has a handler of it".to_owned();
    };
    let calls = watcher.calls(handler.def.into());
    let call = calls.iter().rev().find(|call| {
        call.records.iter().any(|record| {
            record.topic == open.topic
                && record.partition == open.partition
                && record.offset == open.offset
        })
    });
    let name = handler.def.name;
    match call.map(|call| call.outcome()) {
        None => format!("`{name}` has not been called with it"),
        Some(CallOutcome::Running) if handler.def.blocking => {
            format!("`{name}` was called on a thread of its own and has not returned")
        }
        Some(CallOutcome::Running) => format!("`{name}` was called and has not returned"),
        Some(CallOutcome::Done) => format!(
            "`{name}` has returned, and an `Ack`, a task of `fastkafka::spawn` or an output of it is still open"
        ),
        Some(_) => format!("`{name}` has failed, and is to be tried again"),
    }
}
