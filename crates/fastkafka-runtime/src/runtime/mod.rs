//! Starts an app on a cluster and stops it again.

mod found;
mod groups;
mod patience;
mod starting;

use self::found::Found;
use self::patience::Patience;
use crate::background::Background;
use crate::benchmarks::Reports;
use crate::health::{GroupHealth, Health, ProblemCode};
use crate::measures;
use crate::options::Options;
use crate::platform::{ConsumerHandle, Offsets, Platform, Producers};
use crate::shared::Shared;
use crate::side_by_side::side_by_side;
use crate::state::{GroupState, OutputState};
use crate::tokio_runtime::is_gone;
use fastkafka_core::{AppContext, Plan, Problem, Problems, Task};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long the handlers wait at a stop for background tasks to be gone, at most.
const AHEAD: Duration = Duration::from_secs(1);
/// How much later than at its deadline a consumer may end. One that does not is stuck in a call of its client.
const LATE: Duration = Duration::from_secs(1);
/// How long the end of the producers' clients may take. While records wait for a broker that is away, each looks
/// for a second at a time whether one answers.
const CLIENTS: Duration = Duration::from_secs(3);

/// The time of a stop when no handler can go on: outputs are acknowledged, and what is handled is committed.
const WITHOUT_HANDLERS: Duration = Duration::from_secs(4);
/// The ends of so many groups are asked for at once. Each may ask a thread for each of its leaders.
const GROUPS: usize = 4;

/// An app that runs.
#[derive(Debug)]
pub struct Runtime {
    app: Arc<AppContext>,
    groups: Vec<Running>,
    background: Arc<Background>,
    benchmarks: Reports,
    /// Of the handlers: where the app was started.
    tokio: Handle,
    platform: Arc<dyn Platform>,
    producers: Arc<dyn Producers>,
    /// When the start is to be over.
    deadline: Instant,
    options: Options,
    /// By the stop.
    found: Found,
}

#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    patience: Patience,
    /// `None` once its end was seen.
    serving: Mutex<Option<ConsumerHandle>>,
}

