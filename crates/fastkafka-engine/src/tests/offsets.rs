//! What is stored: S1, S2, S3 and the reading of a log.

use super::lab::{
    Lab, RETRY, assigned, ended, failed, fetched, fetched_with_gaps, progress, settled,
};
use crate::{Event, PartIndex, Policy};

#[test]
fn s1_a_later_run_that_is_settled_first_stores_nothing() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(fetched(0, 4..8), "start #2 4..8");
    lab.step(settled(0, 2, 8), "");
    lab.step(settled(0, 1, 4), "store 8");
}

#[test]
fn a_run_starts_behind_one_that_is_settled_before_its_turn() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(fetched(0, 4..8), "start #2 4..8");
    lab.step(settled(0, 2, 8), "");
    lab.step(fetched(0, 8..9), "start #3 8..9");
}

#[test]
fn s1_nothing_is_stored_beyond_a_failed_record() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(failed(0, 1, 2..3, RETRY), "");
    lab.step(settled(0, 1, 2), "store 2");
}

#[test]
fn l6_progress_is_stored_while_the_run_goes_on() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..1000), "start #1 0..1000");
    lab.step(progress(0, 1, 400), "store 400");
    lab.step(progress(0, 1, 401), "store 401");
    lab.step(settled(0, 1, 1000), "store 1000");
}

#[test]
fn s3_nothing_is_stored_when_nothing_changed() {
    let mut lab = Lab::new(Policy::default());
    lab.step(assigned(0, 5), "resume");
    lab.step(fetched(0, 5..8), "start #1 5..8");
    lab.step(progress(0, 1, 5), "");
    lab.step(progress(0, 1, 7), "store 7");
    lab.step(progress(0, 1, 7), "");
    lab.step(progress(0, 1, 6), "");
}

#[test]
fn s3_a_gap_between_records_blocks_nothing() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched_with_gaps(0, 3..10, 2), "start #1 3..10");
    lab.step(fetched_with_gaps(0, 90..91, 1), "start #2 90..91");
    lab.step(settled(0, 1, 10), "store 10");
    lab.step(settled(0, 2, 91), "store 91");
}

#[test]
fn s3_a_result_of_an_old_assignment_moves_nothing() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(super::lab::lost(&[0]), "cut 0, release [0]");
    lab.step(assigned(0, 0), "resume");
    lab.step(fetched(0, 0..4), "");
    lab.step(progress(0, 1, 4), "");
    lab.step(ended(0, 0, None), "start #2 0..4 cut 1");
    lab.step(settled(0, 1, 4), "");
    lab.step(settled(0, 2, 4), "store 4");
}

#[test]
fn a_log_that_is_read_again_is_a_new_epoch_and_not_a_duplicate() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(settled(0, 1, 4), "store 4");
    lab.step(fetched(0, 1..3), "cut 0");
    lab.step(ended(0, 0, None), "start #2 1..3 cut 1");
    lab.step(settled(0, 2, 3), "store 3");
}

#[test]
fn what_lies_below_a_truncation_stays_open_and_its_results_count() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(fetched(0, 2..6), "cut 0");
    lab.step(ended(0, 0, Some(3)), "start #2 2..6 cut 1");
    // 2 and 3 of run 1 were records of the old log.
    lab.step(settled(0, 1, 3), "store 2");
    lab.step(settled(0, 2, 6), "store 6");
}

#[test]
fn what_failed_of_an_old_log_fails_nothing_of_the_new_one() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(fetched(0, 2..6), "cut 0");
    lab.step(ended(0, 0, Some(3)), "start #2 2..6 cut 1");
    // Record 2 of the old log.
    lab.step(failed(0, 1, 2..3, RETRY), "");
    lab.step(settled(0, 1, 2), "store 2");
    lab.step(settled(0, 2, 6), "store 6");
}

#[test]
fn records_of_a_partition_that_is_not_accepted_are_not_taken_in() {
    let mut lab = Lab::new(Policy::default());
    lab.step(super::lab::lost(&[0]), "release [0]");
    lab.step(fetched(0, 0..4), "");
    lab.step(assigned(0, 0), "resume");
    assert!(lab.engine.starves(crate::PartIndex(0)));
}

#[test]
fn a_run_without_records_is_nothing() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 4..4), "");
    assert!(lab.engine.starves(crate::PartIndex(0)));
}

fn read_to(offset: i64) -> Event {
    Event::ReadTo {
        part: PartIndex(0),
        offset,
    }
}

#[test]
fn l6_the_watermark_moves_over_control_records_when_nothing_before_them_is_open() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..3), "start #1 0..3");
    lab.step(read_to(5), "");
    lab.step(settled(0, 1, 3), "store 5");
    lab.step(read_to(5), "");
    lab.step(read_to(7), "store 7");
    lab.step(fetched(0, 7..8), "start #2 7..8");
    lab.step(settled(0, 2, 8), "store 8");
}

#[test]
fn s1_a_record_behind_control_records_is_not_skipped() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..3), "start #1 0..3");
    lab.step(fetched(0, 5..6), "start #2 5..6");
    lab.step(read_to(9), "");
    lab.step(settled(0, 1, 3), "store 5");
    lab.step(failed(0, 2, 5..6, RETRY), "");
}

#[test]
fn the_end_of_a_log_that_is_read_again_says_nothing_of_what_comes() {
    let mut lab = Lab::new(Policy::default());
    lab.step(read_to(5), "store 5");
    lab.step(fetched(0, 2..4), "start #1 2..4");
    lab.step(settled(0, 1, 3), "store 3");
    lab.step(settled(0, 1, 4), "store 4");
}
