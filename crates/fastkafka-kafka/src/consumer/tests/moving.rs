//! Assigns, seeks, pauses and positions that are out of range.

use super::*;
use crate::consumer::raw::{Answer, Ended, RawClient};
use crate::offsets::partition_count::PartitionCount;
use crate::offsets::start_offsets::Resolved;
use fastkafka_core::OffsetReset;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_partition_that_is_taken_again_is_read_from_there_and_no_record_goes_astray() {
    for cooperative in [COOPERATIVE, EAGER] {
        let logs = [(0, 9), (0, 9)];
        let mut member = KafkaConsumer::reading(cooperative, &logs, &[(0, 0), (1, 0)]);
        assert_eq!(member.read_offsets(), [(0, 0, 9), (1, 0, 9)]);
        for again in [4, 5] {
            member.seek(place(0), again).unwrap();
            let rest = usize::try_from(9 - again).unwrap();
            // The other stays where it was.
            assert_eq!(member.read_offsets(), [(0, again, rest)]);
            member.hear_all();
        }
        member.client.logs.insert(1, (0, 12));
        assert_eq!(member.read_offsets(), [(1, 9, 3)]);
        member.hear_all();
    }
}

#[test]
fn a_revoke_is_a_loss_from_the_start_or_becomes_one_while_it_is_answered() {
    for lost_at_once in [true, false] {
        let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 9)], &[(0, 0)]);
        member.client.is_lost = lost_at_once;
        member.client.rebalance(Event::Revoke(vec![place(0)]));
        let told = member.hear_all();
        assert!(
            matches!(&told[..], [Notice::Revoke { lost, .. }] if *lost == lost_at_once),
            "{told:?}"
        );
        member.client.is_lost = true;
        assert!(member.lost());
    }
}

#[test]
fn in_an_eager_group_a_revoke_takes_everything() {
    let logs = [(0, 9), (0, 9)];
    let mut member = KafkaConsumer::reading(EAGER, &logs, &[(0, 0), (1, 0)]);
    member.client.rebalance(Event::Revoke(vec![place(0)]));
    member.hear_all();
    member.unassign(&[place(0)]).unwrap();
    assert_eq!(member.assigned.positions(), []);
}

#[test]
fn a_pause_outlasts_a_seek_of_another_partition_and_ends_with_an_assignment() {
    for cooperative in [COOPERATIVE, EAGER] {
        let logs = [(0, 9), (0, 9)];
        let mut member = KafkaConsumer::reading(cooperative, &logs, &[(0, 0), (1, 0)]);
        member.pause(place(1), true).unwrap();
        member.seek(place(0), 3).unwrap();
        assert_eq!(member.read_offsets(), [(0, 3, 6)]);
        let places = [place(0), place(1)];
        member.client.rebalance(Event::Revoke(places.to_vec()));
        member.hear_all();
        member.unassign(&places).unwrap();
        assert!(member.client.paused.contains(&1), "librdkafka keeps it");
        member.give(&[(0, 0), (1, 0)]);
        assert_eq!(member.read_offsets(), [(0, 0, 9), (1, 0, 9)]);
    }
}

#[test]
fn records_of_a_partition_that_was_given_away_are_not_handed_out() {
    let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 9)], &[(0, 0)]);
    member.assigned.clear();
    assert_eq!(member.read_offsets(), []);
    assert!(!member.client.is_held());
}

#[test]
fn a_partition_that_was_never_begun_with_can_be_given_back() {
    let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 9), (0, 9)], &[(0, 0)]);
    let both = vec![place(0), place(1)];
    member.client.rebalance(Event::Revoke(both.clone()));
    member.hear_all();
    member.unassign(&both).unwrap();
    assert!(!member.client.waits);
}

