//! The consumer of a group, as its owner sees it.
//!
//! Rebalances are answered late, when the owner has drained. A client that is dropped while an
//! answer is due, or while messages are alive, hangs: so the end has an order of its own.

mod assignment;
mod blocking;
mod context;
mod leaving;
mod positions;
mod standalone;

use self::positions::Lost;
use crate::access::Access;
use crate::config;
use crate::consumer::assignment::Assignment;
use crate::consumer::blocking::{BlockingClient, Request};
use crate::consumer::context::{Context, Group, Heard};
use crate::consumer::standalone::Standalone;
use crate::error::call_error;
use crate::ffi::{Events, Piece, Queue};
use crate::offsets::start_offsets::{PartitionCount, add};
use fastkafka_core::{ConsumerSettings, Fetched, GroupProtocol, OffsetReset};
use fastkafka_runtime::Seek;
use fastkafka_runtime::platform::{ClientError, ErrorKind, GroupConsumer, Notice, PartitionRef};
use rdkafka::consumer::{Consumer, RebalanceProtocol};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::thread::Thread;
use std::time::{Duration, Instant};

enum Owed {
    Assign,
    Revoke(Vec<PartitionRef>),
}

/// Which group is joined, and how.
#[derive(Clone, Copy)]
pub(crate) struct Join<'a> {
    pub(crate) access: &'a Access,
    pub(crate) group_id: &'a str,
    pub(crate) topics: &'a [&'a str],
    pub(crate) settings: &'a ConsumerSettings,
    pub(crate) embedded: bool,
    /// There is no group.
    pub(crate) standalone: bool,
    /// Topics that a pattern does not match.
    pub(crate) left_out: &'a [String],
    /// Which of the consumers that the group has in this process.
    pub(crate) worker: usize,
}

/// The consumer of a group.
pub(crate) struct KafkaConsumer {
    /// `None` once it closes, as are the next two.
    queue: Option<Queue>,
    events: Option<Events>,
    consumer: Option<Arc<Group>>,
    blocking: BlockingClient,
    heard: Arc<Heard>,
    driver: Thread,
    assigned: Assignment,
    markers: HashMap<&'static str, PartitionCount>,
    /// The answer that the owner owes to a rebalance.
    owed: Option<Owed>,
    seeks: Vec<(PartitionRef, i64)>,
    lost: Vec<Lost>,
    /// When to ask whether a broker answers; `None` while one does.
    probe: Option<Instant>,
    classic: bool,
    /// A static member of a classic group: it goes without a word, and the group waits for its return.
    is_static: bool,
    /// What takes the place of a group.
    standalone: Option<Standalone>,
    /// Until when the client is given to leave the group before it is closed.
    leave_by: Option<Instant>,
}

impl KafkaConsumer {
    /// Joins the group. `owner` is the thread that polls; it is unparked when there is something
    /// to do.
    ///
    /// # Errors
    /// When librdkafka refuses a setting or a topic's name.
    pub(crate) fn new(join: &Join<'_>, driver: Thread) -> Result<Self, ClientError> {
        let heard = Arc::new(Heard::new(join.access.names().clone()));
        let Join {
            group_id, settings, ..
        } = *join;
        let mut config = config::consumer(join.access, group_id, settings);
        config::of_worker(&mut config, join.worker);
        if join.embedded {
            config::embedded(&mut config, settings);
        }
        if join.standalone {
            config::standalone(&mut config);
        }
        if join.topics.iter().any(|topic| topic.starts_with('^')) {
            let left_out = join.left_out.iter();
            let left_out: Vec<_> = left_out
                .map(|topic| join.access.names().on_cluster(topic))
                .collect();
            config::by_pattern(&mut config, settings, &left_out);
        }
        let consumer = config.create_with_context(Context {
            heard: heard.clone(),
            token: join.access.token().cloned(),
        });
        let mut consumer: Group = consumer.map_err(|e| call_error(&e))?;
        join.access.admit(consumer.client())?;
        let waker = driver.clone();
        consumer.set_nonempty_callback(move || waker.unpark());
        let consumer = Arc::new(consumer);
        let queue = Queue::new(&consumer, driver.clone());
        let events = Events::new(&consumer);
        let topics = join.topics.iter();
        let topics: Vec<_> = topics
            .map(|topic| join.access.names().topics.subscription(topic))
            .collect();
        let standalone = join
            .standalone
            .then(|| Standalone::new(topics.clone(), join.access.names().clone(), settings));
        if standalone.is_none() {
            let topics: Vec<_> = topics.iter().map(String::as_str).collect();
            consumer.subscribe(&topics).map_err(|e| call_error(&e))?;
        }
        let classic = settings.group_protocol.unwrap_or_default() == GroupProtocol::Classic;
        let blocking =
            BlockingClient::new(group_id, consumer.clone(), heard.clone(), driver.clone());
        Ok(Self {
            queue: Some(queue),
            events: Some(events),
            consumer: Some(consumer),
            blocking,
            heard,
            driver,
            assigned: Assignment::default(),
            markers: HashMap::new(),
            owed: None,
            seeks: Vec::new(),
            lost: Vec::new(),
            probe: Some(Instant::now()),
            standalone,
            classic,
            is_static: classic && !join.standalone && settings.group_instance_id.is_some(),
            leave_by: None,
        })
    }
}

