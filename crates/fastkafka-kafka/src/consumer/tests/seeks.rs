//! Seeks: at once, beside events and rebalances, and where the client fails.

use super::*;
use crate::consumer::simulated::within::{Call, When};
use fastkafka_core::OffsetReset;

#[test]
fn a_seek_waits_while_a_rebalance_does_and_is_not_taken_for_its_answer() {
    for cooperative in [COOPERATIVE, EAGER] {
        let logs = [(0, 9), (0, 9)];
        let mut member = KafkaConsumer::reading(cooperative, &logs, &[(0, 0), (1, 0)]);
        member.read();
        let revoked = if cooperative { vec![0] } else { vec![0, 1] };
        let revoked: Vec<_> = revoked.into_iter().map(place).collect();
        member.client.rebalance(Event::Revoke(revoked.clone()));
        // It has come, and no poll has served it.
        member.seek(place(1), 3).unwrap();
        assert!(member.client.waits);
        // It is heard.
        member.hear_all();
        member.seek(place(1), 4).unwrap();
        member.hear_all();
        assert!(member.client.waits);
        assert_eq!(member.read_offsets(), []);
        member.unassign(&revoked).unwrap();
        assert_eq!(member.client.answers, 2, "the assign and the revoke");
        member.hear_all();
        let expected: &[_] = if cooperative { &[(1, 4, 5)] } else { &[] };
        assert_eq!(member.read_offsets(), expected);
    }
}

/// Any event: a periodic commit is answered.
fn committed() -> Event {
    Event::Committed(vec![(place(1), 1, Ok(()))])
}

#[test]
fn while_a_seek_waits_for_an_event_nothing_is_read_from_before_it() {
    for cooperative in [COOPERATIVE, EAGER] {
        let logs = [(0, 9), (0, 9)];
        let mut member = KafkaConsumer::reading(cooperative, &logs, &[(0, 0), (1, 0)]);
        // It is in the client's queue, and no poll has served it.
        member.client.raise(committed());
        member.seek(place(0), 8).unwrap();
        // What the client has read ahead, and what it reads on.
        assert_eq!(member.read_offsets(), [(1, 0, 9)]);
        member.client.logs.insert(0, (0, 20));
        assert_eq!(member.read_offsets(), []);
        member.hear_all();
        assert_eq!(member.read_offsets(), [(0, 8, 12)]);
    }
}

#[test]
fn the_last_of_several_seeks_that_wait_counts() {
    let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 9)], &[(0, 0)]);
    member.client.raise(committed());
    for offset in [8, 2, 5] {
        member.seek(place(0), offset).unwrap();
    }
    member.hear_all();
    assert_eq!(member.read_offsets(), [(0, 5, 4)]);
}

#[test]
fn a_seek_that_fails_half_way_is_told_and_reads_nothing_until_another_works() {
    for cooperative in [COOPERATIVE, EAGER] {
        for waits in [false, true] {
            let logs = [(0, 9), (0, 9)];
            // It stands still outside of its log: nothing else is given up to be moved.
            let mut member = KafkaConsumer::reading(cooperative, &logs, &[(0, 30), (1, 0)]);
            member.read();
            member.client.logs.insert(0, (0, 20));
            // It is given up, and cannot be taken again.
            member.client.fails = Some(Call::Assign);
            if waits {
                member.client.raise(committed());
                member.seek(place(0), 3).unwrap();
                member.hear_all();
                let told = member.hear_all();
                assert!(
                    matches!(&told[..], [Notice::NotMoved { offset: 3, .. }]),
                    "{told:?}"
                );
            } else {
                member.seek(place(0), 3).unwrap_err();
            }
            assert_eq!(member.read_offsets(), []);
            assert!(member.hear_all().is_empty(), "once");
            member.client.fails = Some(Call::Assign);
            member.seek(place(0), 3).unwrap_err();
            member.seek(place(0), 3).unwrap();
            assert_eq!(member.read_offsets(), [(0, 3, 17)], "{cooperative}");
        }
    }
}

#[test]
fn a_partition_that_was_given_up_and_not_taken_again_can_be_given_back() {
    let logs = [(0, 9), (0, 9)];
    let mut member = KafkaConsumer::reading(COOPERATIVE, &logs, &[(0, 30), (1, 0)]);
    member.read();
    member.client.fails = Some(Call::Assign);
    member.seek(place(0), 3).unwrap_err();
    let both = vec![place(0), place(1)];
    member.client.rebalance(Event::Revoke(both.clone()));
    member.hear_all();
    member.unassign(&both).unwrap();
    assert!(!member.client.waits);
    member.give(&[(0, 7)]);
    assert_eq!(member.read_offsets(), [(0, 7, 2)]);
}

