//! What the engine says of itself between steps, and that its counts come back to nothing.

use super::lab::{
    Lab, RETRY, TRANSIENT, assigned, broken, dead_letter_done, ended, failed, fetched, handled,
    lost, policy, read, revoking, settled,
};
use crate::{DeadLetterOutcome, Event, Failure, Limits, OnFailure, Order, PartIndex, Policy};

const PART: PartIndex = PartIndex(0);

fn by_key(concurrency: u32, on_failure: OnFailure) -> Policy {
    Policy {
        order: Order::Key { concurrency },
        ..policy(1, on_failure)
    }
}

fn retried() -> Policy {
    Policy {
        attempts: Some(3),
        ..by_key(8, OnFailure::Stop)
    }
}

fn restart() -> Event {
    Event::Restart { part: PART }
}

#[test]
fn a_partition_starves_that_is_ours_holds_nothing_and_is_not_paused() {
    for policy in [Policy::default(), by_key(8, OnFailure::Stop)] {
        let keyed = matches!(policy.order, Order::Key { .. });
        let mut lab = Lab::new(policy);
        assert!(lab.engine.starves(PART));
        let pause = |pause| Event::Pause { part: PART, pause };
        lab.step(pause(true), "hold back paused");
        assert!(!lab.engine.starves(PART));
        lab.step(pause(false), "resume");
        match keyed {
            true => lab.step(read(0, 0, "a"), "start #1 0..1"),
            false => lab.step(fetched(0, 0..1), "start #1 0..1"),
        }
        assert!(!lab.engine.starves(PART));
        let cut = if keyed { "" } else { "cut 0, " };
        lab.step(lost(&[0]), &format!("{cut}release [0]"));
        assert!(!lab.engine.starves(PART));
    }
}

#[test]
fn a_partition_wants_records_while_nothing_of_it_waits_to_start() {
    let mut lab = Lab::new(policy(3, OnFailure::Stop));
    assert!(lab.engine.wants(PART));
    lab.step(fetched(0, 0..4), "start #1 0..4");
    assert!(lab.engine.wants(PART), "what has started does not count");
    lab.step(failed(0, 1, 1..2, RETRY), "");
    assert!(!lab.engine.wants(PART), "nothing could pass the retry");
    lab.wait("start #2 1..2 cut 1 attempt 2, start #3 2..4 cut 1");
    assert!(lab.engine.wants(PART));
    lab.step(Event::Room(false), "");
    assert!(!lab.engine.wants(PART), "nothing can start");
    lab.step(Event::Room(true), "");
    let pause = Event::Pause {
        part: PART,
        pause: true,
    };
    for event in [pause, lost(&[0])] {
        lab.engine.step(lab.now, event, &mut Vec::new());
        assert!(!lab.engine.wants(PART));
    }
}

#[test]
fn by_key_a_partition_wants_records_beside_a_key_that_waits() {
    let mut lab = Lab::new(by_key(1, OnFailure::Stop));
    lab.step(read(0, 0, "ab"), "start #1 0..1");
    assert!(!lab.engine.wants(PART), "b waits for its turn");
    lab.step(failed(0, 1, 0..1, TRANSIENT), "start #2 1..2");
    assert!(lab.engine.wants(PART), "a waits, b is at work");
}

#[test]
fn a_record_in_hand_holds_up_those_behind_it() {
    let mut lab = Lab::new(policy(1, OnFailure::Stop));
    lab.step(fetched(0, 0..4), "start #1 0..4");
    assert!(lab.engine.holds_up(PART, 2, 3));
    assert!(!lab.engine.holds_up(PART, 3, 4));
    lab.step(fetched(0, 4..5), "start #2 4..5");
    assert!(lab.engine.holds_up(PART, 3, 4));
}

#[test]
fn by_key_a_record_in_hand_holds_up_those_of_its_key() {
    let mut lab = Lab::new(by_key(8, OnFailure::Stop));
    lab.step(read(0, 0, "ab"), "start #1 0..1, start #2 1..2");
    assert!(!lab.engine.holds_up(PART, 0, 1));
    lab.step(read(0, 2, "a"), "");
    assert!(lab.engine.holds_up(PART, 0, 1));
    assert!(!lab.engine.holds_up(PART, 1, 2));
    lab.step(lost(&[0]), "release [0]");
    assert!(!lab.engine.holds_up(PART, 0, 1));
}

#[test]
fn a_full_partition_wants_nothing() {
    let limits = Limits {
        held_records: 2,
        ..Limits::default()
    };
    let mut lab = Lab::limited(Policy::default(), limits);
    lab.step(fetched(0, 0..2), "start #1 0..2, hold back full");
    assert!(!lab.engine.wants(PART));
}

