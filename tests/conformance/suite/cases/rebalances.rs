//! Who has which partition, and when.

use crate::scene::Scene;
use conformance::{Ask, Protocol};

/// A member with four partitions, of each of which it has taken ten records.
fn alone(scene: &mut Scene<'_>) -> usize {
    scene.topic(4);
    for partition in 0..4 {
        scene.append(partition, 10);
    }
    let member = scene.join();
    scene.until("all records", |s| {
        (0..4).all(|p| s.members[member].took(p).len() == 10)
    });
    member
}

/// As [`alone`], and it keeps the revoke that a guest brings about to itself.
fn owing(scene: &mut Scene<'_>) -> (usize, usize) {
    let member = alone(scene);
    scene.members[member].drains = true;
    let guest = scene.join();
    scene.until("a revoke", |s| s.members[member].owed.is_some());
    (member, guest)
}

fn settled(scene: &mut Scene<'_>) {
    scene.until("two partitions each", |s| {
        let here = s.members.iter().filter(|m| !m.away);
        here.clone().count() == 2 && here.clone().all(|m| m.assigned.len() == 2)
    });
}

fn whole(scene: &mut Scene<'_>, member: usize) {
    scene.until("all partitions", |s| s.members[member].has(0..4));
}

pub(super) fn only_what_moves_is_given_back(scene: &mut Scene<'_>) {
    let member = alone(scene);
    let guest = scene.join();
    settled(scene);
    let revoked = scene.members[member].revokes.concat();
    if scene.protocol == Protocol::Eager {
        assert_eq!(revoked, [0, 1, 2, 3], "everything, once");
    } else {
        assert!(
            revoked.iter().eq(scene.members[guest].assigned.keys()),
            "{revoked:?} {:?}",
            scene.members[guest].assigned
        );
        // What stays goes on where it was.
        assert_eq!(scene.members[member].starts.len(), 4);
    }
    for partition in 0..4 {
        scene.append(partition, 1);
    }
    scene.until("the new records", |s| {
        (0..4).all(|p| s.members.iter().any(|m| m.took(p).ends_with(&[10])))
    });
}

pub(super) fn the_broker_waits_for_the_answer_to_a_revoke(scene: &mut Scene<'_>) {
    let (member, guest) = owing(scene);
    let owed = scene.members[member].owed.clone().unwrap();
    scene.for_a_while(
        |s| {
            owed.iter()
                .all(|p| !s.members[guest].assigned.contains_key(p))
        },
        "it is given to another before the answer",
    );
    scene.members[member].drains = false;
    scene.answer_revoke(member);
    settled(scene);
}

pub(super) fn what_is_stored_before_the_answer_is_where_the_next_owner_starts(
    scene: &mut Scene<'_>,
) {
    let (member, guest) = owing(scene);
    for partition in scene.members[member].owed.clone().unwrap() {
        scene.ask(member, &Ask::Store(partition, 5 + i64::from(partition)));
    }
    scene.members[member].drains = false;
    scene.answer_revoke(member);
    settled(scene);
    for (partition, start) in scene.members[guest].assigned.clone() {
        assert_eq!(start, 5 + i64::from(partition), "the start of {partition}");
    }
}

pub(super) fn a_commit_while_a_revoke_waits_is_taken(scene: &mut Scene<'_>) {
    let (member, _) = owing(scene);
    for partition in 0..4 {
        scene.ask(member, &Ask::CommitAt(partition, 6, String::new()));
        assert_eq!(scene.committed(partition), Some(6));
    }
    scene.members[member].drains = false;
    scene.answer_revoke(member);
    settled(scene);
}

pub(super) fn partitions_come_back_when_a_member_leaves(scene: &mut Scene<'_>) {
    let member = alone(scene);
    let guest = scene.join();
    settled(scene);
    let moved: Vec<_> = scene.members[guest].assigned.keys().copied().collect();
    for partition in &moved {
        scene.ask(guest, &Ask::Store(*partition, 8));
    }
    scene.leave(guest);
    whole(scene, member);
    for partition in moved {
        assert_eq!(scene.members[member].assigned[&partition], 8);
    }
}

pub(super) fn a_killed_member_loses_its_partitions(scene: &mut Scene<'_>) {
    let member = alone(scene);
    let guest = scene.join();
    settled(scene);
    scene.kill(guest);
    whole(scene, member);
}

pub(super) fn a_member_that_dies_while_it_owes_an_answer_holds_up_nobody(scene: &mut Scene<'_>) {
    let (member, guest) = owing(scene);
    scene.kill(member);
    whole(scene, guest);
}

/// Frozen, it does not know; meanwhile another has taken over and committed.
fn put_out(scene: &mut Scene<'_>) -> (usize, usize) {
    let member = alone(scene);
    scene.freeze(member);
    let other = scene.join();
    whole(scene, other);
    for partition in 0..4 {
        scene.ask(other, &Ask::CommitAt(partition, 7, String::new()));
    }
    (member, other)
}

pub(super) fn a_member_that_was_put_out_cannot_commit(scene: &mut Scene<'_>) {
    let (member, _) = put_out(scene);
    scene.thaw(member);
    let refused = scene.done(member, &Ask::CommitAt(0, 9, String::new()));
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(scene.committed(0), Some(7));
}

pub(super) fn a_member_that_was_put_out_hears_of_its_loss_and_takes_part_again(
    scene: &mut Scene<'_>,
) {
    let (member, _) = put_out(scene);
    scene.thaw(member);
    // Accepted, for it does not know yet; it must never be committed.
    let _ = scene.done(member, &Ask::Store(0, 9));
    scene.until("the loss", |s| s.members[member].lost.len() == 4);
    settled(scene);
    assert_eq!(scene.committed(0), Some(7));
    for (partition, start) in scene.members[member].assigned.clone() {
        assert_eq!(start, 7, "{partition} starts where the other was");
    }
}

pub(super) fn an_added_partition_is_given_to_somebody(scene: &mut Scene<'_>) {
    scene.topic(1);
    let member = scene.join_and_settle();
    scene.cluster.grow(crate::scene::TOPIC, 3);
    scene.append(2, 4);
    scene.until("the new partitions", |s| s.members[member].has(0..3));
    assert_eq!(scene.members[member].assigned[&2], 0);
    scene.until("its records", |s| s.members[member].took(2) == [0, 1, 2, 3]);
}
