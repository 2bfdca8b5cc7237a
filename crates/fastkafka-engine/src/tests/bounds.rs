//! How much is held and under way: S10, L4.

use super::lab::{
    Lab, RETRY, assigned, ended, failed, fetched, fetched_with_gaps, lost, progress, revoking,
    settled,
};
use crate::{Effect, Event, Limits, PartIndex, Policy};

fn limits() -> Limits {
    Limits {
        held_records: 8,
        held_bytes: 1000,
        max_uncommitted: 100,
        ..Limits::default()
    }
}

#[test]
fn l4_a_full_partition_is_held_back_and_resumed_at_half() {
    let mut lab = Lab::limited(Policy::default(), limits());
    lab.step(fetched(0, 0..7), "start #1 0..7");
    lab.step(fetched(0, 7..9), "start #2 7..9, hold back full");
    lab.step(progress(0, 1, 4), "store 4");
    lab.step(progress(0, 1, 5), "store 5, resume");
}

#[test]
fn s10_bytes_are_bounded_too() {
    let held_bytes = 40;
    let mut lab = Lab::limited(
        Policy::default(),
        Limits {
            held_bytes,
            ..limits()
        },
    );
    lab.step(fetched(0, 0..4), "start #1 0..4, hold back full");
    lab.step(progress(0, 1, 1), "store 1");
    lab.step(progress(0, 1, 2), "store 2, resume");
}

#[test]
fn s10_the_uncommitted_span_is_bounded_and_reported() {
    let mut lab = Lab::limited(Policy::default(), limits());
    lab.step(fetched_with_gaps(0, 0..60, 2), "start #1 0..60");
    // A gap before the lowest open record is no span.
    lab.step(settled(0, 1, 60), "store 60");
    lab.step(fetched_with_gaps(0, 900..960, 2), "start #2 900..960");
    assert_eq!(lab.engine.span_reached().count(), 0);
    lab.step(
        fetched_with_gaps(0, 999..1000, 1),
        "start #3 999..1000, hold back full",
    );
    assert_eq!(
        lab.engine.span_reached().collect::<Vec<_>>(),
        [PartIndex(0)]
    );
    lab.step(settled(0, 2, 960), "store 960, resume");
}

#[test]
fn a_full_partition_whose_head_waits_must_not_block_the_others() {
    let mut lab = Lab::limited(Policy::default(), limits());
    lab.step(fetched(0, 0..9), "start #1 0..9, hold back full");
    lab.step(failed(0, 1, 0..1, RETRY), "hold back waiting");
    // Not given up for each attempt: what was read ahead would be thrown away.
    lab.wait("start #2 0..1 cut 1 attempt 2, start #3 1..9 cut 1");
    lab.step(settled(0, 2, 1), "store 1");
    lab.step(settled(0, 3, 9), "store 9, resume");
}

#[test]
fn l4_a_hold_back_ends_with_the_assignment() {
    let mut lab = Lab::limited(Policy::default(), limits());
    lab.step(fetched(0, 0..9), "start #1 0..9, hold back full");
    lab.step(lost(&[0]), "cut 0, release [0]");
    lab.step(assigned(0, 0), "resume");
    lab.step(fetched(0, 0..9), "hold back full");
}

#[test]
fn l4_a_hold_back_ends_when_the_partition_is_given_back_or_the_app_ends() {
    for (event, answer) in [
        (revoking(&[0], 10), "cut 0, resume"),
        (Event::Shutdown, "cut 0, resume"),
    ] {
        let mut lab = Lab::limited(Policy::default(), limits());
        lab.step(fetched(0, 0..9), "start #1 0..9, hold back full");
        lab.step(event, answer);
    }
}

#[test]
fn l4_what_the_end_of_a_pause_finds_decides_whether_it_is_read() {
    let pause = |pause| Event::Pause {
        part: PartIndex(0),
        pause,
    };
    let mut lab = Lab::limited(Policy::default(), limits());
    lab.step(fetched(0, 0..7), "start #1 0..7");
    lab.step(pause(true), "cut 0, hold back paused");
    lab.step(pause(false), "resume");
    lab.step(fetched(0, 7..9), "hold back full");
    lab.step(pause(true), "hold back paused");
    lab.step(pause(false), "hold back full");
}

#[test]
fn bounds_of_nothing_let_one_run_in_at_a_time() {
    let limits = Limits {
        held_records: 0,
        held_bytes: 0,
        max_uncommitted: 0,
        ..Limits::default()
    };
    let mut lab = Lab::limited(Policy::default(), limits);
    lab.step(fetched(0, 0..2), "start #1 0..2, hold back full");
    lab.step(settled(0, 1, 2), "store 2, resume");
}

