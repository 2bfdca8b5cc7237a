//! What a member reads.

use crate::scene::{GROUP, Scene, TOPIC};
use conformance::Ask;

pub(super) fn a_paused_partition_is_not_read_and_the_others_are(scene: &mut Scene<'_>) {
    scene.topic(2);
    let member = scene.join_and_settle();
    scene.members[member].reads = false;
    scene.append(0, 20);
    // One is taken, so that more has been read ahead.
    scene.until("a record", |s| s.fetch(member, 1) == 1);
    scene.ask(member, &Ask::Pause(0, true));
    scene.members[member].reads = true;
    scene.append(1, 5);
    scene.until("the other partition", |s| {
        s.members[member].took(1).len() == 5
    });
    scene.for_a_while(
        |s| s.members[member].took(0) == [0],
        "a paused partition is read",
    );
}

pub(super) fn a_partition_goes_on_where_it_was_paused(scene: &mut Scene<'_>) {
    scene.topic(1);
    let member = scene.join_and_settle();
    scene.members[member].reads = false;
    scene.append(0, 10);
    scene.until("some records", |s| s.fetch(member, 4) > 0);
    scene.ask(member, &Ask::Pause(0, true));
    scene.append(0, 2);
    scene.ask(member, &Ask::Pause(0, false));
    scene.members[member].reads = true;
    scene.until("everything", |s| s.members[member].took(0).len() >= 12);
    assert_eq!(scene.members[member].took(0), Vec::from_iter(0..12));
    assert_eq!(scene.position(member, 0), Some(12));
}

/// The client keeps an application's pauses over a rebalance, an owner does not.
pub(super) fn a_new_assignment_is_not_paused(scene: &mut Scene<'_>) {
    scene.topic(2);
    let member = scene.join_and_settle();
    scene.until("all partitions", |s| s.members[member].has([0, 1]));
    for partition in [0, 1] {
        scene.ask(member, &Ask::Pause(partition, true));
    }
    let guest = scene.join_and_settle();
    scene.until("one each", |s| {
        s.members.iter().all(|m| m.assigned.len() == 1)
    });
    let (&moved, _) = scene.members[guest].assigned.first_key_value().unwrap();
    scene.leave(guest);
    scene.until("it is back", |s| {
        s.members[member].assigned.contains_key(&moved)
    });
    scene.append(moved, 3);
    scene.until("its records", |s| s.members[member].took(moved).len() == 3);
}

pub(super) fn a_seek_drops_what_was_read_ahead(scene: &mut Scene<'_>) {
    scene.topic(2);
    scene.append(0, 20);
    let member = scene.join();
    scene.members[member].reads = false;
    scene.until("all partitions", |s| s.members[member].has([0, 1]));
    scene.until("a record", |s| s.fetch(member, 1) == 1);
    scene.ask(member, &Ask::Seek(0, 15));
    assert_eq!(scene.position(member, 0), Some(15));
    scene.members[member].reads = true;
    scene.until("the end", |s| s.members[member].took(0).len() >= 6);
    assert_eq!(scene.members[member].took(0), [0, 15, 16, 17, 18, 19]);
    scene.ask(member, &Ask::Seek(0, 18));
    scene.until("the end again", |s| s.members[member].took(0).len() >= 8);
    assert_eq!(scene.members[member].took(0)[6..], [18, 19]);
    // Nobody else moved.
    scene.append(1, 1);
    scene.until("the other partition", |s| s.members[member].took(1) == [0]);
}

fn starting_at(scene: &mut Scene<'_>, offset: i64) -> usize {
    let first = scene.join_and_settle();
    scene.ask(first, &Ask::CommitAt(0, offset, String::new()));
    scene.leave(first);
    scene.join_and_settle()
}

pub(super) fn a_position_below_the_log_is_out_of_range(scene: &mut Scene<'_>) {
    scene.topic(1);
    scene.append(0, 10);
    scene.cluster.delete_below(TOPIC, 0, 5);
    let member = starting_at(scene, 2);
    scene.until("out of range", |s| {
        s.members[member].out_of_range.contains(&0)
    });
    assert!(scene.members[member].took(0).is_empty());
    // Where to go on is the owner's decision.
    assert_eq!(scene.cluster.committed(GROUP, TOPIC, 0).unwrap().0, 2);
    scene.ask(member, &Ask::Seek(0, 5));
    scene.until("the rest", |s| s.members[member].took(0).len() == 5);
}

pub(super) fn a_position_above_the_log_is_out_of_range(scene: &mut Scene<'_>) {
    scene.topic(1);
    scene.append(0, 10);
    let member = starting_at(scene, 11);
    scene.until("out of range", |s| {
        s.members[member].out_of_range.contains(&0)
    });
    assert!(scene.members[member].took(0).is_empty());
    scene.ask(member, &Ask::Seek(0, 9));
    scene.until("the rest", |s| s.members[member].took(0) == [9]);
}

pub(super) fn a_position_at_the_end_waits_for_the_next_record(scene: &mut Scene<'_>) {
    scene.topic(1);
    scene.append(0, 3);
    let member = starting_at(scene, 3);
    scene.for_a_while(
        |s| s.members[member].out_of_range.is_empty(),
        "the end is in range",
    );
    scene.append(0, 1);
    scene.until("the next record", |s| s.members[member].took(0) == [3]);
}

pub(super) fn aborted_records_are_passed_over(scene: &mut Scene<'_>) {
    scene.topic(1);
    scene.append(0, 2);
    scene.cluster.append_aborted(TOPIC, 0, 3);
    // Three records and the marker, which may come a little later than the answer.
    scene.until("the marker", |s| s.cluster.bounds(TOPIC, 0) == (0, 6));
    scene.append(0, 1);
    let member = scene.join_and_settle();
    scene.until("the last record", |s| {
        s.members[member].took(0).ends_with(&[6])
    });
    assert_eq!(scene.members[member].took(0), [0, 1, 6]);
}
