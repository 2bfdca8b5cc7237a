//! Partitions whose starts come late, or not at all, and members that are given none.

use super::*;
use crate::consumer::raw::{Answer, RawClient};
use crate::consumer::simulated::start;
use crate::offsets::start_offsets::Resolved;
use fastkafka_core::OffsetReset;
use fastkafka_runtime::platform::{StartError, Starts};

const SECOND: Duration = Duration::from_secs(1);
const LOGS: [(i64, i64); 2] = [(0, 9), (0, 9)];

/// A member that was given both partitions and reads one of them.
fn without_one(cooperative: bool) -> KafkaConsumer<Simulated> {
    let mut member = KafkaConsumer::member(cooperative, &LOGS);
    let both = vec![place(0), place(1)];
    member.client.rebalance(Event::Assign(both));
    member.hear_all();
    member.assign(&[(place(0), 0)]).unwrap();
    assert!(!member.client.waits, "answered");
    assert_eq!(member.read_offsets(), [(0, 0, 9)]);
    member
}

#[test]
fn a_partition_that_is_added_is_read_from_its_start_beside_the_others() {
    for cooperative in [COOPERATIVE, EAGER] {
        let mut member = without_one(cooperative);
        member.client.logs.insert(0, (0, 12));
        member.pause(place(0), true).unwrap();
        member.add(&[(place(1), 4)]).unwrap();
        assert_eq!(member.read_offsets(), [(1, 4, 5)]);
        member.hear_all();
        member.pause(place(0), false).unwrap();
        assert_eq!(member.read_offsets(), [(0, 9, 3)]);
    }
}

#[test]
fn a_partition_that_is_added_waits_while_a_rebalance_does_and_is_not_taken_for_its_answer() {
    for cooperative in [COOPERATIVE, EAGER] {
        for is_heard in [true, false] {
            let mut member = without_one(cooperative);
            let revoked = if cooperative { vec![0] } else { vec![0, 1] };
            let revoked: Vec<_> = revoked.into_iter().map(place).collect();
            member.client.rebalance(Event::Revoke(revoked.clone()));
            if is_heard {
                member.hear_all();
            }
            member.add(&[(place(1), 4)]).unwrap();
            // It may be paused and moved before it is begun with.
            member.pause(place(1), true).unwrap();
            member.seek(place(1), 5).unwrap();
            assert!(member.client.waits);
            member.hear_all();
            assert!(member.client.waits);
            member.unassign(&revoked).unwrap();
            member.hear_all();
            assert_eq!(member.read_offsets(), []);
            if cooperative {
                member.pause(place(1), false).unwrap();
                assert_eq!(member.read_offsets(), [(1, 5, 4)]);
            } else {
                assert_eq!(member.assigned.positions(), []);
            }
        }
    }
}

#[test]
fn a_partition_that_was_not_begun_with_is_given_back() {
    for cooperative in [COOPERATIVE, EAGER] {
        let mut member = without_one(cooperative);
        let both = vec![place(0), place(1)];
        member.client.rebalance(Event::Revoke(both.clone()));
        member.hear_all();
        member.unassign(&both).unwrap();
        assert!(!member.client.waits);
        assert_eq!(member.read_offsets(), []);
    }
}

#[test]
fn a_partition_that_waits_to_be_added_is_given_back_although_the_client_does_not_have_it() {
    let mut member = without_one(COOPERATIVE);
    member.client.rebalance(Event::Revoke(vec![place(1)]));
    member.hear_all();
    member.add(&[(place(1), 4)]).unwrap();
    member.unassign(&[place(1)]).unwrap();
    assert!(!member.client.waits);
    member.hear_all();
    assert_eq!(member.read_offsets(), []);
}

#[test]
fn starts_that_are_not_known_are_told_beside_those_that_are() {
    let mut member = KafkaConsumer::member(COOPERATIVE, &[]);
    let why = StartError::Retry("no leader".to_owned());
    let starts = Starts {
        known: vec![(place(0), 3)],
        unknown: vec![(place(1), why)],
    };
    member.client.rebalance(Event::Assign(vec![place(0)]));
    member.hear_all();
    member.resolve(vec![(place(0), OffsetReset::Latest)], SECOND);
    let requests = member.requests();
    assert!(matches!(requests[..], [Request::Resolve(_, SECOND)]));
    let resolved = Resolved {
        known: vec![start(0, 3.into(), None)],
        unknown: starts.unknown.clone(),
        counts: Vec::new(),
    };
    member
        .client
        .post(Event::Answer(Answer::Resolved(resolved)));
    let told = member.hear_all();
    assert!(
        matches!(&told[..], [Notice::Resolved(told)] if *told == starts),
        "{told:?}"
    );
}

#[test]
fn a_member_without_partitions_of_a_group_whose_broker_assigns_hears_that_it_has_none() {
    let mut member = KafkaConsumer::with(Membership::BrokerAssigned, COOPERATIVE, &[]);
    member.after(SECOND * 60);
    assert!(member.hear_all().is_empty(), "it has not joined");
    member.client.is_joined = true;
    member.after(SECOND);
    assert!(member.hear_all().is_empty(), "partitions may come");
    member.after(SECOND * 12);
    let told = member.hear_all();
    assert!(matches!(&told[..], [Notice::NoPartition]), "{told:?}");
}
