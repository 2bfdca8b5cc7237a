//! The events of a consumer's client, kept until its driver polls.
//!
//! A rebalance is only noted here: the driver answers when it has drained, and the broker waits.

use super::statistics::Statistics;
use crate::client_context::{self, ErrorHandler};
use crate::consumer::raw::Event;
use crate::error::call_error;
use crate::lock::lock;
use crate::names::ClusterNames;
use fastkafka_runtime::platform::{ClientError, PartitionRef};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::error::KafkaResult;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// librdkafka's words for a pattern that matches no topic.
const NO_TOPIC: &str = "Subscribed topic not available: ^";

/// The events of callbacks and of the helper thread, until the driver's next poll.
#[derive(Default)]
pub(super) struct Events {
    list: Mutex<Vec<Event>>,
    pub(super) names: ClusterNames,
    /// The client is being destroyed.
    closed: AtomicBool,
    /// The subscription is a pattern.
    by_pattern: bool,
    statistics: Statistics,
}

impl Events {
    pub(super) fn new(names: ClusterNames, by_pattern: bool, statistics: Statistics) -> Self {
        Self {
            names,
            by_pattern,
            statistics,
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
        // librdkafka calls a pattern without a topic a topic that is not there.
        let no_topic = self.by_pattern && error.message.starts_with(NO_TOPIC);
        self.add(if no_topic {
            Event::NoTopic
        } else {
            Event::Error(error)
        });
    }

    fn statistics(&self, statistics: &[u8]) -> bool {
        if let Some(seen) = self.statistics.standing(statistics) {
            self.add(Event::Seen(seen));
        }
        if Statistics::show_no_broker(statistics) {
            self.add(Event::KnowsNoBroker);
        }
        self.statistics.are_wanted()
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
        let whole = result.err();
        // There was nothing to commit.
        if whole.as_ref().and_then(KafkaError::rdkafka_error_code)
            == Some(RDKafkaErrorCode::NoOffset)
        {
            return;
        }
        let elements = offsets.elements();
        let offsets = elements.iter().filter_map(|element| {
            let place = self
                .events
                .names
                .place(element.topic(), element.partition());
            // A partition without an offset was not in the request.
            let Offset::Offset(offset) = element.offset() else {
                return None;
            };
            // The error of an offset counts, and that of the commit where it has none.
            let error = element.error().err();
            let error = error.as_ref().or(whole.as_ref());
            let answer = error.map_or(Ok(()), |error| Err(call_error(error).at(place)));
            Some((place, offset, answer))
        });
        self.events.add(Event::Committed(offsets.collect()));
    }
}

fn places(list: &TopicPartitionList, names: &ClusterNames) -> Vec<PartitionRef> {
    let elements = list.elements();
    let place = elements
        .iter()
        .map(|e| names.place(e.topic(), e.partition()));
    place.collect()
}
