//! The app: annotated functions, state and brokers, and its life from start to stop.

use crate::builder::AppBuilder;
use crate::error::RunError;
use fastkafka_core::{
    AppInfo, Connection, Connections, DefaultApp, Entered, Explained, Plan, Problem, Problems,
    UnknownBroker, enter, explain,
};
use fastkafka_runtime::medium::Medium;
use fastkafka_runtime::{Embedded, Handle, Health, Runtime, create_topics};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::time::Instant;

mod beside;
mod inner;
mod test_kit;

use self::inner::{Choice, Phase};
pub(crate) use self::inner::{Inner, Life};

/// A Kafka service made of annotated functions. Cheap to clone; all clones are one app.
///
/// ```
/// use fastkafka::{App, Broker};
///
/// pub fn app() -> App {
///     App::builder()
///         .title("Iris predictions")
///         .broker("localhost", Broker::new("localhost:9092"))
///         .build()
/// }
/// # let _ = app();
/// ```
///
/// An app is started once; build a new one to start again.
#[derive(Clone)]
pub struct App {
    pub(crate) inner: Arc<Inner>,
}

impl App {
    /// Builds the app that holds every annotated function without `app = ..`.
    pub fn builder() -> AppBuilder<DefaultApp> {
        AppBuilder::new()
    }

