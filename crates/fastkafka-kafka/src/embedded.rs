//! A Kafka broker inside the process: librdkafka's mock cluster.
//!
//! It speaks Kafka's protocol on a port of localhost, so any client can connect. It has no Admin
//! API and no compaction, and forgets everything when it is dropped. Of each partition it keeps the last 5 MiB
//! or 100,000 batches (`rd_kafka_mock_partition_new`); nothing sets these bounds.

use super::client_context::Logged;
use super::descriptors::room_for_sockets;
use super::error::{call_error, problem, refused};
use super::ffi;
use super::topics::TopicSpec;
use fastkafka_core::Problems;
use fastkafka_runtime::platform::ClientError;
use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use std::fmt;

/// Partitions of a topic that is not declared.
const PARTITIONS: i32 = 1;

/// More than it opens before it has a connection.
const SOCKETS: usize = 16;

/// A broker in this process. It keeps nothing: when it is dropped its records are gone.
#[derive(Debug)]
pub struct Embedded(EmbeddedBroker);

impl Embedded {
    /// Starts it on a free port of this machine; other clients can connect.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn start() -> Result<Self, Problems> {
        EmbeddedBroker::start()
            .map(Self)
            .map_err(|error| problem(format!("the embedded broker did not start: {error}")))
    }

    /// Its address, `host:port`.
    pub fn bootstrap(&self) -> &str {
        self.0.address()
    }

    /// Makes a topic.
    ///
    /// # Errors
    /// When its name is not one.
    pub fn create_topic(&self, spec: &TopicSpec) -> Result<(), Problems> {
        let made = self
            .0
            .create_topic(&spec.name, spec.partitions.unwrap_or(PARTITIONS));
        made.map_err(|error| {
            problem(format!(
                "topic `{}` cannot be made on the embedded broker: {error}",
                spec.name
            ))
        })
    }
}

/// The embedded broker. It runs until this value is dropped.
pub(crate) struct EmbeddedBroker {
    /// The cluster lives inside a client, which is never used as one.
    client: BaseProducer<Logged>,
    address: String,
}

impl ProducerContext for Logged {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &rdkafka::producer::DeliveryResult<'_>, (): ()) {}
}

impl EmbeddedBroker {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When librdkafka cannot open a port.
    pub(crate) fn start() -> Result<Self, ClientError> {
        // Where it gets none, librdkafka's mock cluster fails an assertion, which ends the process.
        room_for_sockets(SOCKETS).map_err(|error| refused(error.to_string()))?;
        let mut config = ClientConfig::new();
        config.set("test.mock.num.brokers", "1");
        let client: BaseProducer<Logged> = config
            .create_with_context(Logged)
            .map_err(|e| call_error(&e))?;
        // Otherwise every first member of a group waits three seconds.
        ffi::start_groups_at_once(&client);
        let address = match client.client().mock_cluster() {
            Some(cluster) => cluster.bootstrap_servers(),
            None => return Err(refused("librdkafka was built without its mock cluster")),
        };
        Ok(Self { client, address })
    }

    /// The value of `bootstrap.servers`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Creates a topic; one that exists is left as it is.
    ///
    /// # Errors
    /// When librdkafka refuses.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32) -> Result<(), ClientError> {
        let cluster = self.cluster();
        match cluster.create_topic(name, partitions, 1) {
            Err(e) if e.rdkafka_error_code() == Some(RDKafkaErrorCode::TopicAlreadyExists) => {
                Ok(())
            }
            created => created.map_err(|e| call_error(&e)),
        }
    }

    /// The number of members that left their groups since `keep_requests`.
    #[cfg(test)]
    pub(super) fn leaves(&self) -> usize {
        const LEAVE_GROUP: i16 = 13;
        self.requests(LEAVE_GROUP)
    }

    /// The number of requests of a kind since `keep_requests`.
    #[cfg(test)]
    pub(super) fn requests(&self, api_key: i16) -> usize {
        ffi::requests(&self.client, api_key)
    }

    /// Nobody reaches it, or somebody does again.
    #[cfg(test)]
    pub(super) fn set_down(&self, down: bool) {
        let (cluster, first) = (self.cluster(), 1);
        let set = match down {
            true => cluster.broker_down(first),
            false => cluster.broker_up(first),
        };
        set.unwrap();
    }

    /// A partition has a leader, or none: before a client knows the topic, for librdkafka's mock cluster ends
    /// the process where it is sent records for a partition without one.
    #[cfg(test)]
    pub(super) fn set_leader(&self, topic: &str, partition: i32, leads: bool) {
        let leader = leads.then_some(1);
        let set = self.cluster().partition_leader(topic, partition, leader);
        set.unwrap();
    }

    /// The next request of a kind is answered with an error.
    #[cfg(test)]
    pub(super) fn refuse_next(&self, api_key: i16, error: RDKafkaErrorCode) {
        let error = rdkafka::types::RDKafkaRespErr::try_from(error as i32);
        ffi::refuse_next(&self.client, api_key, error.unwrap());
    }

    /// The number of commits since `keep_requests`.
    #[cfg(test)]
    pub(super) fn commits(&self) -> usize {
        const OFFSET_COMMIT: i16 = 8;
        self.requests(OFFSET_COMMIT)
    }

    /// Each answer takes this long from now on.
    #[cfg(test)]
    pub(super) fn answer_after(&self, time: std::time::Duration) {
        let all = -1;
        self.cluster().broker_round_trip_time(all, time).unwrap();
    }

    #[cfg(test)]
    pub(super) fn keep_requests(&self) {
        ffi::keep_requests(&self.client);
    }

    fn cluster(&self) -> MockCluster<'_, Logged> {
        let cluster = self.client.client().mock_cluster();
        cluster.expect("`start` has seen it")
    }
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBroker")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
