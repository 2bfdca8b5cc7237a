use super::kit::{PROTOCOLS, World};
use crate::*;

fn reading() -> (World, PartitionId) {
    let mut world = World::new(Protocol::Consumer, Assignor::Explicit, 2);
    world.join();
    world.join();
    world.reassign(&[(0, &[0, 1])]);
    world.settle();
    let p = world.partition(0);
    (world, p)
}

fn fetch(world: &mut World, client: usize, p: PartitionId, max: usize) -> Vec<i64> {
    let records = world.clients[client].fetch(&world.cluster, p, max).unwrap();
    records.iter().map(|e| e.offset).collect()
}

#[test]
fn what_was_read_ahead_comes_first() {
    let (mut world, p) = reading();
    world.clients[0].read_ahead(&world.cluster, p, 2);
    world.clients[0].read_ahead(&world.cluster, p, 1);
    world.cluster.delete_before(p, 5);
    assert_eq!(fetch(&mut world, 0, p, 2), [0, 1]);
    assert_eq!(world.clients[0].position(p), Some(2));
    assert_eq!(fetch(&mut world, 0, p, 9), [2]);
    let out = FetchError::OutOfRange { low: 5, high: 10 };
    assert_eq!(world.clients[0].fetch(&world.cluster, p, 9), Err(out));
    world.clients[0].seek(p, 5).unwrap();
    assert_eq!(fetch(&mut world, 0, p, 2), [5, 6]);
}

#[test]
fn a_pause_and_a_seek_throw_away_what_was_read_ahead() {
    for seek in [false, true] {
        let (mut world, p) = reading();
        world.clients[0].read_ahead(&world.cluster, p, 9);
        world.cluster.delete_before(p, 5);
        if seek {
            world.clients[0].seek(p, 0).unwrap();
        } else {
            world.clients[0].pause(p, true).unwrap();
            assert_eq!(fetch(&mut world, 0, p, 1), []);
            world.clients[0].pause(p, false).unwrap();
        }
        assert!(world.clients[0].fetch(&world.cluster, p, 1).is_err());
    }
}

#[test]
fn a_pause_outlives_the_assignment() {
    let (mut world, p) = reading();
    world.clients[0].pause(p, true).unwrap();
    world.reassign(&[(0, &[1]), (1, &[0])]);
    world.settle();
    assert_eq!(world.clients[0].pause(p, false), Err(NotAssigned));
    assert_eq!(
        fetch(&mut world, 1, p, 1),
        [0],
        "the other one has not paused it"
    );
    world.reassign(&[(0, &[0, 1]), (1, &[])]);
    world.settle();
    assert_eq!(fetch(&mut world, 0, p, 1), []);
    world.clients[0].pause(p, false).unwrap();
    assert_eq!(fetch(&mut world, 0, p, 1), [0]);
}

#[test]
fn nothing_of_the_whole_assignment_is_read_until_a_notice_is_answered() {
    let (mut world, p) = reading();
    world.clients[0].read_ahead(&world.cluster, p, 9);
    world.reassign(&[(0, &[0])]);
    world.until_told(0);
    assert_eq!(fetch(&mut world, 0, p, 1), []);
    world.answer(0);
    world.cluster.delete_before(p, 5);
    let read_ahead_is_gone = world.clients[0].fetch(&world.cluster, p, 1).is_err();
    assert!(read_ahead_is_gone);
}

#[test]
fn an_expired_member_reads_on_until_it_finds_out() {
    let (mut world, p) = reading();
    let member = world.member(0);
    world.cluster.expire(world.group, member).unwrap();
    assert_eq!(fetch(&mut world, 0, p, 1), [0]);
    world.until_told(0);
    assert_eq!(fetch(&mut world, 0, p, 1), []);
}

#[test]
fn an_answer_to_something_else_is_refused() {
    let (mut world, p) = reading();
    let client = &mut world.clients[0];
    assert_eq!(client.assign(&[(p, 0)]), Err(NotAssigned));
    assert_eq!(client.unassign(), Err(NotAssigned));
    assert_eq!(client.seek(PartitionId(77), 0), Err(NotAssigned));
}

#[test]
fn what_an_answer_leaves_out_stays_with_the_member_and_is_not_read() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Sticky, 2);
        world.clients.push(Client::new(world.group, [world.topic]));
        let (first, second) = (world.partition(0), world.partition(1));
        assert_eq!(world.until_told(0), Notice::Assign(world.set(&[0, 1])));
        world.clients[0].assign(&[(first, 0)]).unwrap();
        world.settle();
        assert_eq!(world.assignments(), [world.set(&[0])], "{protocol:?}");
        assert_eq!(fetch(&mut world, 0, second, 1), []);

        world.clients[0].assign(&[(second, 3)]).unwrap();
        assert_eq!(fetch(&mut world, 0, second, 1), [3], "{protocol:?}");
        let again = world.clients[0].assign(&[(second, 3)]);
        assert_eq!(again, Err(NotAssigned), "it is read already");
    }
}

#[test]
fn what_was_never_read_is_revoked_with_the_rest() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol, Assignor::Sticky, 2);
        world.clients.push(Client::new(world.group, [world.topic]));
        world.until_told(0);
        world.clients[0].assign(&[]).unwrap();
        world.settle();
        world.clients[0].leave();
        let revoked = Notice::Revoke {
            partitions: world.set(&[0, 1]),
            lost: false,
        };
        assert_eq!(world.until_told(0), revoked, "{protocol:?}");
        world.clients[0].unassign().unwrap();
        world.settle();
        assert!(world.clients[0].closed(), "{protocol:?}");
    }
}
