//! Leaving the group, and the end of the client: in the order that `leaving.rs` knows.

use super::KafkaConsumer;
use super::leaving::Membership;
use super::raw::{Event, RawClient};
use super::rebalance::Owed;
use fastkafka_runtime::platform::GroupConsumer;
use std::task::Poll;
use std::time::Duration;

impl<C: RawClient> KafkaConsumer<C> {
    /// Leaves the group: the last revoke follows.
    pub(super) fn leave(&mut self) {
        match self.leaving.membership {
            // It is in no group that it could leave. It may have been given partitions when it died.
            _ if self.is_dead => {
                if let Some(revoke) = self.own_revoke() {
                    self.client.post(revoke);
                }
            }
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

    /// Ends the client, step by step. Ready when it is over.
    pub(super) fn end(&mut self, within: Duration) -> Poll<Result<(), String>> {
        if let Some(end) = self.leaving.end() {
            return if self.client.is_destroyed() {
                Poll::Ready(end)
            } else {
                Poll::Pending
            };
        }
        let (now, answered) = (self.client.now(), self.rebalance.is_answered());
        let is_there = self.is_there();
        if self.leaving.must_wait(now, within, answered && is_there) {
            return Poll::Pending;
        }
        self.client.drop_queue();
        if !self.client.is_held() {
            self.answer_last();
            // Of what no revoke has come the client commits what it was told.
            let rest = self.assigned.positions();
            let rest: Vec<_> = rest.into_iter().map(|(place, _)| place).collect();
            self.tell_last_offsets(&rest);
            self.client.destroy();
            self.leaving.destroyed(answered && is_there);
        }
        Poll::Pending
    }

    /// The revoke of all partitions in the place of the client, which raises none. `None` where nothing is
    /// read, or a revoke waits for its answer already.
    pub(super) fn own_revoke(&self) -> Option<Event> {
        let places = self.assigned.positions();
        let places: Vec<_> = places.into_iter().map(|(place, _)| place).collect();
        (!places.is_empty() && !self.rebalance.is_revoking()).then_some(Event::Revoke(places))
    }

    /// True while the client is in its group, as far as its end has to wait for that.
    fn is_there(&self) -> bool {
        match self.leaving.membership {
            _ if self.is_dead => false,
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