impl KafkaConsumer {
    fn consumer(&self) -> &Group {
        self.consumer
            .as_ref()
            .expect("asked for nothing after the close")
    }

    fn cooperative(&self) -> bool {
        let protocol = self.consumer().rebalance_protocol();
        matches!(protocol, RebalanceProtocol::Cooperative)
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

    /// What a notice means here, before the owner hears of it. False: it need not.
    fn note(&mut self, notice: &mut Notice) -> bool {
        match notice {
            Notice::Assign(places) => {
                if let Some(standalone) = &mut self.standalone
                    && !standalone.takes(places)
                {
                    return false;
                }
                self.owed = Some(Owed::Assign);
            }
            Notice::Revoke { places, lost } => {
                self.owed = Some(Owed::Revoke(places.clone()));
                *lost = self.lost();
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
                if waited == self.lost.len() || !self.assigned.contains(place) {
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

fn list(places: &[(PartitionRef, i64)]) -> TopicPartitionList {
    places
        .iter()
        .map(|(place, at)| {
            (
                place.on_cluster.clone(),
                place.partition,
                Offset::Offset(*at),
            )
        })
        .collect()
}

impl GroupConsumer for KafkaConsumer {
    fn poll(&mut self, notices: &mut Vec<Notice>) {
        self.serve();
        let heard = self.heard.take();
        // After the notices: a start never comes before its topic's marker.
        self.markers.extend(self.blocking.markers());
        for mut notice in heard {
            if self.note(&mut notice) {
                notices.push(notice);
            }
        }
        self.ask();
        if self.owed.is_none() {
            self.restart_waiting();
        }
    }

    fn fetch(&mut self, max: usize, runs: &mut Vec<(PartitionRef, Arc<dyn Fetched>)>) -> bool {
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
                    if let Some(part) = self.assigned.part(topic, partition) {
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

    fn resolve(&mut self, places: Vec<(PartitionRef, OffsetReset)>) {
        self.blocking.ask(match &mut self.standalone {
            Some(standalone) => Request::Choose(standalone.policies(places)),
            None => Request::Resolve(places),
        });
    }

    fn assign(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        self.owed = None;
        for (place, offset) in starts {
            self.assigned.begin(place, *offset);
        }
        self.begin(starts).map_err(|e| call_error(&e))
    }

    fn unassign(&mut self, places: &[PartitionRef]) -> Result<(), ClientError> {
        self.owed = None;
        self.seeks.retain(|(place, _)| !places.contains(place));
        // One that was never begun with is not in librdkafka's list, which refuses it.
        let given: Vec<_> = places
            .iter()
            .filter_map(|place| self.assigned.remove(place))
            .collect();
        let answered = if self.cooperative() {
            self.consumer().incremental_unassign(&list(&given))
        } else {
            self.assigned = Assignment::default();
            self.consumer().unassign()
        };
        answered.map_err(|e| call_error(&e))
    }

    fn lost(&self) -> bool {
        self.consumer.as_ref().is_some_and(|c| c.assignment_lost())
    }

    fn store(&mut self, offsets: &[(PartitionRef, i64)]) -> Vec<(PartitionRef, String)> {
        if self.standalone.is_some() {
            return Vec::new();
        }
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for (place, offset) in offsets {
            let marker = self.markers.get(place.on_cluster.as_str());
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

    fn find(&mut self, place: PartitionRef, to: Seek) {
        self.blocking.ask(Request::Find(place, to));
    }

    fn commit(&mut self, place: PartitionRef, offset: i64) {
        if self.standalone.is_some() {
            self.heard.add(Notice::Moved(place, Ok(())));
            self.driver.unpark();
            return;
        }
        let marker = self.markers.get(place.on_cluster.as_str());
        let marker = marker.copied().unwrap_or_default();
        self.blocking.ask(Request::Commit(place, offset, marker));
    }

    fn seek(&mut self, place: PartitionRef, offset: i64) -> Result<(), ClientError> {
        // While a rebalance waits for its answer, giving a partition up would be taken for it. librdkafka
        // has thrown away what it had read and reads nothing until then.
        if self.owed.is_some() || self.events.as_ref().is_some_and(Events::waiting) {
            self.seeks.push((place, offset));
            return Ok(());
        }
        self.restart(place, offset).map_err(|e| call_error(&e))
    }

    fn pause(&mut self, place: PartitionRef, pause: bool) -> Result<(), ClientError> {
        if let Some(part) = self.assigned.part(&place.on_cluster, place.partition) {
            part.paused = pause;
        }
        let list = list(&[(place, 0)]);
        let done = if pause {
            self.consumer().pause(&list)
        } else {
            self.consumer().resume(&list)
        };
        done.map_err(|e| call_error(&e))
    }

    fn unsubscribe(&mut self) {
        self.leave();
    }

    fn close(&mut self) -> bool {
        self.end()
    }
}

impl fmt::Debug for KafkaConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaConsumer")
            .field("assigned", &self.assigned.positions())
            .finish_non_exhaustive()
    }
}
