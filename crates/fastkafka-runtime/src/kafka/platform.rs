//! Kafka as what an app runs on: a thread per consumer.

use super::access::Clusters;
use super::consumer::{Join, KafkaConsumer};
use super::producer::KafkaProducers;
use crate::driver::Driver;
use crate::platform::{ConsumerHandle, NewConsumer, Platform, Producers};
use crate::thread;
use fastkafka_core::{Plan, Wake};
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// How often a test's own groups commit, unless their handlers say: the test waits for that.
const TEST_COMMITS_MILLIS: u64 = 50;

/// See the module.
#[derive(Debug)]
pub(crate) struct Kafka {
    clusters: Clusters,
}

impl Kafka {
    pub(crate) fn new(clusters: Clusters) -> Self {
        Self { clusters }
    }
}

impl Platform for Kafka {
    fn outputs(&self, plan: &Plan, most: usize) -> Result<Arc<dyn Producers>, String> {
        KafkaProducers::new(&self.clusters, plan, most)
            .map(|sink| Arc::new(sink) as _)
            .map_err(|error| error.to_string())
    }

    fn serve(&self, mut wanted: NewConsumer) -> Result<ConsumerHandle, String> {
        let access = self
            .clusters
            .access(&wanted.cluster, &wanted.settings.connection());
        let access = access.clone();
        if access.names().are_of_a_test() {
            let commits = &mut wanted.settings.auto_commit_interval_ms;
            commits.get_or_insert(TEST_COMMITS_MILLIS);
        }
        let (group, embedded) = (wanted.group.clone(), self.clusters.are_embedded());
        let (made, is_made) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name(format!("fk-{group}-{}", wanted.worker))
            .spawn(move || {
                let me = std::thread::current();
                let driver = me.clone();
                wanted.wake_by(Box::new(move || driver.unpark()));
                let join = Join {
                    access: &access,
                    group_id: &access.names().on_cluster(&wanted.group),
                    topics: &wanted.topics,
                    settings: &wanted.settings,
                    embedded,
                    standalone: wanted.standalone,
                    left_out: &wanted.left_out,
                    worker: wanted.worker,
                };
                match KafkaConsumer::new(&join, me) {
                    Ok(consumer) => {
                        let _ = made.send(Ok(()));
                        thread::serve(Driver::new(consumer, wanted.setup))
                    }
                    Err(error) => {
                        let _ = made.send(Err(error.to_string()));
                        Ok(())
                    }
                }
            })
            .map_err(|error| format!("cannot start the thread of group `{group}`: {error}"))?;
        match is_made.recv() {
            Ok(Ok(())) => Ok(ConsumerHandle::Thread(thread)),
            Ok(Err(error)) => Err(format!(
                "cannot make the consumer of group `{group}`: {error}"
            )),
            Err(_) => Err(format!("the thread of group `{group}` ended at once")),
        }
    }
}

impl Producers for KafkaProducers {
    fn in_flight(&self) -> usize {
        self.in_flight()
    }

    fn has_room(&self) -> bool {
        self.has_room()
    }

    fn on_room(&self, wake: Wake) {
        self.on_room(wake);
    }

    fn fatal(&self) -> Option<String> {
        self.fatal().map(ToString::to_string)
    }

    fn drain(&self, deadline: Instant) -> Result<(), usize> {
        self.drain(deadline)
    }
}
