use super::rounds::QUIET;
use super::*;
use fastkafka_core::TopicPartition;

const EVERY: Duration = Duration::from_secs(2);
/// From an answer to the middle between two rounds.
const HALF: Duration = Duration::from_secs(1);
const SECOND: Duration = Duration::from_secs(1);

fn commit(partition: i32, offset: i64) -> Commit {
    Commit {
        place: TopicPartition::intern("orders", partition),
        at: offset.into(),
        metadata: None,
    }
}

/// Stores an offset of partition 0, and tells the client if it is to be told. Returns whether it was.
fn store(order: &mut CommitOrder, now: Duration, offset: i64) -> bool {
    let told = order.store(now, commit(0, offset));
    if let Some(commit) = &told {
        order.tell(now, commit);
    }
    told.is_some()
}

fn due(order: &mut CommitOrder, now: Duration) -> Vec<i64> {
    let due = order.due(now);
    due.iter().for_each(|commit| order.tell(now, commit));
    due.iter().map(|commit| commit.at.offset).collect()
}

#[test]
fn the_next_offset_waits_until_the_broker_has_the_last_and_is_the_newest_by_then() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    let place = commit(0, 0).place;
    assert!(store(&mut order, SECOND, 10));
    assert!(!store(&mut order, SECOND, 20));
    assert!(!store(&mut order, SECOND, 30));
    assert!(due(&mut order, SECOND).is_empty());
    order.taken(SECOND, place, 10);
    assert_eq!(order.due_at(), SECOND + HALF);
    assert!(due(&mut order, SECOND).is_empty());
    let now = SECOND + HALF;
    assert_eq!(due(&mut order, now), [30]);
    assert!(!store(&mut order, now, 40));
    // Another partition waits for nothing.
    assert!(order.store(now, commit(1, 5)).is_some());
    order.taken(now, place, 30);
    let now = now + HALF;
    assert_eq!(due(&mut order, now), [40]);
    order.taken(now, place, 40);
    assert!(due(&mut order, now + HALF).is_empty());
    assert!(store(&mut order, now + HALF, 50));
}

/// Told just behind an answer, each that takes longer than the one before would look as if it was sent twice.
#[test]
fn each_round_commits_whatever_the_way_to_the_broker_takes() {
    let every = SECOND / 2;
    let mut order = CommitOrder::new(Rounds::new(every));
    let place = commit(0, 0).place;
    assert!(store(&mut order, every / 2, 0));
    for (round, way) in (1..).zip([1, 200, 2, 30, 240, 3, 249, 1]) {
        let (sent, offset) = (every * round, i64::from(round));
        let answered = sent + Duration::from_millis(way);
        order.taken(answered, place, offset - 1);
        store(&mut order, answered, offset);
        let next = sent + every;
        assert_eq!(due(&mut order, next - Duration::from_millis(1)), [offset]);
    }
}

#[test]
fn after_a_late_answer_the_next_offset_is_told_in_the_middle_as_well() {
    for (every, pause) in [(2_000, 1_000), (500, 1_250), (4_000, 2_000), (1, 1_000)] {
        let pause = Duration::from_millis(pause);
        let rounds = Rounds::new(Duration::from_millis(every));
        assert!((pause..pause * 101 / 100).contains(&rounds.pause(true)));
    }
}

/// What the client does not take comes again, and nothing is asked for in between.
#[test]
fn it_says_when_something_is_due() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    assert_eq!(order.due_at(), Duration::MAX);
    store(&mut order, Duration::ZERO, 10);
    assert_eq!(order.due_at(), LONGEST);
    store(&mut order, Duration::ZERO, 20);
    order.taken(SECOND, commit(0, 0).place, 10);
    assert_eq!(order.due_at(), SECOND + HALF);
    for again in 0..3 {
        let now = order.due_at();
        assert_eq!(order.due(now), [commit(0, 20)], "{again}");
        assert_eq!(order.due_at(), now + QUIET);
    }
    let now = order.due_at();
    assert_eq!(due(&mut order, now), [20]);
    order.taken(now, commit(0, 0).place, 20);
    let now = order.due_at();
    assert!(due(&mut order, now).is_empty());
    assert_eq!(order.due_at(), Duration::MAX);
}

#[test]
fn what_was_sent_more_than_once_is_waited_for_until_its_answers_have_ended() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    let place = commit(0, 0).place;
    store(&mut order, Duration::ZERO, 10);
    store(&mut order, Duration::ZERO, 20);
    let late = EVERY * 5;
    order.taken(late, place, 10);
    assert!(due(&mut order, late).is_empty());
    order.taken(late + SECOND / 2, place, 10);
    assert!(due(&mut order, late + SECOND).is_empty());
    assert_eq!(due(&mut order, late + SECOND * 3 / 2), [20]);
}

#[test]
fn what_the_client_has_already_is_not_told_again() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    let place = commit(0, 0).place;
    for (offset, told) in [(10, true), (20, false), (10, false)] {
        assert_eq!(store(&mut order, SECOND, offset), told);
    }
    order.taken(SECOND, place, 10);
    assert!(due(&mut order, SECOND).is_empty());
}

