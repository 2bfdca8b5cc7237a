//! Whether the consumer is a member of its group, and the steps in which it leaves.

use fastkafka_engine::Time;
use std::time::Duration;

/// How often a driver that leaves looks whether it may go on.
const LEAVING: Duration = Duration::from_millis(50);
/// How often it looks whether the client is closed.
const CLOSING: Duration = Duration::from_millis(5);
/// The part of the shutdown that is left for the last revoke and the close of the client, at most.
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

/// The deadline of the shutdown, and earlier ones for the records in hand and for the last revoke: the
/// close of the client needs a part of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ShutdownDeadlines {
    drained_by: Time,
    given_back_by: Time,
    deadline: Time,
}

impl ShutdownDeadlines {
    fn new(now: Time, within: Duration) -> Self {
        let for_close = FOR_CLOSE.min(within / 4);
        Self {
            drained_by: now + within - for_close,
            given_back_by: now + within - for_close / 2,
            deadline: now + within,
        }
    }

    fn min(self, other: Self) -> Self {
        Self {
            drained_by: self.drained_by.min(other.drained_by),
            given_back_by: self.given_back_by.min(other.given_back_by),
            deadline: self.deadline.min(other.deadline),
        }
    }
}

impl Membership {
    /// Begins the shutdown. One that has begun before is over by the earlier of its deadlines.
    pub(crate) fn shut_down(&mut self, now: Time, within: Duration) {
        let asked = ShutdownDeadlines::new(now, within);
        match self {
            Self::Member => *self = Self::Draining(asked),
            Self::Draining(known) | Self::Leaving(known) => *known = known.min(asked),
            Self::Closing { deadline } => *deadline = asked.deadline.min(*deadline),
        }
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

    /// True when the handlers must end now: the last partition is given back and no handler is at work, or
    /// the time is over. One may be at work on a partition that was lost, or had to be given back before.
    pub(crate) fn close(&mut self, now: Time, given_back: bool, at_work: bool) -> bool {
        if let Self::Leaving(deadlines) = *self
            && (given_back && (!at_work || now >= deadlines.drained_by)
                || now >= deadlines.given_back_by)
        {
            let deadline = deadlines.deadline;
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

    pub(crate) fn is_leaving(self) -> bool {
        matches!(self, Self::Leaving(_))
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
        membership.shut_down(NOW, WITHIN);
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
    fn it_closes_when_all_is_given_back_and_nothing_is_at_work_or_when_the_time_for_that_is_over() {
        let mut membership = draining();
        assert!(!membership.close(NOW, true, false), "it is still a member");
        assert!(membership.unsubscribe(NOW, false));
        let leaving = membership;
        assert!(!membership.close(NOW, false, false));
        assert!(!membership.close(NOW, true, true));
        assert!(membership.close(NOW, true, false));
        assert_eq!(membership.closing_deadline(), Some(NOW + WITHIN));

        let mut membership = leaving;
        let drained_by = NOW + WITHIN - FOR_CLOSE;
        assert!(!membership.close(drained_by, false, true));
        assert!(membership.close(drained_by, true, true));

        // The last revoke does not come: there is time left to close the client without it.
        let mut membership = leaving;
        assert!(membership.close(NOW + WITHIN - FOR_CLOSE / 2, false, true));
    }

    #[test]
    fn of_several_deadlines_the_earliest_counts_in_every_state() {
        let deadline = |membership: &mut Membership| {
            membership.unsubscribe(NOW, false);
            membership.close(NOW, true, false);
            membership.closing_deadline()
        };
        let shorter = WITHIN / 4;
        let mut first = draining();
        first.shut_down(NOW, 2 * WITHIN);
        assert_eq!(deadline(&mut first), Some(NOW + WITHIN));
        for steps in 0..3 {
            let mut membership = draining();
            if steps > 0 {
                assert!(membership.unsubscribe(NOW, false));
            }
            if steps > 1 {
                assert!(membership.close(NOW, true, false));
            }
            membership.shut_down(NOW, shorter);
            assert_eq!(deadline(&mut membership), Some(NOW + shorter), "{steps}");
        }
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
