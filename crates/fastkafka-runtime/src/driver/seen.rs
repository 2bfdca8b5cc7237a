//! What is remembered of a partition between two looks of those who watch.

use crate::state::Oldest;
use fastkafka_engine::Time;
use std::time::Duration;

/// Since when things are so, and what is looked up once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// The offset that the broker has taken.
    pub(crate) committed: Option<i64>,
    /// What is settled and not committed.
    uncommitted: Option<Behind>,
    /// The records that were not read.
    unread: Option<Behind>,
    oldest: Option<OldestSeen>,
}

/// What is not done below an offset, since it was seen.
#[derive(Clone, Copy, Debug)]
struct Behind {
    to: i64,
    since: Time,
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
        let committed = self.committed.unwrap_or(settled);
        behind(&mut self.uncommitted, committed, settled, now).unwrap_or_default()
    }

    /// For how long there have been records that were not read.
    pub(super) fn unread(
        &mut self,
        position: i64,
        end: Option<i64>,
        now: Time,
    ) -> Option<Duration> {
        behind(&mut self.unread, position, end.unwrap_or(position), now)
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

/// For how long something has not been done. Under load there is always more to do: the time begins anew once all is
/// done that was there when it began.
fn behind(begun: &mut Option<Behind>, done: i64, to: i64, now: Time) -> Option<Duration> {
    let lasts = begun.filter(|begun| begun.to > done);
    *begun = (to > done).then(|| lasts.unwrap_or(Behind { to, since: now }));
    begun.map(|begun| now.saturating_sub(begun.since))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Time {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_committed_under_steady_load_has_no_growing_age() {
        let mut seen = Seen::default();
        for second in 0..100 {
            // Each commit takes what was settled two seconds before.
            let settled = 10 * i64::try_from(second).unwrap();
            seen.committed = Some((settled - 20).max(0));
            let age = seen.uncommitted(settled, at(second));
            assert!(age <= at(2), "{age:?} after {second} s");
        }
        // Nothing is committed any more.
        let settled = 990;
        let before = seen.uncommitted(settled, at(99));
        assert_eq!(seen.uncommitted(settled, at(150)), before + at(51));
        seen.committed = Some(settled);
        assert_eq!(seen.uncommitted(settled, at(151)), at(0));
    }

    #[test]
    fn what_is_read_under_steady_load_has_no_growing_age() {
        let mut seen = Seen::default();
        for second in 0..100 {
            let end = 10 * i64::try_from(second).unwrap();
            let age = seen.unread((end - 20).max(0), Some(end), at(second));
            assert!(age.unwrap_or_default() <= at(2), "{age:?} after {second} s");
        }
        assert_eq!(seen.unread(990, Some(990), at(100)), None);
        assert_eq!(
            seen.unread(990, None, at(101)),
            None,
            "the end is not known"
        );
    }
}
