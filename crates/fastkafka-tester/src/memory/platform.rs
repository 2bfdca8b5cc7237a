//! The clusters in memory as the platform of an app.

use crate::memory::clusters::MemoryClusters;
use crate::memory::consumer::MemoryConsumer;
use crate::memory::member::Member;
use crate::memory::producers::{Clients, MemoryProducers};
use crate::subscription::Subscription;
use fastkafka_core::{ConsumerSettings, GroupProtocol, Plan};
use fastkafka_runtime::platform::{ConsumerHandle, NewConsumer, Platform, Producers};
use fastkafka_sim::{Assignor, Protocol};
use std::sync::Arc;
use tokio::sync::Notify;

/// Makes the producers and consumers of a process on the clusters in memory.
#[derive(Debug)]
pub(crate) struct MemoryPlatform {
    pub(crate) clusters: Arc<MemoryClusters>,
    /// Its number.
    pub(crate) process: u32,
}

impl Platform for MemoryPlatform {
    fn outputs(&self, plan: &Plan, most: usize) -> Result<Arc<dyn Producers>, String> {
        Ok(MemoryProducers::new(
            self.clusters.clone(),
            &plan.outputs,
            Clients::new(plan),
            most,
        ))
    }

    fn serve(&self, wanted: NewConsumer) -> Result<ConsumerHandle, String> {
        let wake = Arc::new(Notify::new());
        let cluster = self.clusters.named(wanted.cluster());
        let id = {
            let mut state = cluster.state();
            let (protocol, assignor) = protocol(wanted.settings());
            // Without a group each member reads everything, and after a crash anew.
            let group = if wanted.is_standalone() {
                format!("{} of member {}", wanted.group(), state.next_member())
            } else {
                wanted.group().to_owned()
            };
            let group = state.group(&group, protocol, assignor)?;
            let reads = Subscription::new(wanted.topics(), wanted.settings(), wanted.left_out())?;
            if let Subscription::Topics(topics) = &reads
                && let Some(missing) = topics.iter().find(|topic| !state.exists(topic))
            {
                return Err(format!("there is no topic `{missing}`"));
            }
            let topics = state.read_by(&reads);
            state.add_member(|id| {
                Member::new(
                    id,
                    self.process,
                    group,
                    wanted.is_standalone(),
                    reads,
                    topics,
                    wake.clone(),
                )
            })
        };
        let consumer = MemoryConsumer::new(cluster.clone(), id);
        let cluster = cluster.clone();
        Ok(wanted.serve_in_task(consumer, wake, move || cluster.notify()))
    }
}

/// The protocol of the group, and who gets which partitions.
fn protocol(settings: &ConsumerSettings) -> (Protocol, Assignor) {
    if settings.group_protocol == Some(GroupProtocol::Consumer) {
        return (Protocol::Consumer, Assignor::Sticky);
    }
    let strategy = settings.partition_assignment_strategy.as_deref();
    match strategy.unwrap_or("cooperative-sticky") {
        "cooperative-sticky" => (Protocol::Cooperative, Assignor::Sticky),
        "range" => (Protocol::Eager, Assignor::Range),
        // The shares differ from those of Kafka's round robin. As there, every member gives back everything.
        _ => (Protocol::Eager, Assignor::Sticky),
    }
}
