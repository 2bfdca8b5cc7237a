//! What the user asks for: pause, seek, restart.

use super::lab::{
    Lab, RETRY, assigned, ended, failed, fetched, handled, policy, read, revoking, settled,
};
use crate::{Event, OnFailure, Order, PartIndex, Policy};

const PART: PartIndex = PartIndex(0);

fn pause(pause: bool) -> Event {
    Event::Pause { part: PART, pause }
}

fn seek(position: i64) -> Event {
    Event::Seek {
        part: PART,
        position,
    }
}

fn restart() -> Event {
    Event::Restart { part: PART }
}

fn by_key() -> Policy {
    Policy {
        order: Order::Key { concurrency: 8 },
        ..policy(1, OnFailure::Stop)
    }
}

#[test]
fn a_paused_partition_ends_what_is_in_hand_and_starts_nothing() {
    let mut lab = Lab::new(policy(3, OnFailure::Stop));
    lab.step(fetched(0, 0..5), "start #1 0..5");
    lab.step(pause(true), "cut 0, hold back paused");
    lab.step(ended(0, 0, Some(1)), "");
    // It was under way when the pause began.
    lab.step(fetched(0, 5..6), "");
    lab.step(settled(0, 1, 1), "store 1");
    assert_eq!(lab.engine.paused().collect::<Vec<_>>(), [PART]);
    lab.step(
        pause(false),
        "start #2 1..5 cut 1, start #3 5..6 cut 1, resume",
    );
}

#[test]
fn a_pause_by_key_starts_nothing_and_an_assignment_ends_it() {
    let mut lab = Lab::new(by_key());
    lab.step(read(0, 0, "aa"), "start #1 0..1");
    lab.step(pause(true), "hold back paused");
    lab.step(handled(0, 1), "");
    lab.step(settled(0, 1, 1), "free 0, store 1");
    lab.step(revoking(&[0], 10), "release [0]");
    lab.step(assigned(0, 1), "resume");
    lab.step(read(0, 1, "a"), "start #2 1..2");
}

#[test]
fn a_seek_forgets_what_is_held_and_is_stored() {
    let mut lab = Lab::new(policy(3, OnFailure::Stop));
    lab.step(fetched(0, 0..5), "start #1 0..5");
    lab.step(settled(0, 1, 5), "store 5");
    lab.step(fetched(0, 5..6), "start #2 5..6");
    lab.step(seek(2), "cut 0, store 2");
    lab.step(fetched(0, 2..4), "");
    lab.step(settled(0, 2, 6), "");
    lab.step(ended(0, 0, None), "start #3 2..4 cut 1");
    lab.step(settled(0, 3, 4), "store 4");
}

#[test]
fn a_seek_forward_leaves_out_what_is_held() {
    let mut lab = Lab::new(policy(3, OnFailure::Stop));
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(fetched(0, 2..4), "start #2 2..4");
    lab.step(seek(10), "cut 0, store 10");
    lab.step(ended(0, 0, Some(1)), "");
    lab.step(settled(0, 1, 1), "");
    lab.step(fetched(0, 10..12), "start #3 10..12 cut 1");
    lab.step(settled(0, 3, 12), "store 12");
}

#[test]
fn a_seek_of_a_partition_that_is_given_back_is_void() {
    let mut lab = Lab::new(by_key());
    lab.step(read(0, 0, "a"), "start #1 0..1");
    lab.step(revoking(&[0], 10), "");
    lab.step(seek(7), "");
    lab.step(handled(0, 1), "");
    lab.step(settled(0, 1, 1), "free 0, store 1, release [0]");
}

#[test]
fn a_seek_by_key_keeps_the_key_locked() {
    let mut lab = Lab::new(by_key());
    lab.step(read(0, 0, "ab"), "start #1 0..1, start #2 1..2");
    lab.step(seek(0), "store 0");
    lab.step(read(0, 0, "ab"), "");
    lab.step(handled(0, 1), "start #3 0..1");
    lab.step(settled(0, 1, 1), "");
    lab.step(settled(0, 3, 1), "free 0, store 1");
}

#[test]
fn a_stopped_partition_goes_on_with_all_attempts_and_loses_nothing() {
    let mut lab = Lab::new(policy(2, OnFailure::Stop));
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(failed(0, 1, 0..1, RETRY), "");
    lab.step(settled(0, 1, 0), "");
    lab.wait("start #2 0..1 cut 1 attempt 2, start #3 1..2 cut 1");
    lab.step(
        failed(0, 2, 0..1, RETRY),
        "stopped 0 after 2, hold back waiting",
    );
    lab.step(settled(0, 2, 0), "");
    // It came before the hold-back took effect.
    lab.step(fetched(0, 2..3), "");
    lab.step(
        restart(),
        "start #4 0..1 cut 2, start #5 1..2 cut 2, start #6 2..3 cut 2, resume",
    );
    lab.step(failed(0, 4, 0..1, RETRY), "");
    lab.wait("start #7 0..1 cut 3 attempt 2, start #8 1..2 cut 3, start #9 2..3 cut 3");
}

#[test]
fn a_stopped_key_goes_on_when_it_is_told() {
    let mut lab = Lab::new(by_key());
    lab.step(read(0, 0, "aa"), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, RETRY), "stopped 0 after 1");
    lab.step(settled(0, 1, 0), "");
    lab.step(restart(), "start #2 0..1");
    lab.step(handled(0, 2), "start #3 1..2");
}
