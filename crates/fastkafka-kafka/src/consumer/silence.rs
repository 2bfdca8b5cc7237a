//! Partitions that are read and of which nothing comes: their leader is away, or does not answer this client's fetch.
//!
//! librdkafka does not tell it: it waits for the leader, and an idle partition looks the same. So the leaders
//! of partitions that stand are asked for the ends of their logs. What lies between a position and an end may be no
//! record, which is for [`ends`](super::ends) to find out: a client of its own reads there. If that one has records
//! and this one has none, it is this one's fetch that is not answered: it may be sent to a replica in its rack.
//!
//! | a partition is | what happens | and it is |
//! |---|---|---|
//! | read | its position does not move for ten seconds | asked about, every ten seconds |
//! | asked about | the leader answers, or refuses | well: told where it was silent |
//! | asked about | no answer, twice in a row | silent: told each time |
//! | asked about | another client reads records there, twice, and this one none | silent: told each time |
//! | silent | records come, or it is paused | read: told |
//!
//! While no broker is reached nothing is asked: that has a name of its own.

use fastkafka_runtime::platform::{PartitionRef, Silent, StartError};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Between two looks at the positions.
const LOOK: Duration = Duration::from_secs(5);
/// A position that has not moved for so long is asked about, and so often.
const STANDS: Duration = Duration::from_secs(10);
/// So many are asked about together.
const MOST: usize = 5_000;

/// The ends of logs by their leaders, with the positions of the question.
pub(crate) type Heard = Vec<(PartitionRef, i64, Result<i64, StartError>)>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stand {
    next: i64,
    since: Duration,
    /// The end of its log, by its leader.
    end: Option<i64>,
    /// How often another client has read records here.
    unread: u32,
    /// Since when it stands here, or when its leader last answered.
    well: Duration,
    /// Since when it has no answer. Of many partitions each is asked about seldom, so its last answer may be
    /// long ago; it is taken to have been well until shortly before the first question.
    silent: Duration,
    /// When it was last asked about; before that, since when it stands.
    asked: Duration,
    /// Questions in a row without an answer. One alone may be a leader that changes, or a broker in a hurry.
    unanswered: u32,
}

impl Stand {
    fn is_silent(&self) -> bool {
        self.unanswered > 1 || self.is_unread()
    }

