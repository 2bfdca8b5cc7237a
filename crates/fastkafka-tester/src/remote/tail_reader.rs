//! A consumer that reads a test's topics on a broker, and the questions to that broker.

use crate::lock::lock;
use fastkafka_kafka::{GroupOffsets, Inspector, KafkaOptions, LogRecord};
use fastkafka_runtime::platform::Offsets;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the thread that reads waits before it looks whether it is to end.
const POLL: Duration = Duration::from_millis(50);
/// The name of that thread, and of the group that it does not join.
const NAME: &str = "tester";

/// Reads every record of a test's topics on one cluster. Its questions wait for the broker.
pub(super) struct TailReader {
    cluster: Inspector,
    /// Topics with their partitions.
    topics: Vec<(String, i32)>,
    ends: GroupOffsets,
    groups: Mutex<BTreeMap<String, Arc<GroupOffsets>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl TailReader {
    /// Reads the topics from their beginning, and hands each record to `to` on a thread of its own.
    pub(super) async fn new(
        options: &KafkaOptions,
        cluster: &str,
        topics: Vec<(String, i32)>,
        to: impl Fn(LogRecord) + Send + 'static,
    ) -> Result<Self, String> {
        let cluster = Inspector::open(options, cluster).await.map_err(text)?;
        let reader = cluster.read(NAME, &topics).map_err(text)?;
        let over = Arc::new(AtomicBool::new(false));
        let is_over = over.clone();
        let thread = std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || {
                while !is_over.load(Relaxed) {
                    if let Some(record) = reader.next(POLL) {
                        to(record);
                    }
                }
            })
            .map_err(text)?;
        Ok(Self {
            ends: cluster.group(NAME).map_err(text)?,
            cluster,
            topics,
            groups: Mutex::default(),
            over,
            thread: Some(thread),
        })
    }

    /// The end of each partition: the offset of its next record.
    pub(super) fn ends(&self) -> Result<Offsets, String> {
        partitions(&self.topics)
            .map(|(topic, partition)| {
                let end = self.ends.end(topic, partition).map_err(text)?;
                Ok(((topic.to_owned(), partition), end))
            })
            .collect()
    }

    /// The offsets that a group has committed in these topics.
    pub(super) fn committed(&self, group: &str, topics: &[String]) -> Result<Offsets, String> {
        let known = self
            .topics
            .iter()
            .filter(|(topic, _)| topics.contains(topic));
        let asked = self.group(group)?.committed(partitions(known));
        asked.map_err(text)
    }

    /// Deletes the topics, and the groups that were asked about.
    pub(super) async fn clean_up(&self) -> Result<(), String> {
        let topics: Vec<_> = self.topics.iter().map(|(topic, _)| &**topic).collect();
        let groups: Vec<_> = {
            let groups = lock(&self.groups);
            groups.keys().cloned().collect()
        };
        let groups: Vec<_> = groups.iter().map(String::as_str).collect();
        self.cluster.delete(&topics, &groups).await.map_err(text)
    }

    fn group(&self, group: &str) -> Result<Arc<GroupOffsets>, String> {
        let mut groups = lock(&self.groups);
        if let Some(known) = groups.get(group) {
            return Ok(known.clone());
        }
        let made = Arc::new(self.cluster.group(group).map_err(text)?);
        groups.insert(group.to_owned(), made.clone());
        Ok(made)
    }
}

fn partitions<'a>(
    topics: impl IntoIterator<Item = &'a (String, i32)>,
) -> impl Iterator<Item = (&'a str, i32)> {
    let topics = topics.into_iter();
    topics.flat_map(|(topic, partitions)| (0..*partitions).map(|p| (topic.as_str(), p)))
}

impl Drop for TailReader {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // The function that it calls may have panicked: that is no concern of the drop.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for TailReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TailReader")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
