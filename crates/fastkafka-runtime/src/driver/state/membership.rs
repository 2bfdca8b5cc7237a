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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Duration::from_secs(100);
    const WITHIN: Duration = Duration::from_secs(20);

    fn draining() -> Membership {
        let mut membership = Membership::Member;
        assert!(membership.shut_down(NOW, WITHIN));
        assert!(!membership.shut_down(NOW, 2 * WITHIN), "once");
        membership
    }

    #[test]
    fn a_consumer_leaves_when_its_records_are_done_or_their_time_is_over() {
        let mut membership = draining();
        assert!(!membership.unsubscribe(NOW, true));
        assert!(membership.unsubscribe(NOW, false));

        let mut membership = draining();
        let drained_by = NOW + WITHIN - FOR_CLOSE;
        assert!(!membership.unsubscribe(drained_by - CLOSING, true));
        assert!(membership.unsubscribe(drained_by, true));
        assert!(!membership.unsubscribe(drained_by, true), "once");
    }

    #[test]
    fn it_closes_when_all_is_given_back_or_at_its_deadline() {
        let mut membership = draining();
        assert!(!membership.close(NOW, true), "it is still a member");
        assert!(membership.unsubscribe(NOW, false));
        assert!(!membership.close(NOW, false));
        assert!(membership.close(NOW + WITHIN, false));
        assert_eq!(membership.closing_deadline(), Some(NOW + WITHIN));
    }

    #[test]
    fn a_revoke_drains_no_longer_than_the_shutdown_leaves_time() {
        let timeout = Duration::from_secs(10);
        let drained_by = NOW + WITHIN - FOR_CLOSE;
        let mut membership = Membership::Member;
        assert_eq!(membership.revoke_deadline(NOW, timeout), NOW + timeout);
        membership = draining();
        assert_eq!(membership.revoke_deadline(NOW, timeout), NOW + timeout);
        let late = drained_by - CLOSING;
        assert_eq!(membership.revoke_deadline(late, timeout), drained_by);
        assert!(membership.unsubscribe(NOW, false));
        assert_eq!(membership.revoke_deadline(NOW, timeout), drained_by);
    }
}
