//! A look at the ends of logs, with a client of its own that may be told when a log ends.

use super::context::Events;
use crate::client_context::Logged;
use crate::consumer::fetch_position::FetchPosition;
use crate::consumer::raw::{Answer, Ended, Event};
use crate::error::call_error;
use crate::ffi::{Piece, Queue};
use fastkafka_runtime::platform::ClientError;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode::PartitionEOF;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

/// What is not known within this time is looked at again later.
const WITHIN: Duration = Duration::from_secs(3);

/// Makes a client and lets it in.
pub(super) type Make = Box<dyn Fn() -> Result<BaseConsumer<Logged>, ClientError> + Send + Sync>;

/// Looks at the ends of logs, one look at a time.
pub(super) struct EndsOfLogs {
    make: Arc<Make>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl EndsOfLogs {
    pub(super) fn new(make: Make) -> Self {
        Self {
            make: Arc::new(make),
            stop: Arc::default(),
            thread: None,
        }
    }

    /// Answers [`Answer::Ends`], and wakes the driver.
    pub(super) fn look(&mut self, places: Vec<FetchPosition>, events: Arc<Events>, driver: Thread) {
        let (make, stop) = (self.make.clone(), self.stop.clone());
        let answers = Answers {
            ends: Vec::new(),
            events,
            driver,
        };
        let thread = std::thread::Builder::new().name("ends-of-logs".to_owned());
        let thread = thread.spawn(move || {
            let mut answers = answers;
            match look(&make, &places, &stop) {
                Ok(ends) => answers.ends = ends,
                Err(error) => tracing::debug!("cannot look at ends of logs: {error}"),
            }
        });
        let thread = thread.inspect_err(|error| {
            tracing::warn!("cannot look at ends of logs: the system starts no thread: {error}");
        });
        self.thread = thread.ok();
    }

    pub(super) fn end(&self) {
        self.stop.store(true, Ordering::Release);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

/// The answer of a look. It is given when this is dropped, so that one comes whatever becomes of the thread: no
/// look begins before the last one is answered.
struct Answers {
    ends: Vec<Ended>,
    events: Arc<Events>,
    driver: Thread,
}

impl Drop for Answers {
    fn drop(&mut self) {
        let ends = std::mem::take(&mut self.ends);
        self.events.add(Event::Answer(Answer::Ends(ends)));
        self.driver.unpark();
    }
}

/// What comes of these.
fn look(
    make: &Make,
    places: &[FetchPosition],
    stop: &AtomicBool,
) -> Result<Vec<Ended>, ClientError> {
    let consumer = Arc::new(make()?);
    let mut queue = Queue::new(&consumer, std::thread::current());
    let from: Vec<_> = places
        .iter()
        .map(|from| (from.place, from.next.into()))
        .collect();
    consumer
        .assign(&super::list(&from))
        .map_err(|error| call_error(&error))?;
    for FetchPosition { place, .. } in places {
        queue.take_partition(&place.on_cluster, place.partition);
    }
    let deadline = Instant::now() + WITHIN;
    // `None` for one that cannot be read, else the end, where nothing comes before.
    let mut found: BTreeMap<(String, i32), Option<Option<i64>>> = BTreeMap::new();
    while found.len() < places.len() && !stop.load(Ordering::Acquire) && Instant::now() < deadline {
        consumer.poll(Duration::ZERO);
        let taken = queue.fetch(1_000, |piece| {
            let Piece {
                topic,
                partition,
                content,
                ..
            } = piece;
            let end = match content {
                Ok(_) => Some(None),
                Err(error) if error.code == PartitionEOF => Some(Some(error.offset)),
                Err(_) => None,
            };
            found.entry((topic.to_owned(), partition)).or_insert(end);
        });
        if taken == 0 {
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
    let ends = places.iter().filter_map(|&from| {
        let place = from.place;
        let end = found.get(&(place.on_cluster.clone(), place.partition))?;
        Some(Ended { from, end: (*end)? })
    });
    Ok(ends.collect())
}

/// The properties of such a client, of those that the consumer has.
pub(super) fn config(mut config: ClientConfig) -> ClientConfig {
    config.remove("group.instance.id");
    config.remove("statistics.interval.ms");
    // It reads from leaders: a replica in the rack may be what does not answer the consumer.
    config.remove("client.rack");
    config
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("fetch.queue.backoff.ms", "10")
        .set("fetch.wait.max.ms", "100")
        .set("queued.max.messages.kbytes", "1024");
    crate::config::standalone(&mut config);
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::fetch_position::Move;
    use crate::error::fatal;
    use fastkafka_core::TopicPartition;

    #[test]
    fn a_look_is_answered_whatever_becomes_of_it() {
        let makes: [Make; 2] = [
            Box::new(|| Err(fatal("no client"))),
            Box::new(|| panic!("nor this one")),
        ];
        for make in makes {
            let events = Arc::<Events>::default();
            let mut ends = EndsOfLogs::new(make);
            let places = vec![FetchPosition {
                place: TopicPartition::intern("orders", 0),
                next: 3,
                since: Move::default(),
            }];
            ends.look(places, events.clone(), std::thread::current());
            // Its thread has panicked, or not.
            let _ = ends.thread.take().map(JoinHandle::join);
            let answers = events.take();
            assert!(
                matches!(&answers[..], [Event::Answer(Answer::Ends(none))] if none.is_empty()),
                "{answers:?}"
            );
        }
    }
}
