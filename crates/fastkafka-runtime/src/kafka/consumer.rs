//! The consumer of a group, as its owner sees it.
//!
//! Rebalances are answered late: librdkafka's callback only notes what is asked, and the broker
//! waits until the owner has drained. A client that is dropped while an answer is due hangs, so
//! the end has an order of its own; see [`KafkaTransport::close`].

use super::error::{client_error, of};
use super::ffi::{Events, FetchError, Piece, Queue};
use super::helper::{Helper, Job};
use super::starts::{Marker, add};
use super::{config, log};
use crate::transport::{ClientError, ErrorKind, Notice, Place, Transport};
use fastkafka_core::{ConsumerSettings, Fetched, OffsetReset, TopicPartition};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Between two questions to a broker that did not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// What callbacks and the helper thread have to say, until the owner's next poll.
#[derive(Default)]
pub(super) struct Heard(Mutex<Vec<Notice>>);

impl Heard {
    pub(super) fn add(&self, notice: Notice) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push(notice);
    }

    fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) struct Context(Arc<Heard>);

pub(super) type Group = BaseConsumer<Context>;

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        let code = code.unwrap_or(RDKafkaErrorCode::Unknown);
        self.0.add(Notice::Error(client_error(code, reason)));
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, _: &Group, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let places = places(list);
        self.0.add(match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Notice::Assign(places),
            _ => Notice::Revoke {
                places,
                lost: false, // Asked when the owner hears of it.
            },
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
        self.0.add(Notice::Committed(result));
    }
}

fn places(list: &TopicPartitionList) -> Vec<Place> {
    let elements = list.elements();
    let place = elements
        .iter()
        .map(|e| TopicPartition::intern(e.topic(), e.partition()));
    place.collect()
}

/// An assigned partition.
struct Part {
    place: Place,
    /// The next offset to read.
    next: i64,
}

/// A position that is out of range and not settled yet.
struct Lost {
    place: Place,
    position: i64,
    ask_at: Instant,
}

/// The consumer of a group.
pub(crate) struct KafkaTransport {
    /// `None` once it closes, as are the next two.
    queue: Option<Queue>,
    events: Option<Events>,
    consumer: Option<Arc<Group>>,
    helper: Helper,
    heard: Arc<Heard>,
    owner: Thread,
    assigned: HashMap<&'static str, BTreeMap<i32, Part>>,
    markers: HashMap<&'static str, Marker>,
    /// The owner owes an answer to a rebalance.
    answering: bool,
    seeks: Vec<(Place, i64)>,
    lost: Vec<Lost>,
    /// When to ask whether a broker answers; `None` while one does.
    probe: Option<Instant>,
    /// Leaving the group takes a while.
    leaving: bool,
}

impl KafkaTransport {
    /// Joins the group. `owner` is the thread that polls; it is unparked when there is something
    /// to do.
    ///
    /// # Errors
    /// When librdkafka refuses a setting or a topic's name.
    pub(crate) fn new(
        bootstrap: &str,
        client_id: &str,
        group_id: &str,
        topics: &[&str],
        settings: &ConsumerSettings,
        fetch_wait_ms: Option<u32>,
        owner: Thread,
    ) -> Result<Self, ClientError> {
        let heard = Arc::new(Heard::default());
        let mut config = config::consumer(bootstrap, client_id, group_id, settings);
        if let Some(wait) = fetch_wait_ms {
            config.set("fetch.wait.max.ms", wait.to_string());
        }
        let consumer = config.create_with_context(Context(heard.clone()));
        let mut consumer: Group = consumer.map_err(|e| of(&e))?;
        let waker = owner.clone();
        consumer.set_nonempty_callback(move || waker.unpark());
        let consumer = Arc::new(consumer);
        let queue = Queue::new(&consumer, owner.clone());
        let events = Events::of(&consumer);
        consumer.subscribe(topics).map_err(|e| of(&e))?;
        let helper = Helper::new(group_id, consumer.clone(), heard.clone(), owner.clone());
        Ok(Self {
            queue: Some(queue),
            events: Some(events),
            consumer: Some(consumer),
            helper,
            heard,
            owner,
            assigned: HashMap::new(),
            markers: HashMap::new(),
            answering: false,
            seeks: Vec::new(),
            lost: Vec::new(),
            probe: Some(Instant::now()),
            leaving: false,
        })
    }
}