#[test]
fn a_position_out_of_range_is_told_with_the_range_once_the_broker_has_answered() {
    for cooperative in [COOPERATIVE, EAGER] {
        let mut member = KafkaConsumer::reading(cooperative, &[(2, 9)], &[(0, 50)]);
        assert_eq!(member.read_offsets(), []);
        assert_eq!(member.client.wakes.get(), 1, "the next poll asks");
        for (time, asked) in [(Duration::ZERO, 1), (SECOND / 2, 0), (SECOND / 2, 1)] {
            member.after(time);
            member.hear_all();
            assert_eq!(member.requests().len(), asked);
        }
        let at = member.fetch_position(0);
        let answer = || Answer::Range {
            at,
            low: 2,
            high: 9,
        };
        member.client.post(Event::Answer(answer()));
        // The first question has its answer, too.
        member.client.post(Event::Answer(answer()));
        let told = member.hear_all();
        let expected = |notice: &Notice| {
            let Notice::OutOfRange {
                position,
                low,
                high,
                ..
            } = notice
            else {
                return false;
            };
            (*position, *low, *high) == (50, 2, 9)
        };
        assert!(told.len() == 1 && expected(&told[0]), "{told:?}");
        // The client stands still until it is moved.
        assert_eq!(member.read_offsets(), []);
        member.seek(place(0), 2).unwrap();
        assert_eq!(member.read_offsets(), [(0, 2, 7)]);
    }
}

#[test]
fn a_position_that_is_in_range_after_all_is_read_on_from_and_nobody_hears_of_it() {
    let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 9)], &[(0, 12)]);
    member.read();
    member.hear_all();
    // A new leader knows more.
    member.client.logs.insert(0, (0, 20));
    let at = member.fetch_position(0);
    member.client.post(Event::Answer(Answer::Range {
        at,
        low: 0,
        high: 20,
    }));
    assert!(member.hear_all().is_empty());
    assert_eq!(member.read_offsets(), [(0, 12, 8)]);
}

#[test]
fn the_range_of_a_partition_that_moved_or_was_given_away_is_of_no_interest() {
    let answer = |at| {
        Event::Answer(Answer::Range {
            at,
            low: 0,
            high: 9,
        })
    };
    let lost = || {
        let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 9)], &[(0, 50)]);
        member.read();
        member.hear_all();
        member
    };
    let mut moved = lost();
    let at = moved.fetch_position(0);
    moved.seek(place(0), 3).unwrap();
    moved.client.post(answer(at));
    assert!(moved.hear_all().is_empty());
    let mut given = lost();
    let at = given.fetch_position(0);
    given.client.rebalance(Event::Revoke(vec![place(0)]));
    given.hear_all();
    given.unassign(&[place(0)]).unwrap();
    given.client.post(answer(at));
    assert!(given.hear_all().is_empty());
}

#[test]
fn commits_carry_the_number_of_partitions_that_came_with_the_starts() {
    let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 9)], &[(0, 0)]);
    let resolved = Resolved {
        known: vec![simulated::start(0, 0.into(), None)],
        unknown: Vec::new(),
        counts: vec![(simulated::TOPIC, PartitionCount::new(4))],
    };
    member
        .client
        .post(Event::Answer(Answer::Resolved(resolved)));
    member.hear_all();
    let refused = member.store(&[(place(0), 3), (place(1), 3)]);
    assert_eq!(refused, [(place(1), "not read".to_owned())]);
    let metadata = member.client.stored[0].metadata.as_deref();
    assert_eq!(metadata, Some("partitions=4"));
    member.commit(place(0), 2);
    let requests = member.requests();
    let [Request::Commit { commit, .. }] = &requests[..] else {
        panic!("{requests:?}");
    };
    assert_eq!(commit.at, 2.into());
    assert_eq!(commit.metadata.as_deref(), Some("partitions=4"));
}

