use super::kit::{PROTOCOLS, World};
use crate::*;

#[test]
fn members_share_the_partitions_under_every_protocol_and_assignor() {
    for protocol in PROTOCOLS {
        for assignor in [Assignor::Range, Assignor::Sticky] {
            let mut world = World::new(protocol, assignor, 5);
            for share in [&[5][..], &[3, 2], &[2, 2, 1]] {
                world.join();
                let mut mine: Vec<_> = world.assignments().iter().map(PartitionSet::len).collect();
                mine.sort_unstable_by(|a, b| b.cmp(a));
                assert_eq!(mine, share, "{protocol:?} {assignor:?}");
            }
        }
    }
}

#[test]
fn range_gives_neighbouring_partitions_of_each_topic_to_neighbouring_members() {
    let mut world = World::new(Protocol::Eager, Assignor::Range, 3);
    let other = world.cluster.create_topic("other", 3);
    for _ in 0..2 {
        let client = Client::new(world.group, [world.topic, other]);
        world.clients.push(client);
    }
    world.settle();
    let indices = |set: &PartitionSet| set.iter().map(|p| world.cluster.place(p).1).collect();
    let mine: Vec<Vec<i32>> = world.assignments().iter().map(indices).collect();
    assert_eq!(mine, [vec![0, 1, 0, 1], vec![2, 2]]);
}

#[test]
fn a_member_without_partitions_is_told_so_by_the_classic_protocols() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Explicit, 1);
        world.clients.push(Client::new(world.group, [world.topic]));
        let mut told = Vec::new();
        while world.clients[0].may_exchange(&world.cluster) {
            told.extend(world.exchange(0));
            world.answer(0);
        }
        let nothing = Notice::Assign(PartitionSet::new());
        let classic = protocol != Protocol::Consumer;
        assert_eq!(told, vec![nothing; usize::from(classic)], "{protocol:?}");
    }
}

#[test]
fn an_incremental_revoke_is_followed_by_an_assign() {
    for (protocol, follows) in PROTOCOLS.into_iter().zip([false, true, true]) {
        let mut world = World::new(protocol, Assignor::Explicit, 1);
        world.join();
        world.reassign(&[(0, &[0])]);
        world.settle();
        world.reassign(&[(0, &[])]);
        assert!(matches!(world.until_told(0), Notice::Revoke { .. }));
        world.answer(0);
        world.exchange(0);
        let nothing = Notice::Assign(PartitionSet::new());
        assert_eq!(
            world.clients[0].told() == Some(&nothing),
            follows,
            "{protocol:?}"
        );
    }
}

#[test]
fn eager_gives_everything_back_before_anybody_gets_anything() {
    let mut world = World::new(Protocol::Eager, Assignor::Range, 2);
    world.join();
    world.clients.push(Client::new(world.group, [world.topic]));
    world.exchange(1);
    assert!(
        !world.clients[1].may_exchange(&world.cluster),
        "the barrier"
    );
    let notice = world.until_told(0);
    let (partitions, lost) = (world.set(&[0, 1]), false);
    assert_eq!(notice, Notice::Revoke { partitions, lost });
    assert!(
        !world.clients[1].may_exchange(&world.cluster),
        "the barrier"
    );
    world.answer(0);
    world.settle();
    assert_eq!(world.assignments(), [world.set(&[0]), world.set(&[1])]);
}

#[test]
fn cooperative_revokes_first_and_hands_on_with_the_next_generation() {
    let mut world = World::new(Protocol::Cooperative, Assignor::Sticky, 2);
    world.join();
    let first = world.clients[0].generation();
    world.clients.push(Client::new(world.group, [world.topic]));
    world.exchange(1);
    // The first rebalance: nothing is given back yet, and reading goes on.
    let notice = world.until_told(0);
    assert_eq!(world.clients[0].generation(), first + 1);
    let (partitions, lost) = (world.set(&[1]), false);
    assert_eq!(notice, Notice::Revoke { partitions, lost });
    assert_eq!(world.until_told(1), Notice::Assign(PartitionSet::new()));
    world.answer(1);
    assert!(!world.clients[1].may_exchange(&world.cluster));
    // The second.
    world.answer(0);
    world.settle();
    assert_eq!(world.clients[0].generation(), first + 2);
    assert_eq!(world.assignments(), [world.set(&[0]), world.set(&[1])]);
}