impl KafkaTransport {
    fn consumer(&self) -> &Group {
        self.consumer
            .as_ref()
            .expect("asked for nothing after the close")
    }

    fn cooperative(&self) -> bool {
        let protocol = self.consumer().rebalance_protocol();
        matches!(protocol, RebalanceProtocol::Cooperative)
    }

    fn part(&mut self, topic: &str, partition: i32) -> Option<&mut Part> {
        self.assigned.get_mut(topic)?.get_mut(&partition)
    }

    fn is_assigned(&self, place: Place) -> bool {
        self.assigned
            .get(place.topic.as_str())
            .is_some_and(|parts| parts.contains_key(&place.partition))
    }

    /// Every partition and where it goes on.
    fn positions(&self) -> Vec<(Place, i64)> {
        let parts = self.assigned.values().flat_map(BTreeMap::values);
        parts.map(|part| (part.place, part.next)).collect()
    }

    /// Serves events until there are none.
    fn serve(&self) {
        let Some(consumer) = &self.consumer else {
            return;
        };
        loop {
            match consumer.poll(Duration::ZERO) {
                // Errors went to the context.
                None | Some(Err(_)) => {}
                Some(Ok(_)) => self.heard.add(Notice::Error(ClientError {
                    kind: ErrorKind::Fatal,
                    message: "a record came outside the queue of its partition".into(),
                })),
            }
            // `poll(0)` says `None` when it served an event, too.
            if !self.events.as_ref().is_some_and(Events::waiting) {
                return;
            }
        }
    }

    fn forward(&self, starts: &[(Place, i64)]) {
        let Some(queue) = &self.queue else { return };
        for (place, _) in starts {
            queue.take_partition(&place.topic, place.partition);
        }
    }

    /// Begins to read. `all` has every partition of the assignment, `starts` the ones to begin with.
    fn begin(&self, starts: &[(Place, i64)], all: &[(Place, i64)]) -> KafkaResult<()> {
        // Before: the first records must not go to the consumer's own queue. After: a fetcher that
        // stops late, because the partition was just given up, takes the forwarding with it.
        self.forward(starts);
        if self.cooperative() {
            self.consumer().incremental_assign(&list(starts))?;
        } else {
            self.consumer().assign(&list(all))?;
        }
        self.forward(starts);
        // librdkafka keeps an application's pauses over a rebalance.
        self.consumer().resume(&list(starts))
    }

    /// Moves a partition by giving it up and taking it again: librdkafka's own `seek` is refused,
    /// silently, for a partition that stands still after an error.
    fn restart(&mut self, place: Place, offset: i64) -> KafkaResult<()> {
        if let Some(part) = self.part(&place.topic, place.partition) {
            part.next = offset;
        }
        let start = [(place, offset)];
        if self.cooperative() {
            self.consumer().incremental_unassign(&list(&start))?;
        }
        self.begin(&start, &self.positions())
    }

    fn restart_waiting(&mut self) {
        for (place, offset) in std::mem::take(&mut self.seeks) {
            if self.is_assigned(place)
                && let Err(e) = self.restart(place, offset)
            {
                self.heard.add(Notice::Error(of(&e)));
            }
        }
    }

