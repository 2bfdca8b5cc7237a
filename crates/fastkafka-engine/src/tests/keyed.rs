//! Order by key, and none.

use std::time::Duration;

use super::lab::{
    Lab, RETRY, assigned, broken, dead_letter_done, failed, handled, policy, read, revoking,
    settled,
};
use crate::{
    Broken, DeadLetterOutcome, Effect, Event, Failure, Limits, OnFailure, Order, PartIndex, Policy,
    RunId, Span, Stopped, Wait, Waiting,
};

pub(super) fn by_key(concurrency: u32, attempts: u32, on_failure: OnFailure) -> Policy {
    Policy {
        order: Order::Key { concurrency },
        ..policy(attempts, on_failure)
    }
}

pub(super) fn lab(concurrency: u32) -> Lab {
    Lab::new(by_key(concurrency, 3, OnFailure::Stop))
}

#[test]
fn keys_overlap_and_one_key_does_not() {
    let mut lab = lab(8);
    lab.step(read(0, 0, "abaa"), "start #1 0..1, start #2 1..2");
    lab.step(handled(0, 1), "start #3 2..3");
    lab.step(settled(0, 2, 2), "free 1");
    lab.step(handled(0, 2), "");
    lab.step(settled(0, 1, 1), "free 0, store 2");
    lab.step(handled(0, 3), "start #4 3..4");
}

#[test]
fn a_record_waits_for_the_handler_before_it_and_not_for_its_outputs() {
    let mut lab = lab(8);
    lab.step(read(0, 0, "aa"), "start #1 0..1");
    lab.step(handled(0, 1), "start #2 1..2");
    lab.step(handled(0, 2), "");
    lab.step(settled(0, 2, 2), "");
    lab.step(settled(0, 1, 1), "free 0, free 1, store 2");
}

#[test]
fn records_without_a_key_have_no_order() {
    let mut lab = lab(2);
    lab.step(read(0, 0, "___"), "start #1 0..1, start #2 1..2");
    lab.step(handled(0, 2), "start #3 2..3");
    lab.step(settled(0, 2, 2), "free 1");
    lab.step(settled(0, 1, 1), "free 0, store 2");
}

#[test]
fn concurrency_is_that_of_the_handler_and_partitions_take_turns() {
    let mut lab = lab(2);
    let handler = lab.engine.handler(by_key(1, 3, OnFailure::Stop));
    for part in [1, 2] {
        assert_eq!(lab.engine.add(handler), PartIndex(part));
        lab.step(assigned(part, 0), &format!("p{part} resume"));
    }
    lab.step(read(1, 0, "abc"), "p1 start #1 0..1");
    lab.step(read(2, 0, "abc"), "");
    lab.step(handled(1, 1), "p1 start #2 1..2");
    lab.step(handled(1, 2), "p2 start #3 0..1");
    lab.step(handled(2, 3), "p1 start #4 2..3");
    lab.step(handled(1, 4), "p2 start #5 1..2");
}

#[test]
fn a_failed_record_holds_up_its_key_only() {
    let mut lab = lab(1);
    lab.step(read(0, 0, "aab"), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, RETRY), "start #2 2..3");
    lab.step(settled(0, 1, 0), "");
    lab.step(handled(0, 2), "");
    lab.step(settled(0, 2, 3), "free 2");
    lab.wait("start #3 0..1 attempt 2");
    lab.step(handled(0, 3), "start #4 1..2");
    lab.step(settled(0, 3, 1), "free 0, store 1");
}

#[test]
fn a_record_that_stops_stops_its_key_and_the_watermark() {
    let mut lab = Lab::new(by_key(4, 1, OnFailure::Stop));
    lab.step(read(0, 0, "aab"), "start #1 0..1, start #2 2..3");
    lab.step(failed(0, 1, 0..1, RETRY), "stopped 0 after 1");
    lab.step(settled(0, 1, 0), "");
    lab.step(handled(0, 2), "");
    lab.step(settled(0, 2, 3), "free 2");
    lab.step(read(0, 3, "ca"), "start #3 3..4");
    assert!(lab.engine.accepts(PartIndex(0)));
    let stopped = Stopped {
        part: PartIndex(0),
        at: 0,
        attempts: 1,
    };
    assert_eq!(lab.engine.stopped().collect::<Vec<_>>(), [stopped]);
}

#[test]
fn a_lost_output_repeats_its_key_from_there_and_leaves_the_others() {
    let mut lab = lab(8);
    lab.step(read(0, 0, "abaa"), "start #1 0..1, start #2 1..2");
    lab.step(handled(0, 1), "start #3 2..3");
    lab.step(handled(0, 3), "start #4 3..4");
    lab.step(settled(0, 3, 3), "");
    lab.step(broken(0, 1, 0, RETRY), "");
    lab.wait("");
    // Its key is locked by the last record, which still runs.
    lab.step(handled(0, 4), "start #5 0..1 attempt 2");
    lab.step(settled(0, 4, 4), "");
    lab.step(handled(0, 5), "");
    lab.step(settled(0, 5, 1), "free 0, store 1, start #6 2..3");
    lab.step(handled(0, 6), "start #7 3..4");
    lab.step(handled(0, 2), "");
    lab.step(settled(0, 2, 2), "free 1, store 2");
}

