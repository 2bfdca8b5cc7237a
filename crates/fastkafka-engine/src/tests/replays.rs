//! Outputs that are lost after their record was handled.

use super::lab::{Lab, RETRY, broken, dead_letter_done, ended, failed, fetched, policy, settled};
use crate::{DeadLetterOutcome, Failure, OnFailure, Policy};

#[test]
fn s5_a_lost_output_replays_its_record_alone_and_then_all_behind_it() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(fetched(0, 4..6), "start #2 4..6");
    lab.step(fetched(0, 6..8), "start #3 6..8");
    // Settled and running alike.
    lab.step(settled(0, 2, 6), "");
    lab.step(broken(0, 1, 1, RETRY), "cut 0, store 1");
    lab.step(settled(0, 3, 8), "");
    lab.step(ended(0, 0, None), "");
    lab.wait("start #4 1..2 cut 1 attempt 2");
    lab.step(
        settled(0, 4, 2),
        "store 2, start #5 2..4 cut 1, start #6 4..6 cut 1, start #7 6..8 cut 1",
    );
    lab.step(settled(0, 6, 6), "");
    lab.step(settled(0, 5, 4), "store 6");
}

#[test]
fn s5_a_replay_starts_when_the_lane_has_halted() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(
        broken(
            0,
            1,
            0,
            Failure::Retry {
                after: Some(std::time::Duration::ZERO),
            },
        ),
        "cut 0",
    );
    assert_eq!(
        lab.engine.next_deadline(),
        None,
        "the lane is waited for, not the clock"
    );
    lab.step(ended(0, 0, Some(2)), "start #2 0..1 cut 1 attempt 2");
}

#[test]
fn s9_a_replay_counts_no_attempt_of_the_innocent_and_forgets_none_of_the_failed() {
    let mut lab = Lab::new(policy(3, OnFailure::Stop));
    lab.step(fetched(0, 0..3), "start #1 0..3");
    lab.step(failed(0, 1, 1..2, RETRY), "");
    lab.wait("start #2 1..2 cut 1 attempt 2, start #3 2..3 cut 1");
    lab.step(settled(0, 2, 2), "");
    lab.step(broken(0, 1, 0, RETRY), "cut 1");
    lab.step(ended(0, 1, Some(3)), "");
    lab.wait("start #4 0..1 cut 2 attempt 2");
    lab.step(
        settled(0, 4, 1),
        "store 1, start #5 1..2 cut 2 attempt 2, start #6 2..3 cut 2",
    );
}

#[test]
fn a_lost_output_is_a_failed_attempt_up_to_the_end() {
    let mut lab = Lab::new(policy(1, OnFailure::DeadLetter));
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(broken(0, 1, 0, RETRY), "cut 0, dead letter #2 0 after 1");
    lab.step(ended(0, 0, None), "");
    lab.step(
        dead_letter_done(2, DeadLetterOutcome::Written),
        "store 1, start #3 1..2 cut 1",
    );
}

#[test]
fn a_loss_of_a_run_that_was_replayed_already_is_stale() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(fetched(0, 2..4), "start #2 2..4");
    lab.step(broken(0, 1, 1, RETRY), "cut 0, store 1");
    lab.step(broken(0, 2, 2, RETRY), "");
    lab.step(failed(0, 2, 3..4, RETRY), "");
    lab.step(ended(0, 0, Some(4)), "");
    lab.wait("start #3 1..2 cut 1 attempt 2");
    lab.step(settled(0, 3, 2), "store 2, start #4 2..4 cut 1");
}

#[test]
fn s5_a_loss_before_a_waiting_record_does_not_shorten_its_wait() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..3), "start #1 0..3");
    let after = Some(std::time::Duration::from_secs(60));
    lab.step(failed(0, 1, 1..2, Failure::Retry { after }), "");
    lab.step(broken(0, 1, 0, RETRY), "");
    lab.wait("start #2 0..1 cut 1 attempt 2");
    lab.step(settled(0, 2, 1), "store 1");
    lab.wait("start #3 1..2 cut 1 attempt 2, start #4 2..3 cut 1");
    assert_eq!(lab.now, std::time::Duration::from_secs(60));
}
