//! The cluster in memory as what an app runs on.

use crate::memory::clusters::Clusters;
use crate::memory::consumer::{Member, MemoryConsumer};
use crate::memory::producers::MemoryProducers;
use crate::subscription::Subscription;
use fastkafka_core::{ConsumerSettings, GroupProtocol, Plan};
use fastkafka_runtime::platform::{ConsumerHandle, NewConsumer, Platform, Producers};
use fastkafka_sim::{Assignor, Protocol};
use std::sync::Arc;
use tokio::sync::Notify;

/// See the module.
#[derive(Debug)]
pub(crate) struct Memory(pub(crate) Arc<Clusters>);

impl Platform for Memory {
    fn outputs(&self, plan: &Plan, most: usize) -> Result<Arc<dyn Producers>, String> {
        Ok(MemoryProducers::new(self.0.clone(), &plan.outputs, most))
    }

    fn serve(&self, wanted: NewConsumer) -> Result<ConsumerHandle, String> {
        let wakeup = Arc::new(Notify::new());
        let broker = self.0.named(wanted.cluster());
        let id = {
            let mut state = broker.state();
            let (protocol, assignor) = kind(wanted.settings());
            // Without a group each member reads everything, and after a crash anew.
            let group = match wanted.is_standalone() {
                true => format!("{} of member {}", wanted.group(), state.next_member()),
                false => wanted.group().to_owned(),
            };
            let group = state.group(&group, protocol, assignor)?;
            let reads = Subscription::new(wanted.topics(), wanted.settings(), wanted.left_out())?;
            if let Subscription::Topics(topics) = &reads
                && let Some(missing) = topics.iter().find(|topic| !state.exists(topic))
            {
                return Err(format!("there is no topic `{missing}`"));
            }
            let topics = state.read_by(&reads);
            state.enter(|id| Member::new(id, group, reads, topics, wakeup.clone()))
        };
        let transport = MemoryConsumer::new(broker.clone(), id);
        let broker = broker.clone();
        Ok(wanted.serve_in_task(transport, wakeup, move || broker.notify()))
    }
}

/// What the group is like.
fn kind(settings: &ConsumerSettings) -> (Protocol, Assignor) {
    if settings.group_protocol == Some(GroupProtocol::Consumer) {
        return (Protocol::Consumer, Assignor::Sticky);
    }
    let strategy = settings.partition_assignment_strategy.as_deref();
    match strategy.unwrap_or("cooperative-sticky") {
        "cooperative-sticky" => (Protocol::Cooperative, Assignor::Sticky),
        "range" => (Protocol::Eager, Assignor::Range),
        // Who gets what differs from Kafka's round robin; that everybody gives back everything does not.
        _ => (Protocol::Eager, Assignor::Sticky),
    }
}