impl Runtime {
    /// Connects the app to the platform that `opening` opens: what it produces is sent from here on.
    /// No group is joined. The time of the opening is a part of `start_timeout`.
    ///
    /// # Errors
    /// Every problem found, at once: those of the opening, and what the producers refuse.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn connect(
        app: Arc<AppContext>,
        plan: &Plan,
        options: Options,
        opening: impl Future<Output = Result<Arc<dyn Platform>, Problems>>,
    ) -> Result<Self, Problems> {
        measures::describe();
        let deadline = Instant::now() + options.start_timeout;
        let platform = opening.await?;
        let producers = platform
            .outputs(plan, options.max_in_flight)
            .map_err(broker)?;
        if app.connect(producers.clone()).is_err() {
            return Err(broker(
                "the app was started before: build a new one to start again",
            ));
        }
        Ok(Self {
            background: Background::new(app.clone()),
            benchmarks: Reports::default(),
            app,
            groups: Vec::new(),
            tokio: Handle::current(),
            platform,
            producers,
            deadline,
            options,
            found: Found::default(),
        })
    }

    /// Joins the groups: handlers are called as soon as partitions come.
    ///
    /// # Errors
    /// Why a consumer cannot be made. Those that were made have to be ended by [`Runtime::stop`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn join(&mut self, plan: &Plan) -> Result<(), Problems> {
        let controls = self.join_groups(plan)?;
        self.options.handle.connect(controls);
        Ok(())
    }

    /// Starts the background tasks and what reports of benchmarks; the app is started.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn run_in_background(&self, tasks: &[Task]) {
        self.background.start(tasks);
        self.benchmarks.start(&self.app);
    }

    /// Ends when the app must end by itself, with the reason: a record under `on_failure = "exit"`,
    /// a background task that failed, or a consumer's client that cannot go on.
    pub fn failed(&self) -> impl Future<Output = String> + Send + 'static + use<> {
        let groups = self.groups.iter().map(|group| group.shared.clone());
        let groups: Vec<_> = groups.collect();
        let background = self.background.clone();
        async move {
            let groups = groups.iter().map(|group| Box::pin(group.failed()));
            let mut waiting: Vec<_> = groups.collect();
            let mut background = Box::pin(background.failed());
            std::future::poll_fn(|cx| {
                if let Poll::Ready(reason) = background.as_mut().poll(cx) {
                    return Poll::Ready(reason);
                }
                let mut ready = waiting.iter_mut().map(|group| group.as_mut().poll(cx));
                ready.find(Poll::is_ready).unwrap_or(Poll::Pending)
            })
            .await
        }
    }

    /// How the app is.
    pub fn health(&self) -> Health {
        Health {
            groups: self
                .groups
                .iter()
                .map(|group| group.shared.health())
                .collect(),
            tasks: self.background.health(),
            producers: self.producers.health(),
            in_flight: self.producers.in_flight(),
            ended: None,
        }
    }

    /// What the groups are doing, by their names. It is read from what the drivers have noted; none is waited for.
    pub fn groups(&self) -> BTreeMap<String, GroupState> {
        let mut groups = BTreeMap::<String, GroupState>::new();
        for running in &self.groups {
            let health = running.shared.health();
            let (cluster, group) = (health.cluster.clone(), health.group.clone());
            let name = match &*cluster {
                "" => group.clone(),
                cluster => format!("{group} on {cluster}"),
            };
            let state = groups.entry(name).or_default();
            (state.cluster, state.group) = (cluster, group);
            let member = state.members.len() + 1;
            state.members.insert(member, running.shared.state(health));
        }
        groups
    }

    /// What is on its way, in bytes, and what became of the rest, by cluster.
    pub fn outputs(&self) -> (u64, Vec<OutputState>) {
        let mut outputs = BTreeMap::<(String, bool), OutputState>::new();
        for client in self.producers.outputs() {
            let of = (client.cluster.clone(), client.dead_letters);
            let all = outputs.entry(of).or_insert_with(|| OutputState {
                acknowledged: 0,
                lost: 0,
                ..client.clone()
            });
            all.acknowledged += client.acknowledged;
            all.lost += client.lost;
        }
        let bytes = self.producers.in_flight_bytes();
        (bytes, outputs.into_values().collect())
    }

    /// Asks the brokers for the ends of partitions that nothing is fetched of, so that [`Runtime::groups`] knows their
    /// lag. It waits for the answers: for a thread that may. It ends early when it does not go on.
    pub fn ask_for_ends(&self, goes_on: &(dyn Fn() -> bool + Sync)) {
        // The brokers of one group may be away.
        side_by_side(
            &self.groups,
            GROUPS,
            || !goes_on(),
            |running| {
                let GroupHealth { cluster, group, .. } = running.shared.health();
                let platform = &self.platform;
                running
                    .shared
                    .ask_for_ends(|places| platform.ends(&cluster, &group, places));
            },
        );
    }

    /// Asks everything to end, as [`Runtime::stop`] does, and waits for nothing.
    pub fn shut_down(&self) {
        self.background.abort();
        for group in &self.groups {
            group.shared.shut_down();
        }
    }

    /// Drains and ends: background tasks are cancelled first, then records in hand are finished, their
    /// outputs acknowledged, offsets committed. If the future is dropped, the next call goes on with what is left.
    ///
    /// # Errors
    /// Everything that did not end within this time, or could not be committed. The clients concerned are left to
    /// the end of the process.
    pub async fn stop(&self, within: Duration) -> Result<(), String> {
        let begun = Instant::now();
        let within = if is_gone(&self.tokio) {
            within.min(WITHOUT_HANDLERS)
        } else {
            within
        };
        let deadline = begun + within;
        let background = &self.background;
        background.abort();
        // One that blocks its thread must neither keep handlers starting nor take their time to drain.
        background.wait(begun + AHEAD.min(within / 4)).await;
        let problems = &self.found;
        problems.extend(background.failure());
        let left = deadline.saturating_duration_since(Instant::now());
        for group in &self.groups {
            // A partition that stands still is not handled, however clean the rest ends.
            let health = group.shared.health();
            problems.extend(health.stopped.iter().map(ToString::to_string));
            let unread = |problem: &&crate::health::Problem| {
                matches!(
                    problem.code,
                    ProblemCode::LogTruncated | ProblemCode::BatchUnreadable
                )
            };
            let unread = health.open.iter().filter(unread);
            problems.extend(unread.map(ToString::to_string));
            group.shared.shut_down_within(left);
        }
        for group in &self.groups {
            let ended = tokio::time::timeout_at(deadline + LATE, group.ended()).await;
            let ended = ended.unwrap_or_else(|_| Err(group.is_stuck()));
            let said = [ended.err(), group.shared.failure()];
            problems.extend(said.into_iter().flatten());
        }
        // No handler goes on. Whoever else sends is refused from here on: the client would end with their records.
        self.app.disconnect();
        if self.producers.in_flight() > 0 {
            // The producers' clock is the machine's.
            let left = deadline.saturating_duration_since(Instant::now());
            let drained = self.producers.drain(std::time::Instant::now() + left);
            let moment = deadline.max(Instant::now()) + LATE;
            let drained = tokio::time::timeout_at(moment, drained).await;
            if let Err(left) = drained.unwrap_or_else(|_| Err(self.producers.in_flight())) {
                problems.push(format!(
                    "{left} records were sent and not acknowledged in time"
                ));
            }
        }
        background.wait(deadline).await;
        problems.extend(background.problems());
        self.benchmarks.end();
        let closed = self.producers.close();
        // Whatever used up the time before: a client needs a moment.
        let moment = deadline.max(Instant::now()) + CLIENTS;
        if tokio::time::timeout_at(moment, closed).await.is_err() {
            problems.push("a client of the producers did not end in time".to_owned());
        }
        self.platform.close();
        problems.result()
    }
}

