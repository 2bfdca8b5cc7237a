//! What a member reads.

use crate::fixture::{GROUP, MembersFixture, TOPIC};
use conformance::Ask;

pub(super) fn a_paused_partition_is_not_read_and_the_others_are(fixture: &mut MembersFixture<'_>) {
    fixture.topic(2);
    let member = fixture.join_and_settle();
    fixture.members[member].reads = false;
    fixture.append(0, 20);
    // One is taken, so that more has been read ahead.
    fixture.until("a record", |s| s.fetch(member, 1) == 1);
    fixture.ask(member, &Ask::Pause(0, true));
    fixture.members[member].reads = true;
    fixture.append(1, 5);
    fixture.until("the other partition", |s| {
        s.members[member].took(1).len() == 5
    });
    fixture.for_a_while(
        |s| s.members[member].took(0) == [0],
        "a paused partition is read",
    );
}

pub(super) fn a_partition_goes_on_where_it_was_paused(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    let member = fixture.join_and_settle();
    fixture.members[member].reads = false;
    fixture.append(0, 10);
    fixture.until("some records", |s| s.fetch(member, 4) > 0);
    fixture.ask(member, &Ask::Pause(0, true));
    fixture.append(0, 2);
    fixture.ask(member, &Ask::Pause(0, false));
    fixture.members[member].reads = true;
    fixture.until("everything", |s| s.members[member].took(0).len() >= 12);
    assert_eq!(fixture.members[member].took(0), Vec::from_iter(0..12));
    assert_eq!(fixture.position(member, 0), Some(12));
}

/// The client keeps an application's pauses over a rebalance, an owner does not.
pub(super) fn a_new_assignment_is_not_paused(fixture: &mut MembersFixture<'_>) {
    fixture.topic(2);
    let member = fixture.join_and_settle();
    fixture.until("all partitions", |s| s.members[member].has([0, 1]));
    for partition in [0, 1] {
        fixture.ask(member, &Ask::Pause(partition, true));
    }
    let guest = fixture.join_and_settle();
    fixture.until("one each", |s| {
        s.members.iter().all(|m| m.assigned.len() == 1)
    });
    let (&moved, _) = fixture.members[guest].assigned.first_key_value().unwrap();
    fixture.leave(guest);
    fixture.until("it is back", |s| {
        s.members[member].assigned.contains_key(&moved)
    });
    fixture.append(moved, 3);
    fixture.until("its records", |s| s.members[member].took(moved).len() == 3);
}

pub(super) fn a_seek_drops_what_was_read_ahead(fixture: &mut MembersFixture<'_>) {
    fixture.topic(2);
    fixture.append(0, 20);
    let member = fixture.join();
    fixture.members[member].reads = false;
    fixture.until("all partitions", |s| s.members[member].has([0, 1]));
    fixture.until("a record", |s| s.fetch(member, 1) == 1);
    fixture.ask(member, &Ask::Seek(0, 15));
    assert_eq!(fixture.position(member, 0), Some(15));
    fixture.members[member].reads = true;
    fixture.until("the end", |s| s.members[member].took(0).len() >= 6);
    assert_eq!(fixture.members[member].took(0), [0, 15, 16, 17, 18, 19]);
    fixture.ask(member, &Ask::Seek(0, 18));
    fixture.until("the end again", |s| s.members[member].took(0).len() >= 8);
    assert_eq!(fixture.members[member].took(0)[6..], [18, 19]);
    // Nobody else moved.
    fixture.append(1, 1);
    fixture.until("the other partition", |s| s.members[member].took(1) == [0]);
}

fn starting_at(fixture: &mut MembersFixture<'_>, offset: i64) -> usize {
    let first = fixture.join_and_settle();
    fixture.ask(first, &Ask::CommitAt(0, offset, String::new()));
    fixture.leave(first);
    fixture.join_and_settle()
}

pub(super) fn a_position_below_the_log_is_out_of_range(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    fixture.append(0, 10);
    fixture.cluster.delete_below(TOPIC, 0, 5);
    let member = starting_at(fixture, 2);
    fixture.until("out of range", |s| {
        s.members[member].out_of_range.contains(&0)
    });
    assert!(fixture.members[member].took(0).is_empty());
    // Where to go on is the owner's decision.
    assert_eq!(fixture.cluster.committed(GROUP, TOPIC, 0).unwrap().0, 2);
    fixture.ask(member, &Ask::Seek(0, 5));
    fixture.until("the rest", |s| s.members[member].took(0).len() == 5);
}

pub(super) fn a_position_above_the_log_is_out_of_range(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    fixture.append(0, 10);
    let member = starting_at(fixture, 11);
    fixture.until("out of range", |s| {
        s.members[member].out_of_range.contains(&0)
    });
    assert!(fixture.members[member].took(0).is_empty());
    fixture.ask(member, &Ask::Seek(0, 9));
    fixture.until("the rest", |s| s.members[member].took(0) == [9]);
}

pub(super) fn a_position_at_the_end_waits_for_the_next_record(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    fixture.append(0, 3);
    let member = starting_at(fixture, 3);
    fixture.for_a_while(
        |s| s.members[member].out_of_range.is_empty(),
        "the end is in range",
    );
    fixture.append(0, 1);
    fixture.until("the next record", |s| s.members[member].took(0) == [3]);
}

pub(super) fn aborted_records_are_passed_over(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    fixture.append(0, 2);
    fixture.cluster.append_aborted(TOPIC, 0, 3);
    // Three records and the marker, which may come a little later than the answer.
    fixture.until("the marker", |s| s.cluster.bounds(TOPIC, 0) == (0, 6));
    fixture.append(0, 1);
    let member = fixture.join_and_settle();
    fixture.until("the last record", |s| {
        s.members[member].took(0).ends_with(&[6])
    });
    assert_eq!(fixture.members[member].took(0), [0, 1, 6]);
}