    /// An error among the records.
    fn fetch_error(&mut self, topic: &str, partition: i32, error: FetchError) {
        use RDKafkaErrorCode::{AutoOffsetReset, LogTruncation, OffsetOutOfRange};
        let FetchError { code, text, offset } = error;
        if !matches!(code, AutoOffsetReset | LogTruncation | OffsetOutOfRange) {
            let text = match topic {
                "" => text,
                topic => format!("{topic}[{partition}]: {text}"),
            };
            self.heard.add(Notice::Error(client_error(code, text)));
            // The owner hears of it at its next poll.
            self.owner.unpark();
        } else if let Some(part) = self.part(topic, partition) {
            let lost = Lost {
                place: part.place,
                position: if offset < 0 { part.next } else { offset },
                ask_at: Instant::now(),
            };
            self.lost.push(lost);
            self.owner.unpark();
        }
    }

    /// Asks the broker what is due.
    fn ask(&mut self) {
        let now = Instant::now();
        if self.probe.is_some_and(|at| at <= now) {
            self.probe = Some(now + AGAIN);
            self.helper.ask(Job::Probe);
        }
        let assigned = &self.assigned;
        self.lost.retain_mut(|lost| {
            let parts = assigned.get(lost.place.topic.as_str());
            let ours = parts.is_some_and(|parts| parts.contains_key(&lost.place.partition));
            if ours && lost.ask_at <= now {
                lost.ask_at = now + AGAIN;
                self.helper.ask(Job::Range(lost.place, lost.position));
            }
            ours
        });
    }

    /// What a notice means here, before the owner hears of it. False: it need not.
    fn note(&mut self, notice: &mut Notice) -> bool {
        match notice {
            Notice::Assign(_) => self.answering = true,
            Notice::Revoke { lost, .. } => {
                self.answering = true;
                *lost = self.consumer().assignment_lost();
            }
            Notice::OutOfRange {
                place,
                position,
                low,
                high,
            } => {
                let (place, position) = (*place, *position);
                let waited = self.lost.len();
                self.lost.retain(|lost| !std::ptr::eq(lost.place, place));
                if waited == self.lost.len() {
                    return false; // Given away, or an answer that came twice.
                }
                if (*low..=*high).contains(&position) {
                    // The broker has changed its mind, or a new leader knows more.
                    self.seeks.push((place, position));
                    return false;
                }
            }
            Notice::Error(error) if error.kind == ErrorKind::Unreachable => {
                self.probe.get_or_insert_with(Instant::now);
            }
            Notice::Connected => {
                self.probe = None;
            }
            _ => {}
        }
        true
    }
}

fn list(places: &[(Place, i64)]) -> TopicPartitionList {
    places
        .iter()
        .map(|(place, at)| (place.topic.clone(), place.partition, Offset::Offset(*at)))
        .collect()
}

impl Transport for KafkaTransport {
    fn poll(&mut self, notices: &mut Vec<Notice>) {
        self.serve();
        let heard = self.heard.take();
        // After the notices: a start never comes before its topic's marker.
        self.markers.extend(self.helper.markers());
        for mut notice in heard {
            if self.note(&mut notice) {
                notices.push(notice);
            }
        }
        self.ask();
        if !self.answering {
            self.restart_waiting();
        }
    }

    fn fetch(&mut self, max: usize, runs: &mut Vec<(Place, Arc<dyn Fetched>)>) -> bool {
        let Some(mut queue) = self.queue.take() else {
            return false;
        };
        let taken = queue.fetch(max, |piece| {
            let Piece {
                topic,
                partition,
                content,
            } = piece;
            match content {
                Ok(messages) => {
                    // Of a partition that was given away: freed unseen.
                    if let Some(part) = self.part(topic, partition) {
                        part.next = messages.last() + 1;
                        runs.push((part.place, Arc::new(messages)));
                    }
                }
                Err(error) => self.fetch_error(topic, partition, error),
            }
        });
        self.queue = Some(queue);
        taken == max
    }

    fn resolve(&mut self, places: Vec<(Place, OffsetReset)>) {
        self.helper.ask(Job::Resolve(places));
    }

    fn assign(&mut self, starts: &[(Place, i64)]) -> Result<(), ClientError> {
        self.answering = false;
        for (place, offset) in starts {
            let part = Part {
                place,
                next: *offset,
            };
            let parts = self.assigned.entry(place.topic.as_str()).or_default();
            parts.insert(place.partition, part);
        }
        self.begin(starts, &self.positions()).map_err(|e| of(&e))
    }

