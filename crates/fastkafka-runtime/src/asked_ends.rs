//! The ends of logs that were asked for, beside those that a client knows from what it fetches.

use crate::lock::lock;
use crate::state::Figures;
use crate::transport::PartitionRef;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// An answer of so long ago is told: it was asked again meanwhile, if anybody asks.
const TOLD: Duration = Duration::from_secs(10);
/// What was answered before is not known any more after this time.
const FORGOTTEN: Duration = Duration::from_secs(30);

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
    /// The time of the last answer, or of the first question, while nothing is fetched.
    since: Option<Instant>,
    /// The records below this end are not read, since this was seen.
    behind: Option<(i64, Instant)>,
}

impl AskedEnds {
    /// The partitions to ask about: nothing is fetched of them, or no end has come with a fetch since the last round. A
    /// position says nothing of that: the client fetches minutes ahead of a slow handler.
    pub(crate) fn quiet(&self, figures: &[Figures], now: Instant) -> Vec<PartitionRef> {
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
            let since = last.and_then(|last| last.since);
            let kept = Asked {
                position: one.position,
                known: one.end,
                end: last.and_then(|last| last.end),
                since: is_quiet.then(|| since.unwrap_or(now)),
                behind: last.and_then(|last| last.behind),
            };
            asked.insert(one.place, kept);
        }
        quiet
    }

    pub(crate) fn answered(&self, ends: &[(PartitionRef, i64)], now: Instant) {
        let mut asked = lock(&self.0);
        for &(place, end) in ends {
            if let Some(asked) = asked.get_mut(place) {
                asked.end = Some(end);
                asked.since = Some(now);
                let lasts = asked.behind.filter(|(to, _)| *to > asked.position);
                let is_behind = end > asked.position;
                asked.behind = is_behind.then(|| lasts.unwrap_or((end, now)));
            }
        }
    }

    /// Puts what was answered in the place of what the client knew then. What it has learned since is newer. Where
    /// nobody answers it is not known where a log ends.
    pub(crate) fn complete(&self, figures: &mut [Figures], now: Instant) {
        let asked = lock(&self.0);
        for one in figures {
            let asked = asked.get(one.place);
            let Some(asked) = asked.filter(|asked| asked.known == one.end) else {
                continue;
            };
            if let Some(end) = asked.end {
                one.end = Some(end);
                let lasts = asked.behind.filter(|(to, _)| *to > one.position);
                let lasts = lasts.map_or(Duration::ZERO, |(_, since)| now - since);
                let known = one.unread.unwrap_or_default();
                one.unread = (end > one.position).then(|| known.max(lasts));
            }
            let unanswered = asked.since.map(|since| now - since);
            one.unanswered = unanswered.filter(|time| *time >= TOLD);
            // That there are records that were not read is known as ever.
            one.end = one
                .end
                .filter(|_| unanswered.is_none_or(|time| time < FORGOTTEN));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Instant {
        Instant::now()
    }

    fn figures(partition: i32, position: i64) -> Figures {
        Figures {
            settled: position,
            position,
            end: Some(position),
            ..Figures::new("orders", partition)
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
        assert_eq!(partitions(&ends.quiet(&first, now())), [2, 3]);
        let next = [figures(0, 7), figures(1, 4), paused, never];
        assert_eq!(partitions(&ends.quiet(&next, now())), [0, 2, 3]);
    }

    #[test]
    fn a_slow_handler_moves_its_position_while_nothing_is_fetched() {
        let ends = AskedEnds::default();
        let slow = |position| Figures {
            end: Some(100),
            ..figures(0, position)
        };
        assert_eq!(partitions(&ends.quiet(&[slow(1)], now())), [0; 0]);
        let quiet = ends.quiet(&[slow(2)], now());
        assert_eq!(partitions(&quiet), [0]);
        ends.answered(&[(quiet[0], 500)], now());
        let mut one = [slow(3)];
        ends.complete(&mut one, now());
        assert_eq!(one[0].end, Some(500));
    }

    #[test]
    fn what_was_told_last_is_the_end() {
        let ends = AskedEnds::default();
        let known = |end| Figures {
            end: Some(end),
            ..figures(0, 50)
        };
        ends.quiet(&[known(100)], now());
        let quiet = ends.quiet(&[known(100)], now());
        // The log was cut, or made anew.
        ends.answered(&[(quiet[0], 40)], now());
        let complete = |end| {
            let mut one = [known(end)];
            ends.complete(&mut one, now());
            (one[0].end, one[0].unread)
        };
        assert_eq!(complete(100), (Some(40), None));
        assert_eq!(complete(60).0, Some(60), "a fetch has come since");
        assert!(ends.quiet(&[known(60)], now()).is_empty());
        assert_eq!(complete(60).0, Some(60), "the answer is old");
    }

    #[test]
    fn what_is_read_while_more_comes_has_waited_since_a_later_round() {
        let ends = AskedEnds::default();
        let round = |position, end| {
            let mut one = figures(0, position);
            (one.paused, one.end) = (true, None);
            let quiet = ends.quiet(&[one], now());
            ends.answered(&[(quiet[0], end)], now());
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
        let quiet = ends.quiet(&one, now());
        ends.answered(&[(quiet[0], 9)], now());
        let complete = |ends: &AskedEnds| {
            let mut all = one.clone();
            ends.complete(&mut all, now());
            (all[0].end, all[0].unread.is_some())
        };
        assert_eq!(complete(&ends), (Some(9), true));
        // Nobody has answered again.
        ends.quiet(&one, now());
        assert_eq!(complete(&ends), (Some(9), true));
        ends.answered(&[(quiet[0], 7)], now());
        assert_eq!(complete(&ends), (Some(7), false));
        ends.answered(&[(quiet[0], 9)], now());
        ends.quiet(&[], now());
        assert_eq!(complete(&ends), (Some(7), false));
    }

    #[test]
    fn of_two_that_are_asked_about_only_one_whose_leader_is_away_is_not_known_any_more() {
        let ends = AskedEnds::default();
        let begun = now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut both = [figures(0, 7), figures(1, 7)];
        for one in &mut both {
            one.paused = true;
        }
        let quiet = ends.quiet(&both, begun);
        ends.answered(&[(quiet[0], 9), (quiet[1], 9)], begun);
        let complete = |at| {
            let mut all = both.clone();
            ends.complete(&mut all, at);
            all.map(|one| {
                let seconds = one.unanswered.map(|time| time.as_secs());
                (one.end, seconds, one.unread.is_some())
            })
        };
        for round in (5..=60).step_by(5) {
            ends.quiet(&both, after(round));
            ends.answered(&[(quiet[0], 9)], after(round));
        }
        let known = (Some(9), None, true);
        assert_eq!(complete(after(9)), [known, known], "it is asked again");
        assert_eq!(complete(after(10)), [known, (Some(9), Some(10), true)]);
        assert_eq!(complete(after(30)), [known, (None, Some(30), true)]);
        ends.answered(&[(quiet[1], 9)], after(61));
        assert_eq!(complete(after(61)), [known, known]);
        // Nobody asks any more: the app drains.
        assert_eq!(
            complete(after(91)),
            [(None, Some(31), true), (None, Some(30), true)]
        );
    }

    #[test]
    fn what_was_never_answered_is_not_the_end_of_the_last_fetch_for_ever() {
        let ends = AskedEnds::default();
        let begun = now();
        for round in (0..60).step_by(5) {
            ends.quiet(&[figures(0, 7)], begun + Duration::from_secs(round));
        }
        let end = |seconds, known| {
            let mut one = [figures(0, known)];
            ends.complete(&mut one, begun + Duration::from_secs(seconds));
            one[0].end
        };
        // The first round is the one that finds it quiet.
        assert_eq!(end(34, 7), Some(7));
        assert_eq!(end(35, 7), None);
        assert_eq!(end(35, 8), Some(8), "a fetch has told");
    }
}
