//! What is told of partitions that stand, and when.

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
