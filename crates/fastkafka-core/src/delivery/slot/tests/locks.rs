//! Code of the user's that the slots run: errors that are dropped, and wakers. No lock is held meanwhile.

use super::*;
use std::fmt;
use std::pin::pin;
use std::sync::mpsc::channel;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

/// Longest time for what takes none.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ends also where `work` waits for itself.
fn ends(work: impl FnOnce() + Send + 'static) {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        work();
        tell.send(()).unwrap();
    });
    told.recv_timeout(PATIENCE).expect("it waits for itself");
}

/// An error of the user's that holds the `Ack` of a record.
#[derive(Debug)]
struct NotStored {
    _ack: DeliveryToken,
}

impl fmt::Display for NotStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not stored")
    }
}

impl std::error::Error for NotStored {}

#[test]
fn an_error_that_gives_way_may_hold_an_ack_of_its_run() {
    ends(|| {
        let run = attempt(3);
        let [first, second, third] = [0, 1, 2].map(|at| run.scope.token(at));
        third.fail(Failure::from_error(NotStored { _ack: second }));
        first.fail(Failure::retry("lost"));
        (0..3).for_each(|at| run.handled(at));
        assert_eq!(run.end(), Some((0, Some("lost".into()))));
    });
}

/// A task that holds an output: its last waker frees it.
struct Task(#[expect(dead_code, reason = "it is dropped with the task")] DeliveryToken);

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_waker_that_gives_way_may_hold_an_output_of_its_scope() {
    ends(|| {
        let scope = DeliveryScope::collecting();
        let task = Waker::from(Arc::new(Task(scope.token(0))));
        let mut reports = pin!(scope.reports());
        let poll = reports.as_mut().poll(&mut Context::from_waker(&task));
        assert!(poll.is_pending());
        drop(task);
        let poll = reports
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_pending());
        let poll = reports.poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_ready());
    });
}
