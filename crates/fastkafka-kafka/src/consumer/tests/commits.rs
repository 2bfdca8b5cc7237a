//! Offsets on their way to the broker: those of a partition one after another.

use super::super::raw::{Answer, RawClient};
use super::*;
use crate::error::client_error;
use rdkafka::types::RDKafkaErrorCode::{self, IllegalGeneration, OperationTimedOut};

/// A member that reads two partitions of a hundred records.
fn member(cooperative: bool) -> KafkaConsumer<Simulated> {
    KafkaConsumer::reading(cooperative, &[(0, 100), (0, 100)], &[(0, 0), (1, 0)])
}

fn store(member: &mut KafkaConsumer<Simulated>, partition: i32, offset: i64) {
    assert_eq!(member.store(&[(place(partition), offset)]), []);
}

/// What the client was told so far, in its order.
fn told(member: &KafkaConsumer<Simulated>) -> Vec<(i32, i64)> {
    let stored = member.client.stored.iter();
    stored
        .map(|commit| (commit.place.partition, commit.at.offset))
        .collect()
}

/// The broker has taken an offset.
fn taken(member: &mut KafkaConsumer<Simulated>, partition: i32, offset: i64) {
    let answer = vec![(place(partition), offset, Ok(()))];
    member.client.raise(Event::Committed(answer));
    member.hear_all();
}

#[test]
fn the_client_is_told_an_offset_when_the_broker_has_the_one_before() {
    let mut member = member(COOPERATIVE);
    for offset in [10, 20, 30] {
        store(&mut member, 0, offset);
        store(&mut member, 1, offset);
    }
    assert_eq!(told(&member), [(0, 10), (1, 10)]);
    taken(&mut member, 0, 10);
    assert_eq!(told(&member)[2..], [(0, 30)]);
    taken(&mut member, 1, 10);
    taken(&mut member, 0, 30);
    assert_eq!(told(&member)[3..], [(1, 30)]);
    store(&mut member, 0, 40);
    assert_eq!(told(&member)[4..], [(0, 40)]);
}

#[test]
fn a_partition_is_given_away_with_its_last_offset() {
    for cooperative in [COOPERATIVE, EAGER] {
        let mut member = member(cooperative);
        for offset in [10, 20] {
            store(&mut member, 0, offset);
        }
        let all = vec![place(0), place(1)];
        member.client.rebalance(Event::Revoke(all.clone()));
        member.hear_all();
        member.unassign(&all).unwrap();
        assert_eq!(told(&member), [(0, 10), (0, 20)]);
        // It comes again: nothing is on its way.
        member.give(&[(0, 20)]);
        store(&mut member, 0, 30);
        assert_eq!(told(&member)[2..], [(0, 30)]);
    }
}

#[test]
fn of_a_partition_that_is_lost_nothing_more_is_told() {
    let mut member = member(COOPERATIVE);
    for offset in [10, 20] {
        store(&mut member, 0, offset);
    }
    member.client.is_lost = true;
    member.client.rebalance(Event::Revoke(vec![place(0)]));
    member.hear_all();
    member.unassign(&[place(0)]).unwrap();
    assert_eq!(told(&member), [(0, 10)]);
}

#[test]
fn a_seek_back_is_told_at_once_and_what_follows_when_it_is_committed() {
    let mut member = member(COOPERATIVE);
    for offset in [50, 60, 5] {
        store(&mut member, 0, offset);
    }
    assert_eq!(told(&member), [(0, 50), (0, 5)]);
    let moved = Answer::Moved(place(0), Ok(()));
    member.client.post(Event::Answer(moved));
    member.hear_all();
    for offset in [6, 7] {
        store(&mut member, 0, offset);
    }
    assert_eq!(told(&member)[2..], [(0, 6)]);
}

/// The partitions of which a refused commit is told.
fn refused(member: &mut KafkaConsumer<Simulated>, offset: i64) -> Vec<i32> {
    failed(member, offset, IllegalGeneration)
}

