//! Looking again, after a refusal, at what is still refused.
//!
//! The client tells a refusal once and never that it is over: an idle topic gives no sign. So after a refusal
//! each topic of the subscription and the group are asked for, until all of them answer well.

use fastkafka_runtime::platform::ClientError;
use std::time::Duration;

/// Between two looks.
const AGAIN: Duration = Duration::from_secs(5);

/// When to look next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checks {
    /// `None` while nothing is refused.
    look_at: Option<Duration>,
}

impl Checks {
    /// Something was refused.
    pub(crate) fn refused(&mut self, now: Duration) {
        self.look_at.get_or_insert(now);
    }

    /// True when it is time to look.
    pub(crate) fn is_due(&mut self, now: Duration) -> bool {
        let due = self.look_at.is_some_and(|at| at <= now);
        if due {
            self.look_at = Some(now + AGAIN);
        }
        due
    }

    /// The answers of a look.
    pub(crate) fn heard<'a>(
        &mut self,
        mut answers: impl Iterator<Item = &'a Result<(), ClientError>>,
    ) {
        if answers.all(Result::is_ok) {
            self.look_at = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::client_error;
    use rdkafka::types::RDKafkaErrorCode::UnknownTopicOrPartition;

    #[test]
    fn a_refusal_is_looked_at_again_until_every_answer_is_well() {
        let mut checks = Checks::default();
        assert!(!checks.is_due(AGAIN), "nothing was refused");
        checks.refused(AGAIN);
        assert!(checks.is_due(AGAIN));
        assert!(!checks.is_due(AGAIN), "once");
        let refused = Err(client_error(UnknownTopicOrPartition, ""));
        checks.heard([&refused, &Ok(())].into_iter());
        assert!(checks.is_due(2 * AGAIN));
        checks.heard([&Ok(()), &Ok(())].into_iter());
        assert!(!checks.is_due(9 * AGAIN));
    }
}
