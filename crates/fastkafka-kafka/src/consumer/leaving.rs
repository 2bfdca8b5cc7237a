//! The order in which a consumer leaves its group and ends.

use std::time::Duration;

/// How long to wait for librdkafka to leave the group before it is closed anyway.
const LEAVE: Duration = Duration::from_secs(3);

/// The part that a consumer has in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Membership {
    /// There is no group.
    Standalone,
    /// A static member of a classic group. It goes without a word, and the group waits for its return
    /// (KIP-345): it would leave if it only unsubscribed.
    Static,
    /// Any other member of a classic group.
    Classic,
    /// A member of a group whose broker assigns partitions (KIP-848).
    BrokerAssigned,
}

/// The end of a consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaving {
    pub(crate) membership: Membership,
    /// Until when the client is given to leave the group; known from the first attempt to close.
    until: Option<Duration>,
    is_over: bool,
}

impl Leaving {
    pub(crate) fn new(membership: Membership) -> Self {
        Self {
            membership,
            until: None,
            is_over: false,
        }
    }

    /// True while the client has to stay: it is in the group, and has time to leave.
    ///
    /// In a cooperative group librdkafka forgets to leave when it is closed while the commit of its last
    /// partitions is under way: the others would wait for the session to end. A rebalance that is not
    /// answered would hold the leave up, so it is answered by the close.
    pub(crate) fn must_wait(&mut self, now: Duration, is_answered: bool, is_there: bool) -> bool {
        let until = *self.until.get_or_insert(now + LEAVE);
        is_answered && is_there && now < until
    }

    /// The client is being destroyed.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_stays_while_it_is_in_the_group_but_not_for_ever() {
        let begun = Duration::from_secs(100);
        let cases = [
            ("it is there", begun, true, true, true),
            ("it has left", begun, true, false, false),
            ("a rebalance waits", begun, false, true, false),
            ("nearly too late", begun + LEAVE / 2, true, true, true),
            ("too late", begun + LEAVE, true, true, false),
        ];
        for (what, now, is_answered, is_there, expected) in cases {
            let mut leaving = Leaving::new(Membership::Classic);
            leaving.must_wait(begun, true, true);
            let waits = leaving.must_wait(now, is_answered, is_there);
            assert_eq!(waits, expected, "{what}");
        }
    }
}
