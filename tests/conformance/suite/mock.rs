//! librdkafka's mock cluster, which is FastKafka's embedded broker.

use crate::wired::{Admin, Wired};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

pub(crate) struct Mock(MockCluster<'static, DefaultProducerContext>);

impl Admin for Mock {
    // It lets whoever joins wait for nearly the session of those that are there, and a new group for
    // three seconds, which count for the session.
    const SESSION: u32 = 4_000;

    fn bootstrap(&self) -> String {
        self.0.bootstrap_servers()
    }

    fn create_topic(&mut self, topic: &str, partitions: i32) {
        self.0.create_topic(topic, partitions, 1).unwrap();
    }

    fn grow(&mut self, _: &str, _: i32) {
        panic!("no Admin API: a topic keeps its partitions");
    }

    fn delete_below(&mut self, _: &str, _: i32, _: i64) {
        panic!("no Admin API: a log keeps its start");
    }
}

pub(crate) fn start(prefix: String) -> Wired<Mock> {
    Wired::new(Mock(MockCluster::new(1).unwrap()), prefix)
}
