//! Stored and committed offsets.

use crate::scene::Scene;
use conformance::Ask;

pub(super) fn a_committed_offset_is_where_the_next_member_starts(scene: &mut Scene<'_>) {
    scene.topic(1);
    scene.append(0, 5);
    let first = scene.join_and_settle();
    scene.until("all records", |s| s.members[first].took(0).len() == 5);
    scene.ask(first, &Ask::Store(0, 3));
    assert_eq!(scene.committed(0), None, "stored is not committed");
    scene.ask(first, &Ask::Commit);
    assert_eq!(scene.committed(0), Some(3));
    scene.leave(first);
    let next = scene.join_and_settle();
    scene.until("the rest", |s| s.members[next].took(0) == [3, 4]);
}

pub(super) fn committed_offsets_and_metadata_outlive_the_members(scene: &mut Scene<'_>) {
    scene.topic(2);
    let member = scene.join_and_settle();
    scene.ask(member, &Ask::CommitAt(0, 0, "partitions=2".into()));
    scene.ask(member, &Ask::CommitAt(1, 7, String::new()));
    scene.leave(member);
    assert_eq!(scene.commit_of(0), Some((0, "partitions=2".into())));
    assert_eq!(scene.commit_of(1), Some((7, String::new())));
}

pub(super) fn leaving_commits_what_is_stored(scene: &mut Scene<'_>) {
    scene.topic(1);
    scene.append(0, 5);
    let member = scene.join_and_settle();
    scene.until("all records", |s| s.members[member].took(0).len() == 5);
    scene.ask(member, &Ask::Store(0, 4));
    scene.leave(member);
    scene.until("the commit", |s| s.committed(0) == Some(4));
}

pub(super) fn a_kill_loses_what_is_stored_and_not_committed(scene: &mut Scene<'_>) {
    scene.topic(1);
    scene.append(0, 5);
    let member = scene.join_and_settle();
    scene.until("all records", |s| s.members[member].took(0).len() == 5);
    scene.ask(member, &Ask::Store(0, 2));
    scene.ask(member, &Ask::Commit);
    scene.ask(member, &Ask::Store(0, 4));
    scene.kill(member);
    let next = scene.join_and_settle();
    scene.until("the rest", |s| s.members[next].took(0) == [2, 3, 4]);
}

pub(super) fn what_is_not_assigned_cannot_be_stored(scene: &mut Scene<'_>) {
    scene.topic(2);
    let member = scene.join_and_settle();
    let other = scene.join_and_settle();
    scene.until("one partition each", |s| {
        s.members.iter().all(|m| m.assigned.len() == 1)
    });
    let (&foreign, _) = scene.members[other].assigned.first_key_value().unwrap();
    let stored = scene.done(member, &Ask::Store(foreign, 1));
    assert!(stored.is_err(), "{stored:?}");
    scene.ask(other, &Ask::Store(foreign, 1));
}

/// The broker guards nothing: that a commit never goes back is the client's business.
pub(super) fn a_commit_goes_where_it_is_told(scene: &mut Scene<'_>) {
    scene.topic(1);
    scene.append(0, 5);
    let member = scene.join_and_settle();
    for offset in [4, 1, 1_000] {
        scene.ask(member, &Ask::CommitAt(0, offset, String::new()));
        assert_eq!(scene.committed(0), Some(offset));
    }
}
