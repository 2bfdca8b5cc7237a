//! The errors that the client has reported, and since when they last.

use fastkafka_engine::Time;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ClientErrors {
    unreachable_since: Option<Time>,
    refused: Option<String>,
    last: Option<String>,
    /// Since when commits are refused, and the reason of the last one.
    commits_refused: Option<(Time, String)>,
}

impl ClientErrors {
    pub(crate) fn note(&mut self, message: &str) {
        self.last = Some(message.to_owned());
    }

    /// True when a broker was reachable until now. The client tells many times a second that none is.
    pub(crate) fn note_unreachable(&mut self, now: Time) -> bool {
        let is_news = self.unreachable_since.is_none();
        self.unreachable_since.get_or_insert(now);
        is_news
    }

    /// A broker answers: returns since when none did.
    pub(crate) fn note_connected(&mut self) -> Option<Time> {
        self.unreachable_since.take()
    }

    pub(crate) fn note_refused(&mut self, message: String) {
        self.refused = Some(message);
    }

    pub(crate) fn note_commit(&mut self) {
        self.commits_refused = None;
        // The refusal is over: the consumer is a member and may commit.
        self.refused = None;
    }

    pub(crate) fn note_refused_commit(&mut self, now: Time, why: String) {
        let since = self.commits_refused.take().map_or(now, |(since, _)| since);
        self.commits_refused = Some((since, why));
    }

    /// The partitions are lost, and with them what could not be committed.
    pub(crate) fn forget_commits(&mut self) {
        self.commits_refused = None;
    }

    pub(crate) fn unreachable_since(&self) -> Option<Time> {
        self.unreachable_since
    }

    pub(crate) fn refused(&self) -> Option<&String> {
        self.refused.as_ref()
    }

    pub(crate) fn last(&self) -> Option<&String> {
        self.last.as_ref()
    }

    pub(crate) fn commits_refused(&self) -> Option<&(Time, String)> {
        self.commits_refused.as_ref()
    }
}
