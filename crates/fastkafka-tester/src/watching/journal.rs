//! Every record that reached a topic, in the order of arrival: what assertions look at.

use crate::function::Function;
use crate::observed::report::{on, record_line};
use crate::topology::Name;
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;

/// A record of a topic, as a consumer would read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRecord {
    /// The name of the cluster; empty for the app's own, unless that has one.
    pub cluster: &'static str,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset in it.
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The key.
    pub key: Option<Bytes>,
    /// The payload; `None` is a tombstone.
    pub payload: Option<Bytes>,
    /// Headers in order.
    pub headers: Vec<(String, Option<Bytes>)>,
    /// The function of an app that sent it; `None` for what a mirror sent, and for a dead letter.
    pub producer: Option<Function>,
}

type Observer = Arc<dyn Fn(&TopicRecord) + Send + Sync>;

/// See the module. Cloned handles are one journal.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Notify,
    /// On a real broker: waits until everything that is in the topics now has arrived here.
    catch_up: OnceLock<CatchUp>,
}

type CatchUp = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct State {
    records: Vec<Arc<TopicRecord>>,
    observers: Vec<Observer>,
}

impl Journal {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record has arrived. Observers are told in the thread that brings it, outside any lock.
    pub(crate) fn push(&self, record: TopicRecord) {
        let record = Arc::new(record);
        let observers = {
            let mut state = self.state();
            state.records.push(record.clone());
            state.observers.clone()
        };
        for observer in observers {
            observer(&record);
        }
        self.0.changed.notify_waiters();
    }

    /// Tells `observer` of each record from now on.
    pub(crate) fn observe(&self, observer: Observer) {
        self.state().observers.push(observer);
    }

    /// `catch_up` is called before records are looked at. Once.
    pub(crate) fn catch_up_by(&self, catch_up: impl Fn() + Send + Sync + 'static) {
        let _ = self.0.catch_up.set(Box::new(catch_up));
    }

    /// Everything so far.
    pub(crate) fn all(&self) -> Vec<Arc<TopicRecord>> {
        if let Some(catch_up) = self.0.catch_up.get() {
            catch_up();
        }
        self.state().records.clone()
    }

    /// What a topic has got so far.
    pub(crate) fn records(&self, cluster: &str, topic: &str) -> Vec<Arc<TopicRecord>> {
        let mut records = self.all();
        records.retain(|record| record.cluster == cluster && record.topic == topic);
        records
    }

    /// What a producer's records were when they arrived.
    pub(crate) fn sent_by(&self, producer: Function) -> Vec<Arc<TopicRecord>> {
        let mut records = self.all();
        records.retain(|record| record.producer == Some(producer));
        records
    }

    /// The records of a topic, for a report.
    pub(crate) fn section(&self, cluster: Name, topic: &str) -> (String, Vec<String>) {
        self.section_of(cluster, &format!("topic `{topic}`"), |of| of == topic)
    }

    /// The records of some topics of a cluster, for a report.
    pub(crate) fn section_of(
        &self,
        cluster: Name,
        topics: &str,
        is_in: impl Fn(&str) -> bool,
    ) -> (String, Vec<String>) {
        let records = self.all();
        let mut records: Vec<_> = records.iter().collect();
        records.retain(|record| record.cluster == cluster && is_in(&record.topic));
        let lines = records.into_iter().map(|record| record_line(record));
        (
            format!("records of {topics}{}", on(cluster)),
            lines.collect(),
        )
    }

    /// Ends at the next record. Make it before looking, await it after.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.0.changed.notified()
    }
}
