//! What the group does with the consumer, and what its client makes of the group.

use super::{Simulation, When};
use crate::consumer::absence::Standing;
use crate::consumer::raw::Event;
use crate::consumer::simulated::place;

impl Simulation {
    /// The group begins a rebalance: these come.
    pub fn give(&mut self, partitions: &[i32], when: When) {
        let places = partitions.iter().map(|partition| place(*partition));
        self.come(Event::Assign(places.collect()), when);
    }

    /// The group begins a rebalance: these go.
    pub fn take(&mut self, partitions: &[i32], when: When) {
        let places = partitions.iter().map(|partition| place(*partition));
        self.come(Event::Revoke(places.collect()), when);
    }

    /// What is being taken is another member's already, or is not any more.
    pub fn set_lost(&mut self, lost: bool) {
        self.0.client.is_lost = lost;
    }

    /// The client drops every broker that it knew.
    pub fn lose_brokers(&mut self) {
        self.0.client.knows_no_broker = true;
    }

    /// The client has nobody to ask.
    pub fn knows_no_broker(&self) -> bool {
        self.0.client.knows_no_broker
    }

    /// The client looks for its group, and says so.
    pub fn look_for_group(&mut self) {
        let client = &mut self.0.client;
        client.raise(Event::Seen(Standing {
            coordinator: "query-coord".to_owned(),
            member: "wait-join".to_owned(),
            answered: None,
        }));
        if client.knows_no_broker {
            client.raise(Event::KnowsNoBroker);
        }
    }

    /// A rebalance waits for its answer, and the consumer has heard of it.
    pub fn is_rebalance_heard(&self) -> bool {
        self.0.client.is_rebalance_heard()
    }

    /// A rebalance waits for its answer.
    pub fn is_rebalancing(&self) -> bool {
        self.0.client.waits
    }

    /// How many rebalances were answered.
    pub fn answers(&self) -> usize {
        self.0.client.answers
    }
}
