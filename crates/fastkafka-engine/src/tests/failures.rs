//! What becomes of a record that is not accepted: retries, ends, dead letters, batches.

use std::collections::HashSet;
use std::time::Duration;

use super::lab::{
    Lab, RETRY, TRANSIENT, dead_letter_done, ended, failed, fetched, policy, revoking, settled,
};
use crate::{
    DeadLetterOutcome, Event, Failure, OnFailure, PartIndex, Policy, Stopped, Wait, Waiting,
};

#[test]
fn s5_a_failed_record_is_retried_before_the_next_one() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(fetched(0, 4..6), "start #2 4..6");
    lab.step(failed(0, 1, 1..2, RETRY), "");
    lab.step(fetched(0, 6..8), "");
    lab.wait(
        "start #3 1..2 cut 1 attempt 2, start #4 2..4 cut 1, \
         start #5 4..6 cut 1, start #6 6..8 cut 1",
    );
    // The prefix of the failed run is settled in its own time.
    lab.step(settled(0, 3, 2), "");
    lab.step(settled(0, 1, 1), "store 2");
}

#[test]
fn s9_the_back_off_doubles_up_to_its_maximum_with_jitter() {
    let mut lab = Lab::new(Policy {
        backoff_max: Duration::from_millis(300),
        ..Policy::default()
    });
    lab.step(fetched(0, 0..1), "start #1 0..1");
    for (run, full) in [(1, 100), (2, 200), (3, 300), (4, 300)] {
        let (before, full) = (lab.now, Duration::from_millis(full));
        lab.step(failed(0, run, 0..1, RETRY), "");
        lab.step(settled(0, run, 0), "");
        let attempt = run + 1;
        lab.wait(&format!(
            "start #{attempt} 0..1 cut {run} attempt {attempt}"
        ));
        let waited = lab.now - before;
        assert!(
            waited <= full && waited > full * 3 / 4,
            "{waited:?} of {full:?}"
        );
    }
}

#[test]
fn s9_the_same_offset_of_two_partitions_is_not_retried_in_step() {
    let due = |part| crate::backoff::delay(&Policy::default(), PartIndex(part), 7, 1);
    assert_ne!(due(0), due(1));
    assert_eq!(due(0), due(0));
}

#[test]
fn s9_neighbours_are_not_retried_in_step() {
    let due = |offset| crate::backoff::delay(&Policy::default(), PartIndex(3), offset, 1);
    // 256 throws of a die with 256 faces show 162 of them.
    let different: HashSet<_> = (0..256).map(due).collect();
    assert!(different.len() > 130, "{}", different.len());
}

#[test]
fn a_failure_may_name_its_own_wait() {
    let mut lab = Lab::new(Policy::default());
    let after = Some(Duration::from_secs(7));
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, Failure::Retry { after }), "");
    lab.wait("start #2 0..1 cut 1 attempt 2");
    assert_eq!(lab.now, Duration::from_secs(7));
}

#[test]
fn s9_a_transient_failure_uses_up_no_attempts() {
    let mut lab = Lab::new(policy(2, OnFailure::Stop));
    lab.step(fetched(0, 0..1), "start #1 0..1");
    for run in 1..20 {
        lab.step(failed(0, run, 0..1, TRANSIENT), "");
        lab.wait(&format!("start #{} 0..1 cut {run}", run + 1));
    }
    lab.step(failed(0, 20, 0..1, RETRY), "");
    lab.wait("start #21 0..1 cut 20 attempt 2");
}

#[test]
fn attempts_may_be_without_end() {
    let mut lab = Lab::new(Policy {
        attempts: None,
        ..Policy::default()
    });
    lab.step(fetched(0, 0..1), "start #1 0..1");
    for run in 1..50 {
        lab.step(failed(0, run, 0..1, RETRY), "");
        lab.wait(&format!("start #{0} 0..1 cut {run} attempt {0}", run + 1));
    }
}

#[test]
fn stop_ends_the_partition_and_nothing_but_it() {
    let mut lab = Lab::new(policy(1, OnFailure::Stop));
    lab.add(Policy::default());
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(failed(0, 1, 1..2, RETRY), "");
    lab.step(
        settled(0, 1, 1),
        "store 1, stopped 1 after 1, hold back waiting",
    );
    lab.step(fetched(0, 4..5), "");
    lab.step(fetched(1, 0..1), "p1 start #2 0..1");
    // What comes before the hold-back takes effect is kept for a restart.
    assert!(lab.engine.accepts(PartIndex(0)));
    let stopped = Stopped {
        part: PartIndex(0),
        at: 1,
        attempts: 1,
    };
    assert_eq!(lab.engine.stopped().collect::<Vec<_>>(), [stopped]);
    assert_eq!(lab.engine.next_deadline(), None);
    assert_eq!(lab.engine.waiting().count(), 0);
}

#[test]
fn a_rejected_record_is_not_retried() {
    let mut lab = Lab::new(policy(5, OnFailure::Exit));
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(
        failed(0, 1, 0..1, Failure::Rejected),
        "exit 0, hold back waiting",
    );
}

#[test]
fn s7_skip_waits_until_everything_before_is_terminal() {
    let mut lab = Lab::new(policy(1, OnFailure::Skip));
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(failed(0, 1, 2..3, RETRY), "");
    lab.step(settled(0, 1, 2), "skipped 2, store 3, start #2 3..4 cut 1");
}

