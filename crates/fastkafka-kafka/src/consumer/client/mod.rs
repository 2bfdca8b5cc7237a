//! The client by librdkafka.

mod blocking;
mod context;
mod ends;
mod errors;
pub(crate) mod join;
mod statistics;

use self::blocking::BlockingClient;
use self::context::{Events, Group};
use self::ends::EndsOfLogs;
use self::errors::fetch_error;
use super::epochs::Epochs;
use super::looks::Look;
use super::raw::{Event, Offsets, Piece, RawClient, Request, Stored};
use crate::addresses::Addresses;
use crate::client_context::ended;
use crate::error::{call_error, fatal};
use crate::ffi::{self, EventQueue, Queue, TopicIds};
use crate::offsets::broker::{Commit, OffsetAndEpoch};
use crate::offsets::client::list as commits;
use fastkafka_runtime::platform::{ClientError, PartitionRef};
use rdkafka::consumer::{Consumer, RebalanceProtocol};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::thread::Thread;
use std::time::{Duration, Instant};

/// A seek is taken by another thread of the client, without a broker, within this time.
const SEEK: Duration = Duration::from_secs(1);
/// The ids of topics come within this time, or not at all.
const LOOK: Duration = Duration::from_secs(5);

/// librdkafka's consumer, with the thread that waits for the broker in its place.
pub(crate) struct Librdkafka {
    /// `None` once it closes, as are the next three.
    queue: Option<Queue>,
    topic_ids: Option<TopicIds>,
    event_queue: Option<EventQueue>,
    consumer: Option<Arc<Group>>,
    blocking: BlockingClient,
    /// The configured ones.
    addresses: Addresses,
    ends: RefCell<EndsOfLogs>,
    events: Arc<Events>,
    driver: Thread,
    made: Instant,
}

impl Librdkafka {
    /// Once the client ends there is nothing to do: an answer that comes late has no one to answer.
    fn call(&self, call: impl FnOnce(&Group) -> KafkaResult<()>) -> Result<(), ClientError> {
        let Some(consumer) = &self.consumer else {
            return Ok(());
        };
        call(consumer).map_err(|error| call_error(&error))
    }
}

fn list(places: &Offsets) -> TopicPartitionList {
    let element = |(place, at): &(PartitionRef, OffsetAndEpoch)| {
        let topic = place.on_cluster.clone();
        (topic, place.partition, Offset::Offset(at.offset))
    };
    let mut list: TopicPartitionList = places.iter().map(element).collect();
    ffi::set_leader_epochs(&mut list, places.iter().map(|(_, at)| at.epoch));
    list
}

/// A call may succeed and not have done it for each partition.
fn each(list: &TopicPartitionList) -> KafkaResult<()> {
    let elements = list.elements();
    elements.iter().try_for_each(TopicPartitionListElem::error)
}

impl RawClient for Librdkafka {
    fn now(&self) -> Duration {
        self.made.elapsed()
    }

    fn poll(&mut self, events: &mut Vec<Event>) {
        while let Some(consumer) = &self.consumer {
            match consumer.poll(Duration::ZERO) {
                None => {}
                // Errors went to the context, with the code of the cause: none says that the client has ended.
                Some(Err(_)) => {
                    let ended = ended(consumer.client());
                    ended
                        .into_iter()
                        .for_each(|error| self.events.add(Event::Error(error)));
                }
                Some(Ok(_)) => {
                    let what = "a record came outside the queue of its partition";
                    self.events.add(Event::Error(fatal(what)));
                }
            }
            // `poll(0)` says `None` when it served an event, too.
            if !self.has_events() {
                break;
            }
        }
        while let Some((number, answer)) = self.topic_ids.as_ref().and_then(TopicIds::answer) {
            let ids = answer.inspect_err(|why| tracing::debug!("the topics have no ids: {why}"));
            let look = Look::numbered(number);
            self.events
                .add(Event::TopicIds(look, ids.unwrap_or_default()));
        }
        events.append(&mut self.events.take());
    }

    fn has_events(&self) -> bool {
        self.event_queue.as_ref().is_some_and(EventQueue::waiting)
    }

    fn post(&self, event: Event) {
        self.events.add(event);
        self.wake();
    }

    fn wake(&self) {
        self.driver.unpark();
    }

    fn own(&mut self, ours: &Epochs) {
        self.blocking.own(ours);
    }

    fn begin_again(&mut self) {
        if let Some(consumer) = &self.consumer {
            let on = &self.events.names;
            tracing::warn!(
                "the consumer's client knows no broker{on} any more: it begins again with the configured addresses"
            );
            self.addresses.begin_again(consumer.client());
        }
    }

    fn ask(&self, request: Request) {
        match request {
            Request::Ends(places) => {
                let (events, driver) = (self.events.clone(), self.driver.clone());
                self.ends.borrow_mut().look(places, events, driver);
            }
            request => self.blocking.ask(request),
        }
    }

