//! The journal: every record that reached a topic, in the order of arrival.

use crate::function::Function;
use crate::lines::{on, record_line};
use crate::lock::lock;
use crate::record::TopicRecord;
use crate::schedule::steps::Steps;
use crate::watching::transcript::{Event, Transcript};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

type Observer = Arc<dyn Fn(&TopicRecord) + Send + Sync>;
type CatchUp = Box<dyn Fn() + Send + Sync>;

/// The records of all topics. Clones share one journal.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Shared>);

struct Shared {
    transcript: Transcript,
    contents: Mutex<Contents>,
    changed: Notify,
    /// On a real broker: waits until everything that is in the topics now has arrived here.
    catch_up: OnceLock<CatchUp>,
}

#[derive(Default)]
struct Contents {
    records: Vec<Arc<TopicRecord>>,
    observers: Vec<Observer>,
}

impl Default for Journal {
    fn default() -> Self {
        Self::new(Transcript::new(Steps::default()))
    }
}

impl Journal {
    /// The transcript hears of each record.
    pub(crate) fn new(transcript: Transcript) -> Self {
        Self(Arc::new(Shared {
            transcript,
            contents: Mutex::default(),
            changed: Notify::new(),
            catch_up: OnceLock::new(),
        }))
    }

    pub(crate) fn transcript(&self) -> &Transcript {
        &self.0.transcript
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        lock(&self.0.contents)
    }

    /// Appends a record that has arrived. Observers are told on this thread and outside the lock,
    /// because they are code of the test.
    pub(crate) fn push(&self, record: TopicRecord) {
        let record = Arc::new(record);
        self.transcript().note(Event::Arrives(record.clone()));
        let observers = {
            let mut contents = self.contents();
            contents.records.push(record.clone());
            contents.observers.clone()
        };
        for observer in observers {
            observer(&record);
        }
        self.0.changed.notify_waiters();
    }

    /// Tells `observer` of each record from now on.
    pub(crate) fn observe(&self, observer: Observer) {
        self.contents().observers.push(observer);
    }

    /// `catch_up` is called before records are looked at. Only the first call counts.
    pub(crate) fn catch_up_by(&self, catch_up: impl Fn() + Send + Sync + 'static) {
        let _ = self.0.catch_up.set(Box::new(catch_up));
    }

    /// All records so far.
    pub(crate) fn all(&self) -> Vec<Arc<TopicRecord>> {
        if let Some(catch_up) = self.0.catch_up.get() {
            catch_up();
        }
        self.contents().records.clone()
    }

    /// The number of records so far. On a real broker more may be on their way here.
    pub(crate) fn number_of_records(&self) -> usize {
        self.contents().records.len()
    }

    /// The records of a topic so far.
    pub(crate) fn records(&self, cluster: &str, topic: &str) -> Vec<Arc<TopicRecord>> {
        let mut records = self.all();
        records.retain(|record| record.cluster == cluster && record.topic == topic);
        records
    }

    /// The records of a producer so far.
    pub(crate) fn sent_by(&self, producer: Function) -> Vec<Arc<TopicRecord>> {
        let mut records = self.all();
        records.retain(|record| record.producer == Some(producer));
        records
    }

    /// The records of a topic, for a report: a title, and a line for each.
    pub(crate) fn section(&self, cluster: &str, topic: &str) -> (String, Vec<String>) {
        self.section_of(cluster, &format!("topic `{topic}`"), |name| name == topic)
    }

    /// The records of several topics of a cluster, for a report. `topics` is how the title names them.
    pub(crate) fn section_of(
        &self,
        cluster: &str,
        topics: &str,
        is_shown: impl Fn(&str) -> bool,
    ) -> (String, Vec<String>) {
        let mut records = self.all();
        records.retain(|record| record.cluster == cluster && is_shown(&record.topic));
        let lines = records.iter().map(|record| record_line(record)).collect();
        (format!("records of {topics}{}", on(cluster)), lines)
    }

    /// Ends at the next record. Make it before looking, await it after.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.0.changed.notified()
    }
}
