//! For how long other members may keep a group from its first assignment.

use fastkafka_core::{ConsumerSettings, GroupProtocol};
use std::time::Duration;

/// Unless the settings say otherwise; librdkafka's.
const SESSION_MILLIS: u64 = 45_000;
/// Unless the settings say otherwise; ours.
const REBALANCE_MILLIS: u64 = 10_000;
/// Where the broker assigns, a member that was given nothing for some 13 s is told that it has no partition yet, also
/// where others keep them all.
const GIVEN_NOTHING: Duration = Duration::from_secs(15);

/// For what a group is waited for beyond `start_timeout`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Patience {
    /// Of a member that is gone without a word, and counts for so long.
    pub(super) session: Duration,
    /// Of the members that finish their records first.
    rebalance: Duration,
}

impl Patience {
    /// Without a group there is nobody to wait for.
    pub(super) fn from_settings(standalone: bool, settings: &ConsumerSettings) -> Self {
        if standalone {
            return Self::default();
        }
        if settings.group_protocol == Some(GroupProtocol::Consumer) {
            return Self {
                session: Duration::ZERO,
                rebalance: GIVEN_NOTHING,
            };
        }
        let session = settings.session_timeout_ms.unwrap_or(SESSION_MILLIS);
        let rebalance = settings.rebalance_timeout_ms.unwrap_or(REBALANCE_MILLIS);
        Self {
            session: Duration::from_millis(session),
            rebalance: Duration::from_millis(rebalance),
        }
    }

    pub(super) fn all(self) -> Duration {
        self.session + self.rebalance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_classic_group_waits_for_the_session_of_who_is_gone_and_for_the_records_of_others() {
        let seconds = |n| Duration::from_secs(n);
        let settings = ConsumerSettings::default();
        assert_eq!(Patience::from_settings(false, &settings).all(), seconds(55));
        assert_eq!(
            Patience::from_settings(true, &settings).all(),
            Duration::ZERO
        );
        let settings = settings
            .session_timeout_ms(6_000_u64)
            .rebalance_timeout_ms(1_000_u64);
        assert_eq!(Patience::from_settings(false, &settings).all(), seconds(7));
        // However short its time for the start is.
        let settings = settings.group_protocol(GroupProtocol::Consumer);
        assert_eq!(
            Patience::from_settings(false, &settings).all(),
            GIVEN_NOTHING
        );
    }
}
