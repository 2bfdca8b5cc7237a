//! Partitions of which nothing comes.

use super::super::raw::{Answer, Ended, RawClient};
use super::*;
use fastkafka_runtime::platform::{Silent, StartError};

const SECOND: Duration = Duration::from_secs(1);

/// A member that has read two partitions to their ends, of which one is asked about now.
fn member() -> KafkaConsumer<Simulated> {
    let mut member = KafkaConsumer::reading(EAGER, &[(0, 5), (0, 5)], &[(0, 0), (1, 0)]);
    member.client.post(Event::Answer(Answer::Connected));
    for _ in 0..12 {
        member.read();
        member.after(SECOND);
        member.hear_all();
    }
    member
}

/// The partitions that the leaders are asked about, with their positions.
fn asked(member: &mut KafkaConsumer<Simulated>) -> Vec<(PartitionRef, i64)> {
    let leaders = member
        .requests()
        .into_iter()
        .filter_map(|asked| match asked {
            Request::Leaders(places) => Some(places),
            _ => None,
        });
    leaders.flatten().collect()
}

fn told(notices: Vec<Notice>) -> Vec<(i32, Option<Silent>)> {
    let told = notices.into_iter().filter_map(|notice| match notice {
        Notice::Silence(looked) => Some(looked),
        _ => None,
    });
    let told = told.flatten();
    told.map(|(place, looked)| (place.partition, looked.err()))
        .collect()
}

/// Answers two questions, and returns what is told.
fn twice(
    member: &mut KafkaConsumer<Simulated>,
    answer: impl Fn(PartitionRef) -> Result<i64, StartError>,
) -> Vec<(i32, Option<Silent>)> {
    let mut all = Vec::new();
    for _ in 0..2 {
        let places = asked(member).into_iter();
        let answers = places.map(|(place, at)| (place, at, answer(place)));
        let answers = Answer::Leaders(answers.collect());
        member.client.post(Event::Answer(answers));
        for _ in 0..12 {
            all.extend(told(member.hear_all()));
            member.read();
            member.after(SECOND);
        }
    }
    all
}

fn away() -> Result<i64, StartError> {
    Err(StartError::Retry("orders[0] has no leader".to_owned()))
}

#[test]
fn the_leaders_of_partitions_that_stand_are_asked_and_one_that_is_away_is_told() {
    let mut member = member();
    let told = twice(
        &mut member,
        |of| if of == place(0) { away() } else { Ok(5) },
    );
    let [(0, Some(silent))] = &*told else {
        panic!("{told:?}")
    };
    assert!(silent.lasts >= 10 * SECOND, "{silent:?}");
    assert_eq!(silent.why, "orders[0] has no leader");
}

#[test]
fn one_that_is_silent_is_well_again_with_its_records() {
    let mut member = member();
    assert_eq!(twice(&mut member, |_| away()).len(), 2);
    member.client.logs.insert(0, (0, 6));
    assert_eq!(member.read_offsets(), [(0, 5, 1)]);
    member.after(5 * SECOND);
    assert_eq!(told(member.hear_all()), [(0, None)]);
}

#[test]
fn one_that_is_paused_is_not_asked_about() {
    let mut member = member();
    asked(&mut member);
    member
        .client
        .post(Event::Answer(Answer::Leaders(Vec::new())));
    member.pause(place(1), true).unwrap();
    for _ in 0..12 {
        member.read();
        member.after(SECOND);
        member.hear_all();
    }
    assert_eq!(asked(&mut member), [(place(0), 5)]);
}

/// Answers what is asked as if another client could read two more records of partition 0. Returns what is told within
/// these seconds.
fn beside_another_client(
    member: &mut KafkaConsumer<Simulated>,
    seconds: u32,
) -> Vec<(i32, Option<Silent>)> {
    member.client.logs.insert(0, (0, 7));
    let mut all = Vec::new();
    for _ in 0..seconds {
        for request in member.requests() {
            let answer = match request {
                Request::Leaders(places) => {
                    let answer = |(place, at): (PartitionRef, i64)| {
                        let end = member.client.logs[&place.partition].1;
                        (place, at, Ok(end))
                    };
                    Answer::Leaders(places.into_iter().map(answer).collect())
                }
                Request::Ends(places) => {
                    let read = |from| Ended { from, end: None };
                    Answer::Ends(places.into_iter().map(read).collect())
                }
                _ => continue,
            };
            member.client.post(Event::Answer(answer));
        }
        all.extend(told(member.hear_all()));
        member.read();
        member.after(SECOND);
    }
    all
}

fn is_silent(told: &(i32, Option<Silent>)) -> bool {
    matches!(told, (0, Some(_)))
}

/// Of what is read from the leader, as if a fetch from another replica had no answer.
#[test]
fn h1_one_whose_records_only_another_client_reads_is_told_until_they_come() {
    let mut member = member();
    member.client.silent.insert(0);
    let all = beside_another_client(&mut member, 120);
    assert!(all.len() > 1 && all.iter().all(is_silent), "{all:?}");
    member.client.silent.clear();
    assert_eq!(member.read_offsets(), [(0, 5, 2)]);
    member.after(5 * SECOND);
    assert_eq!(told(member.hear_all()), [(0, None)]);
}

/// The client does not fetch it, or its records wait where nobody takes them.
#[test]
fn h2_one_whose_records_only_another_client_reads_is_begun_with_anew_where_it_stands() {
    let stops: [fn(&mut Simulated); 2] = [
        |client| client.lose_forwarding(0),
        |client| {
            client.stuck.insert(0);
        },
    ];
    for stop in stops {
        let mut member = member();
        stop(&mut member.client);
        let all = beside_another_client(&mut member, 90);
        let [first, .., last] = &all[..] else {
            panic!("{all:?}");
        };
        assert!(is_silent(first), "{all:?}");
        assert_eq!(*last, (0, None));
        assert_eq!(member.assigned.positions()[0], (place(0), 7.into()));
    }
}

/// A fetch that is only slow is dropped when its partition is moved.
#[test]
fn one_that_stays_unread_is_begun_with_anew_ever_less_often() {
    let mut member = member();
    member.client.silent.insert(0);
    let mut moves = Vec::new();
    for second in 0..600 {
        let before = member.fetch_position(0);
        beside_another_client(&mut member, 1);
        if member.fetch_position(0) != before {
            moves.push(second);
        }
    }
    let pauses: Vec<_> = moves.windows(2).map(|two| two[1] - two[0]).collect();
    assert!((2..=4).contains(&moves.len()), "{moves:?}");
    // It is named long before.
    assert!(moves[0] > 30, "{moves:?}");
    assert!(pauses.is_sorted_by(|a, b| *b >= 2 * *a), "{moves:?}");
}
