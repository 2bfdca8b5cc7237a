//! The ends of logs that were asked for, beside those that a client knows from what it fetches.

use crate::lock::lock;
use crate::state::Figures;
use crate::transport::PartitionRef;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

/// The partitions as of the last round of questions.
#[derive(Debug, Default)]
pub(crate) struct AskedEnds(Mutex<HashMap<PartitionRef, Asked>>);

#[derive(Clone, Copy, Debug)]
struct Asked {
    position: i64,
    end: Option<i64>,
    /// Since when records are known to be there that were not read.
    behind: Option<Instant>,
}

impl AskedEnds {
    /// The partitions to ask about: nothing is fetched of them, or nothing has come since the last round.
    pub(crate) fn quiet(&self, figures: &[Figures]) -> Vec<PartitionRef> {
        let mut asked = lock(&self.0);
        let before = std::mem::take(&mut *asked);
        let mut quiet = Vec::new();
        for one in figures {
            let known = before.get(one.place).copied();
            let stands = known.is_some_and(|known| known.position == one.position);
            if one.paused || one.stopped || stands {
                quiet.push(one.place);
            }
            let kept = known.filter(|_| stands).unwrap_or(Asked {
                position: one.position,
                end: known.and_then(|known| known.end),
                behind: None,
            });
            asked.insert(one.place, kept);
        }
        quiet
    }

    pub(crate) fn answered(&self, ends: &[(PartitionRef, i64)]) {
        let mut asked = lock(&self.0);
        for (place, end) in ends {
            if let Some(asked) = asked.get_mut(place) {
                asked.end = Some(*end);
                let begun = asked.behind.unwrap_or_else(Instant::now);
                asked.behind = (*end > asked.position).then_some(begun);
            }
        }
    }

    /// Adds what was answered.
    pub(crate) fn complete(&self, figures: &mut [Figures]) {
        let asked = lock(&self.0);
        for one in figures {
            let Some(asked) = asked.get(one.place) else {
                continue;
            };
            one.end = one.end.max(asked.end);
            let is_behind = one.end.is_some_and(|end| end > one.position);
            let lasts = asked.behind.filter(|_| is_behind);
            one.unread = one.unread.max(lasts.map(|since| since.elapsed()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;
    use std::time::Duration;

    fn figures(partition: i32, position: i64) -> Figures {
        Figures {
            place: TopicPartition::intern("orders", partition),
            handler: "on_orders",
            committed: None,
            settled: position,
            position,
            end: Some(position),
            oldest: None,
            open: 0,
            span: 0,
            bytes: 0,
            in_hand: 0,
            unread: None,
            uncommitted: Duration::ZERO,
            stopped: false,
            paused: false,
        }
    }

    fn partitions(quiet: &[PartitionRef]) -> Vec<i32> {
        quiet.iter().map(|place| place.partition).collect()
    }

    #[test]
    fn what_stands_or_is_paused_is_asked_about_and_what_is_read_is_not() {
        let ends = AskedEnds::default();
        let mut paused = figures(2, 5);
        paused.paused = true;
        let first = [figures(0, 7), figures(1, 3), paused.clone()];
        assert_eq!(partitions(&ends.quiet(&first)), [2]);
        let next = [figures(0, 7), figures(1, 4), paused];
        assert_eq!(partitions(&ends.quiet(&next)), [0, 2]);
    }

    #[test]
    fn an_answer_counts_until_the_partition_has_gone() {
        let ends = AskedEnds::default();
        let mut one = [figures(0, 7)];
        one[0].paused = true;
        let quiet = ends.quiet(&one);
        ends.answered(&[(quiet[0], 9)]);
        let complete = |ends: &AskedEnds| {
            let mut all = one.clone();
            ends.complete(&mut all);
            (all[0].end, all[0].unread.is_some())
        };
        assert_eq!(complete(&ends), (Some(9), true));
        // Nobody has answered again.
        ends.quiet(&one);
        assert_eq!(complete(&ends), (Some(9), true));
        ends.answered(&[(quiet[0], 7)]);
        assert_eq!(complete(&ends), (Some(7), false));
        ends.answered(&[(quiet[0], 9)]);
        ends.quiet(&[]);
        assert_eq!(complete(&ends), (Some(7), false));
    }
}
