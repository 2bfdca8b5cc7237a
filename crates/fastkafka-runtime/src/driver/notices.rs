//! What the client has to say.

use super::Driver;
use crate::transport::{ClientError, ErrorKind, GroupConsumer, Notice, PartitionRef};
use fastkafka_engine::Time;

/// Since when the client has complained, and the last thing it said.
#[derive(Debug, Default)]
pub(super) struct ClientErrors {
    pub(super) unreachable: Option<Time>,
    pub(super) refused: Option<String>,
    pub(super) last_error: Option<String>,
    pub(super) commits: Option<(Time, String)>,
}

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn poll(&mut self) {
        let mut notices = std::mem::take(&mut self.notices);
        self.consumer.poll(&mut notices);
        for notice in notices.drain(..) {
            match notice {
                Notice::Assign(_) | Notice::Revoke { .. } | Notice::Resolved(_) => {
                    self.rebalance.push(notice);
                }
                Notice::OutOfRange {
                    place,
                    position,
                    low,
                    high,
                } => self.out_of_range(place, position, low, high),
                Notice::Found(place, found) => self.found(place, found),
                Notice::Moved(place, committed) => self.moved(place, committed),
                Notice::Committed(Ok(())) => {
                    self.client_errors.commits = None;
                    // What was refused has been put right: we are a member and may commit.
                    self.client_errors.refused = None;
                }
                Notice::Committed(Err(why)) => {
                    let since = self
                        .client_errors
                        .commits
                        .take()
                        .map_or(self.now, |(since, _)| since);
                    let (group, cluster) = (self.group(), self.named_cluster());
                    tracing::warn!(group, cluster, "commit refused: {why}");
                    self.client_errors.commits = Some((since, why));
                }
                Notice::Connected => self.connected(),
                Notice::Error(error) => {
                    self.client_errors.last_error = Some(error.message.clone());
                    self.client_error(error);
                }
            }
        }
        self.notices = notices;
    }

    /// The client says many times a second that a broker is away; the log says it once, and health goes on.
    fn unreachable(&mut self, error: &ClientError) {
        if self.client_errors.unreachable.is_none() {
            let (group, cluster) = (self.group(), self.named_cluster());
            tracing::warn!(group, cluster, "{error}");
            self.client_errors.unreachable = Some(self.now);
        }
    }

    fn connected(&mut self) {
        if let Some(since) = self.client_errors.unreachable.take() {
            let (group, cluster) = (self.group(), self.named_cluster());
            let away = self.now.saturating_sub(since);
            tracing::info!(group, cluster, "a broker answers again, after {away:.1?}");
        }
    }

    pub(super) fn client_error(&mut self, error: ClientError) {
        let (group, cluster) = (self.group(), self.named_cluster());
        match error.kind {
            ErrorKind::Unreachable => self.unreachable(&error),
            ErrorKind::Refused => {
                tracing::error!(group, cluster, "{error}");
                // Before the start nothing is at stake yet: give up at once instead of trying on.
                if !self.setup.shared.is_started() {
                    let reason = format!("group `{group}`: {error}");
                    self.setup.shared.fail(reason);
                }
                self.client_errors.refused = Some(error.message);
            }
            ErrorKind::Fatal => {
                let reason = format!("the consumer of group `{group}` cannot go on: {error}");
                self.setup.shared.fail(reason);
            }
            ErrorKind::Other => tracing::warn!(group, cluster, "{error}"),
        }
    }

    pub(super) fn out_of_range(&mut self, place: PartitionRef, position: i64, low: i64, high: i64) {
        if self.is_moving(place) {
            return; // Away from that position.
        }
        if position < low {
            tracing::error!(
                %place,
                lost = low - position,
                "records {position}..{low} are gone from the log before they were read (retention): going on at {low}"
            );
            if let Err(error) = self.consumer.seek(place, low) {
                tracing::error!(%place, "cannot move to {low}: {error}");
            }
        } else {
            let what = format!(
                "position {position} is past the end of the log ({high}): the topic was truncated or made anew; \
                 seek to an offset that is there, or reset the group's, to go on"
            );
            tracing::error!(%place, "{what}; the partition stops");
            let part = self.part(place);
            self.at(part).errors.insert(position, what);
            self.truncated.insert(part, position);
            self.pause(part, true);
        }
    }

    pub(crate) fn forget_refused_commits(&mut self) {
        self.client_errors.commits = None;
    }

    /// Why what is settled may not be committed.
    pub(crate) fn refused_commit(&self) -> Option<String> {
        self.client_errors
            .commits
            .as_ref()
            .map(|(_, why)| format!("the last offsets could not be committed: {why}"))
    }
}
