//! Placeholder of the tester.
use crate::broker::NewRecord;
use crate::journal::{Journal, TopicRecord};
use crate::watcher::Watcher;
use fastkafka::Delivery;

/// Apps under test.
#[derive(Default)]
pub struct Tester {
    journal: Journal,
    watcher: Watcher,
}

impl Tester {
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }
    pub(crate) fn watcher(&self) -> &Watcher {
        &self.watcher
    }
    pub(crate) async fn deliver(&self, record: NewRecord) -> Result<Delivery, String> {
        let delivery = Delivery::new(record.topic.clone(), 0, 0);
        self.journal.push(TopicRecord {
            topic: record.topic,
            partition: 0,
            offset: 0,
            timestamp: 0,
            key: record.key,
            payload: record.payload,
            headers: record.headers,
            producer: None,
        });
        Ok(delivery)
    }
    /// Waits.
    pub async fn settle(&self) -> Result<(), String> {
        Ok(())
    }
}
