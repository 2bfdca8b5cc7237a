//! Leaving the group, and the end of the client: in the order that `leaving.rs` knows.

use super::KafkaConsumer;
use super::leaving::Membership;
use super::raw::{Event, RawClient};
use super::rebalance::Owed;
use fastkafka_runtime::platform::GroupConsumer;

impl<C: RawClient> KafkaConsumer<C> {
    /// Leaves the group: the last revoke follows.
    pub(super) fn leave(&mut self) {
        match self.leaving.membership {
            Membership::Standalone => {
                if let Some(standalone) = &mut self.standalone {
                    standalone.end();
                }
                // The words of a group.
                let places = self.assigned.positions();
                let places = places.into_iter().map(|(place, _)| place).collect();
                self.client.post(Event::Revoke(places));
            }
            Membership::Static => {
                if let Err(error) = self.client.close_membership() {
                    tracing::warn!("the consumer cannot be closed: {error}");
                }
            }
            Membership::Classic | Membership::BrokerAssigned => self.client.unsubscribe(),
        }
    }

    /// Ends the client, step by step. True when it is over.
    pub(super) fn end(&mut self) -> bool {
        if self.leaving.is_over() {
            return self.client.is_destroyed();
        }
        let (now, answered) = (self.client.now(), self.rebalance.is_answered());
        let is_there = self.is_there();
        if self.leaving.must_wait(now, answered, is_there) {
            return false;
        }
        self.client.drop_queue();
        if !self.client.is_held() {
            self.answer_last();
            self.client.destroy();
            self.leaving.end();
        }
        false
    }

    /// True while the client is in its group, as far as its end has to wait for that.
    fn is_there(&self) -> bool {
        match self.leaving.membership {
            Membership::Static => !self.client.is_membership_closed(),
            Membership::Classic => self.client.is_member(),
            Membership::Standalone | Membership::BrokerAssigned => false,
        }
    }

    /// Answers the last rebalance, if the driver has not.
    fn answer_last(&mut self) {
        let answered = match self.rebalance.answer() {
            Some(Owed::Assign) => self.assign(&[]),
            Some(Owed::Revoke(places)) => self.unassign(&places),
            None => Ok(()),
        };
        if let Err(error) = answered {
            tracing::debug!("the last rebalance is not answered: {error}");
        }
    }
}
