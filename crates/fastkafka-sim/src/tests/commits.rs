use super::kit::{PROTOCOLS, World};
use crate::*;

/// One member with both partitions; it has stored 3 for the first.
fn storing(protocol: Protocol) -> (World, PartitionId) {
    let mut world = World::new(protocol, Assignor::Explicit, 2);
    world.join();
    world.join();
    world.reassign(&[(0, &[0, 1])]);
    world.settle();
    let p = world.partition(0);
    world.clients[0].store(p, 3).unwrap();
    (world, p)
}

#[test]
fn what_becomes_of_a_periodic_commit_and_whether_it_is_sent_again() {
    for protocol in PROTOCOLS {
        for (answer, hears, committed, again) in [
            (Answer::Arrives, Ok(()), Some(3), false),
            (Answer::Lost, Err(CommitError::NoAnswer), None, true),
            (
                Answer::AnswerLost,
                Err(CommitError::NoAnswer),
                Some(3),
                true,
            ),
            (Answer::Late, Err(CommitError::NoAnswer), None, true),
        ] {
            let (mut world, _) = storing(protocol);
            assert!(world.clients[0].send_commit());
            let heard = world.clients[0].answer_commit(&mut world.cluster, answer);
            assert_eq!(heard, Some(hears), "{answer:?}");
            assert_eq!(world.committed(0), committed, "{answer:?}");
            assert_eq!(world.clients[0].send_commit(), again, "{answer:?}");
        }
    }
}

#[test]
fn a_late_commit_arrives_after_the_client_gave_it_up() {
    let (mut world, _) = storing(Protocol::Cooperative);
    world.clients[0].send_commit();
    world.clients[0].answer_commit(&mut world.cluster, Answer::Late);
    assert_eq!(world.committed(0), None);
    let client = &mut world.clients[0];
    assert_eq!(client.arrive_late(&mut world.cluster), Some(Ok(())));
    assert_eq!(client.arrive_late(&mut world.cluster), None);
    assert_eq!(world.committed(0), Some(3));
}

#[test]
fn a_late_commit_is_refused_once_the_member_has_moved_on() {
    for (protocol, error) in PROTOCOLS.into_iter().zip([
        GroupError::IllegalGeneration,
        GroupError::IllegalGeneration,
        GroupError::StaleMemberEpoch,
    ]) {
        let (mut world, _) = storing(protocol);
        world.clients[0].send_commit();
        world.clients[0].answer_commit(&mut world.cluster, Answer::Late);
        world.reassign(&[(0, &[1]), (1, &[0])]);
        world.settle();
        let arrived = world.clients[0].arrive_late(&mut world.cluster);
        assert_eq!(arrived, Some(Err(error)), "{protocol:?}");
    }
}

#[test]
fn a_stored_offset_at_or_below_the_committed_one_is_not_committed() {
    let (mut world, p) = storing(Protocol::Eager);
    world.clients[0].send_commit();
    world.commits_arrive(0);
    for (offset, sends) in [(3, false), (2, false), (4, true)] {
        world.clients[0].store(p, offset).unwrap();
        assert_eq!(world.clients[0].send_commit(), sends, "{offset}");
    }
}

#[test]
fn only_an_assigned_partition_stores() {
    let (mut world, p) = storing(Protocol::Consumer);
    assert_eq!(world.clients[1].store(p, 1), Err(NotAssigned));
    world.reassign(&[(0, &[1]), (1, &[0])]);
    world.until_told(0);
    assert_eq!(
        world.clients[0].store(p, 5),
        Ok(()),
        "until the revoke is answered"
    );
    world.answer(0);
    assert_eq!(world.clients[0].store(p, 6), Err(NotAssigned));
    world.settle();
    assert_eq!(world.committed(0), Some(5));
}

#[test]
fn a_stored_offset_does_not_survive_its_assignment() {
    for protocol in PROTOCOLS {
        let (mut world, p) = storing(protocol);
        world.reassign(&[(0, &[1]), (1, &[0])]);
        world.settle();
        world.reassign(&[(0, &[0, 1]), (1, &[])]);
        world.settle();
        assert_eq!(world.clients[0].stored(p), None);
        assert_eq!(world.clients[0].position(p), Some(3), "{protocol:?}");
        assert!(!world.clients[0].send_commit(), "{protocol:?}");
    }
}

