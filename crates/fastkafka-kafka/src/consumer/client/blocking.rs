//! The thread that waits for the broker, so that the driver of a group never does.

use super::context::{Context, Events, Group};
use crate::consumer::epochs::{Epoch, Epochs};
use crate::consumer::questions::Questions;
use crate::consumer::raw::{Answer, Event, Request};
use crate::consumer::silence::Heard;
use crate::consumer::{given_away, not_found};
use crate::error::{call_error, client_error};
use crate::lock::lock;
use crate::offsets::AT_ONCE;
use crate::offsets::broker::Broker;
use crate::offsets::client::Asking;
use crate::offsets::start_offsets::Resolved;
use crate::offsets::{look_up, start_offsets};
use fastkafka_core::OffsetReset;
use fastkafka_runtime::platform::{ClientError, PartitionRef, StartError, side_by_side};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::types::RDKafkaErrorCode;
use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

/// A broker that does not answer within this time is not reached.
const PROBE: Duration = Duration::from_secs(1);
/// A topic that may be asked about, whether or not the cluster has it.
const ANY_TOPIC: &str = "__consumer_offsets";
/// Topics and group that are not described within this time, all together, are not known to be refused or not.
const CHECK: Duration = Duration::from_secs(5);
/// The range of a log must come within this time.
const RANGE: Duration = Duration::from_secs(5);
/// A leader that does not say where a log ends within this time is away: others wait behind the question.
const LEADER: Duration = Duration::from_secs(2);
/// An answer must come within this time, unless the request says.
const ANSWER: Duration = Duration::from_secs(10);

/// The partitions that are ours now.
type Ours = Arc<Mutex<Epochs>>;

/// The thread that waits for the broker. It holds the client until it is told to end; the last one to
/// hold that destroys it.
pub(super) struct BlockingClient {
    todo: Arc<Todo>,
    ours: Ours,
    thread: JoinHandle<()>,
}

/// The questions that the thread is asked.
#[derive(Default)]
struct Todo {
    questions: Mutex<Asked>,
    news: Condvar,
}

#[derive(Default)]
struct Asked {
    questions: Questions,
    ends: bool,
}

impl Todo {
    fn ask(&self, request: Request) {
        lock(&self.questions).questions.add(request);
        self.news.notify_one();
    }

    fn end(&self) {
        lock(&self.questions).ends = true;
        self.news.notify_one();
    }

    /// The next question. `None` once the thread is to end, whatever waits then.
    fn wait(&self) -> Option<Request> {
        let mut asked = lock(&self.questions);
        loop {
            if asked.ends {
                return None;
            }
            if let Some(request) = asked.questions.take() {
                return Some(request);
            }
            asked = self
                .news
                .wait(asked)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn answered(&self) {
        lock(&self.questions).questions.answered();
    }
}

impl BlockingClient {
    /// # Errors
    /// If the system cannot start a thread.
    pub(super) fn new(
        name: &str,
        consumer: Arc<Group>,
        events: Arc<Events>,
        driver: Thread,
    ) -> Result<Self, ClientError> {
        let todo = Arc::<Todo>::default();
        let waiting = todo.clone();
        let ours = Ours::default();
        let known = ours.clone();
        let thread = std::thread::Builder::new()
            .name(format!("{name}-helper"))
            .spawn(move || {
                let answering = Answering {
                    consumer: &consumer,
                    events: &events,
                    ours: &known,
                    first_to_check: Cell::new(0),
                };
                answering.work(&waiting, &driver);
                drop(consumer);
                driver.unpark();
            })
            .map_err(|error| {
                let what = format!("no thread can be started for its questions: {error}");
                client_error(RDKafkaErrorCode::CriticalSystemResource, what)
            })?;
        Ok(Self { todo, ours, thread })
    }

    pub(super) fn own(&self, ours: &Epochs) {
        lock(&self.ours).clone_from(ours);
    }

    pub(super) fn ask(&self, request: Request) {
        self.todo.ask(request);
    }

    /// Lets go of the client once the request in hand is done. Nothing is ours any more, so starts are not
    /// looked up; what waits is dropped.
    pub(super) fn end(&mut self) {
        lock(&self.ours).end_all();
        self.todo.end();
    }

    pub(super) fn ended(&self) -> bool {
        self.thread.is_finished()
    }
}

struct Answering<'a> {
    consumer: &'a Group,
    events: &'a Events,
    ours: &'a Ours,
    /// The number of the topic to begin the next check with.
    first_to_check: Cell<usize>,
}

impl Answering<'_> {
    fn work(&self, todo: &Todo, driver: &Thread) {
        while let Some(request) = todo.wait() {
            let answer = self.answer(request);
            todo.answered();
            if let Some(answer) = answer {
                self.events.add(Event::Answer(answer));
                driver.unpark();
            }
        }
    }

    fn is_ours(&self, place: PartitionRef, epoch: Epoch) -> bool {
        !self.consumer.assignment_lost() && lock(self.ours).since(place) == Some(epoch)
    }