    /// One alone may have come in between.
    fn is_unread(&self) -> bool {
        self.unread > 1
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Silence {
    look_at: Duration,
    ask_at: Duration,
    /// What was asked about, while its answer is due, and when it was before.
    asked: Option<Vec<(PartitionRef, Duration)>>,
    stands: BTreeMap<PartitionRef, Stand>,
}

impl Silence {
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
        let mut before = std::mem::take(&mut self.stands);
        let mut well = Vec::new();
        for &(place, next) in next {
            let former = before.remove(&place);
            let (same, moved) = match former {
                Some(stand) if stand.next == next => (Some(stand), None),
                moved => (None, moved),
            };
            if moved.is_some_and(|stand| stand.is_silent()) {
                well.push(place);
            }
            let stand = same.unwrap_or(Stand {
                next,
                since: now,
                end: None,
                unread: 0,
                well: now,
                silent: now,
                asked: now,
                unanswered: 0,
            });
            self.stands.insert(place, stand);
        }
        // Given away, or paused.
        let gone = before.into_iter().filter(|(_, stand)| stand.is_silent());
        well.extend(gone.map(|(place, _)| place));
        if self.asked.is_some() || self.ask_at > now {
            return (Vec::new(), well);
        }
        (self.ask(now), well)
    }

    /// Those that have waited longest.
    fn ask(&mut self, now: Duration) -> Vec<(PartitionRef, i64)> {
        let due = |stand: &&mut Stand| now.saturating_sub(stand.asked) >= STANDS;
        let stands = self.stands.iter_mut();
        let mut due: Vec<_> = stands.filter(|(_, stand)| due(stand)).collect();
        due.sort_by_key(|(_, stand)| stand.asked);
        due.truncate(MOST);
        let before = due.iter().map(|(place, stand)| (**place, stand.asked));
        let before: Vec<_> = before.collect();
        self.asked = (!before.is_empty()).then_some(before);
        let asked = due.into_iter().map(|(place, stand)| {
            stand.asked = now;
            (*place, stand.next)
        });
        asked.collect()
    }

    /// The end of a log, as its leader has told it since the partition stands at this position.
    pub(crate) fn end(&self, place: PartitionRef, next: i64) -> Option<i64> {
        let stand = self.stands.get(&place).filter(|stand| stand.next == next);
        stand.and_then(|stand| stand.end)
    }

    /// Another client has read a record at this position, where this one has none to hand out.
    pub(crate) fn unread(
        &mut self,
        now: Duration,
        place: PartitionRef,
        next: i64,
    ) -> Option<(PartitionRef, Result<(), Silent>)> {
        let stand = self.stands.get_mut(&place);
        let stand = stand.filter(|stand| stand.next == next)?;
        stand.unread += 1;
        stand.is_unread().then(|| {
            let lasts = now.saturating_sub(stand.since);
            let why = format!(
                "its leader has records from {next} on, and the client's fetch of them is not answered; with \
                 `client.rack` it goes to a replica in the same rack"
            );
            (place, Err(Silent { lasts, why }))
        })
    }

    /// The answers about those that were asked about, as far as there was time; the others have their turn first the
    /// next time. What a leader refuses has a problem of another name, and
    /// so has everything while no broker is reached.
    pub(crate) fn heard(
        &mut self,
        now: Duration,
        is_reached: bool,
        answers: Heard,
    ) -> Vec<(PartitionRef, Result<(), Silent>)> {
        let asked = self.asked.take().unwrap_or_default();
        let answered: BTreeSet<_> = answers.iter().map(|(place, ..)| *place).collect();
        for (place, before) in asked.iter().filter(|(place, _)| !answered.contains(place)) {
            if let Some(stand) = self.stands.get_mut(place) {
                stand.asked = *before;
            }
        }
        self.ask_at = now + STANDS - LOOK;
        let mut news = Vec::new();
        for (place, asked, answer) in answers {
            let stand = self.stands.get_mut(&place);
            let Some(stand) = stand.filter(|stand| stand.next == asked) else {
                continue;
            };
            match answer {
                Err(StartError::Retry(why)) if is_reached => {
                    if stand.unanswered == 0 {
                        stand.silent = stand.well.max(stand.asked.saturating_sub(STANDS));
                    }
                    stand.unanswered += 1;
                    if stand.is_silent() {
                        let lasts = now.saturating_sub(stand.silent);
                        news.push((place, Err(Silent { lasts, why })));
                    }
                }
                Err(StartError::Retry(_)) => {}
                Ok(_) | Err(_) => {
                    let was_silent = stand.is_silent();
                    stand.end = answer.ok();
                    (stand.well, stand.unanswered) = (now, 0);
                    if was_silent && !stand.is_silent() {
                        news.push((place, Ok(())));
                    }
                }
            }
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

    fn silent(seconds: u32) -> Result<(), Silent> {
        Err(Silent {
            lasts: SECOND * seconds,
            why: "no leader".to_owned(),
        })
    }

    #[test]
    fn one_whose_leader_is_away_is_told_with_its_time_until_it_answers() {
        let mut silence = Silence::default();
        assert_eq!(looks(&mut silence, 0..10, 7, &Ok(7)), []);
        let told = looks(&mut silence, 10..45, 7, &no_leader());
        assert_eq!(told, [20, 30, 40].map(|at| (at, silent(at))));
        assert_eq!(looks(&mut silence, 45..60, 7, &Ok(7)), [(50, Ok(()))]);
    }

    /// A partition without records for an hour is well as long as its leader answers.
    #[test]
    fn one_that_was_idle_is_silent_since_its_leader_answered_last() {
        let mut silence = Silence::default();
        assert_eq!(looks(&mut silence, 0..3_600, 7, &Ok(7)), []);
        let told = looks(&mut silence, 3_600..3_625, 7, &no_leader());
        // The last answer was that of 3,590.
        assert_eq!(told, [(3_610, silent(20)), (3_620, silent(30))]);
    }

    #[test]
    fn one_question_without_an_answer_is_not_told() {
        let mut silence = Silence::default();
        assert_eq!(looks(&mut silence, 0..60, 7, &Ok(7)), []);
        assert_eq!(looks(&mut silence, 60..70, 7, &no_leader()), []);
        assert_eq!(looks(&mut silence, 70..120, 7, &Ok(7)), []);
    }

    #[test]
    fn one_whose_records_another_client_reads_is_silent_until_they_come() {
        let mut silence = Silence::default();
        assert_eq!(looks(&mut silence, 0..15, 7, &Ok(9)), []);
        assert_eq!(silence.end(place(0), 7), Some(9));
        assert_eq!(silence.end(place(0), 6), None, "of another position");
        assert_eq!(silence.unread(SECOND * 15, place(0), 6), None);
        assert_eq!(silence.unread(SECOND * 15, place(0), 7), None);
        let told = silence.unread(SECOND * 25, place(0), 7);
        let Some((_, Err(silent))) = told else {
            panic!("{told:?}")
        };
        assert_eq!(silent.lasts, SECOND * 25);
        assert!(silent.why.contains("client.rack"), "{}", silent.why);
        // That its leader answers is no news.
        assert_eq!(looks(&mut silence, 25..40, 7, &Ok(9)), []);
        assert_eq!(looks(&mut silence, 40..45, 8, &Ok(9)), [(40, Ok(()))]);
        assert_eq!(silence.end(place(0), 8), None);
    }

    /// What lies between may be the markers of a transaction, or aborted.
    #[test]
    fn one_whose_log_goes_on_is_not_silent() {
        let mut silence = Silence::default();
        assert_eq!(looks(&mut silence, 0..120, 7, &Ok(900)), []);
    }

    #[test]
    fn a_refusal_ends_it_for_it_has_another_name() {
        let mut silence = Silence::default();
        assert_eq!(looks(&mut silence, 0..25, 7, &no_leader()).len(), 1);
        let refused = Err(StartError::Refused("no right".to_owned()));
        assert_eq!(looks(&mut silence, 25..60, 7, &refused), [(30, Ok(()))]);
    }

    #[test]
    fn records_and_a_pause_end_it() {
        let mut silence = Silence::default();
        assert_eq!(looks(&mut silence, 0..25, 7, &no_leader()).len(), 1);
        assert_eq!(looks(&mut silence, 25..30, 8, &Ok(8)), [(25, Ok(()))]);
        assert_eq!(looks(&mut silence, 30..50, 8, &no_leader()).len(), 1);
        let (asked, well) = silence.look(SECOND * 50, &[]);
        assert_eq!((asked, well), (vec![], vec![place(0)]));
    }

    #[test]
    fn of_too_many_each_is_asked_about_in_turn_and_what_lasts_is_not_exaggerated() {
        let mut silence = Silence::default();
        let all: Vec<_> = (0..20_000).map(|n| (place(n), 7)).collect();
        let away = place(19_000);
        let (mut asked_about, mut told) = (BTreeMap::<_, u32>::new(), Vec::new());
        let gone_at = LOOK * 20;
        for look in 0..40 {
            let now = LOOK * look;
            let (asked, _) = silence.look(now, &all);
            assert!(asked.len() <= MOST);
            for (place, _) in &asked {
                *asked_about.entry(*place).or_default() += 1;
            }
            let answer = |place| match place == away && now >= gone_at {
                true => no_leader(),
                false => Ok(7),
            };
            let answers = asked
                .iter()
                .map(|(place, at)| (*place, *at, answer(*place)));
            let news = silence.heard(now, true, answers.collect());
            told.extend(news.into_iter().map(|(place, news)| (now, place, news)));
        }
        assert_eq!(asked_about.len(), 20_000, "each was asked about");
        let least = asked_about.values().min().unwrap();
        let most = asked_about.values().max().unwrap();
        assert!(most - least <= 1, "{least} to {most}");
        let Some((now, place, Err(silent))) = told.first() else {
            panic!("{told:?}")
        };
        assert_eq!(*place, away);
        assert!(
            silent.lasts <= *now - gone_at + STANDS,
            "{silent:?} at {now:?}"
        );
    }

    #[test]
    fn those_that_there_was_no_time_for_come_first_the_next_time() {
        let mut silence = Silence::default();
        let all: Vec<_> = (0..100).map(|n| (place(n), 7)).collect();
        let mut heard_of = BTreeSet::new();
        for look in 0..10 {
            let now = LOOK * 2 * look;
            let (asked, _) = silence.look(now, &all);
            // One answer in a look, and there are no others.
            let first: Vec<_> = asked
                .iter()
                .take(20)
                .map(|(place, at)| (*place, *at, Ok(7)))
                .collect();
            heard_of.extend(first.iter().map(|(place, ..)| place.partition));
            assert_eq!(silence.heard(now, true, first), []);
        }
        assert_eq!(heard_of.len(), 100);
    }

    #[test]
    fn nothing_is_told_while_no_broker_is_reached() {
        let mut silence = Silence::default();
        for second in [0, 10, 20, 30] {
            let now = SECOND * second;
            let (asked, _) = silence.look(now, &[(place(0), 7)]);
            let answers = asked
                .into_iter()
                .map(|(place, at)| (place, at, no_leader()));
            assert_eq!(silence.heard(now, false, answers.collect()), []);
        }
    }
}