#[test]
fn s7_a_dead_letter_waits_until_everything_before_is_terminal() {
    let mut lab = Lab::new(policy(1, OnFailure::DeadLetter));
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(failed(0, 1, 2..3, RETRY), "");
    lab.step(settled(0, 1, 2), "store 2, dead letter #2 2 after 1");
    lab.step(
        dead_letter_done(2, DeadLetterOutcome::Written),
        "store 3, start #3 3..4 cut 1",
    );
}

#[test]
fn s7_a_dead_letter_that_can_not_be_written_is_tried_again_without_end() {
    let mut lab = Lab::new(policy(1, OnFailure::DeadLetter));
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, RETRY), "dead letter #2 0 after 1");
    for run in 2..30 {
        lab.step(dead_letter_done(run, DeadLetterOutcome::Transient), "");
        lab.step(dead_letter_done(run, DeadLetterOutcome::Written), "");
        lab.wait(&format!("dead letter #{} 0 after 1", run + 1));
    }
    let waiting: Vec<_> = lab.engine.waiting().collect();
    let since = Duration::ZERO;
    assert_eq!(
        waiting,
        [Waiting {
            part: PartIndex(0),
            at: 0,
            since,
            wait: Wait::DeadLetter,
            attempts: 1,
            due: None,
        }]
    );
    lab.step(dead_letter_done(30, DeadLetterOutcome::Written), "store 1");
    assert_eq!(lab.engine.waiting().count(), 0);
}

#[test]
fn a_dead_letter_that_can_never_be_written_stops_the_partition() {
    let mut lab = Lab::new(policy(1, OnFailure::DeadLetter));
    lab.step(fetched(0, 0..2), "start #1 0..2");
    lab.step(failed(0, 1, 0..1, RETRY), "dead letter #2 0 after 1");
    let answer = "stopped 0 after 1, hold back waiting";
    lab.step(dead_letter_done(2, DeadLetterOutcome::Permanent), answer);
}

#[test]
fn a_dead_letter_under_way_is_awaited_at_a_revoke_and_none_is_begun() {
    let mut lab = Lab::new(policy(1, OnFailure::DeadLetter));
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, RETRY), "dead letter #2 0 after 1");
    lab.step(revoking(&[0], 10), "");
    lab.step(
        dead_letter_done(2, DeadLetterOutcome::Written),
        "store 1, release [0]",
    );

    let mut lab = Lab::new(policy(1, OnFailure::DeadLetter));
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(revoking(&[0], 10), "cut 0");
    lab.step(failed(0, 1, 0..1, RETRY), "release [0]");
    lab.step(ended(0, 0, Some(1)), "");
}

#[test]
fn a_batch_is_run_record_by_record_once_after_its_last_attempt() {
    let mut lab = Lab::new(Policy {
        batch: true,
        ..policy(2, OnFailure::Skip)
    });
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(fetched(0, 4..6), "start #2 4..6");
    lab.step(failed(0, 1, 0..4, RETRY), "");
    lab.wait("start #3 0..4 cut 1 attempt 2, start #4 4..6 cut 1");
    lab.step(
        failed(0, 3, 0..4, RETRY),
        "start #5 0..4 cut 2 attempt 3 single, start #6 4..6 cut 2",
    );
    lab.step(failed(0, 5, 1..2, RETRY), "");
    lab.step(
        settled(0, 5, 1),
        "skipped 1, store 2, start #7 2..4 cut 3 attempt 3 single, start #8 4..6 cut 3",
    );
    lab.step(settled(0, 7, 4), "store 4");
}

#[test]
fn a_batch_may_name_the_record_that_failed() {
    let mut lab = Lab::new(Policy {
        batch: true,
        ..Policy::default()
    });
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(failed(0, 1, 2..3, RETRY), "");
    lab.wait("start #2 2..3 cut 1 attempt 2, start #3 3..4 cut 1");
}

#[test]
fn a_batch_of_one_rejected_record_meets_its_end_at_once() {
    let mut lab = Lab::new(Policy {
        batch: true,
        ..policy(2, OnFailure::Skip)
    });
    lab.step(fetched(0, 0..4), "start #1 0..4");
    lab.step(failed(0, 1, 2..3, Failure::Rejected), "");
    lab.step(settled(0, 1, 2), "skipped 2, store 3, start #2 3..4 cut 1");
}

#[test]
fn a_record_that_waits_is_reported_until_it_is_done() {
    let mut lab = Lab::new(Policy::default());
    lab.now = Duration::from_secs(3);
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, TRANSIENT), "");
    lab.wait("start #2 0..1 cut 1");
    let waiting: Vec<_> = lab.engine.waiting().map(|w| (w.since, w.wait)).collect();
    assert_eq!(waiting, [(Duration::from_secs(3), Wait::Transient)]);
    lab.step(settled(0, 2, 1), "store 1");
    assert_eq!(lab.engine.waiting().count(), 0);
}

#[test]
fn l1_a_clock_that_jumps_fires_each_timer_once() {
    let mut lab = Lab::new(Policy::default());
    lab.step(fetched(0, 0..1), "start #1 0..1");
    lab.step(failed(0, 1, 0..1, RETRY), "");
    lab.now = Duration::from_secs(1_000_000);
    lab.step(Event::Tick, "start #2 0..1 cut 1 attempt 2");
    lab.step(Event::Tick, "");
}
