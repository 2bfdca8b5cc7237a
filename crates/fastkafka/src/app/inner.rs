//! What an app is made of, what is chosen before its start, and what changes while it lives.

use super::EMBEDDED;
use crate::broker::{Broker, Topic, UnknownBroker};
use crate::hooks::Hooks;
use fastkafka_core::{AppCore, Connection, Plan};
use fastkafka_runtime::{Embedded, Handle, Options, Runtime, TopicSpec};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

pub(crate) struct Inner {
    pub(crate) core: Arc<AppCore>,
    pub(crate) client_id: String,
    pub(crate) brokers: Vec<(String, Broker)>,
    pub(crate) default_broker: Option<String>,
    pub(crate) topics: BTreeMap<String, Topic>,
    pub(crate) hooks: Hooks,
    pub(crate) start_timeout: Duration,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) max_in_flight: usize,
    pub(crate) handle: Handle,
    pub(crate) life: Life,
}

/// What changes while an app lives.
pub(crate) struct Life {
    pub(super) choice: Mutex<Choice>,
    pub(super) embedded: Mutex<Option<Embedded>>,
    pub(super) runtime: OnceLock<Runtime>,
    pub(super) phase: watch::Sender<Phase>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    New,
    Starting,
    Started,
    /// Asked to stop, or stopped.
    Stopping,
}

#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) broker: Option<String>,
    pub(super) workers: NonZeroUsize,
    pub(super) create_topics: bool,
    pub(super) from: Option<SystemTime>,
    /// Of a test: what names on the cluster end with, and whether that is an embedded one.
    pub(super) test: Option<(String, bool)>,
}

impl Default for Life {
    fn default() -> Self {
        Self {
            choice: Mutex::new(Choice {
                broker: None,
                workers: NonZeroUsize::MIN,
                create_topics: false,
                from: None,
                test: None,
            }),
            embedded: Mutex::default(),
            runtime: OnceLock::new(),
            phase: watch::Sender::new(Phase::New),
        }
    }
}

impl Inner {
    /// How the broker of a name is reached; `None` is the embedded one.
    pub(super) fn broker(&self, name: &str) -> Result<Option<Connection>, UnknownBroker> {
        if let Some((_, broker)) = self.brokers.iter().find(|(known, _)| known == name) {
            return Ok(Some(broker.reached_by().clone()));
        }
        if name == EMBEDDED {
            return Ok(None);
        }
        if name.contains(':') {
            return Ok(Some(Broker::new(name).reached_by().clone()));
        }
        let known = self
            .brokers
            .iter()
            .map(|(name, _)| name.clone())
            .chain([EMBEDDED.to_owned()])
            .collect();
        Err(UnknownBroker {
            name: name.to_owned(),
            known,
        })
    }

    pub(super) fn broker_in_use(
        &self,
        choice: &Choice,
    ) -> Result<Option<Connection>, UnknownBroker> {
        let first = self.brokers.first().map(|(name, _)| name);
        let name = choice
            .broker
            .as_ref()
            .or(self.default_broker.as_ref())
            .or(first);
        self.broker(name.map_or(EMBEDDED, String::as_str))
    }

    pub(super) fn options(&self, connection: Connection, choice: &Choice) -> Options {
        let mut options = Options::new(String::new());
        options.connection = connection;
        options.client_id.clone_from(&self.client_id);
        options.workers = choice.workers;
        options.start_timeout = self.start_timeout;
        options.shutdown_timeout = self.shutdown_timeout;
        options.max_in_flight = self.max_in_flight;
        options.from = choice.from;
        options.handle = self.handle.clone();
        if let Some((suffix, embedded)) = &choice.test {
            options.suffix.clone_from(suffix);
            options.embedded = *embedded;
        }
        options
    }

    /// What the app reads, writes or declares.
    pub(super) fn specs(&self, plan: &Plan) -> Vec<TopicSpec> {
        let mut names: BTreeSet<_> = plan.topics().into_iter().collect();
        names.extend(self.topics.keys().cloned());
        let spec = |name: &String| match self.topics.get(name) {
            Some(topic) => topic.spec(name),
            None => TopicSpec::new(name),
        };
        names.iter().map(spec).collect()
    }
}
