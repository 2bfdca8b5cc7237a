//! The question whether any broker answers: asked until one does.

use std::time::Duration;

/// Between two questions to a broker that did not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// When to ask whether a broker answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reachability {
    /// `None` while one does.
    ask_at: Option<Duration>,
}

impl Reachability {
    /// A new client does not know yet: it is asked at once.
    pub(crate) fn new() -> Self {
        Self {
            ask_at: Some(Duration::ZERO),
        }
    }

    /// No broker is reached.
    pub(crate) fn unreachable(&mut self, now: Duration) {
        self.ask_at.get_or_insert(now);
    }

    /// A broker answered.
    pub(crate) fn connected(&mut self) {
        self.ask_at = None;
    }

    /// As far as it is known, one answers.
    pub(crate) fn is_reached(&self) -> bool {
        self.ask_at.is_none()
    }

    /// True when the question is to be asked now.
    pub(crate) fn is_due(&mut self, now: Duration) -> bool {
        let due = self.ask_at.is_some_and(|at| at <= now);
        if due {
            self.ask_at = Some(now + AGAIN);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_repeated_each_second_until_a_broker_answers() {
        let mut reachability = Reachability::new();
        assert!(reachability.is_due(Duration::ZERO));
        // An error meanwhile does not make it come sooner.
        reachability.unreachable(AGAIN / 2);
        assert!(!reachability.is_due(AGAIN / 2));
        assert!(reachability.is_due(AGAIN));
        reachability.connected();
        assert!(!reachability.is_due(AGAIN * 9));
        reachability.unreachable(AGAIN * 9);
        assert!(reachability.is_due(AGAIN * 9));
    }
}
