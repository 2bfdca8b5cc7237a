//! The thread that waits for the broker, so that the driver of a group never does.

use super::context::{Events, Group};
use crate::consumer::epochs::Epochs;
use crate::consumer::given_away;
use crate::consumer::raw::{Answer, Event, Request};
use crate::error::{call_error, client_error};
use crate::lock::lock;
use crate::offsets::broker::{Broker, Commit};
use crate::offsets::{look_up, start_offsets};
use fastkafka_runtime::platform::{ClientError, PartitionRef, StartError};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::types::RDKafkaErrorCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

/// A broker that does not answer within this time is not reached.
const PROBE: Duration = Duration::from_secs(1);
/// A topic that may be asked about, whether or not the cluster has it.
const ANY_TOPIC: &str = "__consumer_offsets";
/// A topic that is not described within this time is not known to be refused or not.
const CHECK: Duration = Duration::from_secs(5);
/// The range of a log must come within this time.
const RANGE: Duration = Duration::from_secs(5);

/// The partitions that are ours now.
type Ours = Arc<Mutex<Epochs>>;

/// The thread that waits for the broker. It holds the client until it is told to end; the last one to
/// hold that destroys it.
pub(super) struct BlockingClient {
    requests: Option<Sender<Request>>,
    ours: Ours,
    thread: JoinHandle<()>,
}

impl BlockingClient {
    /// # Panics
    /// If the system cannot start a thread.
    pub(super) fn new(
        name: &str,
        consumer: Arc<Group>,
        events: Arc<Events>,
        driver: Thread,
    ) -> Self {
        let (requests, todo) = channel();
        let ours = Ours::default();
        let known = ours.clone();
        let thread = std::thread::Builder::new()
            .name(format!("{name}-helper"))
            .spawn(move || {
                work(&todo, &consumer, &events, &known, &driver);
                drop(consumer);
                driver.unpark();
            })
            .expect("the system can start a thread");
        Self {
            requests: Some(requests),
            ours,
            thread,
        }
    }

    pub(super) fn own(&self, ours: &Epochs) {
        lock(&self.ours).clone_from(ours);
    }

    pub(super) fn ask(&self, request: Request) {
        if let Some(requests) = &self.requests {
            // It ends only after `end`.
            let _ = requests.send(request);
        }
    }

    /// Lets go of the client once the request in hand is done.
    pub(super) fn end(&mut self) {
        self.requests = None;
    }

    pub(super) fn ended(&self) -> bool {
        self.thread.is_finished()
    }
}

fn work(todo: &Receiver<Request>, consumer: &Group, events: &Events, ours: &Ours, driver: &Thread) {
    for request in todo {
        if let Some(answer) = answer(request, consumer, events, ours) {
            events.add(Event::Answer(answer));
            driver.unpark();
        }
    }
}

fn answer(request: Request, consumer: &Group, events: &Events, ours: &Ours) -> Option<Answer> {
    let is_ours = |place, epoch| !consumer.assignment_lost() && lock(ours).of(place) == Some(epoch);
    Some(match request {
        Request::Resolve(places) => {
            let asked = places.iter().map(|(place, policy, _)| (*place, *policy));
            let asked: Vec<_> = asked.collect();
            let ours = || {
                places
                    .iter()
                    .all(|(place, _, epoch)| is_ours(*place, *epoch))
            };
            Answer::Resolved(start_offsets::resolve(consumer, &asked, ours))
        }
        Request::Choose(places) => Answer::Resolved(start_offsets::choose(consumer, &places)),
        Request::List(topics) => {
            let listed = look_up::partitions(consumer, &topics, &events.names);
            let listed = listed.inspect_err(|e| tracing::warn!("cannot list partitions: {e}"));
            Answer::Listed(listed.ok()?)
        }
        Request::Find(place, to) => Answer::Found(place, look_up::find(consumer, place, to)),
        Request::Commit { place, epoch, .. } if !is_ours(place, epoch) => {
            Answer::Moved(place, Err(given_away(place)))
        }
        Request::Commit {
            place,
            offset,
            count,
            ..
        } => {
            let metadata = count.metadata();
            let commit = Commit {
                place,
                offset,
                metadata,
            };
            let committed = Broker::commit(consumer, &[commit]);
            Answer::Moved(place, committed.map_err(|refused| refused.error))
        }
        Request::Range(place, position) => {
            let (low, high) = match consumer.range(place, RANGE) {
                Ok(range) => range,
                Err(StartError::Retry(why) | StartError::NoCommit(why)) => {
                    tracing::warn!("cannot ask what is left of {place}: {why}");
                    return None;
                }
            };
            Answer::Range {
                place,
                position,
                low,
                high,
            }
        }
        Request::Check { topics, place } => check(consumer, events, &topics, place),
        Request::Ends(_) => unreachable!("ends of logs are looked at by another client"),
        Request::IsReached => is_reached(consumer).then_some(Answer::Connected)?,
    })
}

fn check(
    consumer: &Group,
    events: &Events,
    topics: &[String],
    place: Option<PartitionRef>,
) -> Answer {
    let look = |topic: &String| {
        let name = events.names.topic(topic).to_owned();
        (name, is_there(consumer, topic))
    };
    let group = place.map_or(Ok(()), |place| {
        let mut list = TopicPartitionList::new();
        list.add_partition(&place.on_cluster, place.partition);
        let committed = consumer.committed_offsets(list, CHECK);
        committed.map(drop).map_err(|error| call_error(&error))
    });
    Answer::Checked {
        topics: topics.iter().map(look).collect(),
        group,
    }
}

/// The broker lists the topic.
fn is_there(consumer: &Group, topic: &str) -> Result<(), ClientError> {
    let metadata = consumer.fetch_metadata(Some(topic), CHECK);
    let metadata = metadata.map_err(|error| call_error(&error))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let code = match found.map(|found| (found.error(), found.partitions().len())) {
        Some((None, partitions)) if partitions > 0 => return Ok(()),
        Some((Some(code), _)) => code.into(),
        _ => RDKafkaErrorCode::UnknownTopicOrPartition,
    };
    Err(client_error(code, code.to_string()))
}

/// Any broker answers.
fn is_reached(consumer: &Group) -> bool {
    let topics = consumer.subscription().ok();
    let topic = topics
        .as_ref()
        .and_then(|t| t.elements().into_iter().next());
    let topic = topic.as_ref().map(TopicPartitionListElem::topic);
    // A pattern is no topic. An answer about all topics would make librdkafka join again, and its broker in
    // the process is silent to who does before the first join is synced.
    let topic = topic.filter(|topic| !topic.starts_with('^'));
    let answer = consumer.fetch_metadata(topic.or(Some(ANY_TOPIC)), PROBE);
    answer.is_ok()
}
