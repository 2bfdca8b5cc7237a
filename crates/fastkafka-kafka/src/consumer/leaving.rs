//! The order in which a consumer leaves its group and ends.

use std::time::Duration;

/// The part of the time that is kept for the end of the client, at most.
const FOR_END: Duration = Duration::from_secs(1);

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
    /// Known once the client is being destroyed.
    end: Option<Result<(), String>>,
}

impl Leaving {
    pub(crate) fn new(membership: Membership) -> Self {
        Self {
            membership,
            until: None,
            end: None,
        }
    }

    /// True while the client has to stay: it is in the group, and has time to leave.
    ///
    /// In a cooperative group librdkafka forgets to leave when it is closed while the commit of its last
    /// partitions is under way: the others would wait for the session to end. A rebalance that is not
    /// answered would hold the leave up, so it is answered by the close.
    pub(crate) fn must_wait(&mut self, now: Duration, within: Duration, is_there: bool) -> bool {
        let until = now + within.saturating_sub(FOR_END.min(within / 2));
        let until = self.until.map_or(until, |before| before.min(until));
        self.until = Some(until);
        is_there && now < until
    }

    /// The client is being destroyed. One that is in its group by then waits for the answer to its last commit.
    pub(crate) fn destroyed(&mut self, is_there: bool) {
        self.end = Some(if is_there {
            Err(
                "the last commit was not answered in time, so the group was not left either: offsets may not \
                 be committed, and the partitions wait for the end of the session"
                    .to_owned(),
            )
        } else {
            Ok(())
        });
    }

    /// How the client left, once it is being destroyed.
    pub(crate) fn end(&self) -> Option<Result<(), String>> {
        self.end.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(20);

    #[test]
    fn the_client_stays_while_it_is_in_the_group_but_leaves_time_for_its_end() {
        let begun = Duration::from_secs(100);
        let too_late = begun + WITHIN - FOR_END;
        let cases = [
            ("it is there", begun, true, true),
            ("it has left, or a rebalance waits", begun, false, false),
            ("nearly too late", too_late - FOR_END, true, true),
            ("too late", too_late, true, false),
        ];
        for (what, now, is_there, expected) in cases {
            let mut leaving = Leaving::new(Membership::Classic);
            leaving.must_wait(begun, WITHIN, true);
            let left = begun + WITHIN - now;
            assert_eq!(leaving.must_wait(now, left, is_there), expected, "{what}");
        }
    }

    #[test]
    fn a_shorter_time_counts_and_half_of_very_little_is_kept() {
        let mut leaving = Leaving::new(Membership::Classic);
        assert!(leaving.must_wait(Duration::ZERO, WITHIN, true));
        let second = Duration::from_secs(1);
        assert!(leaving.must_wait(second, second, true));
        assert!(!leaving.must_wait(second + second / 2, second / 2, true));
    }
}