/// The same of a commit that fails for a reason.
fn failed(member: &mut KafkaConsumer<Simulated>, offset: i64, code: RDKafkaErrorCode) -> Vec<i32> {
    let why = client_error(code, "of before").at(place(0));
    let answer = vec![(place(0), offset, Err(why))];
    member.client.raise(Event::Committed(answer));
    let told = member.hear_all().into_iter();
    let told = told.filter_map(|notice| match notice {
        Notice::Committed(told) => Some(told),
        _ => None,
    });
    let refused = told.flatten().filter(|(_, answer)| answer.is_err());
    refused.map(|(place, _)| place.partition).collect()
}

#[test]
fn h1_a_refused_commit_of_a_former_assignment_says_nothing_of_the_next() {
    let mut member = member(COOPERATIVE);
    store(&mut member, 0, 10);
    assert_eq!(refused(&mut member, 10), [0]);
    member.client.rebalance(Event::Revoke(vec![place(0)]));
    member.hear_all();
    member.unassign(&[place(0)]).unwrap();
    // Until the partition is ours again, that its last commit is refused is told.
    assert_eq!(refused(&mut member, 10), [0]);
    member.give(&[(0, 5)]);
    assert!(refused(&mut member, 10).is_empty());
    store(&mut member, 0, 6);
    assert!(refused(&mut member, 10).is_empty());
    assert_eq!(refused(&mut member, 6), [0]);
}

/// What the client commits when partitions are given to an eager member, it sends once; the broker may take it yet.
#[test]
fn what_the_client_gives_up_is_told_again_and_the_next_waits_for_it() {
    let mut member = member(EAGER);
    for offset in [10, 20] {
        store(&mut member, 0, offset);
    }
    assert_eq!(failed(&mut member, 10, OperationTimedOut), [0]);
    assert_eq!(told(&member), [(0, 10), (0, 10)]);
    taken(&mut member, 0, 10);
    assert_eq!(told(&member)[2..], [(0, 20)]);
    // Of another it is not.
    failed(&mut member, 10, OperationTimedOut);
    member.client.is_lost = true;
    failed(&mut member, 20, OperationTimedOut);
    assert_eq!(told(&member)[3..], []);
}

/// A client commits what it was told of partitions that go, and does not look at what the group has.
#[test]
fn a_seek_forward_is_what_the_client_commits_at_a_revoke() {
    let mut member = member(COOPERATIVE);
    for offset in [60, 80] {
        store(&mut member, 0, offset);
    }
    for seek in [500, 70] {
        store(&mut member, 0, seek);
        member.commit(place(0), seek);
        assert_eq!(told(&member).last(), Some(&(0, seek)));
        let moved = Answer::Moved(place(0), Ok(()));
        member.client.post(Event::Answer(moved));
        member.hear_all();
        member.client.rebalance(Event::Revoke(vec![place(0)]));
        member.hear_all();
        member.unassign(&[place(0)]).unwrap();
        assert_eq!(told(&member).last(), Some(&(0, seek)));
        member.give(&[(0, 60)]);
        store(&mut member, 0, 60);
    }
}

/// librdkafka gives the error of one partition to all of the request, also to those that the broker took.
#[test]
fn a_refused_partition_does_not_hold_up_those_of_its_request() {
    let mut member = member(COOPERATIVE);
    for offset in [10, 20] {
        store(&mut member, 0, offset);
    }
    assert_eq!(refused(&mut member, 10), [0]);
    assert_eq!(told(&member), [(0, 10), (0, 20)]);
}

#[test]
fn a_client_that_ends_without_a_revoke_was_told_the_last_offset() {
    let mut member = member(COOPERATIVE);
    for offset in [10, 20] {
        store(&mut member, 0, offset);
    }
    let _ = member.close(Duration::ZERO);
    let _ = member.close(Duration::ZERO);
    assert_eq!(told(&member), [(0, 10), (0, 20)]);
}