#[test]
fn a_rebalance_that_comes_while_a_partition_is_moved_may_be_answered_by_that_and_is_a_loss() {
    for cooperative in [COOPERATIVE, EAGER] {
        let logs = [(0, 9), (0, 9)];
        // It stands still outside of its log: nothing else is given up to be moved.
        let mut member = KafkaConsumer::reading(cooperative, &logs, &[(0, 30), (1, 0)]);
        member.read();
        member.hear_all();
        let revoked = if cooperative { vec![1] } else { vec![0, 1] };
        let revoked: Vec<_> = revoked.into_iter().map(place).collect();
        // Nobody has heard of it when the calls begin.
        let revoke = Event::Revoke(revoked.clone());
        member.client.later.push((When::InCall, revoke));
        member.seek(place(0), 3).unwrap();
        assert!(!member.client.waits, "it was answered, by no intent");
        assert_eq!(member.read_offsets(), [], "it may be another member's");
        let told = member.hear_all();
        assert!(
            matches!(&told[..], [Notice::Revoke { lost: true, .. }]),
            "{told:?}"
        );
        assert_eq!(
            member.client.ours.since(place(1)),
            None,
            "nothing is committed"
        );
        member.unassign(&revoked).unwrap();
        // The next one is one like any other.
        let rest: Vec<_> = member.assigned.positions();
        let rest: Vec<_> = rest.into_iter().map(|(place, _)| place).collect();
        member.client.rebalance(Event::Revoke(rest));
        let told = member.hear_all();
        assert!(
            matches!(&told[..], [Notice::Revoke { lost: false, .. }]),
            "{told:?}"
        );
    }
}

#[test]
fn a_request_that_commits_carries_the_assignment_by_which_the_partition_is_ours() {
    let logs = [(0, 9), (0, 9)];
    let mut member = KafkaConsumer::reading(COOPERATIVE, &logs, &[(0, 0), (1, 0)]);
    member.commit(place(0), 2);
    member.resolve(
        vec![(place(0), OffsetReset::Latest)],
        Duration::from_secs(1),
    );
    let requests = member.requests();
    let [Request::Resolve(resolved, _), Request::Commit { epoch, .. }] = &requests[..] else {
        panic!("{requests:?}");
    };
    assert_eq!(member.client.ours.since(place(0)), Some(*epoch));
    assert_eq!(resolved[0].2, *epoch);
    // The requests wait, and the partition goes and comes back.
    member.client.rebalance(Event::Revoke(vec![place(0)]));
    member.hear_all();
    assert_eq!(
        member.client.ours.since(place(0)),
        Some(*epoch),
        "it is ours yet"
    );
    member.unassign(&[place(0)]).unwrap();
    assert_eq!(member.client.ours.since(place(0)), None);
    member.commit(place(0), 2);
    assert!(matches!(&member.hear_all()[..], [Notice::Moved(_, Err(_))]));
    member.client.rebalance(Event::Assign(vec![place(0)]));
    member.hear_all();
    assert!(member.client.ours.since(place(0)) > Some(*epoch));
}

#[test]
fn a_seek_of_a_partition_that_was_given_away_is_forgotten() {
    let logs = [(0, 9)];
    let mut member = KafkaConsumer::reading(COOPERATIVE, &logs, &[(0, 0)]);
    member.client.rebalance(Event::Revoke(vec![place(0)]));
    member.hear_all();
    member.seek(place(0), 3).unwrap();
    member.unassign(&[place(0)]).unwrap();
    // It comes back, at another offset.
    member.give(&[(0, 7)]);
    member.hear_all();
    assert_eq!(member.read_offsets(), [(0, 7, 2)]);
}

#[test]
fn a_seek_of_a_partition_that_was_never_given_is_ignored() {
    let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 9), (0, 9)], &[(0, 0)]);
    member.client.rebalance(Event::Assign(Vec::new()));
    member.hear_all();
    member.seek(place(1), 3).unwrap();
    member.assign(&[]).unwrap();
    member.hear_all();
    // An error would be heard now.
    member.hear_all();
    assert_eq!(member.read_offsets(), [(0, 0, 9)]);
}

/// A seek of the client answers no rebalance, and begins with nothing again.
#[test]
fn a_partition_that_is_read_is_moved_alone_whatever_comes_meanwhile() {
    for cooperative in [COOPERATIVE, EAGER] {
        let logs = [(0, 9), (0, 9)];
        let mut member = KafkaConsumer::reading(cooperative, &logs, &[(0, 0), (1, 0)]);
        member.client.begun.clear();
        let both = vec![place(0), place(1)];
        let revoke = Event::Revoke(both.clone());
        member.client.later.push((When::InCall, revoke));
        member.seek(place(0), 3).unwrap();
        assert!(member.client.begun.is_empty());
        assert_eq!(member.read_offsets(), [(0, 3, 6), (1, 0, 9)]);
        assert!(member.hear_all().is_empty());
        member.unassign(&both).unwrap();
        assert_eq!(member.client.answers, 2, "the assign and the revoke");
    }
}
