//! How a consumer leaves its group and ends, in an order in which nothing hangs.

use super::{KafkaConsumer, Owed};
use crate::ffi::is_member;
use fastkafka_runtime::platform::{GroupConsumer, Notice};
use rdkafka::consumer::Consumer;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait for librdkafka to leave the group before it is closed anyway.
const LEAVE: Duration = Duration::from_secs(3);

impl KafkaConsumer {
    pub(super) fn leave(&mut self) {
        match &mut self.standalone {
            // What a group would say.
            Some(standalone) => {
                standalone.end();
                let places = self.assigned.positions();
                let places = places.into_iter().map(|(place, _)| place).collect();
                self.heard.add(Notice::Revoke {
                    places,
                    lost: false,
                });
                self.driver.unpark();
            }
            // KIP-345: it must not leave, as it does when it only unsubscribes.
            None if self.is_static => {
                if let Err(e) = self.consumer().close_queue() {
                    tracing::warn!("the consumer cannot be closed: {e}");
                }
            }
            None => self.consumer().unsubscribe(),
        }
    }

    /// In a cooperative group librdkafka forgets to leave when it is closed while the commit of its
    /// last partitions is under way: the others would wait for the session to end.
    fn is_leaving(&mut self) -> bool {
        let until = *self.leave_by.get_or_insert_with(|| Instant::now() + LEAVE);
        let answered = self.owed.is_none();
        let is_there = if self.is_static {
            !self.consumer().closed()
        } else {
            self.classic && is_member(self.consumer())
        };
        self.standalone.is_none() && answered && is_there && Instant::now() < until
    }

    /// Waits until the group is left and no message is alive, drains and destroys the queues, and has
    /// the client destroyed on the helper thread.
    pub(super) fn end(&mut self) -> bool {
        if self.consumer.is_some() && self.is_leaving() {
            return false;
        }
        let Some(consumer) = &self.consumer else {
            return self.blocking.ended();
        };
        self.queue = None;
        // Ours, the helper's and that of `events`; any more belong to messages.
        if Arc::strong_count(consumer) == 3 {
            let answered = match self.owed.take() {
                Some(Owed::Assign) => self.assign(&[]),
                Some(Owed::Revoke(places)) => self.unassign(&places),
                None => Ok(()),
            };
            if let Err(e) = answered {
                tracing::debug!("the last rebalance is not answered: {e}");
            }
            self.heard.close();
            self.events = None;
            self.consumer = None;
            self.blocking.end();
        }
        false
    }
}

impl Drop for KafkaConsumer {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            // It was not closed, so its own drop could hang: it is left to the end of the process.
            std::mem::forget(consumer);
        }
    }
}
