//! Revoke, loss, reassignment and shutdown.

use std::time::Duration;

use super::lab::{Lab, RETRY, assigned, ended, failed, fetched, lost, progress, revoking, settled};
use crate::{Event, PartIndex, Policy};

#[test]
fn s4_a_revoke_is_answered_when_the_lane_has_halted_and_its_runs_are_settled() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(fetched(0, 4..8), "start #2 4..8");
    lab.step(revoking(&[0], 10), "cut 0");
    lab.step(fetched(0, 8..9), "");
    lab.step(progress(0, 1, 1), "store 1");
    lab.step(ended(0, 0, Some(3)), "");
    lab.step(settled(0, 1, 3), "store 3, release [0]");
}

#[test]
fn s4_the_last_settle_may_come_before_the_lane_has_halted() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(revoking(&[0], 10), "cut 0");
    lab.step(settled(0, 1, 3), "store 3");
    lab.step(ended(0, 0, Some(3)), "release [0]");
    assert_eq!(lab.engine.busy(), 0);
}

#[test]
fn a_revoke_is_answered_at_its_deadline_and_later_results_move_nothing() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(revoking(&[0], 10), "cut 0");
    lab.wait("release [0]");
    assert_eq!(lab.now, Duration::from_secs(10));
    lab.step(settled(0, 1, 4), "");
    lab.step(ended(0, 0, None), "");
}

#[test]
fn a_revoke_of_what_rests_or_is_not_ours_is_answered_at_once() {
    let mut lab = Lab::new(Policy::default());
    lab.step(revoking(&[0], 10), "release [0]");
    lab.step(revoking(&[0], 10), "release [0]");
    lab.step(lost(&[0]), "release [0]");
}

#[test]
fn s5_nothing_of_a_new_assignment_starts_before_the_lane_has_halted() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(revoking(&[0], 1), "cut 0");
    lab.wait("release [0]");
    lab.step(assigned(0, 0), "resume");
    lab.step(fetched(0, 0..4), "");
    lab.step(ended(0, 0, Some(1)), "start #2 0..4 cut 1");
}

#[test]
fn s5_a_failure_of_the_old_assignment_halts_the_lane_as_well() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(lost(&[0]), "cut 0, release [0]");
    lab.step(assigned(0, 0), "resume");
    lab.step(fetched(0, 0..4), "");
    lab.step(failed(0, 1, 2..3, RETRY), "start #2 0..4 cut 1");
    // The lane had halted before the cut came.
    lab.step(ended(0, 0, Some(3)), "");
    lab.step(settled(0, 2, 4), "store 4");
}

#[test]
fn s10_a_retry_that_is_due_does_not_start_during_a_revoke() {
    let mut lab = Lab::new(Policy::default());
    lab.add(Policy::default());
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(fetched(1, 0..2), "p1 start #2 0..2");
    lab.step(failed(0, 1, 0..1, RETRY), "");
    lab.step(revoking(&[0, 1], 10), "p1 cut 0");
    assert_eq!(lab.engine.next_deadline(), Some(Duration::from_secs(10)));
    lab.now = Duration::from_secs(9);
    lab.step(Event::Tick, "");
}

#[test]
fn overlapping_revokes_are_each_answered() {
    let mut lab = Lab::new(Policy::default());
    lab.add(Policy::default());
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(fetched(1, 0..2), "p1 start #2 0..2");
    lab.step(revoking(&[0], 10), "cut 0");
    lab.step(revoking(&[1, 0], 10), "p1 cut 0");
    lab.step(settled(0, 1, 2), "store 2");
    lab.step(ended(0, 0, None), "release [0]");
    lab.step(ended(1, 0, Some(0)), "release [1, 0]");
}

#[test]
fn a_loss_may_overtake_a_revoke() {
    let mut lab = Lab::new(Policy::default());
    lab.add(Policy::default());
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(fetched(1, 0..2), "p1 start #2 0..2");
    lab.step(revoking(&[0, 1], 10), "cut 0, p1 cut 0");
    lab.step(lost(&[0]), "release [0]");
    lab.step(settled(0, 1, 2), "");
    // The revoke that still waits for the other means this assignment no more.
    lab.step(assigned(0, 0), "resume");
    assert!(lab.engine.accepts(PartIndex(0)));
    lab.step(ended(1, 0, Some(0)), "release [0, 1]");
    assert!(lab.engine.accepts(PartIndex(0)));
}

#[test]
fn l5_a_shutdown_halts_every_lane_and_the_revoke_drains() {
    let mut lab = Lab::new(Policy::default());
    lab.add(Policy::default());
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(failed(0, 1, 0..1, RETRY), "");
    lab.step(fetched(1, 0..2), "p1 start #2 0..2");
    lab.step(Event::Shutdown, "p1 cut 0");
    assert!(lab.engine.open());
    assert_eq!(lab.engine.next_deadline(), None);
    lab.step(revoking(&[0, 1], 10), "");
    lab.step(ended(1, 0, Some(1)), "");
    lab.step(settled(1, 2, 1), "p1 store 1, release [0, 1]");
    assert!(!lab.engine.open());
    lab.step(assigned(0, 0), "resume");
    lab.step(fetched(0, 0..2), "");
}
