//! Order by key where the log is read again.

use super::keyed::{by_key, lab};
use super::lab::{Lab, RETRY, dead_letter_done, failed, handled, read, revoking, settled};
use crate::{DeadLetterOutcome, Limits, OnFailure, PartIndex};

#[test]
fn by_key_a_log_that_is_read_again_is_handled_again_from_there() {
    let mut lab = lab(8);
    lab.step(read(0, 0, "xyxy"), "start #1 0..1, start #2 1..2");
    // What was at 1 still locks its key.
    lab.step(read(0, 1, "yx"), "");
    lab.step(handled(0, 2), "start #3 1..2");
    lab.step(settled(0, 2, 2), "");
    lab.step(handled(0, 1), "start #4 2..3");
    lab.step(settled(0, 1, 1), "free 0, store 1");
    lab.step(handled(0, 3), "");
    lab.step(settled(0, 3, 2), "free 1, store 2");
    lab.step(handled(0, 4), "");
    lab.step(settled(0, 4, 3), "free 2, store 3");
    assert!(lab.engine.starves(PartIndex(0)));
}

#[test]
fn by_key_what_lies_below_a_truncation_keeps_its_order() {
    let mut lab = lab(1);
    lab.step(read(0, 0, "abbbc"), "start #1 0..1");
    lab.step(read(0, 3, "b"), "");
    for (run, at) in [(1, 0), (2, 1), (3, 2)] {
        lab.step(
            handled(0, run),
            &format!("start #{} {}..{}", run + 1, at + 1, at + 2),
        );
    }
}

#[test]
fn by_key_a_record_of_a_log_that_is_read_again_has_no_past() {
    let mut lab = Lab::new(by_key(8, 1, OnFailure::Stop));
    lab.step(read(0, 0, "b"), "start #1 0..1");
    lab.step(read(0, 0, "b"), "");
    lab.step(handled(0, 1), "start #2 0..1");
    lab.step(settled(0, 1, 1), "");
    lab.step(failed(0, 2, 0..1, RETRY), "stopped 0 after 1");
}

#[test]
fn by_key_what_a_log_that_is_read_again_had_is_not_counted() {
    let limits = Limits {
        held_bytes: 20,
        ..Limits::default()
    };
    let mut lab = Lab::limited(by_key(8, 1, OnFailure::DeadLetter), limits);
    lab.step(
        read(0, 0, "ab"),
        "start #1 0..1, start #2 1..2, hold back full",
    );
    lab.step(failed(0, 1, 0..1, RETRY), "dead letter #3 0 after 1");
    lab.step(read(0, 0, "c"), "start #4 0..1, resume");
    // Neither the dead letter nor the old record at 1 counts, or is awaited.
    lab.step(dead_letter_done(3, DeadLetterOutcome::Written), "");
    lab.step(revoking(&[0], 10), "");
    lab.step(handled(0, 2), "");
    lab.step(handled(0, 4), "");
    lab.step(settled(0, 4, 1), "free 0, store 1, release [0]");
}

#[test]
fn by_key_a_record_that_had_no_key_before_the_log_was_read_again_waits_for_it_now() {
    let mut lab = lab(8);
    lab.step(read(0, 0, "a_"), "start #1 0..1, start #2 1..2");
    lab.step(read(0, 1, "a"), "");
    lab.step(handled(0, 2), "");
    lab.step(handled(0, 1), "start #3 1..2");
}
