//! Partitions of which nothing comes although they are read: their leader is away, or answers no fetch.
//!
//! librdkafka does not tell it: it waits for the leader, and an idle partition looks the same. So the leaders
//! of partitions that stand are asked for the ends of their logs.
//!
//! | a partition is | what happens | and it is |
//! |---|---|---|
//! | read | its position does not move for ten seconds | asked about, every ten seconds |
//! | asked about | the leader answers, and the log ends at the position | well: told where it was silent |
//! | asked about | no answer, or the log goes on | silent: told each time |
//! | silent | records come, or it is paused | read: told |
//!
//! While no broker is reached nothing is asked: that has a name of its own.

use fastkafka_runtime::platform::{PartitionRef, Silent, StartError};
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two looks at the positions.
const LOOK: Duration = Duration::from_secs(5);
/// A position that has not moved for so long is asked about, and so often.
const STANDS: Duration = Duration::from_secs(10);
/// So many are asked about together.
const MOST: usize = 1_000;

/// The ends of logs by their leaders, with the positions of the question.
pub(crate) type Heard = Vec<(PartitionRef, i64, Result<i64, StartError>)>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stand {
    next: i64,
    since: Duration,
    /// Since when its log is known to go on.
    goes_on: Option<Duration>,
    is_silent: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Silence {
    look_at: Duration,
    ask_at: Duration,
    /// The queue was empty since the last look: nothing that was read waits to be handed out.
    drained: bool,
    /// An answer is due.
    asked: bool,
    stands: BTreeMap<PartitionRef, Stand>,
}

impl Silence {
    /// All that was read has been handed out.
    pub(crate) fn drained(&mut self) {
        self.drained = true;
    }

    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.look_at <= now
    }

    /// Looks at the positions of all that is read. Returns those to ask about, and those that are well again.
    pub(crate) fn look(
        &mut self,
        now: Duration,
        next: &[(PartitionRef, i64)],
    ) -> (Vec<(PartitionRef, i64)>, Vec<PartitionRef>) {
        self.look_at = now + LOOK;
        let was_drained = std::mem::take(&mut self.drained);
        let mut before = std::mem::take(&mut self.stands);
        let mut well = Vec::new();
        for &(place, next) in next {
            let stands = before.remove(&place);
            let silent = stands.as_ref().is_some_and(|stand| stand.is_silent);
            let same =
                stands.filter(|stand| stand.next == next && (was_drained || stand.is_silent));
            if silent && same.is_none() {
                well.push(place);
            }
            let stand = same.unwrap_or(Stand {
                next,
                since: now,
                goes_on: None,
                is_silent: false,
            });
            self.stands.insert(place, stand);
        }
        // Given away, or paused.
        let gone = before.into_iter().filter(|(_, stand)| stand.is_silent);
        well.extend(gone.map(|(place, _)| place));
        if self.asked || self.ask_at > now {
            return (Vec::new(), well);
        }
        let stands = self.stands.iter();
        let long = stands.filter(|(_, stand)| now.saturating_sub(stand.since) >= STANDS);
        let long: Vec<_> = long
            .take(MOST)
            .map(|(place, stand)| (*place, stand.next))
            .collect();
        self.asked = !long.is_empty();
        (long, well)
    }

    /// The answers about those that were asked about. Those whose leaders refuse the question have a problem
    /// of another name, and so have all while no broker is reached.
    pub(crate) fn heard(
        &mut self,
        now: Duration,
        is_reached: bool,
        answers: Heard,
    ) -> Vec<(PartitionRef, Result<(), Silent>)> {
        self.asked = false;
        self.ask_at = now + STANDS - LOOK;
        let mut news = Vec::new();
        for (place, asked, answer) in answers {
            let stand = self.stands.get_mut(&place);
            let Some(stand) = stand.filter(|stand| stand.next == asked) else {
                continue;
            };
            let (since, why) = match answer {
                Ok(end) if end > asked => {
                    let since = *stand.goes_on.get_or_insert(now);
                    (
                        since,
                        format!("its log goes on to {end}, and nothing comes"),
                    )
                }
                Ok(_) => {
                    stand.goes_on = None;
                    if std::mem::take(&mut stand.is_silent) {
                        news.push((place, Ok(())));
                    }
                    continue;
                }
                Err(StartError::Retry(why)) if is_reached => (stand.since, why),
                Err(_) => continue,
            };
            stand.is_silent = true;
            let lasts = now.saturating_sub(since);
            news.push((place, Err(Silent { lasts, why })));
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

    const SECOND: Duration = Duration::from_secs(1);

    fn place(partition: i32) -> PartitionRef {
        TopicPartition::intern("orders", partition)
    }

    fn no_leader() -> Result<i64, StartError> {
        Err(StartError::Retry("no leader".to_owned()))
    }

    /// Looks every five seconds, and answers for partition 0. Returns what is told.
    fn looks(
        silence: &mut Silence,
        seconds: std::ops::Range<u32>,
        next: i64,
        answer: &Result<i64, StartError>,
    ) -> Vec<(u32, Result<(), Silent>)> {
        let mut told = Vec::new();
        for second in seconds {
            let now = SECOND * second;
            silence.drained();
            if !silence.is_due(now) {
                continue;
            }
            let (asked, well) = silence.look(now, &[(place(0), next)]);
            told.extend(well.iter().map(|_| (second, Ok(()))));
            let answers = asked
                .iter()
                .map(|(place, at)| (*place, *at, answer.clone()));
            let heard = silence.heard(now, true, answers.collect());
            if !asked.is_empty() {
                told.extend(heard.into_iter().map(|(_, news)| (second, news)));
            }
        }
        told
    }

    fn silent(seconds: u64, why: &str) -> Result<(), Silent> {
        Err(Silent {
            lasts: Duration::from_secs(seconds),
            why: why.to_owned(),
        })
    }

    #[test]
    fn one_whose_leader_is_away_is_told_with_its_time_until_it_answers() {
        let mut silence = Silence::default();
        assert_eq!(looks(&mut silence, 0..10, 7, &Ok(7)), []);
        let told = looks(&mut silence, 10..25, 7, &no_leader());
        let expected = [10, 15, 20].map(|at| (at, silent(at.into(), "no leader")));
        assert_eq!(told, expected);
        assert_eq!(looks(&mut silence, 25..40, 7, &Ok(7)), [(25, Ok(()))]);
    }

    #[test]
    fn records_and_a_pause_end_it() {
        let mut silence = Silence::default();
        assert_eq!(looks(&mut silence, 0..15, 7, &no_leader()).len(), 1);
        assert_eq!(looks(&mut silence, 15..20, 8, &Ok(8)), [(15, Ok(()))]);
        looks(&mut silence, 20..35, 8, &no_leader());
        let (asked, well) = silence.look(SECOND * 40, &[]);
        assert_eq!((asked, well), (vec![], vec![place(0)]));
    }

    #[test]
    fn one_whose_log_goes_on_is_told_since_that_was_seen() {
        let mut silence = Silence::default();
        assert_eq!(looks(&mut silence, 0..60, 7, &Ok(7)), []);
        let told = looks(&mut silence, 60..70, 7, &Ok(9));
        let why = "its log goes on to 9, and nothing comes";
        assert_eq!(told, [(60, silent(0, why)), (65, silent(5, why))]);
    }

    #[test]
    fn what_waits_to_be_handed_out_is_not_asked_about_and_nothing_while_no_broker_is_reached() {
        let mut silence = Silence::default();
        for second in 0..20 {
            let (asked, _) = silence.look(SECOND * 5 * second, &[(place(0), 7)]);
            assert_eq!(asked, []);
        }
        looks(&mut silence, 100..110, 7, &Ok(7));
        silence.drained();
        let (asked, _) = silence.look(SECOND * 110, &[(place(0), 7)]);
        assert_eq!(asked, [(place(0), 7)]);
        let answers = vec![(place(0), 7, no_leader())];
        assert_eq!(silence.heard(SECOND * 111, false, answers), []);
    }
}
