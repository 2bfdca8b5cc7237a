//! How a consumer leaves its group, and the order in which its client ends.

use super::*;

/// What a stop leaves for the close.
const WITHIN: Duration = Duration::from_secs(10);

impl KafkaConsumer<Simulated> {
    fn is_closed(&mut self) -> bool {
        self.close(WITHIN).is_ready()
    }
}

/// Closes step by step until the client is destroyed; the number of steps.
fn close(member: &mut KafkaConsumer<Simulated>) -> usize {
    for steps in 1..100 {
        if let Poll::Ready(closed) = member.close(WITHIN) {
            closed.unwrap();
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
    assert!(!member.is_closed());
    assert_eq!(member.client.has_left, None);
    member.after(WITHIN);
    assert!(!member.is_closed());
    // It forgets to leave, and that is told.
    assert_eq!(member.client.has_left, Some(false));
    let Poll::Ready(Err(why)) = member.close(WITHIN) else {
        panic!("{member:?}");
    };
    assert!(
        why.starts_with("the last commit was not answered in time"),
        "{why}"
    );
}

#[test]
fn a_client_that_breaks_has_lost_its_partitions_and_ends_at_once() {
    for membership in [
        Membership::Classic,
        Membership::Static,
        Membership::BrokerAssigned,
    ] {
        for cooperative in [COOPERATIVE, EAGER] {
            let mut member = reading(membership, cooperative);
            member.client.break_down();
            let mut told = Vec::new();
            member.poll(&mut told);
            let [Notice::Error(_), Notice::Revoke { places, lost: true }] = &told[..] else {
                panic!("{membership:?} {told:?}");
            };
            assert_eq!(*places, [place(0)]);
            member.unassign(places).unwrap();
            member.unsubscribe();
            assert!(member.hear_all().is_empty());
            assert_eq!(close(&mut member), 2, "{membership:?}");
        }
    }
}

#[test]
fn a_revoke_that_is_being_answered_when_the_client_breaks_becomes_a_loss() {
    let mut member = reading(Membership::Static, COOPERATIVE);
    member.client.rebalance(Event::Revoke(vec![place(0)]));
    member.hear_all();
    assert!(!member.lost());
    member.client.break_down();
    let mut told = Vec::new();
    member.poll(&mut told);
    assert!(matches!(told[..], [Notice::Error(_)]), "{told:?}");
    assert!(member.lost());
}

#[test]
fn partitions_that_a_broken_client_is_given_are_revoked_when_it_leaves() {
    let mut member = KafkaConsumer::with(Membership::Static, COOPERATIVE, &[(0, 9)]);
    member.client.rebalance(Event::Assign(vec![place(0)]));
    member.hear_all();
    member.client.break_down();
    member.poll(&mut Vec::new());
    member.assign(&[(place(0), 0)]).unwrap();
    member.unsubscribe();
    let told = member.hear_all();
    assert!(
        matches!(told[..], [Notice::Revoke { lost: true, .. }]),
        "{told:?}"
    );
}

#[test]
fn a_static_member_does_not_leave_and_is_closed_when_its_last_commit_is_answered() {
    let mut member = reading(Membership::Static, COOPERATIVE);
    leave(&mut member);
    assert!(!member.is_closed(), "the commit is under way");
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
        assert!(!member.is_closed());
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
    alone.after(WITHIN * 100);
    alone.hear_all();
    assert!(alone.requests().is_empty());
}
