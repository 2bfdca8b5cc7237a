//! Which topics there are, and making those that are missing.

use super::error::{client_error, of};
use super::{Logged, config};
use crate::transport::{ClientError, ErrorKind};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// A topic as the app declares it; what is `None` is the broker's choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: Option<i32>,
    /// How many copies of each record.
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

/// What the broker says of a topic: its number of partitions, or why it cannot be used.
pub(crate) type TopicState = Result<usize, ClientError>;

/// Asks about topics and creates them.
pub(crate) struct Topics {
    /// A consumer: the metadata requests of a producer create what they ask for.
    consumer: BaseConsumer<Logged>,
    bootstrap: String,
    client_id: String,
}

impl Topics {
    /// Connects in the background.
    ///
    /// # Errors
    /// When librdkafka refuses a setting.
    pub(crate) fn new(bootstrap: &str, client_id: &str) -> Result<Self, ClientError> {
        let config = config::client(bootstrap, client_id);
        Ok(Self {
            consumer: config.create_with_context(Logged).map_err(|e| of(&e))?,
            bootstrap: bootstrap.to_owned(),
            client_id: client_id.to_owned(),
        })
    }

    /// The state of each topic; a missing one is `Refused`. Blocks up to `timeout`.
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
            let metadata = self.consumer.fetch_metadata(Some(topic), left);
            let metadata = metadata.map_err(|e| of(&e))?;
            let found = metadata.topics().iter().find(|t| t.name() == topic);
            let state = match found.map(|t| (t.error(), t.partitions().len())) {
                Some((None, partitions)) if partitions > 0 => Ok(partitions),
                Some((Some(code), _)) => Err(self::state(topic, code.into())),
                _ => Err(self::state(
                    topic,
                    RDKafkaErrorCode::UnknownTopicOrPartition,
                )),
            };
            states.insert(topic.clone(), state);
        }
        Ok(states)
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
        let config = config::client(&self.bootstrap, &self.client_id);
        let admin: AdminClient<Logged> = config.create_with_context(Logged).map_err(|e| of(&e))?;
        let new: Vec<_> = topics.iter().map(new_topic).collect();
        let options = AdminOptions::new()
            .request_timeout(Some(timeout))
            .operation_timeout(Some(timeout));
        let created = admin.create_topics(&new, &options).await;
        for result in created.map_err(|e| of(&e))? {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    return Err(ClientError {
                        kind: match client_error(code, "").kind {
                            ErrorKind::Unreachable => ErrorKind::Unreachable,
                            _ => ErrorKind::Refused,
                        },
                        message: format!("topic `{topic}` could not be created: {code}"),
                    });
                }
            }
        }
        Ok(())
    }
}

fn state(topic: &str, code: RDKafkaErrorCode) -> ClientError {
    let what = match code {
        RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition => {
            format!("topic `{topic}` does not exist")
        }
        code => format!("topic `{topic}`: {code}"),
    };
    client_error(code, what)
}

fn new_topic(spec: &TopicSpec) -> NewTopic<'_> {
    const BROKER_DEFAULT: i32 = -1;
    let topic = NewTopic::new(
        &spec.name,
        spec.partitions.unwrap_or(BROKER_DEFAULT),
        TopicReplication::Fixed(spec.replicas.unwrap_or(BROKER_DEFAULT)),
    );
    let configs = spec.configs.iter();
    configs.fold(topic, |topic, (name, value)| topic.set(name, value))
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics")
            .field("bootstrap", &self.bootstrap)
            .finish_non_exhaustive()
    }
}
