//! How a consumer leaves its group, and the order in which its client ends.

use super::*;

const LONG: Duration = Duration::from_secs(10);

/// Closes step by step until the client is destroyed; the number of steps.
fn close(member: &mut KafkaConsumer<Simulated>) -> usize {
    for steps in 1..100 {
        if member.close() {
            return steps;
        }
        let mut notices = Vec::new();
        member.poll(&mut notices);
    }
    panic!("it does not end: {member:?}");
}

/// A member that reads one partition, with its part in the group.
fn reading(membership: Membership, cooperative: bool) -> KafkaConsumer<Simulated> {
    let mut member = KafkaConsumer::with(membership, cooperative, &[(0, 9)]);
    member.give(&[(0, 0)]);
    member
}

/// Unsubscribes and answers the last revoke.
fn leave(member: &mut KafkaConsumer<Simulated>) {
    member.unsubscribe();
    let told = member.hear_all();
    let [Notice::Revoke { places, .. }] = &told[..] else {
        panic!("{told:?}");
    };
    member.unassign(places).unwrap();
}

#[test]
fn a_member_is_closed_when_the_group_is_left_and_not_while_its_last_commit_is_under_way() {
    for cooperative in [COOPERATIVE, EAGER] {
        let mut member = reading(Membership::Classic, cooperative);
        leave(&mut member);
        close(&mut member);
        assert_eq!(member.client.has_left, Some(true));
    }
}

#[test]
fn a_group_that_is_not_left_in_time_does_not_hold_the_end_up() {
    let mut member = reading(Membership::Classic, COOPERATIVE);
    leave(&mut member);
    assert!(!member.close());
    assert_eq!(member.client.has_left, None);
    member.after(LONG);
    assert!(!member.close());
    // It forgets to leave.
    assert_eq!(member.client.has_left, Some(false));
}

#[test]
fn a_static_member_does_not_leave_and_is_closed_when_its_last_commit_is_answered() {
    let mut member = reading(Membership::Static, COOPERATIVE);
    leave(&mut member);
    assert!(!member.close(), "the commit is under way");
    assert_eq!(member.client.has_left, None);
    close(&mut member);
    assert_eq!(member.client.has_left, Some(false));
}

#[test]
fn a_member_of_a_group_whose_broker_assigns_is_closed_at_once() {
    let mut member = reading(Membership::BrokerAssigned, COOPERATIVE);
    leave(&mut member);
    assert_eq!(close(&mut member), 2);
}

#[test]
fn records_that_are_alive_keep_the_client_open() {
    let mut member = reading(Membership::Classic, COOPERATIVE);
    let held = member.read();
    leave(&mut member);
    for _ in 0..20 {
        assert!(!member.close());
        member.hear_all();
    }
    assert_eq!(member.client.has_left, None);
    drop(held);
    close(&mut member);
}

#[test]
fn a_rebalance_that_the_driver_left_open_is_answered_before_the_client_is_destroyed() {
    let last: [fn() -> Event; 2] = [
        || Event::Revoke(vec![place(0)]),
        || Event::Assign(vec![place(1)]),
    ];
    for cooperative in [COOPERATIVE, EAGER] {
        for event in last {
            let mut member = reading(Membership::Classic, cooperative);
            member.client.rebalance(event());
            member.hear_all();
            // Nobody waits for the leave: it would not come before the answer.
            assert_eq!(close(&mut member), 2);
            assert_eq!(member.client.answers, 2);
        }
    }
}

#[test]
fn without_a_group_the_last_revoke_is_our_own() {
    let mut alone = KafkaConsumer::standalone(&[(0, 9)]);
    alone.assign(&[(place(0), 0)]).unwrap();
    leave(&mut alone);
    assert!(alone.assigned.positions().is_empty());
    assert_eq!(close(&mut alone), 2);
    // It looks for partitions no more.
    alone.requests();
    alone.after(LONG * 100);
    alone.hear_all();
    assert!(alone.requests().is_empty());
}