    fn fetch(&mut self, max: usize, mut each: impl FnMut(Piece<'_>)) -> usize {
        let Some(queue) = &mut self.queue else {
            return 0;
        };
        queue.fetch(max, |piece| {
            let ffi::Piece {
                topic,
                partition,
                leader_epoch,
                content,
            } = piece;
            each(Piece {
                topic,
                partition,
                leader_epoch,
                content: match content {
                    Ok(messages) => Ok(Arc::new(messages)),
                    Err(error) => Err(fetch_error(topic, partition, error)),
                },
            });
        })
    }

    fn known_end(&self, place: PartitionRef) -> Option<i64> {
        ffi::known_end(
            self.consumer.as_deref()?,
            &place.on_cluster,
            place.partition,
        )
    }

    fn forward(&mut self, places: &Offsets) {
        let Some(queue) = &self.queue else { return };
        for (place, _) in places {
            queue.take_partition(&place.on_cluster, place.partition);
        }
    }

    fn is_cooperative(&self) -> bool {
        let protocol = self.consumer.as_ref().map(|c| c.rebalance_protocol());
        matches!(protocol, Some(RebalanceProtocol::Cooperative))
    }

    fn assign(&mut self, starts: &Offsets) -> Result<(), ClientError> {
        self.call(|consumer| consumer.assign(&list(starts)))
    }

    fn assign_more(&mut self, starts: &Offsets) -> Result<(), ClientError> {
        self.call(|consumer| consumer.incremental_assign(&list(starts)))
    }

    fn await_stops(&mut self) {
        // The thread that stops them answers this, too, and takes one after the other.
        let answered = self.call(|consumer| consumer.assignment().map(drop));
        if let Err(error) = answered {
            tracing::warn!("it is not known whether partitions have stopped: {error}");
        }
    }

    fn unassign(&mut self) -> Result<(), ClientError> {
        self.call(Consumer::unassign)
    }

    fn unassign_some(&mut self, places: &Offsets) -> Result<(), ClientError> {
        self.call(|consumer| consumer.incremental_unassign(&list(places)))
    }

    fn look(&mut self, look: Look, topics: &[&str]) {
        if let Some(ids) = &self.topic_ids {
            ids.ask(look.number(), topics, LOOK);
        }
    }

    fn validate(&mut self, places: &Offsets) -> Vec<PartitionRef> {
        let all = || places.iter().map(|(place, _)| *place);
        let Some(consumer) = &self.consumer else {
            return Vec::new();
        };
        match consumer.seek_partitions(list(places), SEEK) {
            Ok(list) => {
                let elements = list.elements();
                let refused = all().zip(&elements).filter(|(_, e)| e.error().is_err());
                refused.map(|(place, _)| place).collect()
            }
            Err(error) => {
                tracing::debug!("positions are not checked yet: {error}");
                all().collect()
            }
        }
    }

    fn is_lost(&self) -> bool {
        self.consumer.as_ref().is_some_and(|c| c.assignment_lost())
    }

    fn is_dead(&self) -> bool {
        let consumer = self.consumer.as_ref();
        consumer.is_some_and(|consumer| consumer.client().fatal_error().is_some())
    }

    fn pause(&mut self, places: &Offsets) -> Result<(), ClientError> {
        let list = list(places);
        self.call(|consumer| consumer.pause(&list).and_then(|()| each(&list)))
    }

    fn resume(&mut self, places: &Offsets) -> Result<(), ClientError> {
        let list = list(places);
        self.call(|consumer| consumer.resume(&list).and_then(|()| each(&list)))
    }

    fn store(&mut self, offsets: &[Commit]) -> Stored {
        let Some(consumer) = &self.consumer else {
            return Stored::default();
        };
        let list = commits(offsets);
        let stored = consumer.store_offsets(&list);
        let elements = list.elements();
        let errors = elements.iter().map(|element| element.error().err());
        Stored {
            failure: stored.err().map(|error| error.to_string()),
            refused: errors
                .map(|error| error.map(|error| error.to_string()))
                .collect(),
        }
    }

    fn unsubscribe(&mut self) {
        if let Some(consumer) = &self.consumer {
            consumer.unsubscribe();
        }
    }

    fn close_membership(&mut self) -> Result<(), ClientError> {
        self.call(Group::close_queue)
    }

    fn is_membership_closed(&self) -> bool {
        self.consumer.as_ref().is_none_or(|c| c.closed())
    }

    fn is_joined(&self) -> bool {
        self.consumer.as_ref().is_some_and(|c| ffi::is_joined(c))
    }

    fn is_member(&self) -> bool {
        self.consumer.as_ref().is_some_and(|c| ffi::is_member(c))
    }

    fn drop_queue(&mut self) {
        self.queue = None;
        self.topic_ids = None;
    }

    fn is_held(&self) -> bool {
        // Ours, the helper's and that of the events; any more belong to messages.
        let consumer = self.consumer.as_ref();
        consumer.is_some_and(|consumer| Arc::strong_count(consumer) != 3)
    }

    fn destroy(&mut self) {
        self.events.close();
        self.event_queue = None;
        self.consumer = None;
        self.blocking.end();
        self.ends.get_mut().end();
    }

    fn is_destroyed(&self) -> bool {
        self.blocking.ended() && self.ends.borrow().has_ended()
    }
}

impl Drop for Librdkafka {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            // It was not destroyed in order, so its own drop could hang: it is left to the end of the
            // process.
            std::mem::forget(consumer);
        }
    }
}

impl fmt::Debug for Librdkafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Librdkafka")
            .field("open", &self.consumer.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl super::KafkaConsumer<Librdkafka> {
    /// Lets librdkafka give the client up.
    pub(crate) fn give_up(&self, code: rdkafka::types::RDKafkaRespErr) {
        let consumer = self.client.consumer.as_ref().expect("it is open");
        ffi::give_up(consumer.client().native_ptr(), code);
    }
}
