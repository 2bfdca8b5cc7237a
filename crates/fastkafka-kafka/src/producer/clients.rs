//! The clients of an app's producers: one for each cluster and distinct settings, and one for the dead
//! letters of each cluster. Another takes the place of one that has ended ([`super::life`]).

use crate::access::Access;
use crate::client_context::Context;
use crate::config;
use crate::error::{call_error, client_error};
use crate::ffi::{self, Topic};
use crate::producer::again::Again;
use crate::producer::delivery_reports::{Producer, Reports};
use crate::producer::in_flight::InFlight;
use crate::producer::life::Life;
use crate::producer::partitioner::Function;
use crate::producer::watch::Watch;
use arc_swap::{ArcSwapOption, Guard};
use fastkafka_core::{ProducerSettings, Text};
use fastkafka_runtime::platform::{ClientError, OutputState, ProducerHealth};
use rdkafka::error::KafkaResult;
use rdkafka::producer::Producer as _;
use rdkafka::types::RDKafkaErrorCode;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// What a client writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Outputs,
    /// Records that others have written, as large as their topics took them.
    DeadLetters,
}

/// What becomes of a record that is refused with its batch.
#[derive(Clone)]
pub(crate) enum Role {
    /// It is sent again, alone.
    First(Arc<Again>),
    /// It was alone, and fails.
    Again(Weak<Again>),
}

/// What a client is made of.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) cluster: Text,
    pub(crate) settings: ProducerSettings,
    pub(crate) purpose: Purpose,
    pub(crate) access: Access,
    /// Topics that functions write, each with its function.
    pub(crate) routes: Vec<(&'static str, &'static str)>,
}

/// The client that the records of a [`Recipe`] go through.
pub(crate) struct Client {
    pub(crate) recipe: Recipe,
    /// `None` once it is closed.
    live: ArcSwapOption<Live>,
    pub(crate) watch: Arc<Watch>,
    in_flight: Arc<InFlight>,
    role: Role,
    /// Ends when no thread and no client of librdkafka is left.
    ended: tokio::sync::Mutex<Receiver<Infallible>>,
}

/// A client of librdkafka, and its handles of topics.
pub(crate) struct Live {
    pub(crate) producer: Arc<Producer>,
    /// The topics of the recipe.
    routed: Vec<Topic>,
    /// Topics that no definition names: dead letters, and those chosen at run time.
    others: RwLock<HashMap<String, Arc<Topic>>>,
}

impl Client {
    /// Connects in the background, with a thread of its own for reports.
    ///
    /// # Errors
    /// When librdkafka refuses a setting or a topic's name, or the system cannot start a thread.
    pub(crate) fn new(
        recipe: Recipe,
        in_flight: Arc<InFlight>,
        role: Role,
    ) -> Result<Arc<Self>, ClientError> {
        let watch = Arc::new(Watch::new(recipe.in_time()));
        let live = Arc::new(recipe.make(&in_flight, &watch, &role)?);
        let producer = live.producer.clone();
        let (alive, ended) = tokio::sync::mpsc::channel(1);
        let client = Arc::new(Self {
            recipe,
            live: ArcSwapOption::new(Some(live)),
            watch,
            in_flight,
            role,
            ended: ended.into(),
        });
        if let Role::First(again) = &client.role {
            again.follow(&client);
        }
        Life::new(&client, producer, alive).begin()?;
        Ok(client)
    }

    /// The client of now; `None` once it is closed. What is sent through it while another takes its place is
    /// refused.
    pub(crate) fn live(&self) -> Guard<Option<Arc<Live>>> {
        self.live.load()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.live.load().is_none()
    }

    /// The way of what is refused with its batch.
    pub(crate) fn again(&self) -> Option<&Again> {
        match &self.role {
            Role::First(again) => Some(again),
            Role::Again(_) => None,
        }
    }

    /// The client that sends again what is refused with its batch, if there was something.
    fn second(&self) -> Option<Arc<Self>> {
        self.again()?.second()
    }

    /// Takes nothing more.
    pub(crate) fn close(&self) {
        self.live.store(None);
        if let Some(again) = self.again() {
            again.close();
        }
    }

    /// Ends when no client of librdkafka is left of one that is closed; records without a report have one then.
    pub(crate) async fn ended(&self) {
        // Nobody sends anything.
        let _ = self.ended.lock().await.recv().await;
        if let Some(second) = self.second() {
            let _ = second.ended.lock().await.recv().await;
        }
    }

