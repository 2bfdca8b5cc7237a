//! What happens to a client within a turn of its driver: events that come behind the poll, and calls that
//! fail.

use super::Simulated;
use super::calls::refused;
use crate::consumer::raw::Event;
use fastkafka_runtime::platform::ClientError;

/// When an event of the client comes that is not there before the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Behind the next poll, before whatever its driver does then.
    AfterPoll,
    /// Inside the next call that gives up or takes partitions: nothing that the caller looked at before
    /// told of it.
    InCall,
}

/// A call that may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Assign,
    Unassign,
    Pause,
    Resume,
}

impl Simulated {
    /// The events whose time has come. A rebalance waits until the one before it is answered.
    pub(super) fn arrive(&mut self, when: When) {
        for (time, event) in std::mem::take(&mut self.later) {
            let is_rebalance = matches!(event, Event::Assign(_) | Event::Revoke(_));
            if time != when || is_rebalance && self.waits {
                self.later.push((time, event));
            } else if is_rebalance {
                self.rebalance(event);
            } else {
                self.raise(event);
            }
        }
    }

    /// Fails where that was asked for, and always once the client is dead.
    pub(super) fn try_to(&mut self, call: Call) -> Result<(), ClientError> {
        // The client takes a call behind what it still had to do.
        self.notice_stops();
        if call == Call::Assign || call == Call::Unassign {
            self.arrive(When::InCall);
        }
        if self.fails == Some(call) {
            self.fails = None;
            return Err(refused("it fails this time"));
        }
        Ok(())
    }
}