#[test]
fn without_a_group_new_partitions_are_taken_beside_the_others_and_begin_at_their_beginning() {
    let mut alone = KafkaConsumer::standalone(&[(0, 9), (0, 9)]);
    alone.hear_all();
    assert!(matches!(&alone.requests()[..], [Request::List(_)]));
    let listed = |partitions: &[i32]| {
        let places = partitions.iter().map(|partition| place(*partition));
        Event::Answer(Answer::Listed(places.collect()))
    };
    alone.client.post(listed(&[0]));
    assert!(matches!(&alone.hear_all()[..], [Notice::Assign(_)]));
    alone.assign(&[(place(0), 2)]).unwrap();
    assert_eq!(alone.read_offsets(), [(0, 2, 7)]);
    // Nothing new.
    alone.client.post(listed(&[0]));
    assert!(alone.hear_all().is_empty());
    alone.client.post(listed(&[0, 1]));
    alone.hear_all();
    let asked = [place(0), place(1)].map(|place| (place, OffsetReset::Latest));
    alone.requests();
    alone.resolve(asked.to_vec(), SECOND);
    let requests = alone.requests();
    let [Request::Choose(policies, _)] = &requests[..] else {
        panic!("{requests:?}");
    };
    let policies: Vec<_> = policies.iter().map(|(_, policy)| *policy).collect();
    assert_eq!(policies, [OffsetReset::Latest, OffsetReset::Earliest]);
    alone.assign(&[(place(1), 0)]).unwrap();
    alone.client.logs.insert(0, (0, 12));
    assert_eq!(alone.read_offsets(), [(0, 9, 3), (1, 0, 9)]);
    alone.hear_all();
    // Nothing is committed, and a seek is answered all the same.
    assert!(alone.store(&[(place(1), 5)]).is_empty());
    assert!(alone.client.stored.is_empty());
    alone.commit(place(1), 5);
    assert!(matches!(&alone.hear_all()[..], [Notice::Moved(_, Ok(()))]));
}

/// librdkafka's own position is one too far after an error: a pause would go on there.
#[test]
fn no_record_is_left_out_after_an_error_of_its_partition() {
    for cooperative in [COOPERATIVE, EAGER] {
        let logs = [(0, 0), (0, 9)];
        let mut member = KafkaConsumer::reading(cooperative, &logs, &[(0, 0), (1, 0)]);
        member.client.logs.insert(0, (0, 3));
        member.client.failing.insert(0);
        assert_eq!(member.read_offsets(), [(1, 0, 9)]);
        let mut notices = Vec::new();
        member.poll(&mut notices);
        let of = |notice: &Notice| match notice {
            Notice::Error(error) => error.places.clone(),
            _ => Vec::new(),
        };
        let places: Vec<_> = notices.iter().flat_map(of).collect();
        assert_eq!(places, [place(0)]);
        member.pause(place(0), true).unwrap();
        member.pause(place(0), false).unwrap();
        // What comes before it is begun again does not count.
        assert_eq!(member.read_offsets(), []);
        member.client.now += 5 * SECOND;
        member.hear_all();
        assert_eq!(member.read_offsets(), [(0, 0, 3)]);
    }
}

#[test]
fn silence_after_an_error_is_no_evidence_and_another_client_is_asked_for_it() {
    for paused in [false, true] {
        let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 3)], &[(0, 3)]);
        member.client.logs.insert(0, (0, 4));
        member.client.failing.insert(0);
        member.read();
        member.client.logs.insert(0, (0, 3));
        member.poll(&mut Vec::new());
        member.pause(place(0), paused).unwrap();
        let mut looks = 0;
        let reads = |notices: &[Notice]| notices.iter().any(|n| matches!(n, Notice::Reads(_)));
        for _ in 0..20 {
            member.after(5 * SECOND);
            assert!(!reads(&member.hear_all()), "it may have no leader");
            for request in member.requests() {
                assert!(
                    matches!(&request, Request::Ends(of) if of[..] == [member.fetch_position(0)])
                );
                looks += 1;
                // It cannot be read.
                let answer = Answer::Ends(Vec::new());
                member.client.post(Event::Answer(answer));
            }
        }
        assert!((2..10).contains(&looks), "{looks}");
        let (from, end) = (member.fetch_position(0), Some(3));
        let answer = Answer::Ends(vec![Ended { from, end }]);
        member.client.post(Event::Answer(answer));
        member.hear_all();
        assert!(reads(&member.hear_all()));
        assert!(!reads(&member.hear_all()), "once");
    }
}