#[test]
fn a_lane_a_run_and_a_dead_letter_are_open_until_they_end() {
    let mut lab = Lab::new(policy(1, OnFailure::DeadLetter));
    assert!(!lab.engine.open());
    lab.step(fetched(0, 0..1), "start #1 0..1");
    assert!(lab.engine.open());
    lab.step(settled(0, 1, 1), "store 1");
    assert!(lab.engine.open(), "its lane has not ended");
    lab.step(Event::Shutdown, "cut 0");
    lab.step(ended(0, 0, None), "");
    assert!(!lab.engine.open());
    assert_eq!(lab.engine.busy(), 0);

    let mut lab = Lab::new(policy(1, OnFailure::DeadLetter));
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, RETRY), "dead letter #2 0 after 1");
    assert!(lab.engine.open(), "its dead letter is under way");
    lab.step(dead_letter_done(2, DeadLetterOutcome::Written), "store 1");
    assert!(!lab.engine.open());
}

#[test]
fn by_key_a_task_its_outputs_and_a_dead_letter_are_open_until_they_end() {
    let mut lab = Lab::new(by_key(8, OnFailure::DeadLetter));
    lab.step(read(0, 0, "a"), "start #1 0..1");
    lab.step(settled(0, 1, 1), "free 0, store 1");
    assert!(lab.engine.open(), "its task has not ended");
    lab.step(handled(0, 1), "");
    assert_eq!((lab.engine.open(), lab.engine.busy()), (false, 0));

    lab.step(read(0, 1, "a"), "start #2 1..2");
    lab.step(handled(0, 2), "");
    assert!(lab.engine.open(), "its outputs are under way");
    lab.step(settled(0, 2, 2), "free 1, store 2");
    assert_eq!((lab.engine.open(), lab.engine.busy()), (false, 0));

    lab.step(read(0, 2, "a"), "start #3 2..3");
    lab.step(failed(0, 3, 2..3, RETRY), "dead letter #4 2 after 1");
    lab.step(settled(0, 3, 2), "");
    assert_eq!((lab.engine.open(), lab.engine.busy()), (true, 1));
    lab.step(
        dead_letter_done(4, DeadLetterOutcome::Written),
        "free 2, store 3",
    );
    assert_eq!((lab.engine.open(), lab.engine.busy()), (false, 0));
}

#[test]
fn a_key_that_is_done_leaves_nothing_behind() {
    let mut lab = Lab::new(by_key(8, OnFailure::Stop));
    lab.step(read(0, 0, "a"), "start #1 0..1");
    lab.step(handled(0, 1), "");
    lab.step(settled(0, 1, 1), "free 0, store 1");
    let engine = format!("{:?}", lab.engine);
    assert!(engine.contains("lines: {}"), "{engine}");
}

#[test]
fn by_key_bytes_and_what_is_outstanding_are_given_back() {
    let limits = Limits {
        held_bytes: 20,
        outstanding: 1,
        ..Limits::default()
    };
    let mut lab = Lab::limited(by_key(8, OnFailure::Stop), limits);
    lab.step(read(0, 0, "ab"), "start #1 0..1, hold back full");
    lab.step(handled(0, 1), "");
    lab.step(settled(0, 1, 1), "free 0, store 1, start #2 1..2, resume");
    lab.step(read(0, 2, "c"), "hold back full");
}

#[test]
fn by_key_a_revoke_waits_for_a_task_whose_outputs_came_first() {
    let mut lab = Lab::new(by_key(8, OnFailure::Stop));
    lab.step(read(0, 0, "a"), "start #1 0..1");
    lab.step(revoking(&[0], 10), "");
    lab.step(settled(0, 1, 1), "free 0, store 1");
    lab.step(handled(0, 1), "release [0]");
}

#[test]
fn by_key_a_revoke_waits_for_nothing_that_only_waits_itself() {
    // A record for its next attempt.
    let mut lab = Lab::new(retried());
    lab.step(read(0, 0, "a"), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, RETRY), "");
    lab.step(settled(0, 1, 0), "");
    lab.step(revoking(&[0], 10), "release [0]");

    // What is behind a lost output.
    let mut lab = Lab::new(retried());
    lab.step(read(0, 0, "aa"), "start #1 0..1");
    lab.step(handled(0, 1), "start #2 1..2");
    lab.step(broken(0, 1, 0, RETRY), "");
    lab.step(handled(0, 2), "");
    lab.step(revoking(&[0], 10), "release [0]");

    // A dead letter that was written, and one that could not be.
    for (outcome, answer) in [
        (DeadLetterOutcome::Written, "free 0, store 1"),
        (DeadLetterOutcome::Transient, ""),
    ] {
        let mut lab = Lab::new(by_key(8, OnFailure::DeadLetter));
        lab.step(read(0, 0, "a"), "start #1 0..1");
        lab.step(failed(0, 1, 0..1, RETRY), "dead letter #2 0 after 1");
        lab.step(settled(0, 1, 0), "");
        lab.step(dead_letter_done(2, outcome), answer);
        lab.step(revoking(&[0], 10), "release [0]");
    }
}

