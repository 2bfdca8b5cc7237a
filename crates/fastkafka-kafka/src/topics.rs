//! The topics of a cluster: asked about, and made where they are missing.

use super::access::Access;
use super::client_context::{Logged, log};
use super::error::{call_error, client_error};
use super::lock::lock;
use fastkafka_runtime::platform::{ClientError, Lasting, Scope};
use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A topic as the app declares it. The broker chooses where a field is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// The number of partitions.
    pub partitions: Option<i32>,
    /// The number of copies of each record.
    pub replicas: Option<i32>,
    /// Properties of the topic, such as `cleanup.policy`.
    pub configs: Vec<(String, String)>,
}

impl TopicSpec {
    /// A topic as the broker makes it by default.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}

/// The broker's answer about a topic: its number of partitions, or why it cannot be used.
pub(crate) type TopicState = Result<usize, ClientError>;

/// More than gather while a broker is asked.
const MOST_EVENTS: usize = 100;

/// Asks about topics and creates them.
pub(crate) struct Topics {
    /// A consumer: the metadata requests of a producer create what they ask for.
    consumer: BaseConsumer<Asking>,
    access: Access,
}

/// Keeps why a broker is not reached: the call that asks says only that it is not.
#[derive(Default)]
struct Asking(Mutex<Option<ClientError>>);

impl ClientContext for Asking {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error
            .rdkafka_error_code()
            .unwrap_or(RDKafkaErrorCode::Unknown);
        // That all brokers are down follows from a reason.
        if code == RDKafkaErrorCode::AllBrokersDown {
            return;
        }
        // In the words of our settings.
        let reason = reason.replace("ssl.ca.location", "`ca` of `ssl_context`");
        let mut kept = lock(&self.0);
        if kept
            .as_ref()
            .is_none_or(|kept| kept.lasting == Lasting::Passing)
        {
            let mut error = client_error(code, reason);
            // An alert of TLS comes as a connection that broke, and comes again.
            if error.message.contains("SSL routines") {
                (error.scope, error.lasting) = (Scope::Login, Lasting::Permanent);
            }
            *kept = Some(error);
        }
    }
}

impl ConsumerContext for Asking {}

impl Topics {
    /// Connects in the background.
    ///
    /// # Errors
    /// When librdkafka refuses a setting.
    pub(crate) fn new(access: &Access) -> Result<Self, ClientError> {
        let consumer = access.config().create_with_context(Asking::default());
        let consumer: BaseConsumer<Asking> = consumer.map_err(|e| call_error(&e))?;
        access.admit(consumer.client())?;
        Ok(Self {
            consumer,
            access: access.clone(),
        })
    }

    /// Why a broker did not answer, in the words of its connection.
    fn reason(&self, error: &KafkaError) -> ClientError {
        // Errors are among the events. A poll does not tell whether it served one.
        for _ in 0..MOST_EVENTS {
            self.consumer.poll(Duration::ZERO);
        }
        let context = self.consumer.context();
        let kept = lock(&context.0);
        // librdkafka says the same thing only once in a while.
        kept.clone().unwrap_or_else(|| call_error(error))
    }

    /// The state of each topic; a missing one is an error. Blocks up to `timeout`.
    ///
    /// # Errors
    /// When the broker does not answer in time, or refuses to talk to us.
    pub(crate) fn look_up(
        &self,
        topics: &[String],
        timeout: Duration,
    ) -> Result<BTreeMap<String, TopicState>, ClientError> {
        let deadline = Instant::now() + timeout;
        let mut states = BTreeMap::new();
        for topic in topics {
            let left = deadline.saturating_duration_since(Instant::now());
            let on_cluster = self.access.names().on_cluster(topic);
            let metadata = self.consumer.fetch_metadata(Some(&on_cluster), left);
            let metadata = metadata.map_err(|e| self.reason(&e))?;
            let found = metadata.topics().iter().find(|t| t.name() == on_cluster);
            let state = match found.map(|t| (t.error(), t.partitions().len())) {
                Some((None, partitions)) if partitions > 0 => Ok(partitions),
                Some((Some(code), _)) => Err(self.state(topic, code.into())),
                _ => Err(self.state(topic, RDKafkaErrorCode::UnknownTopicOrPartition)),
            };
            states.insert(topic.clone(), state);
        }
        Ok(states)
    }

    fn state(&self, topic: &str, code: RDKafkaErrorCode) -> ClientError {
        let on = self.access.names();
        let what = match code {
            RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition => {
                format!("topic `{topic}` does not exist{on}")
            }
            code => format!("topic `{topic}`{on}: {code}"),
        };
        client_error(code, what)
    }

    /// Creates topics; one that exists is left as it is. The broker's time for it is `timeout`.
    ///
    /// # Errors
    /// When one could not be created; the others may have been.
    pub(crate) async fn create(
        &self,
        topics: &[TopicSpec],
        timeout: Duration,
    ) -> Result<(), ClientError> {
        if topics.is_empty() {
            return Ok(());
        }
        let admin = self.access.config().create_with_context(Logged);
        let admin: AdminClient<Logged> = admin.map_err(|e| call_error(&e))?;
        self.access.admit(admin.inner())?;
        let names = topics
            .iter()
            .map(|spec| self.access.names().on_cluster(&spec.name));
        let names: Vec<_> = names.collect();
        let new = topics.iter().zip(&names);
        let new: Vec<_> = new.map(|(spec, name)| new_topic(spec, name)).collect();
        let options = AdminOptions::new()
            .request_timeout(Some(timeout))
            .operation_timeout(Some(timeout));
        let created = admin.create_topics(&new, &options).await;
        for result in created.map_err(|e| call_error(&e))? {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    let what = format!("topic `{topic}` could not be created: {code}");
                    return Err(client_error(code, what));
                }
            }
        }
        Ok(())
    }
}

fn new_topic<'a>(spec: &'a TopicSpec, name: &'a str) -> NewTopic<'a> {
    const BROKER_DEFAULT: i32 = -1;
    let topic = NewTopic::new(
        name,
        spec.partitions.unwrap_or(BROKER_DEFAULT),
        TopicReplication::Fixed(spec.replicas.unwrap_or(BROKER_DEFAULT)),
    );
    let configs = spec.configs.iter();
    configs.fold(topic, |topic, (name, value)| topic.set(name, value))
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics")
            .field("address", &self.access.address())
            .finish_non_exhaustive()
    }
}