#[test]
fn an_answer_to_an_older_request_is_no_answer() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    let place = commit(0, 0).place;
    store(&mut order, Duration::ZERO, 10);
    store(&mut order, Duration::ZERO, 20);
    order.taken(SECOND, place, 9);
    assert!(due(&mut order, SECOND).is_empty());
}

#[test]
fn a_seek_back_is_told_at_once_and_what_follows_is_when_it_is_committed() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    let place = commit(0, 0).place;
    store(&mut order, Duration::ZERO, 10);
    store(&mut order, Duration::ZERO, 20);
    assert!(store(&mut order, Duration::ZERO, 5));
    assert!(due(&mut order, SECOND).is_empty(), "the 20 is forgotten");
    assert!(!store(&mut order, SECOND, 6));
    order.sought(place);
    assert!(store(&mut order, SECOND, 7));
}

/// One partition that is refused must not hold up those of its request, and librdkafka may have forgotten it.
#[test]
fn what_the_broker_refuses_is_told_again_or_what_waits_is() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    let place = commit(0, 0).place;
    store(&mut order, Duration::ZERO, 10);
    order.refused(SECOND, place, 9);
    assert!(due(&mut order, SECOND).is_empty(), "of an older request");
    order.refused(SECOND, place, 10);
    assert_eq!(due(&mut order, SECOND * 2), [10]);
    store(&mut order, SECOND * 2, 20);
    assert!(due(&mut order, SECOND * 2).is_empty());
    order.refused(SECOND * 3, place, 10);
    assert_eq!(due(&mut order, SECOND * 4), [20]);
    // One that was sent more than once may have more answers.
    order.refused(SECOND * 7, place, 20);
    assert!(due(&mut order, SECOND * 7).is_empty());
    order.refused(SECOND * 7 + HALF / 2, place, 20);
    assert!(due(&mut order, SECOND * 8).is_empty());
    assert_eq!(due(&mut order, SECOND * 9), [20]);
}

/// The broker may have it yet.
#[test]
fn what_the_client_gives_up_is_told_again_and_nothing_else_is() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    let place = commit(0, 0).place;
    assert_eq!(order.given_up(place, 10), None, "of a former assignment");
    store(&mut order, SECOND, 10);
    store(&mut order, SECOND, 20);
    assert_eq!(order.given_up(place, 9), None, "of an older request");
    assert_eq!(order.given_up(place, 10), Some(commit(0, 10)));
    assert!(due(&mut order, SECOND).is_empty());
    order.taken(SECOND, place, 10);
    assert_eq!(due(&mut order, SECOND + HALF), [20]);
}

/// librdkafka may send nothing of it, and so nothing may wait for its answer.
#[test]
fn in_a_new_assignment_what_was_taken_before_holds_up_nothing() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    let place = commit(0, 0).place;
    for over in [
        |order: &mut CommitOrder, place| drop(order.give_away(&[place])),
        |order: &mut CommitOrder, _| drop(order.give_all_away()),
    ] {
        assert!(store(&mut order, SECOND, 2));
        order.taken(SECOND, place, 2);
        over(&mut order, place);
        assert!(store(&mut order, SECOND, 2));
        assert!(store(&mut order, SECOND, 3));
        order.sought(place);
    }
}

/// librdkafka sends nothing that lies before what the broker has.
#[test]
fn what_lies_before_the_last_commit_holds_up_nothing() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    order.taken(SECOND, commit(0, 0).place, 100);
    for offset in [5, 6, 7] {
        assert!(store(&mut order, SECOND, offset));
    }
}

/// The client knows that, for the commit was its own.
#[test]
fn behind_a_seek_back_that_is_committed_offsets_wait_again() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    let place = commit(0, 0).place;
    order.taken(SECOND, place, 100);
    assert!(store(&mut order, SECOND, 5));
    order.sought(place);
    assert!(store(&mut order, SECOND, 5), "it sends nothing of that");
    assert!(store(&mut order, SECOND, 6));
    assert!(!store(&mut order, SECOND, 7));
}

#[test]
fn what_waits_is_given_with_the_partition_and_nothing_is_held_up_for_ever() {
    let mut order = CommitOrder::new(Rounds::new(EVERY));
    for offset in [10, 20] {
        store(&mut order, SECOND, offset);
    }
    let given = order.give_away(&[commit(0, 0).place]);
    assert_eq!(given, [commit(0, 20)]);
    assert_eq!(order.give_all_away(), []);
    for offset in [10, 20] {
        store(&mut order, SECOND, offset);
    }
    assert!(due(&mut order, LONGEST).is_empty());
    let now = SECOND + LONGEST;
    assert_eq!(due(&mut order, now), [20]);
    // Nothing is forgotten either.
    assert_eq!(due(&mut order, now + LONGEST), [20]);
    order.taken(now + LONGEST, commit(0, 0).place, 20);
    assert!(due(&mut order, now + LONGEST * 2).is_empty());
}
