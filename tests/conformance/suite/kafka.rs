//! Apache Kafka: one broker for the whole run, names of its own for each case.

use crate::wired::{Admin, Wired};
use kafka_lab::{Kafka, LabError};
use std::sync::OnceLock;

pub(crate) struct Apache(&'static Kafka);

/// Sessions of a classic group are the members' choice; those of KIP-848 are the broker's.
fn shared() -> &'static Kafka {
    static SHARED: OnceLock<Result<Kafka, LabError>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            Kafka::builder()
                .property("group.consumer.session.timeout.ms", "6000")
                .property("group.consumer.heartbeat.interval.ms", "200")
                .start()
        })
        .as_ref()
        .unwrap()
}

impl Admin for Apache {
    const SESSION: u32 = 6_000;

    fn bootstrap(&self) -> String {
        self.0.bootstrap().to_owned()
    }

    fn create_topic(&mut self, topic: &str, partitions: i32) {
        self.0.create_topic(topic, partitions, &[]).unwrap();
    }

    fn grow(&mut self, topic: &str, total: i32) {
        self.0.add_partitions(topic, total).unwrap();
    }

    fn delete_below(&mut self, topic: &str, partition: i32, offset: i64) {
        self.0.delete_records(topic, partition, offset).unwrap();
    }
}

pub(crate) fn start(prefix: String) -> Wired<Apache> {
    Wired::new(Apache(shared()), prefix)
}