#[test]
fn s10_runs_of_former_assignments_are_outstanding_until_they_close() {
    let outstanding = 4;
    let mut lab = Lab::limited(
        Policy::default(),
        Limits {
            outstanding,
            ..limits()
        },
    );
    lab.add(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(lost(&[0]), "cut 0, release [0]");
    lab.step(ended(0, 0, None), "");
    lab.step(fetched(1, 0..1), "");
    lab.step(settled(0, 1, 4), "p1 start #2 0..1");
}

#[test]
fn runs_that_were_never_begun_are_outstanding_no_more() {
    let outstanding = 4;
    let mut lab = Lab::limited(
        Policy::default(),
        Limits {
            outstanding,
            ..limits()
        },
    );
    lab.add(Policy::default());
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(fetched(0, 2..4), "start #2 2..4");
    lab.step(fetched(1, 0..1), "");
    lab.step(failed(0, 1, 0..1, RETRY), "p1 start #3 0..1");
    assert_eq!(lab.engine.busy(), 1 + 2, "a lane and two runs");
}

#[test]
fn those_that_wait_for_capacity_take_turns() {
    let outstanding = 1;
    let mut lab = Lab::limited(
        Policy::default(),
        Limits {
            outstanding,
            ..limits()
        },
    );
    lab.add(Policy::default());
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(fetched(0, 1..2), "");
    lab.step(fetched(0, 2..3), "");
    lab.step(fetched(1, 0..1), "");
    lab.step(fetched(1, 1..2), "");
    lab.step(settled(0, 1, 1), "store 1, p1 start #2 0..1");
    lab.step(settled(1, 2, 1), "p1 store 1, start #3 1..2");
    lab.step(settled(0, 3, 2), "store 2, p1 start #4 1..2");
    lab.step(settled(1, 4, 2), "p1 store 2, start #5 2..3");
}

#[test]
fn who_waited_first_for_capacity_starts_first() {
    let outstanding = 1;
    let mut lab = Lab::limited(
        Policy::default(),
        Limits {
            outstanding,
            ..limits()
        },
    );
    lab.add(Policy::default());
    lab.add(Policy::default());
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(fetched(1, 0..1), "");
    lab.step(fetched(2, 0..1), "");
    lab.step(settled(0, 1, 1), "store 1, p1 start #2 0..1");
}

#[test]
fn a_run_bigger_than_every_bound_is_admitted() {
    let limits = Limits {
        held_records: 1,
        held_bytes: 1,
        max_uncommitted: 1,
        ahead: 1,
        outstanding: 1,
    };
    let mut lab = Lab::limited(Policy::default(), limits);
    lab.step(fetched(0, 0..50), "start #1 0..50, hold back full");
    lab.step(settled(0, 1, 50), "store 50, resume");
}

#[test]
fn one_partition_can_not_take_all_that_may_be_outstanding() {
    let ahead = 2;
    let mut lab = Lab::limited(Policy::default(), Limits { ahead, ..limits() });
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(fetched(0, 2..4), "");
    lab.step(settled(0, 1, 2), "store 2, start #2 2..4");
}

#[test]
fn without_room_for_outputs_no_run_starts() {
    let mut lab = Lab::new(Policy::default());
    lab.step(Event::Room(false), "");
    lab.step(fetched(0, 0..2), "");
    lab.step(Event::Room(true), "start #1 0..2");
}

#[test]
fn no_deadline_is_named_that_the_clock_does_not_keep() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, RETRY), "");
    lab.step(Event::Room(false), "");
    lab.wait("");
    assert_eq!(lab.engine.next_deadline(), None);
    lab.step(Event::Room(true), "start #2 0..1 cut 1 attempt 2");
}

#[test]
fn counts_add_up_where_a_run_with_gaps_is_cut() {
    let mut lab = Lab::limited(Policy::default(), limits());
    lab.step(
        fetched_with_gaps(0, 0..1000, 3),
        "start #1 0..1000, hold back full",
    );
    for prefix in [1, 998, 999] {
        lab.step(
            progress(0, 1, prefix),
            match prefix {
                1 => "store 1",
                998 => "store 998, resume",
                _ => "store 999",
            },
        );
    }
    lab.step(settled(0, 1, 1000), "store 1000");
    assert!(lab.engine.starves(PartIndex(0)));
    assert_eq!(lab.engine.busy(), 1, "the lane alone");
}

#[test]
fn counts_add_up_where_pieces_of_a_run_come_together_again() {
    let pause = |pause| Event::Pause {
        part: PartIndex(0),
        pause,
    };
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(pause(true), "cut 0, hold back paused");
    // The lane halted before 2, but 1 is to be handled again as well: behind what was lost of 0.
    lab.step(ended(0, 0, Some(2)), "");
    lab.step(failed(0, 1, 0..1, RETRY), "");
    lab.wait("");
    let mut out = Vec::new();
    lab.engine.step(lab.now, pause(false), &mut out);
    let span = |effect: &Effect| match effect {
        Effect::Start { span, .. } => Some((span.first..span.next, span.records, span.bytes)),
        _ => None,
    };
    let spans: Vec<_> = out.iter().filter_map(span).collect();
    assert_eq!(spans, [(0..1, 1, 10), (1..4, 3, 30)]);
}
