use super::*;
use std::pin::pin;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, Wake, Waker};

#[test]
fn a_run_without_outputs_closes_with_its_last_record() {
    let run = attempt(3);
    for at in 0..3 {
        assert_eq!(run.end(), None);
        run.handled(at);
    }
    assert_eq!(run.end(), Some((3, None)));
}

#[test]
fn records_without_outputs_are_closed_in_one_step() {
    let run = attempt(3);
    assert!((0..3).all(|at| run.scope.handled(at)));
    assert_eq!(run.end(), None);
    run.scope.close(3);
    assert_eq!(run.end(), Some((3, None)));
}

#[test]
fn an_output_keeps_its_record_open_until_it_is_acknowledged() {
    let run = attempt(2);
    let (first, second) = (run.scope.token(0), run.scope.token(0));
    run.handled(0);
    run.handled(1);
    first.ack(delivery);
    assert_eq!((run.end(), run.scope.progress(0)), (None, 0));
    second.ack(delivery);
    assert_eq!(run.end(), Some((2, None)));
}

#[test]
fn a_report_may_come_before_the_handler_returns() {
    let run = attempt(1);
    run.scope.token(0).ack(delivery);
    assert_eq!(run.end(), None);
    run.handled(0);
    assert_eq!(run.end(), Some((1, None)));
}

#[test]
fn a_lost_output_settles_what_stands_before_its_record() {
    let run = attempt(3);
    let token = run.scope.token(1);
    (0..3).for_each(|at| run.handled(at));
    token.fail(Failure::retry("lost"));
    assert_eq!(run.end(), Some((1, Some("lost".into()))));
}

#[test]
fn a_lost_output_stops_the_run() {
    let run = attempt(2);
    assert!(!run.scope.stopping());
    run.scope.token(0).fail(Failure::retry("lost"));
    assert!(run.scope.stopping() && run.stop.stopping());
    run.handled(0);
    run.scope.finish(1, 0);
    assert_eq!(run.end().unwrap().0, 0);
}

#[test]
fn the_first_record_that_lost_something_counts() {
    for order in [[2, 1], [1, 2]] {
        let run = attempt(3);
        let tokens = order.map(|at| (at, run.scope.token(at)));
        (0..3).for_each(|at| run.handled(at));
        for (at, token) in tokens {
            token.fail(Failure::retry(at));
        }
        assert_eq!(run.end(), Some((1, Some("1".into()))));
    }
}

#[test]
fn a_dropped_token_is_a_failure_and_a_cancelled_one_is_none() {
    let run = attempt(1);
    run.scope.token(0).cancel();
    assert_eq!(run.scope.progress(0), 0);
    drop(run.scope.token(0));
    run.handled(0);
    let (settled, broken) = run.end().unwrap();
    assert_eq!(settled, 0);
    assert!(broken.unwrap().contains("dropped"));

    let run = attempt(1);
    run.scope.token(0).cancel();
    run.handled(0);
    assert_eq!(run.end(), Some((1, None)));
}

#[test]
fn a_failed_record_closes_when_what_it_sent_is_reported() {
    let run = attempt(4);
    run.handled(0);
    let sent = run.scope.token(1);
    run.scope.finish(1, 1);
    assert_eq!(run.end(), None);
    // Lost or not: the handler's own failure was told before.
    sent.fail(Failure::retry("lost"));
    assert_eq!(run.end(), Some((1, None)));
}

#[test]
fn records_that_were_not_begun_close_with_the_end_of_the_loop() {
    let run = attempt(4);
    run.handled(0);
    run.handled(1);
    run.scope.finish(2, 0);
    assert_eq!(run.end(), Some((2, None)));
}

#[test]
fn progress_ends_at_the_first_open_record() {
    let run = attempt(4);
    let token = run.scope.token(2);
    (0..4).for_each(|at| run.handled(at));
    assert_eq!(run.scope.progress(0), 2);
    assert_eq!(run.scope.progress(2), 2);
    token.ack(delivery);
    assert_eq!(run.end(), Some((4, None)));
}

#[test]
fn progress_ends_at_a_lost_output() {
    let run = attempt(4);
    let open = run.scope.token(3);
    run.scope.token(1).fail(Failure::retry("lost"));
    (0..4).for_each(|at| run.handled(at));
    assert_eq!(run.scope.progress(0), 1);
    open.ack(delivery);
}