/// Also where the client takes assignments as a whole: in an eager group, and without a group.
#[test]
fn a_partition_with_an_error_is_begun_again_alone() {
    let logs = [(0, 9), (0, 9)];
    let mut member = KafkaConsumer::reading(EAGER, &logs, &[(0, 0), (1, 0)]);
    member.client.failing.insert(0);
    member.read();
    member.poll(&mut Vec::new());
    member.client.begun.clear();
    member.after(5 * SECOND);
    member.hear_all();
    assert_eq!(member.read_offsets(), [(0, 0, 9)]);
    let all = &member.client.begun;
    assert!(all.is_empty(), "all are begun with again: {all:?}");
    // One that stands still cannot be moved alone.
    member.client.logs.insert(0, (20, 30));
    member.read();
    member.hear_all();
    member.seek(place(0), 20).unwrap();
    assert_eq!(member.read_offsets(), [(0, 20, 10)]);
}

/// The broker is slow: nothing is answered for a minute.
#[test]
fn while_nothing_is_answered_each_question_waits_once_and_starts_go_before_all() {
    let logs = [(0, 9), (0, 9)];
    let mut member = KafkaConsumer::reading(COOPERATIVE, &logs, &[(0, 30), (1, 40)]);
    member.read();
    let refused = crate::error::client_error(
        rdkafka::types::RDKafkaErrorCode::GroupAuthorizationFailed,
        "no right",
    );
    member.client.post(Event::Error(refused));
    member.poll(&mut Vec::new());
    for _ in 0..60 {
        member.after(SECOND);
        member.hear_all();
    }
    member.resolve(vec![(place(0), OffsetReset::Latest)], SECOND);
    let asked = member.requests();
    assert!(
        matches!(
            &asked[..],
            [
                Request::Resolve(..),
                Request::Check { .. },
                Request::Range(..),
                Request::Range(..)
            ]
        ),
        "{asked:?}"
    );
}

#[test]
fn a_log_that_goes_on_without_records_is_passed_unless_the_partition_has_moved() {
    let at_ends = |notices: Vec<Notice>| {
        let at_end = |notice: &Notice| match notice {
            Notice::AtEnd(place, offset) => Some((place.partition, *offset)),
            _ => None,
        };
        notices.iter().filter_map(at_end).collect::<Vec<_>>()
    };
    for moves in [false, true] {
        let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 3)], &[(0, 3)]);
        // Control records, which the client never gives out.
        member.client.logs.insert(0, (0, 5));
        member.client.recordless.insert(0);
        for _ in 0..2 {
            member.read();
            member.client.now += 5 * SECOND;
            member.hear_all();
        }
        let asked = member.requests();
        assert!(
            matches!(&asked[..], [Request::Ends(of)] if of[..] == [member.fetch_position(0)]),
            "{asked:?}"
        );
        // The commit of a seek is answered just before.
        let moved = Event::Answer(Answer::Moved(place(0), Ok(())));
        member.client.post(moved);
        let (from, end) = (member.fetch_position(0), Some(5));
        let answer = Answer::Ends(vec![Ended { from, end }]);
        member.client.post(Event::Answer(answer));
        assert_eq!(
            at_ends(member.hear_all()),
            [],
            "the driver has the position"
        );
        if moves {
            // And back again.
            member.seek(place(0), 1).unwrap();
            member.seek(place(0), 3).unwrap();
        }
        let expected: &[_] = if moves { &[] } else { &[(0, 5)] };
        assert_eq!(at_ends(member.hear_all()), expected);
    }
}

/// The answer about a position that is lost comes while a seek to another one waits.
#[test]
fn a_range_that_comes_late_takes_no_seek_back() {
    for cooperative in [COOPERATIVE, EAGER] {
        let logs = [(0, 20), (0, 9)];
        let mut member = KafkaConsumer::reading(cooperative, &logs, &[(0, 50), (1, 0)]);
        member.read();
        member.hear_all();
        let revoked = if cooperative { vec![1] } else { vec![0, 1] };
        let revoked: Vec<_> = revoked.into_iter().map(place).collect();
        member.client.rebalance(Event::Revoke(revoked.clone()));
        member.hear_all();
        let at = member.fetch_position(0);
        member.seek(place(0), 10).unwrap();
        let late = Answer::Range {
            at,
            low: 0,
            high: 55,
        };
        member.client.post(Event::Answer(late));
        assert!(member.hear_all().is_empty());
        member.unassign(&revoked).unwrap();
        member.hear_all();
        if cooperative {
            assert_eq!(member.read_offsets(), [(0, 10, 10)]);
        }
    }
}
