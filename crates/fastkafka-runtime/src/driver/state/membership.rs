//! Whether the consumer is a member of its group, and the steps in which it leaves.

use fastkafka_engine::Time;
use std::time::Duration;

/// How often a driver that leaves looks whether it may go on.
const LEAVING: Duration = Duration::from_millis(50);
/// How often it looks whether the client is closed.
const CLOSING: Duration = Duration::from_millis(5);
/// The part of the shutdown that is left for the close of the client, at most.
const FOR_CLOSE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Membership {
    #[default]
    Member,
    /// Nothing starts any more. The consumer stays in the group until the records in hand are done: a
    /// client that has unsubscribed sends no heartbeats, and its session would time out.
    Draining(ShutdownDeadlines),
    /// The last revoke is on its way or is being answered.
    Leaving(ShutdownDeadlines),
    /// Nothing is assigned; the client is being closed.
    Closing { deadline: Time },
}

/// The deadline of the shutdown, and an earlier one for the records in hand: the close of the client
/// needs a part of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ShutdownDeadlines {
    drained_by: Time,
    deadline: Time,
}

impl Membership {
    /// Begins the shutdown. False when it has begun before.
    pub(crate) fn shut_down(&mut self, now: Time, within: Duration) -> bool {
        let is_member = self.is_member();
        if is_member {
            *self = Self::Draining(ShutdownDeadlines {
                drained_by: now + within - FOR_CLOSE.min(within / 4),
                deadline: now + within,
            });
        }
        is_member
    }

    /// True when the client must unsubscribe now: no record is open any more, or the time for them
    /// is over.
    pub(crate) fn unsubscribe(&mut self, now: Time, open: bool) -> bool {
        if let Self::Draining(deadlines) = *self
            && (!open || now >= deadlines.drained_by)
        {
            *self = Self::Leaving(deadlines);
            return true;
        }
        false
    }

    /// True when the handlers must end now: the last partition is given back, or the time is over.
    pub(crate) fn close(&mut self, now: Time, given_back: bool) -> bool {
        if let Self::Leaving(ShutdownDeadlines { deadline, .. }) = *self
            && (given_back || now >= deadline)
        {
            *self = Self::Closing { deadline };
            return true;
        }
        false
    }

    pub(crate) fn is_member(self) -> bool {
        matches!(self, Self::Member)
    }

    pub(crate) fn is_draining(self) -> bool {
        matches!(self, Self::Draining(_))
    }

    pub(crate) fn is_closing(self) -> bool {
        matches!(self, Self::Closing { .. })
    }

    /// Until when the client must be closed, once that has begun.
    pub(crate) fn closing_deadline(self) -> Option<Time> {
        match self {
            Self::Closing { deadline } => Some(deadline),
            _ => None,
        }
    }

    /// Until when a revoke that comes now may drain.
    pub(crate) fn revoke_deadline(self, now: Time, rebalance_timeout: Duration) -> Time {
        let rebalanced = now + rebalance_timeout;
        match self {
            Self::Member => rebalanced,
            Self::Draining(deadlines) => deadlines.drained_by.min(rebalanced),
            Self::Leaving(deadlines) => deadlines.drained_by,
            Self::Closing { .. } => now,
        }
    }

    /// How long the driver may sleep.
    pub(crate) fn due(self) -> Option<Duration> {
        match self {
            Self::Member => None,
            Self::Draining(_) | Self::Leaving(_) => Some(LEAVING),
            Self::Closing { .. } => Some(CLOSING),
        }
    }
}
