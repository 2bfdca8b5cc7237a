//! The thread that waits for the broker, so that the owner of a group never does.

use crate::consumer::context::{Group, Heard};
use crate::names::ClusterNames;
use crate::offsets::look_up;
use crate::offsets::start_offsets::{self, PartitionCount};
use fastkafka_core::OffsetReset;
use fastkafka_runtime::Seek;
use fastkafka_runtime::platform::{Notice, PartitionRef, StartError};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

const PROBE: Duration = Duration::from_secs(1);
/// A topic that may be asked about, whether or not the cluster has it.
const ANY_TOPIC: &str = "__consumer_offsets";
const WATERMARKS: Duration = Duration::from_secs(5);

/// What to find out.
pub(crate) enum Request {
    /// Where these start.
    Resolve(Vec<(PartitionRef, OffsetReset)>),
    /// Where these start without a group.
    Choose(Vec<(PartitionRef, OffsetReset)>),
    /// Which partitions these topics have.
    List(Vec<String>, ClusterNames),
    /// Where the user wants to go on.
    Find(PartitionRef, Seek),
    /// Commits this, be it ahead or back.
    Commit(PartitionRef, i64, PartitionCount),
    /// What the log still has, when a position is not in it. Without an answer there is no notice.
    Range(PartitionRef, i64),
    /// Whether any broker answers.
    TailReader,
}

#[derive(Default)]
struct Found(Mutex<Vec<(&'static str, PartitionCount)>>);

/// Holds the client until it is told to end; the last one to hold it destroys it.
pub(crate) struct BlockingClient {
    jobs: Option<Sender<Request>>,
    found: Arc<Found>,
    thread: JoinHandle<()>,
}

impl BlockingClient {
    /// # Panics
    /// If the system cannot start a thread.
    pub(crate) fn new(name: &str, consumer: Arc<Group>, heard: Arc<Heard>, driver: Thread) -> Self {
        let (jobs, todo) = channel();
        let found = Arc::new(Found::default());
        let results = found.clone();
        let thread = std::thread::Builder::new()
            .name(format!("{name}-helper"))
            .spawn(move || {
                work(&todo, &consumer, &heard, &results, &driver);
                drop(consumer);
                driver.unpark();
            })
            .expect("the system can start a thread");
        Self {
            jobs: Some(jobs),
            found,
            thread,
        }
    }

    pub(crate) fn ask(&self, job: Request) {
        if let Some(jobs) = &self.jobs {
            // It ends only after `end`.
            let _ = jobs.send(job);
        }
    }

    /// The markers found since.
    pub(crate) fn markers(&self) -> Vec<(&'static str, PartitionCount)> {
        std::mem::take(&mut self.found.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets go of the client once the job in hand is done.
    pub(crate) fn end(&mut self) {
        self.jobs = None;
    }

    pub(crate) fn ended(&self) -> bool {
        self.thread.is_finished()
    }
}

fn work(todo: &Receiver<Request>, consumer: &Group, heard: &Heard, found: &Found, driver: &Thread) {
    for job in todo {
        let notice = match job {
            Request::Resolve(places) => Some(Notice::Resolved(resolve(consumer, &places, found))),
            Request::Choose(places) => {
                Some(Notice::Resolved(start_offsets::choose(consumer, &places)))
            }
            Request::List(topics, names) => match look_up::partitions(consumer, &topics, &names) {
                Ok(places) => Some(Notice::Assign(places)),
                Err(e) => {
                    tracing::warn!("cannot list partitions: {e}");
                    None
                }
            },
            Request::Find(place, to) => {
                Some(Notice::Found(place, look_up::find(consumer, place, to)))
            }
            Request::Commit(place, offset, marker) => {
                let mut list = TopicPartitionList::with_capacity(1);
                start_offsets::add(&mut list, place, offset, marker);
                let committed = consumer.commit(&list, CommitMode::Sync);
                Some(Notice::Moved(place, committed.map_err(|e| e.to_string())))
            }
            Request::Range(place, position) => consumer
                .fetch_watermarks(&place.on_cluster, place.partition, WATERMARKS)
                .inspect_err(|e| tracing::warn!("cannot ask what is left of {place}: {e}"))
                .ok()
                .map(|(low, high)| Notice::OutOfRange {
                    place,
                    position,
                    low,
                    high,
                }),
            Request::TailReader => {
                let topics = consumer.subscription().ok();
                let topic = topics
                    .as_ref()
                    .and_then(|t| t.elements().into_iter().next());
                let topic = topic.as_ref().map(TopicPartitionListElem::topic);
                // A pattern is no topic. An answer about all topics would make librdkafka join again,
                // and its broker in the process is silent to who does before the first join is synced.
                let topic = topic.filter(|topic| !topic.starts_with('^'));
                let answer = consumer.fetch_metadata(topic.or(Some(ANY_TOPIC)), PROBE);
                answer.is_ok().then_some(Notice::Connected)
            }
        };
        if let Some(notice) = notice {
            heard.add(notice);
            driver.unpark();
        }
    }
}

fn resolve(
    consumer: &Group,
    places: &[(PartitionRef, OffsetReset)],
    found: &Found,
) -> Result<Vec<(PartitionRef, i64)>, StartError> {
    let resolved = start_offsets::resolve(consumer, places)?;
    let mut markers = found.0.lock().unwrap_or_else(PoisonError::into_inner);
    markers.extend(resolved.markers);
    Ok(resolved.starts)
}
