//! Stored and committed offsets.

use crate::fixture::MembersFixture;
use conformance::Ask;

pub(super) fn a_committed_offset_is_where_the_next_member_starts(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    fixture.append(0, 5);
    let first = fixture.join_and_settle();
    fixture.until("all records", |s| s.members[first].took(0).len() == 5);
    fixture.ask(first, &Ask::Store(0, 3));
    assert_eq!(fixture.committed(0), None, "stored is not committed");
    fixture.ask(first, &Ask::Commit);
    assert_eq!(fixture.committed(0), Some(3));
    fixture.leave(first);
    let next = fixture.join_and_settle();
    fixture.until("the rest", |s| s.members[next].took(0) == [3, 4]);
}

pub(super) fn committed_offsets_and_metadata_outlive_the_members(fixture: &mut MembersFixture<'_>) {
    fixture.topic(2);
    let member = fixture.join_and_settle();
    fixture.ask(member, &Ask::CommitAt(0, 0, "partitions=2".into()));
    fixture.ask(member, &Ask::CommitAt(1, 7, String::new()));
    fixture.leave(member);
    assert_eq!(fixture.commit_of(0), Some((0, "partitions=2".into())));
    assert_eq!(fixture.commit_of(1), Some((7, String::new())));
}

pub(super) fn leaving_commits_what_is_stored(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    fixture.append(0, 5);
    let member = fixture.join_and_settle();
    fixture.until("all records", |s| s.members[member].took(0).len() == 5);
    fixture.ask(member, &Ask::Store(0, 4));
    fixture.leave(member);
    fixture.until("the commit", |s| s.committed(0) == Some(4));
}

pub(super) fn a_kill_loses_what_is_stored_and_not_committed(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    fixture.append(0, 5);
    let member = fixture.join_and_settle();
    fixture.until("all records", |s| s.members[member].took(0).len() == 5);
    fixture.ask(member, &Ask::Store(0, 2));
    fixture.ask(member, &Ask::Commit);
    fixture.ask(member, &Ask::Store(0, 4));
    fixture.kill(member);
    let next = fixture.join_and_settle();
    fixture.until("the rest", |s| s.members[next].took(0) == [2, 3, 4]);
}

pub(super) fn what_is_not_assigned_cannot_be_stored(fixture: &mut MembersFixture<'_>) {
    fixture.topic(2);
    let member = fixture.join_and_settle();
    let other = fixture.join_and_settle();
    fixture.until("one partition each", |s| {
        s.members.iter().all(|m| m.assigned.len() == 1)
    });
    let (&foreign, _) = fixture.members[other].assigned.first_key_value().unwrap();
    let stored = fixture.done(member, &Ask::Store(foreign, 1));
    assert!(stored.is_err(), "{stored:?}");
    fixture.ask(other, &Ask::Store(foreign, 1));
}

/// The broker guards nothing: that a commit never goes back is the client's business.
pub(super) fn a_commit_goes_where_it_is_told(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    fixture.append(0, 5);
    let member = fixture.join_and_settle();
    for offset in [4, 1, 1_000] {
        fixture.ask(member, &Ask::CommitAt(0, offset, String::new()));
        assert_eq!(fixture.committed(0), Some(offset));
    }
}
