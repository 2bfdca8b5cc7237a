//! The clients of an app's producers: one for each cluster and distinct settings.

use crate::access::Access;
use crate::client_context::Context;
use crate::config;
use crate::error::call_error;
use crate::ffi::Topic;
use crate::producer::delivery_reports::{Producer, Reports, Shared};
use crate::producer::in_flight::InFlight;
use crate::producer::partitioner::Function;
use fastkafka_core::{ProducerSettings, Text};
use fastkafka_runtime::platform::ClientError;
use rdkafka::error::KafkaResult;
use rdkafka::producer::Producer as _;
use rdkafka::types::RDKafkaErrorCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// How long the thread for reports waits for one. rdkafka's `poll` serves reports as they come, but
/// spins through the last millisecond of its time-out.
const REPORTS: Duration = Duration::from_millis(200);

/// A client, with a thread of its own for reports.
pub(crate) struct Client {
    pub(crate) cluster: Text,
    pub(crate) settings: ProducerSettings,
    pub(crate) producer: Arc<Producer>,
    /// Topics that no definition names: dead letters, and those chosen at run time.
    others: RwLock<HashMap<String, Arc<Topic>>>,
}

impl Client {
    /// Connects in the background. `max_in_flight` bounds the records of all clients together.
    ///
    /// # Errors
    /// When librdkafka refuses a setting.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub(crate) fn new(
        access: &Access,
        cluster: &Text,
        settings: ProducerSettings,
        shared: &Arc<Shared>,
        max_in_flight: usize,
    ) -> Result<Self, ClientError> {
        let queue = InFlight::capacity(max_in_flight);
        let config = config::producer(access.config(), &settings, queue);
        let producer: KafkaResult<Producer> = config.create_with_context(Context {
            events: Reports {
                shared: shared.clone(),
                names: access.names().clone(),
                unreachable: Mutex::default(),
                partitioner: settings.partitioner.and_then(Function::new),
            },
            token: access.token().cloned(),
        });
        let producer = Arc::new(producer.map_err(|e| call_error(&e))?);
        access.admit(producer.client())?;
        serve_reports(producer.clone());
        Ok(Self {
            cluster: cluster.clone(),
            settings,
            producer,
            others: RwLock::default(),
        })
    }

    /// The handle of a topic, by the app's name.
    pub(crate) fn topic(&self, name: &str) -> Result<Topic, RDKafkaErrorCode> {
        let names = &self.producer.context().events.names;
        Topic::new(&self.producer, &names.on_cluster(name)).ok_or(RDKafkaErrorCode::InvalidTopic)
    }

    /// The same of a topic that no definition names: looked up once.
    pub(crate) fn other(&self, name: &str) -> Result<Arc<Topic>, RDKafkaErrorCode> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = others.get(name) {
            return Ok(topic.clone());
        }
        drop(others);
        let topic = Arc::new(self.topic(name)?);
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        Ok(others.entry(name.to_owned()).or_insert(topic).clone())
    }
}

/// The thread ends after the producers and takes the client with it. Records without a report get one by
/// then that says so: rdkafka purges a client that it drops, and serves the reports of that.
fn serve_reports(producer: Arc<Producer>) {
    std::thread::Builder::new()
        .name("delivery-reports".into())
        .spawn(move || {
            while Arc::strong_count(&producer) > 1 {
                producer.poll(REPORTS);
            }
        })
        .expect("the system can start a thread");
}
