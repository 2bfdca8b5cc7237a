//! The app: annotated functions, state and brokers; what can be chosen and asked.

use super::choice::Choice;
use super::inner::Inner;
use crate::builder::AppBuilder;
use crate::lock::lock;
use fastkafka_core::{
    AppInfo, Connection, DefaultApp, Entered, Explained, Plan, Problem, Problems, UnknownBroker,
    enter, explain,
};
use fastkafka_kafka::Embedded;
use fastkafka_runtime::{Handle, Health, Runtime};
use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, MutexGuard};
use std::time::SystemTime;
use tokio::sync::watch;

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
/// An app is started once; build a new one to start again. One that is started lives until its last clone is
/// dropped: it stops then, in the background. A clone in a value of `State`, in a background task or in a router
/// of `axum_health` is one, too: an app that holds itself stops only when it is told to. A [`Handle`] and an
/// [`Entered`] do not hold it.
#[derive(Clone)]
pub struct App {
    pub(crate) inner: Arc<Inner>,
    /// Dropped with the last clone: who works at the end of the app has one of its own.
    pub(super) held: watch::Sender<()>,
}

impl App {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            held: watch::Sender::new(()),
        }
    }

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

    /// The plan, as far as it can be made: it may have problems.
    pub(crate) fn sketch(&self) -> Plan {
        Plan::sketch(&self.inner.spec).0
    }

    /// The number of consumers of each group in this process; default 1.
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

    pub(super) fn choice(&self) -> MutexGuard<'_, Choice> {
        lock(&self.inner.life.choice)
    }

    /// The topics the app reads and writes, dead-letter topics included, in order.
    pub fn get_topics(&self) -> Vec<String> {
        // A plan with problems has its topics all the same.
        let topics = self.sketch().topics().into_iter().map(|(_, topic)| topic);
        topics.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Title, version and description of the app.
    pub fn info(&self) -> &AppInfo {
        &self.inner.spec.info
    }

    /// The value of `State<T>`, once it is made.
    pub fn state<T: 'static>(&self) -> Option<&T> {
        self.inner.context.states().get()
    }

    /// Every group with its handlers, and the producers.
    ///
    /// # Errors
    /// Every problem that shows without a broker, at once.
    pub fn check(&self) -> Result<Plan, Problems> {
        let (plan, mut problems) = Plan::sketch(&self.inner.spec);
        let choice = self.choice();
        problems.extend(self.inner.wrong(&plan, &choice));
        #[cfg(feature = "admin")]
        {
            let admin = choice.admin.clone().or(self.inner.admin.clone());
            problems.extend(Self::wrong_admin(&admin));
        }
        match self.inner.connections(&plan.clusters, &choice) {
            Err(unknown) => problems.push(Problem::Broker(unknown.to_string())),
            Ok(connections) if connections.embedded && choice.from.is_some() => {
                problems.push(Problem::Broker(
                    "`from` needs a broker that keeps records: the embedded one starts empty"
                        .to_owned(),
                ));
            }
            Ok(connections) => problems.extend(fastkafka_kafka::check(&plan, &connections)),
        }
        drop(choice);
        if problems.is_empty() {
            Ok(plan)
        } else {
            Err(Problems(problems))
        }
    }

    /// Each setting of each function with the place that it comes from; secrets are masked.
    pub fn explain(&self) -> Vec<Explained> {
        let mut functions = explain(&self.inner.spec);
        let rows = functions.iter_mut().flat_map(|function| &mut function.rows);
        for row in rows.filter(|row| row.from == "default") {
            match row.key {
                "client_id" => row.value.clone_from(&self.inner.client_id),
                "group_id" => row.value.clone_from(&self.inner.spec.group_id),
                _ => {}
            }
        }
        functions
    }

    /// The health of groups, tasks and producers; empty until the app joins its groups. An app that has ended by itself, or
    /// was not stopped cleanly, is not ready for that reason.
    pub fn health(&self) -> Health {
        let life = &self.inner.life;
        let health = life.runtime.get().map(Runtime::health);
        let mut health = health.unwrap_or_default();
        let begun = life.cause.get();
        // At the end there is more to tell.
        if let Some((since, _)) = begun.or(life.unclean.get())
            && let Some((_, why)) = life.unclean.get().or(begun)
        {
            health.ended = Some((since.elapsed(), why.to_string()));
        }
        health
    }

    /// It has ended by itself, or was not stopped cleanly: health says why.
    #[cfg(feature = "admin")]
    pub(super) fn has_ended(&self) -> bool {
        let life = &self.inner.life;
        life.cause.get().is_some() || life.unclean.get().is_some()
    }

    /// The controls of the app: pause, resume, seek. They work from the start on. A handler gets them as
    /// `State<Handle>`.
    ///
    /// ```no_run
    /// # use fastkafka::App;
    /// # use fastkafka::control::{ControlError, Seek};
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

    /// The address of the broker in use, once it is known: of the embedded one, from the start to the end. Of
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
        let mut own = Connection::default();
        if known.is_address {
            own = own.bootstrap_servers(known.name.clone());
        }
        let connection = connections.to(cluster, &own);
        connection.bootstrap_servers.map(Into::into)
    }

    pub(super) fn embedded(&self) -> MutexGuard<'_, Vec<(String, Embedded)>> {
        lock(&self.inner.life.embedded)
    }

    /// Makes this the app that producers called on this thread belong to, until the guard is dropped.
    /// Needed where several apps with the same producers run in one process.
    pub fn enter(&self) -> Entered {
        enter(self.inner.context.clone())
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("spec", &self.inner.spec)
            .field("brokers", &self.inner.spec.brokers)
            .finish_non_exhaustive()
    }
}