#[test]
fn no_periodic_commit_while_a_notice_waits() {
    let (mut world, _) = storing(Protocol::Consumer);
    world.reassign(&[(0, &[])]);
    world.until_told(0);
    assert!(!world.clients[0].send_commit());
    world.answer(0);
    assert!(
        world.clients[0].commit_in_flight(),
        "unassign commits by itself"
    );
}

#[test]
fn a_member_that_has_expired_learns_it_from_its_commit() {
    for protocol in PROTOCOLS {
        let (mut world, _) = storing(protocol);
        let member = world.member(0);
        world.cluster.expire(world.group, member).unwrap();
        world.clients[0].send_commit();
        let refused = CommitError::Refused(GroupError::UnknownMember);
        assert_eq!(world.commits_arrive(0), [Err(refused)]);
        assert!(world.clients[0].lost(), "{protocol:?}");
        assert_eq!(world.committed(0), None);
        assert!(matches!(
            world.until_told(0),
            Notice::Revoke { lost: true, .. }
        ));
    }
}

#[test]
fn a_classic_commit_is_refused_while_the_leader_has_not_brought_the_assignment() {
    let (mut world, p) = storing(Protocol::Cooperative);
    let commit = |world: &World, client: usize| Commit {
        member: world.clients[client].member(),
        generation: world.clients[client].generation(),
        offsets: vec![(p, 5.into())],
    };
    world.cluster.rebalance(world.group);
    let old = commit(&world, 0);
    assert_eq!(
        world.cluster.commit(world.group, &old),
        Ok(()),
        "still preparing"
    );
    for client in [0, 1, 0, 1] {
        world.exchange(client); // Hears of the rebalance, then joins.
    }
    assert_eq!(
        world.cluster.group(world.group).phase(),
        Phase::CompletingRebalance
    );
    let refused = world.cluster.commit(world.group, &old);
    assert_eq!(refused, Err(GroupError::IllegalGeneration));
    world.exchange(0);
    let new = commit(&world, 0);
    let refused = world.cluster.commit(world.group, &new);
    assert_eq!(refused, Err(GroupError::RebalanceInProgress));
    world.exchange(0);
    assert_eq!(world.cluster.commit(world.group, &new), Ok(()));
}

#[test]
fn a_commit_of_an_old_epoch_is_sent_again_with_the_new_one() {
    let (mut world, p) = storing(Protocol::Consumer);
    world.clients[0].send_commit();
    // The epoch moves on while the commit is on its way.
    world.reassign(&[(0, &[0, 1])]);
    world.exchange(0);
    assert_eq!(world.commits_arrive(0), []);
    assert!(
        !world.clients[0].commit_in_flight(),
        "it waits for a heartbeat"
    );
    assert!(world.clients[0].may_exchange(&world.cluster));
    world.exchange(0);
    assert_eq!(world.commits_arrive(0), [Ok(())]);
    assert_eq!(world.committed(0), Some(3));
    // One that the application has asked for is not.
    world.clients[0].commit(vec![(p, 4.into())]);
    world.reassign(&[(0, &[0, 1])]);
    world.exchange(0);
    let refused = CommitError::Refused(GroupError::StaleMemberEpoch);
    assert_eq!(world.commits_arrive(0), [Err(refused)]);
}

#[test]
fn metadata_stays_with_its_commit() {
    let (mut world, p) = storing(Protocol::Eager);
    let noted = Committed {
        offset: 4,
        metadata: Some("partitions=2".into()),
    };
    world.clients[0].store(p, noted.clone()).unwrap();
    world.clients[0].send_commit();
    world.commits_arrive(0);
    world.clients[0].leave();
    world.settle();
    assert_eq!(world.cluster.committed(world.group, p), Some(&noted));
}

#[test]
fn an_administrator_commits_only_for_a_group_without_members() {
    for protocol in PROTOCOLS {
        let (mut world, p) = storing(protocol);
        let commit = Commit {
            member: None,
            generation: 0,
            offsets: vec![(p, 9.into())],
        };
        let refused = world.cluster.commit(world.group, &commit);
        assert_eq!(refused, Err(GroupError::UnknownMember));
        world.clients.iter_mut().for_each(Client::leave);
        world.settle();
        assert_eq!(world.cluster.commit(world.group, &commit), Ok(()));
    }
}