#[test]
fn only_eager_takes_from_members_what_they_keep() {
    for (protocol, takes) in PROTOCOLS.into_iter().zip([true, false, false]) {
        let mut world = World::new(protocol, Assignor::Explicit, 3);
        for _ in 0..3 {
            world.join();
        }
        world.reassign(&[(0, &[0, 1]), (1, &[2]), (2, &[])]);
        world.settle();
        world.reassign(&[(0, &[0]), (2, &[1])]);
        let kept = world.set(&[0, 2]);
        let mut taken = false;
        for _ in 0..50 {
            for client in 0..3 {
                if let Some(Notice::Revoke { partitions, .. }) = world.exchange(client) {
                    taken |= !partitions.intersection(&kept).is_empty();
                }
                world.answer(client);
            }
        }
        let mine = [&[0][..], &[2], &[1]].map(|set| world.set(set));
        assert_eq!(world.assignments(), mine, "{protocol:?}");
        assert_eq!(taken, takes, "{protocol:?}");
    }
}

#[test]
fn kip_848_hands_a_partition_on_only_after_the_acknowledgement() {
    let mut world = World::new(Protocol::Consumer, Assignor::Explicit, 2);
    world.join();
    world.join();
    world.reassign(&[(0, &[0, 1])]);
    world.settle();
    world.reassign(&[(0, &[0]), (1, &[1])]);
    assert_eq!(
        world.exchange(1),
        None,
        "its epoch moves on, and it has nothing yet"
    );
    assert!(!world.clients[1].may_exchange(&world.cluster));
    let p = world.partition(1);
    let epoch = world.clients[0].generation();
    let (partitions, lost) = (world.set(&[1]), false);
    assert_eq!(world.exchange(0), Some(Notice::Revoke { partitions, lost }));
    assert_eq!(
        world.clients[0].generation(),
        epoch,
        "so that it can commit"
    );
    assert!(!world.clients[1].may_exchange(&world.cluster));
    world.clients[0].store(p, 4).unwrap();
    world.answer(0);
    assert!(
        !world.clients[0].may_exchange(&world.cluster),
        "the commit first"
    );
    assert_eq!(world.commits_arrive(0), [Ok(())]);
    let nothing = Notice::Assign(PartitionSet::new());
    assert_eq!(world.exchange(0), Some(nothing));
    world.answer(0);
    assert!(!world.clients[1].may_exchange(&world.cluster));
    world.exchange(0);
    assert_eq!(world.clients[0].generation(), epoch + 1);
    assert_eq!(world.exchange(1), Some(Notice::Assign(world.set(&[1]))));
    assert_eq!(world.committed(1), Some(4));
}

#[test]
fn kip_848_forgets_an_acknowledgement_that_is_no_longer_wanted() {
    let mut world = World::new(Protocol::Consumer, Assignor::Explicit, 1);
    world.join();
    world.join();
    world.reassign(&[(0, &[0])]);
    world.settle();
    world.reassign(&[(0, &[]), (1, &[0])]);
    world.exchange(0);
    // Back again before the revoke is answered.
    world.reassign(&[(0, &[0]), (1, &[])]);
    world.answer(0);
    world.exchange(0);
    world.answer(0);
    assert_eq!(world.exchange(0), Some(Notice::Assign(world.set(&[0]))));
    world.settle();
    assert_eq!(world.assignments(), [world.set(&[0]), world.set(&[])]);
}

#[test]
fn an_expired_member_finds_out_late_and_loses_everything() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Sticky, 2);
        world.join();
        world.join();
        let gone = world.member(0);
        world.cluster.expire(world.group, gone).unwrap();
        // The other takes over before the first one notices.
        while world.clients[1].may_exchange(&world.cluster) {
            world.exchange(1);
            world.answer(1);
            world.commits_arrive(1);
        }
        assert_eq!(world.clients[1].assignment().len(), 2, "{protocol:?}");
        assert_eq!(world.clients[0].assignment().len(), 1, "{protocol:?}");
        let partitions = world.clients[0].assignment();
        let notice = world.until_told(0);
        assert_eq!(
            notice,
            Notice::Revoke {
                partitions,
                lost: true
            },
            "{protocol:?}"
        );
        world.settle();
        let mine: Vec<_> = world.assignments().iter().map(PartitionSet::len).collect();
        assert_eq!(mine, [1, 1], "{protocol:?}");
        assert_ne!(world.member(0), gone, "{protocol:?}");
    }
}

