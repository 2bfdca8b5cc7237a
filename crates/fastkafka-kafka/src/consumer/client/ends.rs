//! A look at the ends of logs, with a client of its own that may be told when a log ends.

use super::context::Events;
use crate::client_context::Logged;
use crate::consumer::raw::{Answer, Event};
use crate::error::call_error;
use crate::ffi::{Piece, Queue};
use fastkafka_runtime::platform::{ClientError, PartitionRef};
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
    pub(super) fn look(
        &mut self,
        places: Vec<(PartitionRef, i64)>,
        events: Arc<Events>,
        driver: Thread,
    ) {
        let (make, stop) = (self.make.clone(), self.stop.clone());
        let thread = std::thread::Builder::new().name("ends-of-logs".to_owned());
        let thread = thread.spawn(move || {
            let ends = look(&make, &places, &stop);
            let ends = ends.inspect_err(|e| tracing::debug!("cannot look at ends of logs: {e}"));
            let answer = Answer::Ends(ends.unwrap_or_default());
            events.add(Event::Answer(answer));
            driver.unpark();
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

/// Those of which nothing comes before the end of their logs: where they were, and the end.
fn look(
    make: &Make,
    places: &[(PartitionRef, i64)],
    stop: &AtomicBool,
) -> Result<Vec<(PartitionRef, i64, i64)>, ClientError> {
    let consumer = Arc::new(make()?);
    let mut queue = Queue::new(&consumer, std::thread::current());
    let from: Vec<_> = places
        .iter()
        .map(|(place, at)| (*place, (*at).into()))
        .collect();
    consumer
        .assign(&super::list(&from))
        .map_err(|error| call_error(&error))?;
    for (place, _) in places {
        queue.take_partition(&place.on_cluster, place.partition);
    }
    let deadline = Instant::now() + WITHIN;
    // `None` for one that has records.
    let mut found: BTreeMap<(String, i32), Option<i64>> = BTreeMap::new();
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
                Err(error) if error.code == PartitionEOF => Some(error.offset),
                _ => None,
            };
            found.entry((topic.to_owned(), partition)).or_insert(end);
        });
        if taken == 0 {
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
    let ends = places.iter().filter_map(|(place, from)| {
        let end = found.get(&(place.on_cluster.clone(), place.partition))?;
        Some((*place, *from, (*end)?))
    });
    Ok(ends.collect())
}

/// The properties of such a client, of those that the consumer has.
pub(super) fn config(mut config: ClientConfig) -> ClientConfig {
    config.remove("group.instance.id");
    config
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("fetch.queue.backoff.ms", "10")
        .set("fetch.wait.max.ms", "100")
        .set("queued.max.messages.kbytes", "1024");
    crate::config::standalone(&mut config);
    config
}