    /// Sends what waits for company, and waits for reports.
    pub(crate) fn flush(&self, millis: i32) {
        if let Some(live) = &*self.live() {
            ffi::flush(&live.producer, millis);
        }
        if let Some(second) = self.second() {
            second.flush(millis);
        }
    }

    /// How it is; nobody asks about one that nothing goes through.
    pub(crate) fn health(&self) -> Option<ProducerHealth> {
        let recipe = &self.recipe;
        let letters = recipe.purpose == Purpose::DeadLetters;
        let functions = recipe.functions();
        if functions.is_empty() && !letters {
            return None;
        }
        let mut health = ProducerHealth::new(&recipe.cluster, functions, letters);
        if !self.is_closed() {
            self.watch.tell(&mut health);
        }
        // Both have one cluster: where something is wrong with both it is told once.
        if let Some(second) = self.second()
            && !health.has_problems()
        {
            second.watch.tell(&mut health);
        }
        Some(health)
    }

    /// What became of what went through it.
    pub(crate) fn outputs(&self) -> OutputState {
        let mut outputs = OutputState::default();
        outputs.cluster = self.recipe.cluster.to_string();
        outputs.dead_letters = self.recipe.purpose == Purpose::DeadLetters;
        self.watch.count(&mut outputs);
        if let Some(second) = self.second() {
            second.watch.count(&mut outputs);
        }
        outputs
    }

    /// Puts another client in the place of the one that is there, unless it is closed.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn make_anew(&self) -> Result<Arc<Producer>, ClientError> {
        let live = self.recipe.make(&self.in_flight, &self.watch, &self.role)?;
        let producer = live.producer.clone();
        let live = Some(Arc::new(live));
        self.live.rcu(|before| before.as_ref().and(live.clone()));
        Ok(producer)
    }
}

impl Recipe {
    fn make(
        &self,
        in_flight: &Arc<InFlight>,
        watch: &Arc<Watch>,
        role: &Role,
    ) -> Result<Live, ClientError> {
        let mut config = config::producer(self.access.config(), &self.settings);
        if self.purpose == Purpose::DeadLetters {
            config::dead_letters(&mut config);
        }
        if let Role::Again(_) = role {
            config::one_by_one(&mut config);
        }
        let names = self.access.names();
        let producer: KafkaResult<Producer> = config.create_with_context(Context {
            events: Reports {
                in_flight: in_flight.clone(),
                watch: watch.clone(),
                names: names.clone(),
                unreachable: Mutex::default(),
                follower: Box::new(role.clone()),
                partitioner: self.settings.partitioner.and_then(Function::new),
            },
            token: self.access.token().cloned(),
        });
        let producer = Arc::new(producer.map_err(|e| call_error(&e))?);
        self.access.admit(producer.client())?;
        let topic = |(topic, _): &(&str, _)| handle(&producer, topic);
        Ok(Live {
            routed: self.routes.iter().map(topic).collect::<Result<_, _>>()?,
            producer,
            others: RwLock::default(),
        })
    }

    /// The time that a record has.
    fn in_time(&self) -> Duration {
        let millis = self.settings.delivery_timeout_ms;
        Duration::from_millis(millis.unwrap_or(config::DELIVERY_TIMEOUT_MILLIS))
    }

    /// The functions whose records go through it.
    fn functions(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.routes.iter().map(|(_, function)| *function).collect();
        names.dedup();
        names
    }

    /// The same in a sentence.
    pub(super) fn users(&self) -> String {
        match (self.purpose, &*self.functions()) {
            (Purpose::DeadLetters, _) => "dead letters".to_owned(),
            (_, []) => "no function".to_owned(),
            (_, names) => format!("`{}`", names.join("`, `")),
        }
    }
}

/// The handle of a topic, by the app's name.
fn handle(producer: &Arc<Producer>, name: &str) -> Result<Topic, ClientError> {
    let names = &producer.context().events.names;
    Topic::new(producer, &names.on_cluster(name)).ok_or_else(|| {
        client_error(
            RDKafkaErrorCode::InvalidTopic,
            format!("`{name}` cannot be the name of a topic"),
        )
    })
}

impl Live {
    /// The topic of a route, by its number in the recipe.
    pub(crate) fn routed(&self, number: usize) -> &Topic {
        &self.routed[number]
    }

    /// A topic that no definition names: looked up once.
    pub(crate) fn other(&self, name: &str) -> Result<Arc<Topic>, RDKafkaErrorCode> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = others.get(name) {
            return Ok(topic.clone());
        }
        drop(others);
        let topic = handle(&self.producer, name).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        let topic = Arc::new(topic);
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        Ok(others.entry(name.to_owned()).or_insert(topic).clone())
    }
}