#[test]
fn a_revoke_that_is_being_answered_can_become_a_loss() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Explicit, 2);
        world.join();
        world.join();
        world.reassign(&[(0, &[0, 1])]);
        world.settle();
        world.reassign(&[(0, &[0]), (1, &[1])]);
        let p = world.partition(1);
        // Cooperative: the other one has to join before anybody is told.
        world.exchange(1);
        world.exchange(1);
        assert!(matches!(
            world.until_told(0),
            Notice::Revoke { lost: false, .. }
        ));
        world.clients[0].store(p, 3).unwrap();
        let member = world.member(0);
        world.cluster.expire(world.group, member).unwrap();
        assert!(!world.clients[0].lost());
        world.exchange(0);
        assert!(world.clients[0].lost(), "{protocol:?}");
        world.answer(0);
        assert!(!world.clients[0].commit_in_flight(), "{protocol:?}");
        if protocol != Protocol::Eager {
            // What the revoke did not name is lost as well.
            let (partitions, lost) = (world.set(&[0]), true);
            assert_eq!(world.until_told(0), Notice::Revoke { partitions, lost });
        }
        world.settle();
        assert_eq!(world.committed(1), None, "{protocol:?}");
    }
}

#[test]
fn a_member_that_leaves_commits_and_hands_everything_on() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Sticky, 2);
        world.join();
        world.join();
        let mine = world.clients[0].assignment().iter().next().unwrap();
        world.clients[0].store(mine, 6).unwrap();
        world.clients[0].leave();
        assert!(matches!(
            world.until_told(0),
            Notice::Revoke { lost: false, .. }
        ));
        world.answer(0);
        assert!(
            !world.clients[0].may_exchange(&world.cluster),
            "the commit first"
        );
        world.settle();
        assert!(world.clients[0].closed(), "{protocol:?}");
        assert_eq!(world.clients[1].assignment().len(), 2, "{protocol:?}");
        assert_eq!(world.clients[1].position(mine), Some(6), "{protocol:?}");
    }
}

#[test]
fn a_crashed_member_holds_its_partitions_until_its_session_expires() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Sticky, 2);
        world.join();
        let crashed = world.clients.remove(0).member().unwrap();
        world.clients.push(Client::new(world.group, [world.topic]));
        world.settle();
        assert!(world.clients[0].assignment().is_empty(), "{protocol:?}");
        world.cluster.expire(world.group, crashed).unwrap();
        world.settle();
        assert_eq!(world.clients[0].assignment().len(), 2, "{protocol:?}");
    }
}

#[test]
fn partitions_that_are_added_are_assigned_when_the_group_notices() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Sticky, 1);
        world.join();
        world.join();
        world.cluster.create_topic("in", 3);
        world.settle();
        let all = |world: &World| {
            world
                .assignments()
                .iter()
                .map(PartitionSet::len)
                .sum::<usize>()
        };
        assert_eq!(all(&world), 1, "{protocol:?}");
        world.cluster.rebalance(world.group);
        world.settle();
        assert_eq!(all(&world), 3, "{protocol:?}");
    }
}

#[test]
fn a_session_that_times_out_on_the_clients_side_leaves_a_member_behind() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Sticky, 1);
        world.join();
        let before = world.member(0);
        world.clients[0].session_timeout();
        assert!(matches!(
            world.until_told(0),
            Notice::Revoke { lost: true, .. }
        ));
        world.settle();
        assert!(world.cluster.group(world.group).has(before), "{protocol:?}");
        world.cluster.expire(world.group, before).unwrap();
        world.settle();
        assert_eq!(world.clients[0].assignment().len(), 1, "{protocol:?}");
    }
}

#[test]
fn a_group_whose_members_subscribe_to_another_topic_shares_that_too() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Sticky, 2);
        world.join();
        world.join();
        let other = world.cluster.create_topic("other", 2);
        for client in &mut world.clients {
            client.subscribe(&mut world.cluster, [world.topic, other]);
        }
        world.settle();
        let all = world.cluster.all_partitions(&[world.topic, other]);
        let mine = world.assignments();
        assert_eq!(mine[0].union(&mine[1]), all, "{protocol:?}");
        assert_eq!((mine[0].len(), mine[1].len()), (2, 2), "{protocol:?}");
    }
}