    /// Builds the app of the functions under `app = S`: several apps in one program.
    pub fn scoped<S: 'static>() -> AppBuilder<S> {
        AppBuilder::new()
    }

    /// Chooses the broker for the start, by its name in the builder, `embedded`, or an address
    /// `host:port[,..]`. Without a choice it is the builder's default, else its first, else `embedded`.
    ///
    /// A name is chosen in every cluster that the app uses, and so is `embedded`: a broker in the
    /// process for each. An address is for apps that have one cluster.
    ///
    /// # Errors
    /// When a cluster has no broker of that name, or an address would be that of several.
    pub fn set_kafka_broker(&self, name: &str) -> Result<(), UnknownBroker> {
        let mut choice = self.choice();
        let before = choice.broker.replace(name.to_owned());
        let connections = self.inner.connections(&self.sketch().clusters, &choice);
        if connections.is_err() {
            choice.broker = before;
        }
        connections.map(drop)
    }

    /// What the app will do, as far as that can be worked out.
    pub(crate) fn sketch(&self) -> Plan {
        Plan::sketch(&self.inner.core).0
    }

    /// How many consumers each group gets in this process; default 1.
    pub fn set_workers(&self, workers: NonZeroUsize) {
        self.choice().workers = workers;
    }

    /// Makes missing topics at the start, as the builder declares them.
    pub fn set_create_topics(&self, create: bool) {
        self.choice().create_topics = create;
    }

    /// Lets every group begin at the first record that is not older than this, whatever it has
    /// committed: once, at this start, before a member joins. `run --from` does the same.
    ///
    /// The start fails while a group has members, as Kafka resets the offsets of no active group; a
    /// second process is started without it. The embedded broker starts empty: there it is a problem
    /// that [`App::check`] names.
    pub fn set_start_from(&self, from: SystemTime) {
        self.choice().from = Some(from);
    }

    fn choice(&self) -> MutexGuard<'_, Choice> {
        self.inner
            .life
            .choice
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The topics the app reads and writes, dead-letter topics included, in order.
    pub fn get_topics(&self) -> Vec<String> {
        // A plan with problems has its topics all the same.
        let topics = self.sketch().topics().into_iter().map(|(_, topic)| topic);
        topics.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What the app says of itself.
    pub fn info(&self) -> &AppInfo {
        &self.inner.core.info
    }

    /// A value of `State<T>`.
    pub fn state<T: 'static>(&self) -> Option<&T> {
        self.inner.core.state()
    }

    /// Every group with its handlers, and the producers.
    ///
    /// # Errors
    /// Every problem that shows without a broker, at once.
    pub fn check(&self) -> Result<Plan, Problems> {
        let (plan, mut problems) = Plan::sketch(&self.inner.core);
        let choice = self.choice();
        match self.inner.connections(&plan.clusters, &choice) {
            Err(unknown) => problems.push(Problem::Broker(unknown.to_string())),
            Ok(connections) if connections.embedded && choice.from.is_some() => {
                problems.push(Problem::Broker(
                    "`from` needs a broker that keeps records: the embedded one starts empty"
                        .to_owned(),
                ));
            }
            Ok(connections) => problems.extend(fastkafka_runtime::check(&plan, &connections)),
        }
        drop(choice);
        if problems.is_empty() {
            Ok(plan)
        } else {
            Err(Problems(problems))
        }
    }

    /// Where each setting of each function comes from; secrets are masked.
    pub fn explain(&self) -> Vec<Explained> {
        let mut functions = explain(&self.inner.core);
        let rows = functions.iter_mut().flat_map(|function| &mut function.rows);
        for row in rows.filter(|row| row.from == "default") {
            match row.key {
                "client_id" => row.value.clone_from(&self.inner.client_id),
                "group_id" => row.value.clone_from(&self.inner.core.group_id),
                _ => {}
            }
        }
        functions
    }

    /// True from the first assignment of every group until the stop.
    pub fn is_started(&self) -> bool {
        *self.inner.life.phase.borrow() == Phase::Started
    }

    /// Ends when the app is started, or was stopped before it was.
    pub async fn started(&self) {
        let _ = self
            .inner
            .life
            .phase
            .subscribe()
            .wait_for(|phase| *phase >= Phase::Started)
            .await;
    }

    /// How the app is; empty before the start.
    pub fn health(&self) -> Health {
        self.inner
            .life
            .runtime
            .get()
            .map(Runtime::health)
            .unwrap_or_default()
    }

    /// The controls of the app: pause, resume, seek. They work from the start on. A handler gets them as
    /// `State<Handle>`.
    ///
    /// ```no_run
    /// # use fastkafka::{App, ControlError, Seek};
    /// # async fn repair(app: App) -> Result<(), ControlError> {
    /// let handle = app.handle();
    /// handle.pause("orders").await?;
    /// // The database is repaired; the records of the last hour are handled again.
    /// let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600);
    /// handle.seek("orders", Seek::Timestamp(hour_ago)).await?;
    /// handle.resume("orders").await
    /// # }
    /// ```
    pub fn handle(&self) -> Handle {
        self.inner.handle.clone()
    }

    /// The address of the broker in use, once it is known: of the embedded one, from the start on. Of
    /// several clusters it is that of the app's own, or of the first by name where no function is on that;
    /// see [`App::bootstrap_of`].
    pub fn bootstrap(&self) -> Option<String> {
        let clusters = self.sketch().clusters;
        self.bootstrap_of(&clusters.first()?.name)
    }

    /// The address of the broker in use of a cluster, by its name.
    pub fn bootstrap_of(&self, cluster: &str) -> Option<String> {
        let embedded = self.embedded();
        let mut brokers = embedded.iter();
        if let Some((_, broker)) = brokers.find(|(name, _)| name == cluster) {
            return Some(broker.bootstrap().to_owned());
        }
        let clusters = self.sketch().clusters;
        let known = clusters.iter().find(|known| known.name == cluster)?;
        let connections = self.inner.connections(&clusters, &self.choice()).ok()?;
        let said = match known.is_address {
            true => Connection::default().bootstrap_servers(known.name.clone()),
            false => Connection::default(),
        };
        let way = connections.of(cluster, &said);
        way.bootstrap_servers.map(Into::into)
    }

    fn embedded(&self) -> MutexGuard<'_, Vec<(String, Embedded)>> {
        self.inner
            .life
            .embedded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes this the app that producers called on this thread belong to, until the guard is dropped.
    /// Needed where several apps with the same producers run in one process.
    pub fn enter(&self) -> Entered {
        enter(self.inner.core.clone())
    }

    /// Starts, runs until [`App::shut_down`] or until the app ends by itself, and stops.
    ///
    /// It installs no signal handlers; the command line does.
    ///
    /// # Errors
    /// When it does not start, ends by itself, or does not stop cleanly.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn run(&self) -> Result<(), RunError> {
        let nothing = self.stopping();
        self.run_beside(async {
            nothing.await;
            Ok::<_, Infallible>(())
        })
        .await
    }

    /// Ends when the app is to stop: by [`App::shut_down`], a signal, or because it ends by itself. For
    /// what lives beside the handlers and has to end with them: a server, a stream of answers, a loop.
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + Sync + 'static + use<> {
        let mut phase = self.inner.life.phase.subscribe();
        async move {
            let _ = phase.wait_for(|phase| *phase == Phase::Stopping).await;
        }
    }

    /// Asks [`App::run`] to stop. Returns at once.
    pub fn shut_down(&self) {
        self.inner.life.phase.send_replace(Phase::Stopping);
    }

    /// Runs the start hooks, connects and joins the groups. When it returns the app is started, and
    /// background tasks run.
    ///
    /// # Errors
    /// Every problem found; offline ones first, all at once, then those of the broker.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(&self) -> Result<(), RunError> {
        self.start_with(self.check()?, None).await
    }

    async fn start_with(
        &self,
        plan: Plan,
        medium: Option<Arc<dyn Medium>>,
    ) -> Result<(), RunError> {
        let fresh = |phase: &mut Phase| {
            let fresh = *phase == Phase::New;
            if fresh {
                *phase = Phase::Starting;
            }
            fresh
        };
        if !self.inner.life.phase.send_if_modified(fresh) {
            return Err(problem("an app is started once: build a new one to start again").into());
        }
        let started = self.connect(&plan, medium).await;
        if let Err(error) = started {
            // The first error is the one to report; what goes wrong in a release is logged. Until that is
            // over nobody hears of a stop: `run` would take it for one that was asked for.
            let _ = self.release(self.deadline()).await;
            self.shut_down();
            return Err(error);
        }
        // A shutdown that was asked for meanwhile stays.
        let on = self.inner.life.phase.send_if_modified(|phase| {
            let on = *phase == Phase::Starting;
            if on {
                *phase = Phase::Started;
            }
            on
        });
        if let (true, Some(runtime)) = (on, self.inner.life.runtime.get()) {
            runtime.run_in_background(&plan.tasks);
        }
        tracing::info!("{} is started", self.inner.core.info.title);
        Ok(())
    }

    async fn connect(&self, plan: &Plan, medium: Option<Arc<dyn Medium>>) -> Result<(), RunError> {
        self.inner.hooks.start(self).await.map_err(problem)?;
        let choice = self.choice().clone();
        let core = self.inner.core.clone();
        if let Some(medium) = medium {
            let options = self.inner.options(Connections::default(), &choice);
            let runtime = Runtime::start_on(core, plan, options, medium).await?;
            let _ = self.inner.life.runtime.set(runtime);
            return Ok(());
        }
        let connections = self.inner.connections(&plan.clusters, &choice);
        let mut connections = connections.map_err(problem)?;
        if connections.embedded && choice.given().is_none() {
            connections = self.start_embedded(plan)?;
        }
        let embedded = connections.embedded;
        let options = self.inner.options(connections, &choice);
        if choice.create_topics && !embedded {
            create_topics(&options, plan, &self.inner.specs(plan)).await?;
        }
        let runtime = Runtime::start(core, plan, options).await?;
        let _ = self.inner.life.runtime.set(runtime);
        Ok(())
    }

    /// A broker in the process for each cluster: one topic on two of them is two.
    fn start_embedded(&self, plan: &Plan) -> Result<Connections, RunError> {
        let specs = self.inner.specs_by_cluster(plan);
        let mut connections = Connections::embedded();
        for cluster in &plan.clusters {
            let embedded = Embedded::start()?;
            for (_, spec) in specs.iter().filter(|(name, _)| *name == cluster.name) {
                embedded.create_topic(spec)?;
            }
            let bootstrap = embedded.bootstrap().to_owned();
            match &*cluster.name {
                "" => tracing::info!("embedded broker on {bootstrap}"),
                name => tracing::info!("embedded broker of cluster `{name}` on {bootstrap}"),
            }
            let connection = Connection::default().bootstrap_servers(bootstrap);
            connections = connections.with(&*cluster.name, connection);
            self.embedded().push((cluster.name.to_string(), embedded));
        }
        Ok(connections)
    }

    /// Cancels background tasks, drains, commits, disconnects and runs the stop hooks.
    ///
    /// # Errors
    /// What did not end in time, could not be committed, or failed in a hook.
    pub async fn stop(&self) -> Result<(), RunError> {
        self.stop_by(self.deadline()).await
    }

    async fn stop_by(&self, deadline: Instant) -> Result<(), RunError> {
        self.shut_down();
        let left = deadline.saturating_duration_since(Instant::now());
        let stopped = match self.inner.life.runtime.get() {
            Some(runtime) => runtime.stop(left).await,
            None => Ok(()),
        };
        let released = self.release(deadline).await;
        tracing::info!("{} is stopped", self.inner.core.info.title);
        let problems = [stopped, released].into_iter().filter_map(Result::err);
        match problems.collect::<Vec<_>>() {
            problems if problems.is_empty() => Ok(()),
            problems => Err(RunError::Stop(problems.join("; "))),
        }
    }

    /// Runs the hooks of the stop, of everything that the start has come to.
    async fn release(&self, deadline: Instant) -> Result<(), String> {
        self.inner.hooks.stop(self, deadline).await
    }

    /// When a stop that begins now is to be over.
    fn deadline(&self) -> Instant {
        Instant::now() + self.inner.shutdown_timeout
    }
}

fn problem(what: impl ToString) -> Problems {
    Problems(vec![Problem::Broker(what.to_string())])
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("core", &self.inner.core)
            .field("brokers", &self.inner.core.brokers)
            .finish_non_exhaustive()
    }
}