#[test]
fn a_dead_letter_waits_for_what_is_before_it_in_its_key() {
    let mut lab = Lab::new(by_key(8, 1, OnFailure::DeadLetter));
    lab.step(read(0, 0, "aab"), "start #1 0..1, start #2 2..3");
    lab.step(handled(0, 1), "start #3 1..2");
    lab.step(failed(0, 3, 1..2, Failure::Rejected), "");
    lab.step(settled(0, 3, 1), "");
    lab.step(
        settled(0, 1, 1),
        "free 0, store 1, dead letter #4 1 after 1",
    );
    lab.step(dead_letter_done(4, DeadLetterOutcome::Transient), "");
    lab.wait("dead letter #5 1 after 1");
    lab.step(
        dead_letter_done(5, DeadLetterOutcome::Written),
        "free 1, store 2",
    );
}

#[test]
fn a_dead_letter_takes_a_place_of_its_handler() {
    let mut lab = Lab::new(by_key(1, 1, OnFailure::DeadLetter));
    lab.step(read(0, 0, "ab"), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, RETRY), "dead letter #2 0 after 1");
    lab.step(
        dead_letter_done(2, DeadLetterOutcome::Written),
        "free 0, store 1, start #3 1..2",
    );
}

#[test]
fn a_skipped_record_moves_the_watermark() {
    let mut lab = Lab::new(by_key(1, 1, OnFailure::Skip));
    lab.step(read(0, 0, "aa"), "start #1 0..1");
    lab.step(
        failed(0, 1, 0..1, RETRY),
        "skipped 0, free 0, store 1, start #2 1..2",
    );
}

#[test]
fn a_key_stays_locked_until_its_task_has_ended_whoever_owns_the_partition() {
    let mut lab = lab(8);
    lab.step(read(0, 0, "ab"), "start #1 0..1, start #2 1..2");
    lab.step(revoking(&[0], 0), "release [0]");
    lab.step(assigned(0, 0), "resume");
    lab.step(read(0, 0, "ab"), "");
    lab.step(handled(0, 2), "start #3 1..2");
    lab.step(settled(0, 2, 2), "");
    lab.step(handled(0, 1), "start #4 0..1");
    lab.step(settled(0, 1, 1), "");
    lab.step(settled(0, 4, 1), "free 0, store 1");
}

#[test]
fn a_record_without_a_key_is_not_in_two_hands() {
    let mut lab = lab(8);
    lab.step(read(0, 0, "__"), "start #1 0..1, start #2 1..2");
    lab.step(revoking(&[0], 0), "release [0]");
    lab.step(assigned(0, 0), "resume");
    lab.step(read(0, 0, "__"), "");
    lab.step(handled(0, 1), "start #3 0..1");
    lab.step(handled(0, 2), "start #4 1..2");
}

#[test]
fn a_revoke_waits_for_tasks_and_their_outputs() {
    let mut lab = lab(1);
    lab.step(read(0, 0, "ab"), "start #1 0..1");
    lab.step(revoking(&[0], 10), "");
    lab.step(handled(0, 1), "");
    lab.step(settled(0, 1, 1), "free 0, store 1, release [0]");
}

#[test]
fn what_is_held_behind_a_bad_key_does_not_count_once_it_is_done() {
    let limits = Limits {
        held_records: 2,
        ..Limits::default()
    };
    let mut lab = Lab::limited(by_key(8, 2, OnFailure::Stop), limits);
    lab.step(read(0, 0, "a"), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, RETRY), "");
    for offset in 1..50 {
        let run = offset + 1;
        let started = format!("start #{run} {offset}..{}", offset + 1);
        let held = ", hold back full";
        lab.step(read(0, offset, "b"), &(started + held));
        let run = u64::try_from(run).unwrap();
        lab.step(handled(0, run), "");
        lab.step(
            settled(0, run, offset + 1),
            &format!("free {offset}, resume"),
        );
    }
}

#[test]
fn batches_without_order_overlap_and_fail_alone() {
    let batch = Policy {
        batch: true,
        ..by_key(2, 1, OnFailure::Stop)
    };
    let mut lab = Lab::new(batch);
    lab.step(read(0, 0, "___"), "start #1 0..3");
    lab.step(read(0, 3, "__"), "start #2 3..5");
    // The second record did not decode: the first is done, the third has not begun.
    lab.step(
        failed(0, 1, 1..2, Failure::Rejected),
        "stopped 1 after 1, start #3 2..3",
    );
    lab.step(settled(0, 1, 1), "free 0, store 1");
    lab.step(failed(0, 2, 3..5, RETRY), "start #4 3..4 attempt 2 single");
    assert!(lab.engine.open());
    assert_ne!(lab.engine.busy(), 0);
    lab.step(handled(0, 3), "start #5 4..5 attempt 2 single");
    assert_eq!(lab.engine.stopped().count(), 1);
    let _ = RunId(0);
}