// The lost output is then on its way to the driver and in the scope no more: the driver would take
// the records behind it for settled and commit past it. [S6]
#[test]
fn a_closed_run_shows_no_progress_past_a_lost_output() {
    let run = attempt(3);
    let token = run.scope.token(1);
    (0..3).for_each(|at| run.handled(at));
    token.fail(Failure::retry("lost"));
    assert!(run.end().is_some());
    assert!(run.scope.progress(0) <= 1);
}

#[test]
fn a_token_is_one_pointer_and_survives_the_client() {
    assert_eq!(size_of::<DeliveryToken>(), size_of::<usize>());
    let run = attempt(1);
    let raw = run.scope.token(0).into_raw();
    run.handled(0);
    assert_eq!(run.end(), None);
    // SAFETY: made by `into_raw` above, taken back once.
    unsafe { DeliveryToken::from_raw(raw) }.ack(delivery);
    assert_eq!(run.end(), Some((1, None)));
}

#[test]
fn a_scope_lives_as_long_as_its_tokens_and_no_longer() {
    let Attempt { told, stop, scope } = attempt(2);
    let token = scope.token(0);
    (0..2).for_each(|at| scope.close(u32::from(scope.handled(at))));
    let weak = sync::Arc::downgrade(&scope);
    drop(scope);
    assert!(weak.upgrade().is_some());
    token.ack(delivery);
    assert_eq!(told.end(), Some((2, None)));
    assert!(weak.upgrade().is_none());
    // With it went what it held.
    assert_eq!((Arc::strong_count(&stop), Arc::strong_count(&told)), (1, 1));
}

#[test]
fn an_attempt_that_is_forgotten_is_freed() {
    let run = attempt(2);
    let weak = sync::Arc::downgrade(&run.scope);
    drop(run);
    assert!(weak.upgrade().is_none());
}

#[test]
fn tokens_know_that_their_partition_was_revoked() {
    let run = attempt(1);
    let token = run.scope.token(0);
    assert!(!token.released());
    run.stop.release();
    assert!(token.released() && run.stop.stopping());
    token.cancel();
    run.handled(0);
}

#[test]
fn nobody_waits_for_a_detached_token() {
    DeliveryToken::detached().ack(delivery);
    DeliveryToken::detached().fail(Failure::retry("lost"));
    drop(DeliveryToken::detached());
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn reports_come_in_the_order_of_acknowledgement() {
    let scope = DeliveryScope::collecting();
    let (first, second) = (scope.token(0), scope.token(0));
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(woken.clone());
    let mut cx = Context::from_waker(&waker);
    let mut reports = pin!(scope.reports());
    assert!(reports.as_mut().poll(&mut cx).is_pending());
    second.ack(|| Delivery::new("out", 0, 2));
    assert_eq!(woken.0.load(Relaxed), 0);
    first.ack(|| Delivery::new("out", 0, 1));
    assert_eq!(woken.0.load(Relaxed), 1);
    let Poll::Ready(Ok(delivered)) = reports.as_mut().poll(&mut cx) else {
        panic!("all is reported")
    };
    let offsets: Vec<_> = delivered.iter().map(|delivery| delivery.offset).collect();
    assert_eq!(offsets, [2, 1]);
}

#[test]
fn a_lost_record_is_the_error_of_the_reports() {
    let scope = DeliveryScope::collecting();
    let (kept, lost) = (scope.token(0), scope.token(0));
    lost.fail(Failure::retry("lost"));
    kept.ack(delivery);
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(failure)) = pin!(scope.reports()).poll(&mut cx) else {
        panic!("all is reported")
    };
    assert_eq!(failure.message(), "lost");
}

/// A call may be refused, and a `delivery_scope` cancelled.
#[test]
fn a_scope_whose_reports_nobody_waits_for_is_freed_with_its_last_output() {
    let scope = DeliveryScope::collecting();
    let (left, sent) = (sync::Arc::downgrade(&*scope), scope.token(0));
    scope.token(0).cancel();
    drop(scope);
    assert!(left.upgrade().is_some(), "an output is on its way");
    sent.ack(delivery);
    assert!(left.upgrade().is_none());
}

#[test]
fn a_record_that_is_closed_is_kept_open_by_nobody() {
    let run = attempt(3);
    run.handled(0);
    run.scope.finish(1, 1);
    for at in 0..3 {
        let ask = std::panic::AssertUnwindSafe(|| run.scope.token(at));
        let token = std::panic::catch_unwind(ask);
        assert!(token.is_err(), "record {at} is closed");
    }
    assert_eq!(run.end(), Some((1, None)));
}