    fn unassign(&mut self, places: &[Place]) -> Result<(), ClientError> {
        self.answering = false;
        let mut given = Vec::with_capacity(places.len());
        for place in places {
            let parts = self.assigned.get_mut(place.topic.as_str());
            // One that was never begun with is not in librdkafka's list, which refuses it.
            given.extend(parts.and_then(|parts| parts.remove(&place.partition)));
        }
        let given: Vec<_> = given.iter().map(|part| (part.place, part.next)).collect();
        let answered = if self.cooperative() {
            self.consumer().incremental_unassign(&list(&given))
        } else {
            self.assigned.clear();
            self.consumer().unassign()
        };
        answered.map_err(|e| of(&e))
    }

    fn lost(&self) -> bool {
        self.consumer.as_ref().is_some_and(|c| c.assignment_lost())
    }

    fn store(&mut self, offsets: &[(Place, i64)]) -> Vec<(Place, String)> {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for (place, offset) in offsets {
            let marker = self.markers.get(place.topic.as_str());
            add(
                &mut list,
                place,
                *offset,
                marker.copied().unwrap_or_default(),
            );
        }
        if offsets.is_empty() {
            return Vec::new();
        }
        // With a single success the call succeeds: what counts is each element's own error.
        let stored = self.consumer().store_offsets(&list);
        let elements = list.elements();
        let mut refused: Vec<_> = offsets
            .iter()
            .zip(&elements)
            .filter_map(|((place, _), element)| Some((*place, element.error().err()?.to_string())))
            .collect();
        if let (Err(e), true) = (stored, refused.is_empty()) {
            refused.extend(offsets.iter().map(|(place, _)| (*place, e.to_string())));
        }
        refused
    }

    fn seek(&mut self, place: Place, offset: i64) -> Result<(), ClientError> {
        // While a rebalance waits for its answer, giving a partition up would be taken for it.
        if self.answering || self.events.as_ref().is_some_and(Events::waiting) {
            self.seeks.push((place, offset));
            return Ok(());
        }
        self.restart(place, offset).map_err(|e| of(&e))
    }

    fn pause(&mut self, place: Place, pause: bool) -> Result<(), ClientError> {
        let list = list(&[(place, 0)]);
        let done = if pause {
            self.consumer().pause(&list)
        } else {
            self.consumer().resume(&list)
        };
        done.map_err(|e| of(&e))
    }

    fn unsubscribe(&mut self) {
        self.consumer().unsubscribe();
    }

    /// Drains and destroys the queues, leaves the group, waits until no message is alive, and has
    /// the client destroyed on the helper thread.
    fn close(&mut self) -> bool {
        if self.queue.take().is_some() {
            // After a fatal error there is nothing to leave, and librdkafka says so.
            self.leaving = self.consumer().close_queue().is_ok();
        }
        self.serve();
        let asked = |notice: &Notice| matches!(notice, Notice::Assign(_) | Notice::Revoke { .. });
        self.answering |= self.heard.take().iter().any(asked);
        let Some(consumer) = &self.consumer else {
            return self.helper.ended();
        };
        if std::mem::take(&mut self.answering) {
            // From here on librdkafka takes any answer for "nothing is assigned".
            let _ = consumer.unassign();
        }
        let closed = !self.leaving || consumer.closed();
        // Ours, the helper's and that of `events`; any more belong to messages.
        if closed && Arc::strong_count(consumer) == 3 {
            self.events = None;
            self.consumer = None;
            self.helper.end();
        }
        false
    }
}

impl fmt::Debug for KafkaTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaTransport")
            .field("assigned", &self.positions())
            .finish_non_exhaustive()
    }
}

impl Drop for KafkaTransport {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            // It was not closed, so its own drop could hang: it is left to the end of the process.
            std::mem::forget(consumer);
        }
    }
}
