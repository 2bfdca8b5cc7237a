//! The cluster in memory as what an app runs on.

use crate::clusters::Clusters;
use crate::member::{Member, MemberTransport};
use crate::outputs::MemoryOutputs;
use crate::subscription::Subscription;
use fastkafka_core::{ConsumerSettings, GroupProtocol, Plan};
use fastkafka_runtime::medium::{Medium, Outputs, Seat, Serving};
use fastkafka_sim::{Assignor, Protocol};
use std::sync::Arc;
use tokio::sync::Notify;

/// See the module.
#[derive(Debug)]
pub(crate) struct Memory(pub(crate) Arc<Clusters>);

impl Medium for Memory {
    fn outputs(&self, plan: &Plan, most: usize) -> Result<Arc<dyn Outputs>, String> {
        Ok(MemoryOutputs::new(self.0.clone(), &plan.outputs, most))
    }

    fn serve(&self, seat: Seat) -> Result<Serving, String> {
        let bell = Arc::new(Notify::new());
        let broker = self.0.named(seat.cluster());
        let id = {
            let mut state = broker.state();
            let (protocol, assignor) = kind(seat.settings());
            // Without a group each member reads everything, and after a crash anew.
            let group = match seat.is_alone() {
                true => format!("{} of member {}", seat.group(), state.next_member()),
                false => seat.group().to_owned(),
            };
            let group = state.group(&group, protocol, assignor)?;
            let reads = Subscription::new(seat.topics(), seat.settings(), seat.left_out())?;
            if let Subscription::Topics(topics) = &reads
                && let Some(missing) = topics.iter().find(|topic| !state.exists(topic))
            {
                return Err(format!("there is no topic `{missing}`"));
            }
            let topics = state.read_by(&reads);
            state.enter(|id| Member::new(id, group, reads, topics, bell.clone()))
        };
        let transport = MemberTransport::new(broker.clone(), id);
        let broker = broker.clone();
        Ok(seat.serve_in_task(transport, bell, move || broker.notify()))
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
