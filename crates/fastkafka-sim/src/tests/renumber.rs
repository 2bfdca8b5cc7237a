use super::kit::{PROTOCOLS, World};
use crate::*;

fn renumber(world: &mut World) {
    world.cluster.renumber(&mut world.clients);
}

fn state(world: &World) -> (Cluster<u8>, Vec<Client<u8>>) {
    (world.cluster.clone(), world.clients.clone())
}

#[test]
fn there_and_back_is_where_it_was() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Explicit, 2);
        world.join();
        world.join();
        let mut seen = Vec::new();
        for _ in 0..3 {
            for targets in [[(0, &[0, 1][..]), (1, &[])], [(0, &[0]), (1, &[1])]] {
                world.reassign(&targets);
                world.settle();
                renumber(&mut world);
                seen.push(state(&world));
            }
        }
        assert_eq!(seen[2..4], seen[4..6], "{protocol:?}");
        assert_ne!(seen[4], seen[5], "{protocol:?}");
    }
}

#[test]
fn a_member_that_was_replaced_leaves_no_trace() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Sticky, 2);
        world.join();
        world.join();
        let mut seen = Vec::new();
        for client in [0, 0, 0, 1, 1] {
            let member = world.member(client);
            world.cluster.expire(world.group, member).unwrap();
            world.settle();
            renumber(&mut world);
            seen.push(state(&world));
            let members: Vec<_> = world.cluster.group(world.group).members().collect();
            assert!(members.is_sorted(), "{members:?}");
        }
        assert_eq!(seen[1], seen[2], "{protocol:?}");
        assert_eq!(seen[3], seen[4], "{protocol:?}");
    }
}

#[test]
fn a_commit_on_its_way_stays_as_good_or_as_stale_as_it_was() {
    for protocol in PROTOCOLS {
        for stale in [false, true] {
            let mut world = World::new(protocol, Assignor::Explicit, 1);
            world.join();
            world.join();
            world.reassign(&[(0, &[0])]);
            world.settle();
            let p = world.partition(0);
            world.clients[0].store(p, 3).unwrap();
            world.clients[0].send_commit();
            world.clients[0].answer_commit(&mut world.cluster, Answer::Late);
            if stale {
                world.reassign(&[(0, &[]), (1, &[0])]);
                world.settle();
            }
            renumber(&mut world);
            renumber(&mut world);
            let arrived = world.clients[0].arrive_late(&mut world.cluster).unwrap();
            assert_eq!(arrived.is_err(), stale, "{protocol:?}");
        }
    }
}
