//! The events of a consumer's client, kept until its driver polls.
//!
//! A rebalance is only noted here: the driver answers when it has drained, and the broker waits.

use crate::client_context::{self, ErrorHandler};
use crate::consumer::raw::Event;
use crate::lock::lock;
use crate::names::ClusterNames;
use fastkafka_runtime::platform::{ClientError, PartitionRef};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// The events of callbacks and of the helper thread, until the driver's next poll.
#[derive(Default)]
pub(super) struct Events {
    list: Mutex<Vec<Event>>,
    pub(super) names: ClusterNames,
    /// The client is being destroyed.
    closed: AtomicBool,
}

impl Events {
    pub(super) fn new(names: ClusterNames) -> Self {
        Self {
            names,
            ..Self::default()
        }
    }

    pub(super) fn add(&self, event: Event) {
        self.list().push(event);
    }

    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.list())
    }

    /// From here on nobody listens: rebalances are answered at once.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    fn list(&self) -> MutexGuard<'_, Vec<Event>> {
        lock(&self.list)
    }
}

impl ErrorHandler for Arc<Events> {
    fn handle(&self, error: ClientError) {
        self.add(Event::Error(error));
    }
}

pub(super) type Context = client_context::Context<Arc<Events>>;

pub(super) type Group = BaseConsumer<Context>;

impl ConsumerContext for Context {
    fn rebalance(&self, group: &Group, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if self.events.closed.load(Ordering::Acquire) {
            // The driver is gone, and librdkafka takes this for any answer while it closes.
            let _ = group.unassign();
            return;
        }
        let places = places(list, &self.events.names);
        self.events.add(match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Event::Assign(places),
            _ => Event::Revoke(places),
        });
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        let elements = offsets.elements();
        let refused = elements.iter().find_map(|element| {
            let error = element.error().err()?;
            Some(format!(
                "{}[{}]: {error}",
                element.topic(),
                element.partition()
            ))
        });
        let result = match (result, refused) {
            // There was nothing to commit.
            (Err(e), _) if e.rdkafka_error_code() == Some(RDKafkaErrorCode::NoOffset) => return,
            (_, Some(refused)) => Err(refused),
            (Err(e), None) => Err(e.to_string()),
            (Ok(()), None) => Ok(()),
        };
        self.events.add(Event::Committed(result));
    }
}

fn places(list: &TopicPartitionList, names: &ClusterNames) -> Vec<PartitionRef> {
    let elements = list.elements();
    let place = elements
        .iter()
        .map(|e| names.place(e.topic(), e.partition()));
    place.collect()
}