impl Runtime {
    /// Ends the consumers as a crash of the process would; only those that are served by tasks can be.
    #[doc(hidden)]
    pub async fn kill(&self) {
        self.background.abort();
        self.benchmarks.end();
        for group in &self.groups {
            if let Some(ConsumerHandle::Task { task, kill }) = group.serving.lock().await.take() {
                kill.notify_one();
                // It has no more to say, also if it panicked.
                let _ = task.await;
            }
        }
        // After all that could fail of it: a process that crashes refuses no output before.
        self.app.disconnect();
        // What is on its way goes with it.
        self.producers.close().await;
        self.platform.close();
    }

    /// Why the app has to end, once that is so.
    #[doc(hidden)]
    pub fn failure(&self) -> Option<String> {
        let mut groups = self.groups.iter();
        let failure = groups.find_map(|group| group.shared.failure());
        failure.or_else(|| self.background.failure())
    }

    /// Of each consumer without a group, by cluster and name, below which offsets all is settled.
    #[doc(hidden)]
    pub fn settled(&self) -> Vec<(String, String, Offsets)> {
        let groups = self.groups.iter();
        let settled = groups.filter_map(|group| {
            let offsets = group.shared.settled()?;
            let health = group.shared.health();
            Some((health.cluster, health.group, offsets))
        });
        settled.collect()
    }
}

/// A runtime that is dropped must not go on consuming unseen.
impl Drop for Runtime {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl Running {
    fn is_stuck(&self) -> String {
        let name = self.shared.health().name();
        format!("the consumer of {name} did not end in time: a call of its client does not return")
    }

    /// Waits until it has ended. What is dropped here goes on in the next call.
    async fn ended(&self) -> Result<(), String> {
        let mut serving = self.serving.lock().await;
        let ended = match &mut *serving {
            Some(serving) => serving.ended().await,
            None => return Ok(()),
        };
        *serving = None;
        ended
    }
}

fn broker(what: impl ToString) -> Problems {
    Problems(vec![Problem::Broker(what.to_string())])
}