#[test]
fn what_is_behind_a_lost_output_of_a_batch_waits_for_no_other_output() {
    let batch = || Policy {
        batch: true,
        ..by_key(8, 3, OnFailure::Stop)
    };
    // Another output of the batch is open all the time.
    let lost = |run, at: i64| Event::Settled {
        part: PartIndex(0),
        run: RunId(run),
        prefix: at,
        broken: Some(Broken {
            at,
            next: at + 1,
            failure: RETRY,
        }),
        closed: false,
    };
    let mut lab = Lab::new(batch());
    lab.step(read(0, 0, "___"), "start #1 0..3");
    lab.step(handled(0, 1), "");
    lab.step(lost(1, 1), "free 0, store 1, start #2 2..3");
    // Not before its task has ended: a record is in one pair of hands.
    let mut lab = Lab::new(batch());
    lab.step(read(0, 0, "___"), "start #1 0..3");
    lab.step(lost(1, 0), "");
    lab.step(handled(0, 1), "start #2 1..3");
    lab.step(settled(0, 1, 0), "");
    lab.step(handled(0, 2), "");
    lab.step(settled(0, 2, 3), "free 1, free 2");
}

#[test]
fn a_batch_without_order_is_of_neighbours_that_were_read_together_and_failed_alike() {
    let batch = Policy {
        batch: true,
        ..by_key(8, 3, OnFailure::Stop)
    };
    let mut lab = Lab::new(batch);
    let mut out = Vec::new();
    lab.engine.step(lab.now, read(0, 0, "___"), &mut out);
    let span = Span {
        first: 0,
        next: 3,
        records: 3,
        bytes: 30,
    };
    assert!(matches!(out[..], [Effect::Start { span: s, .. }] if s == span));
    lab.step(Event::Room(false), "");
    lab.step(read(0, 3, "_"), "");
    lab.step(failed(0, 1, 0..1, RETRY), "");
    lab.wait("");
    lab.step(
        Event::Room(true),
        "start #2 0..1 attempt 2, start #3 1..3, start #4 3..4",
    );
}

#[test]
fn a_key_that_waits_is_reported_until_it_is_done_or_stops() {
    let mut lab = Lab::new(by_key(8, 2, OnFailure::Stop));
    lab.step(read(0, 0, "aab"), "start #1 0..1, start #2 2..3");
    assert_eq!(lab.engine.waiting().count(), 0);
    lab.step(failed(0, 1, 0..1, RETRY), "");
    let waiting = Waiting {
        part: PartIndex(0),
        at: 0,
        since: Duration::ZERO,
        wait: Wait::Retry,
        attempts: 1,
        due: lab.engine.next_deadline(),
    };
    assert!(waiting.due.is_some());
    assert_eq!(lab.engine.waiting().collect::<Vec<_>>(), [waiting]);
    lab.wait("start #3 0..1 attempt 2");
    let dues: Vec<_> = lab.engine.waiting().map(|waiting| waiting.due).collect();
    assert_eq!(dues, [None], "it is under way");
    lab.step(failed(0, 3, 0..1, RETRY), "stopped 0 after 2");
    assert_eq!(lab.engine.waiting().count(), 0);
}

#[test]
fn s10_the_uncommitted_span_is_bounded_by_key_too() {
    let limits = Limits {
        max_uncommitted: 100,
        ..Limits::default()
    };
    let mut lab = Lab::limited(by_key(8, 3, OnFailure::Stop), limits);
    lab.step(assigned(0, 50), "resume");
    lab.step(read(0, 50, "ab"), "start #1 50..51, start #2 51..52");
    lab.step(read(0, 148, "c"), "start #3 148..149");
    assert_eq!(lab.engine.span_reached().count(), 0);
    lab.step(read(0, 149, "d"), "start #4 149..150, hold back full");
    assert_eq!(
        lab.engine.span_reached().collect::<Vec<_>>(),
        [PartIndex(0)]
    );
    lab.step(handled(0, 1), "");
    lab.step(settled(0, 1, 51), "free 50, store 51, resume");
}

#[test]
fn s10_by_key_one_partition_can_not_take_all_that_may_be_outstanding() {
    let limits = Limits {
        ahead: 2,
        ..Limits::default()
    };
    let mut lab = Lab::limited(by_key(8, 3, OnFailure::Stop), limits);
    lab.step(read(0, 0, "abc"), "start #1 0..1, start #2 1..2");
    // Its outputs are under way.
    lab.step(handled(0, 1), "");
    lab.step(settled(0, 1, 1), "free 0, store 1, start #3 2..3");
}

#[test]
fn by_key_a_full_partition_of_which_nothing_is_at_work_must_not_block_the_others() {
    let limits = Limits {
        held_records: 2,
        ..Limits::default()
    };
    let mut lab = Lab::limited(by_key(8, 3, OnFailure::Stop), limits);
    lab.step(
        read(0, 0, "aab"),
        "start #1 0..1, start #2 2..3, hold back full",
    );
    lab.step(failed(0, 1, 0..1, RETRY), "");
    lab.step(failed(0, 2, 2..3, RETRY), "hold back waiting");
}
