//! Who has which partition, and when.

use crate::fixture::MembersFixture;
use conformance::{Ask, Protocol};

/// A member with four partitions, of each of which it has taken ten records.
fn alone(fixture: &mut MembersFixture<'_>) -> usize {
    fixture.topic(4);
    for partition in 0..4 {
        fixture.append(partition, 10);
    }
    let member = fixture.join();
    fixture.until("all records", |s| {
        (0..4).all(|p| s.members[member].took(p).len() == 10)
    });
    member
}

/// As [`alone`], and it keeps the revoke that a guest brings about to itself.
fn owing(fixture: &mut MembersFixture<'_>) -> (usize, usize) {
    let member = alone(fixture);
    fixture.members[member].drains = true;
    let guest = fixture.join();
    fixture.until("a revoke", |s| s.members[member].owed.is_some());
    (member, guest)
}

fn settled(fixture: &mut MembersFixture<'_>) {
    fixture.until("two partitions each", |s| {
        let here = s.members.iter().filter(|m| !m.away);
        here.clone().count() == 2 && here.clone().all(|m| m.assigned.len() == 2)
    });
}

fn whole(fixture: &mut MembersFixture<'_>, member: usize) {
    fixture.until("all partitions", |s| s.members[member].has(0..4));
}

pub(super) fn only_what_moves_is_given_back(fixture: &mut MembersFixture<'_>) {
    let member = alone(fixture);
    let guest = fixture.join();
    settled(fixture);
    let revoked = fixture.members[member].revokes.concat();
    if fixture.protocol == Protocol::Eager {
        assert_eq!(revoked, [0, 1, 2, 3], "everything, once");
    } else {
        assert!(
            revoked.iter().eq(fixture.members[guest].assigned.keys()),
            "{revoked:?} {:?}",
            fixture.members[guest].assigned
        );
        // What stays goes on where it was.
        assert_eq!(fixture.members[member].starts.len(), 4);
    }
    for partition in 0..4 {
        fixture.append(partition, 1);
    }
    fixture.until("the new records", |s| {
        (0..4).all(|p| s.members.iter().any(|m| m.took(p).ends_with(&[10])))
    });
}

pub(super) fn the_broker_waits_for_the_answer_to_a_revoke(fixture: &mut MembersFixture<'_>) {
    let (member, guest) = owing(fixture);
    let owed = fixture.members[member].owed.clone().unwrap();
    fixture.for_a_while(
        |s| {
            owed.iter()
                .all(|p| !s.members[guest].assigned.contains_key(p))
        },
        "it is given to another before the answer",
    );
    fixture.members[member].drains = false;
    fixture.answer_revoke(member);
    settled(fixture);
}

pub(super) fn what_is_stored_before_the_answer_is_where_the_next_owner_starts(
    fixture: &mut MembersFixture<'_>,
) {
    let (member, guest) = owing(fixture);
    for partition in fixture.members[member].owed.clone().unwrap() {
        fixture.ask(member, &Ask::Store(partition, 5 + i64::from(partition)));
    }
    fixture.members[member].drains = false;
    fixture.answer_revoke(member);
    settled(fixture);
    for (partition, start) in fixture.members[guest].assigned.clone() {
        assert_eq!(start, 5 + i64::from(partition), "the start of {partition}");
    }
}

pub(super) fn a_commit_while_a_revoke_waits_is_taken(fixture: &mut MembersFixture<'_>) {
    let (member, _) = owing(fixture);
    for partition in 0..4 {
        fixture.ask(member, &Ask::CommitAt(partition, 6, String::new()));
        assert_eq!(fixture.committed(partition), Some(6));
    }
    fixture.members[member].drains = false;
    fixture.answer_revoke(member);
    settled(fixture);
}

pub(super) fn partitions_come_back_when_a_member_leaves(fixture: &mut MembersFixture<'_>) {
    let member = alone(fixture);
    let guest = fixture.join();
    settled(fixture);
    let moved: Vec<_> = fixture.members[guest].assigned.keys().copied().collect();
    for partition in &moved {
        fixture.ask(guest, &Ask::Store(*partition, 8));
    }
    fixture.leave(guest);
    whole(fixture, member);
    for partition in moved {
        assert_eq!(fixture.members[member].assigned[&partition], 8);
    }
}

pub(super) fn a_killed_member_loses_its_partitions(fixture: &mut MembersFixture<'_>) {
    let member = alone(fixture);
    let guest = fixture.join();
    settled(fixture);
    fixture.kill(guest);
    whole(fixture, member);
}

pub(super) fn a_member_that_dies_while_it_owes_an_answer_holds_up_nobody(
    fixture: &mut MembersFixture<'_>,
) {
    let (member, guest) = owing(fixture);
    fixture.kill(member);
    whole(fixture, guest);
}

/// Frozen, it does not know; meanwhile another has taken over and committed.
fn put_out(fixture: &mut MembersFixture<'_>) -> (usize, usize) {
    let member = alone(fixture);
    fixture.freeze(member);
    let other = fixture.join();
    whole(fixture, other);
    for partition in 0..4 {
        fixture.ask(other, &Ask::CommitAt(partition, 7, String::new()));
    }
    (member, other)
}

pub(super) fn a_member_that_was_put_out_cannot_commit(fixture: &mut MembersFixture<'_>) {
    let (member, _) = put_out(fixture);
    fixture.thaw(member);
    let refused = fixture.done(member, &Ask::CommitAt(0, 9, String::new()));
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(fixture.committed(0), Some(7));
}

pub(super) fn a_member_that_was_put_out_hears_of_its_loss_and_takes_part_again(
    fixture: &mut MembersFixture<'_>,
) {
    let (member, _) = put_out(fixture);
    fixture.thaw(member);
    // Accepted, for it does not know yet; it must never be committed.
    let _ = fixture.done(member, &Ask::Store(0, 9));
    fixture.until("the loss", |s| s.members[member].lost.len() == 4);
    settled(fixture);
    assert_eq!(fixture.committed(0), Some(7));
    for (partition, start) in fixture.members[member].assigned.clone() {
        assert_eq!(start, 7, "{partition} starts where the other was");
    }
}

pub(super) fn an_added_partition_is_given_to_somebody(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    let member = fixture.join_and_settle();
    fixture.cluster.grow(crate::fixture::TOPIC, 3);
    fixture.append(2, 4);
    fixture.until("the new partitions", |s| s.members[member].has(0..3));
    assert_eq!(fixture.members[member].assigned[&2], 0);
    fixture.until("its records", |s| s.members[member].took(2) == [0, 1, 2, 3]);
}