#[test]
fn what_lies_behind_a_lost_output_of_a_batch_starts_again_when_its_run_is_over() {
    let batch = Policy {
        batch: true,
        ..retried()
    };
    let mut lab = Lab::new(batch);
    lab.step(read(0, 0, "___"), "start #1 0..3");
    lab.step(handled(0, 1), "");
    lab.step(broken(0, 1, 1, RETRY), "free 0, store 1, start #2 2..3");
    lab.step(handled(0, 2), "");
    lab.step(settled(0, 2, 3), "free 2");
    lab.step(revoking(&[0], 10), "release [0]");
}

#[test]
fn by_key_what_may_start_is_held_up_by_a_lost_output_before_it() {
    let mut lab = Lab::new(Policy {
        order: Order::Key { concurrency: 1 },
        ..retried()
    });
    lab.step(read(0, 0, "aba"), "start #1 0..1");
    lab.step(handled(0, 1), "start #2 1..2");
    lab.step(broken(0, 1, 0, RETRY), "");
    lab.step(handled(0, 2), "");
    lab.wait("start #3 0..1 attempt 2");
}

#[test]
fn by_key_what_may_start_goes_with_the_log_it_was_read_from() {
    let mut lab = Lab::new(by_key(1, OnFailure::Stop));
    lab.step(read(0, 0, "abc"), "start #1 0..1");
    lab.step(read(0, 1, "d"), "");
    lab.step(handled(0, 1), "start #2 1..2");
    lab.step(handled(0, 2), "");
}

#[test]
fn a_record_that_was_to_run_alone_does_so_after_a_restart() {
    let mut lab = Lab::new(policy(1, OnFailure::Stop));
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(
        broken(0, 1, 0, Failure::Rejected),
        "cut 0, stopped 0 after 1, hold back waiting",
    );
    lab.step(ended(0, 0, None), "");
    lab.step(restart(), "start #2 0..1 cut 1, resume");
    lab.step(settled(0, 2, 1), "store 1, start #3 1..2 cut 1");

    let mut lab = Lab::new(by_key(8, OnFailure::Stop));
    lab.step(read(0, 0, "aa"), "start #1 0..1");
    lab.step(handled(0, 1), "start #2 1..2");
    lab.step(handled(0, 2), "");
    lab.step(broken(0, 1, 0, Failure::Rejected), "stopped 0 after 1");
    lab.step(restart(), "start #3 0..1");
    lab.step(handled(0, 3), "");
    lab.step(settled(0, 3, 1), "free 0, store 1, start #4 1..2");
}

#[test]
fn a_failure_told_after_its_lane_has_halted_cuts_it_once_more() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..3), "start #1 0..3");
    lab.step(fetched(0, 2..4), "cut 0");
    lab.step(
        ended(0, 0, Some(1)),
        "start #2 1..2 cut 1, start #3 2..4 cut 1",
    );
    lab.step(failed(0, 1, 0..1, RETRY), "cut 1");
}

#[test]
fn a_failure_of_an_old_assignment_cuts_nothing() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(lost(&[0]), "cut 0, release [0]");
    lab.step(assigned(0, 0), "resume");
    lab.step(ended(0, 0, None), "");
    lab.step(fetched(0, 0..1), "start #2 0..1 cut 1");
    lab.step(failed(0, 1, 0..1, RETRY), "");
}

#[test]
fn runs_are_open_that_were_begun_and_those_from_before_a_halt() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(fetched(0, 2..4), "start #2 2..4");
    // The lane halts before 2: run 2 was not begun.
    lab.step(failed(0, 1, 1..2, RETRY), "");
    assert_eq!(lab.engine.busy(), 1);
    lab.wait("start #3 1..2 cut 1 attempt 2, start #4 2..4 cut 1");
    // It halts again before it began anything.
    lab.step(Event::Shutdown, "cut 1");
    lab.step(ended(0, 1, Some(1)), "");
    assert_eq!(lab.engine.busy(), 1);
    lab.step(settled(0, 1, 1), "store 1");
    assert_eq!(lab.engine.busy(), 0);

    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(fetched(0, 1..2), "start #2 1..2");
    lab.step(broken(0, 1, 0, RETRY), "cut 0");
    lab.step(ended(0, 0, None), "");
    lab.wait("start #3 0..1 cut 1 attempt 2");
    lab.step(Event::Shutdown, "cut 1");
    lab.step(ended(0, 1, Some(0)), "");
    assert_eq!(lab.engine.busy(), 1, "the outputs of run 2 are under way");
    lab.step(settled(0, 2, 2), "");
    assert_eq!(lab.engine.busy(), 0);
}
