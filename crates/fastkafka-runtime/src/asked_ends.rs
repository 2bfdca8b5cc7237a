//! The ends of logs that were asked for, beside those that a client knows from what it fetches.

use crate::lock::lock;
use crate::state::Figures;
use crate::transport::PartitionRef;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The partitions as of the last round of questions.
#[derive(Debug, Default)]
pub(crate) struct AskedEnds(Mutex<HashMap<PartitionRef, Asked>>);

#[derive(Clone, Copy, Debug)]
struct Asked {
    position: i64,
    /// What the client knew itself. It learns it from fetches alone.
    known: Option<i64>,
    /// The last answer, while nothing is fetched.
    end: Option<i64>,
    /// The records below this end are not read, since this was seen.
    behind: Option<(i64, Instant)>,
}

impl AskedEnds {
    /// The partitions to ask about: nothing is fetched of them, or no end has come with a fetch since the last round. A
    /// position says nothing of that: the client fetches minutes ahead of a slow handler.
    pub(crate) fn quiet(&self, figures: &[Figures]) -> Vec<PartitionRef> {
        let mut asked = lock(&self.0);
        let before = std::mem::take(&mut *asked);
        let mut quiet = Vec::new();
        for one in figures {
            let last = before.get(one.place);
            let stands = last.is_some_and(|last| last.known == one.end);
            let is_quiet = one.paused || one.stopped || stands || one.end.is_none();
            if is_quiet {
                quiet.push(one.place);
            }
            let last = last.filter(|_| is_quiet);
            let kept = Asked {
                position: one.position,
                known: one.end,
                end: last.and_then(|last| last.end),
                behind: last.and_then(|last| last.behind),
            };
            asked.insert(one.place, kept);
        }
        quiet
    }

    pub(crate) fn answered(&self, ends: &[(PartitionRef, i64)]) {
        let mut asked = lock(&self.0);
        for &(place, end) in ends {
            if let Some(asked) = asked.get_mut(place) {
                asked.end = Some(end);
                let lasts = asked.behind.filter(|(to, _)| *to > asked.position);
                let is_behind = end > asked.position;
                asked.behind = is_behind.then(|| lasts.unwrap_or((end, Instant::now())));
            }
        }
    }

    /// Puts what was answered in the place of what the client knew then. What it has learned since is newer.
    pub(crate) fn complete(&self, figures: &mut [Figures]) {
        let asked = lock(&self.0);
        for one in figures {
            let asked = asked.get(one.place);
            let asked = asked.filter(|asked| asked.known == one.end);
            let Some((end, asked)) = asked.and_then(|asked| Some((asked.end?, asked))) else {
                continue;
            };
            one.end = Some(end);
            let lasts = asked.behind.filter(|(to, _)| *to > one.position);
            let lasts = lasts.map_or(Duration::ZERO, |(_, since)| since.elapsed());
            let known = one.unread.unwrap_or_default();
            one.unread = (end > one.position).then(|| known.max(lasts));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

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
        let mut never = figures(3, 0);
        never.end = None;
        let first = [figures(0, 7), figures(1, 3), paused.clone(), never.clone()];
        assert_eq!(partitions(&ends.quiet(&first)), [2, 3]);
        let next = [figures(0, 7), figures(1, 4), paused, never];
        assert_eq!(partitions(&ends.quiet(&next)), [0, 2, 3]);
    }

    #[test]
    fn a_slow_handler_moves_its_position_while_nothing_is_fetched() {
        let ends = AskedEnds::default();
        let slow = |position| Figures {
            end: Some(100),
            ..figures(0, position)
        };
        assert_eq!(partitions(&ends.quiet(&[slow(1)])), [0; 0]);
        let quiet = ends.quiet(&[slow(2)]);
        assert_eq!(partitions(&quiet), [0]);
        ends.answered(&[(quiet[0], 500)]);
        let mut one = [slow(3)];
        ends.complete(&mut one);
        assert_eq!(one[0].end, Some(500));
    }

    #[test]
    fn what_was_told_last_is_the_end() {
        let ends = AskedEnds::default();
        let known = |end| Figures {
            end: Some(end),
            ..figures(0, 50)
        };
        ends.quiet(&[known(100)]);
        let quiet = ends.quiet(&[known(100)]);
        // The log was cut, or made anew.
        ends.answered(&[(quiet[0], 40)]);
        let complete = |end| {
            let mut one = [known(end)];
            ends.complete(&mut one);
            (one[0].end, one[0].unread)
        };
        assert_eq!(complete(100), (Some(40), None));
        assert_eq!(complete(60).0, Some(60), "a fetch has come since");
        assert!(ends.quiet(&[known(60)]).is_empty());
        assert_eq!(complete(60).0, Some(60), "the answer is old");
    }

    #[test]
    fn what_is_read_while_more_comes_has_waited_since_a_later_round() {
        let ends = AskedEnds::default();
        let round = |position, end| {
            let mut one = figures(0, position);
            (one.paused, one.end) = (true, None);
            let quiet = ends.quiet(&[one]);
            ends.answered(&[(quiet[0], end)]);
            lock(&ends.0)[quiet[0]].behind.unwrap().0
        };
        assert_eq!(round(0, 10), 10);
        assert_eq!(round(9, 20), 10);
        assert_eq!(round(10, 30), 30);
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