    /// Those that were given away meanwhile are nobody's question any more.
    fn resolve(&self, places: &[(PartitionRef, OffsetReset, Epoch)], within: Duration) -> Resolved {
        let ours = |place: PartitionRef| {
            let mut places = places.iter();
            places.any(|(asked, _, epoch)| *asked == place && self.is_ours(place, *epoch))
        };
        let (asked, gone): (Vec<_>, Vec<_>) = places
            .iter()
            .partition(|(place, _, epoch)| self.is_ours(place, *epoch));
        let asked = asked.iter().map(|(place, policy, _)| (*place, *policy));
        let asked: Vec<_> = asked.collect();
        let mut resolved = start_offsets::resolve(&self.broker(within), &asked, ours);
        let gone = gone.iter().map(|(place, ..)| {
            let why = format!("{place} was given back");
            (*place, StartError::Retry(why))
        });
        resolved.unknown.extend(gone);
        resolved
    }

    /// Those that there was no time for are left out.
    fn ends_by_leaders(&self, places: &[(PartitionRef, i64)]) -> Heard {
        let all: Vec<_> = places.iter().map(|(place, _)| *place).collect();
        let mut ends = look_up::ends(&self.broker(LEADER), &all);
        let end = |&(place, at): &(PartitionRef, i64)| Some((place, at, ends.remove(place)?));
        places.iter().filter_map(end).collect()
    }

    /// Whether the group and topics are refused. Topics that there is no time for are left out, and come first the
    /// next time.
    fn check(&self, topics: &[String], in_group: bool) -> Answer {
        let broker = self.broker(CHECK);
        let left = || broker.left();
        // Also of a member without partitions: its commits of any topic are the coordinator's to tell.
        let group = || {
            let mut list = TopicPartitionList::new();
            list.add_partition(topics.first().map_or(ANY_TOPIC, String::as_str), 0);
            let committed = self.consumer.committed_offsets(list, left());
            committed.map(drop).map_err(|error| call_error(&error))
        };
        // The group first: of the topics the last may have to do without time.
        let group = if in_group { group() } else { Ok(()) };
        let mut topics = topics.to_vec();
        let first = self.first_to_check.get() % topics.len().max(1);
        topics.rotate_left(first);
        let answers = side_by_side(
            &topics,
            AT_ONCE,
            || broker.is_over(),
            |topic| is_there(self.consumer, topic, left()),
        );
        let answers = topics.iter().zip(answers);
        let topics: Vec<_> = answers
            .filter_map(|(topic, answer)| {
                Some((self.events.names.topic(topic).to_owned(), answer?))
            })
            .collect();
        self.first_to_check.set(first + topics.len());
        Answer::Checked { topics, group }
    }

    fn broker(&self, within: Duration) -> Asking<'_, Context> {
        Asking::new(self.consumer, within)
    }

    fn answer(&self, request: Request) -> Option<Answer> {
        Some(match request {
            Request::Resolve(places, within) => Answer::Resolved(self.resolve(&places, within)),
            Request::Choose(places, within) => {
                Answer::Resolved(start_offsets::choose(&self.broker(within), &places))
            }
            Request::List(topics) => {
                let (broker, names) = (self.broker(ANSWER), &self.events.names);
                // One that cannot be listed keeps no other.
                let list = |topic| look_up::partitions(&broker, std::slice::from_ref(topic), names);
                let listed = side_by_side(&topics, AT_ONCE, || broker.is_over(), list);
                let listed = listed.into_iter().flatten().filter_map(|listed| {
                    let listed =
                        listed.inspect_err(|e| tracing::warn!("cannot list partitions: {e}"));
                    listed.ok()
                });
                let listed: Vec<_> = listed.flatten().collect();
                (!listed.is_empty()).then_some(Answer::Listed(listed))?
            }
            Request::Find { place, epoch, .. } if !self.is_ours(place, epoch) => {
                Answer::Found(place, Err(not_found(place)))
            }
            Request::Find { place, to, .. } => {
                Answer::Found(place, look_up::find(&self.broker(ANSWER), place, to))
            }
            Request::Commit { commit, epoch } if !self.is_ours(commit.place, epoch) => {
                Answer::Moved(commit.place, Err(given_away(commit.place)))
            }
            Request::Commit { commit, .. } => {
                let place = commit.place;
                let committed = self.broker(ANSWER).commit(&[commit]);
                Answer::Moved(place, committed.map_err(|refused| refused.error))
            }
            Request::Range(at) => {
                let place = at.place;
                let range = self.broker(RANGE).range(place, RANGE);
                let range = range
                    .inspect_err(|why| tracing::warn!("cannot ask what is left of {place}: {why}"));
                let (low, high) = range.ok()?;
                Answer::Range { at, low, high }
            }
            Request::Check { topics, group } => self.check(&topics, group),
            Request::Leaders(places) => Answer::Leaders(self.ends_by_leaders(&places)),
            Request::Ends(_) => unreachable!("ends of logs are looked at by another client"),
            Request::IsReached => is_reached(self.consumer).then_some(Answer::Connected)?,
        })
    }
}

/// The broker lists the topic.
fn is_there(consumer: &Group, topic: &str, within: Duration) -> Result<(), ClientError> {
    let metadata = consumer.fetch_metadata(Some(topic), within);
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
