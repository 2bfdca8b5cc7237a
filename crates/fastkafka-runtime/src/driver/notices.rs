//! The client's notices: each goes to the rebalance, to the seeks, or to the client's errors.

use super::Driver;
use super::state::rebalance::Asked;
use crate::transport::{ClientError, ErrorKind, GroupConsumer, Notice, PartitionRef};

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn poll(&mut self) {
        let mut notices = std::mem::take(&mut self.notices);
        self.consumer.poll(&mut notices);
        for notice in notices.drain(..) {
            match notice {
                Notice::Assign(places) => self.rebalance.push(Asked::Assign(places)),
                Notice::Revoke { places, lost } => {
                    self.rebalance.push(Asked::Revoke { places, lost });
                }
                Notice::Resolved(starts) => self.rebalance.push(Asked::Resolved(starts)),
                Notice::OutOfRange {
                    place,
                    position,
                    low,
                    high,
                } => self.out_of_range(place, position, low, high),
                Notice::Found(place, found) => self.seek_found(place, found),
                Notice::Moved(place, committed) => self.seek_committed(place, committed),
                Notice::Committed(Ok(())) => self.client_errors.note_commit(),
                Notice::Committed(Err(why)) => {
                    let (group, cluster) = (self.setup.group(), self.setup.named_cluster());
                    tracing::warn!(group, cluster, "commit refused: {why}");
                    self.client_errors.note_refused_commit(self.now, why);
                }
                Notice::Connected => self.connected(),
                Notice::Error(error) => self.client_error(error),
            }
        }
        self.notices = notices;
    }

    fn connected(&mut self) {
        if let Some(since) = self.client_errors.note_connected() {
            let (group, cluster) = (self.setup.group(), self.setup.named_cluster());
            let away = self.now.saturating_sub(since);
            tracing::info!(group, cluster, "a broker answers again, after {away:.1?}");
        }
    }

    fn client_error(&mut self, error: ClientError) {
        let (group, cluster) = (self.setup.group(), self.setup.named_cluster());
        self.client_errors.note(&error.message);
        match error.kind {
            // The log says it once, and health goes on.
            ErrorKind::Unreachable => {
                if self.client_errors.note_unreachable(self.now) {
                    tracing::warn!(group, cluster, "{error}");
                }
            }
            ErrorKind::Refused => {
                tracing::error!(group, cluster, "{error}");
                // Before the start nothing is at stake yet: give up at once instead of trying on.
                if !self.setup.shared.is_started() {
                    let reason = format!("group `{group}`: {error}");
                    self.setup.shared.fail(reason);
                }
                self.client_errors.note_refused(error.message);
            }
            ErrorKind::Fatal => {
                let reason = format!("the consumer of group `{group}` cannot go on: {error}");
                self.setup.shared.fail(reason);
            }
            ErrorKind::Other => tracing::warn!(group, cluster, "{error}"),
        }
    }

    fn out_of_range(&mut self, place: PartitionRef, position: i64, low: i64, high: i64) {
        // A seek already leaves that position.
        if self.seeks.is_moving(place) {
            return;
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
            let partition = &mut self.partitions[part];
            partition.errors.insert(position, what);
            partition.truncated = Some(position);
            self.pause(part, true);
        }
    }
}
