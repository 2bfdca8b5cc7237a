//! What is remembered of a partition between two looks of those who watch.

use crate::state::Oldest;
use fastkafka_engine::Time;
use std::time::Duration;

/// Since when things are so, and what is looked up once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// The offset that the broker has taken.
    pub(crate) committed: Option<i64>,
    /// Since when something that is settled is not committed.
    uncommitted: Option<Time>,
    /// Since when there are records that were not read.
    unread: Option<Time>,
    oldest: Option<OldestSeen>,
}

#[derive(Clone, Copy, Debug)]
struct OldestSeen {
    at: i64,
    written: Option<i64>,
    since: Time,
}

impl Seen {
    /// For how long something has been settled that is not committed.
    pub(super) fn uncommitted(&mut self, settled: i64, now: Time) -> Duration {
        let is_committed = self.committed.is_none_or(|at| at >= settled);
        since(&mut self.uncommitted, !is_committed, now).unwrap_or_default()
    }

    /// For how long there have been records that were not read.
    pub(super) fn unread(&mut self, is_behind: bool, now: Time) -> Option<Duration> {
        since(&mut self.unread, is_behind, now)
    }

    /// The record at this offset, which is the oldest that is open. Its time is looked up once.
    pub(super) fn oldest(
        &mut self,
        at: Option<i64>,
        now: Time,
        written: impl FnOnce(i64) -> Option<i64>,
    ) -> Option<Oldest> {
        let known = self.oldest;
        self.oldest = at.map(|at| match known {
            Some(known) if known.at == at => known,
            _ => OldestSeen {
                at,
                written: written(at),
                since: now,
            },
        });
        self.oldest.map(|oldest| Oldest {
            at: oldest.at,
            written: oldest.written,
            lasts: now.saturating_sub(oldest.since),
        })
    }
}

/// For how long something has been so.
fn since(begun: &mut Option<Time>, is_so: bool, now: Time) -> Option<Duration> {
    *begun = is_so.then(|| begun.unwrap_or(now));
    begun.map(|begun| now.saturating_sub(begun))
}
