//! The calls of a run: one boxed future with a loop over its records, monomorphic for each handler.

use super::around::HandlerCall;
use super::call::{CallContext, Run, RunEnd, RunFuture};
use super::consumer::{Consumer, Outcome};
use super::definition::ConsumerDef;
use super::interceptor::Hooks;
use super::shape::{InputOf, Shape};
use crate::app::AppContext;
use crate::delivery::failure::{Failure, FailureKind, Rejection};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::Acquire;
use std::task::Poll;

/// The function, or the mock that a tester puts in its place.
pub trait Invoke<C: Consumer>: Sync {
    /// Calls it.
    fn invoke<'a>(
        &'a self,
        input: C::Input<'a>,
        cx: &'a CallContext<'a>,
    ) -> impl Future<Output = Result<C::Output, Rejection>> + Send + 'a;
}

/// The function itself.
#[derive(Debug)]
pub struct Direct;

impl<C: Consumer> Invoke<C> for Direct {
    #[inline]
    fn invoke<'a>(
        &'a self,
        input: C::Input<'a>,
        cx: &'a CallContext<'a>,
    ) -> impl Future<Output = Result<C::Output, Rejection>> + Send + 'a {
        C::call(input, cx)
    }
}

/// Handles a run with the handler's function, or as the app's interceptor wants.
#[inline]
pub fn handle<'r>(
    app: &'r AppContext,
    handler: &'static ConsumerDef,
    run: &'r Run<'r>,
) -> RunFuture<'r> {
    match app.interceptor() {
        None => (handler.run)(run, app.hooks()),
        Some(interceptor) => interceptor.run(handler, run, app.hooks()),
    }
}

/// Handles a run with the function itself.
pub fn run<'r, C: Consumer>(run: &'r Run<'r>, hooks: Hooks<'r>) -> RunFuture<'r> {
    run_with::<C, Direct>(run, hooks, &Direct)
}

/// Tokio's budget counts awaits of its own resources; a handler that never waits meets none.
const YIELD_EVERY: usize = 64;

/// Handles a run with `with` in the function's place.
pub fn run_with<'r, C: Consumer, I: Invoke<C>>(
    run: &'r Run<'r>,
    hooks: Hooks<'r>,
    with: &'r I,
) -> RunFuture<'r> {
    Box::pin(async move {
        let hooks = (!hooks.is_empty()).then_some(hooks);
        let records = run.records.len();
        let in_batches = C::Shape::BATCH && !run.single;
        let mut closed = ClosedRecords { run, count: 0 };
        let mut handled = 0;
        let mut calls = 0_usize;
        while handled < records && !run.scope.stopping() {
            run.scope.begin(handled);
            let most = if in_batches { records - handled } else { 1 };
            let (taken, outcome) = one_call::<C, I>(run, with, hooks.as_ref(), handled, most).await;
            let (done, failure) = judge(run, handled, taken, outcome);
            for record in handled..handled + done {
                closed.count += u32::from(run.scope.handled(record));
            }
            handled += done;
            if let Some((failed, failure)) = failure {
                if let Err(failure) = put_aside(run, handled, taken, failure) {
                    let failure = Some((failed, failure));
                    return RunEnd { handled, failure };
                }
                closed.count += u32::from(run.scope.handled(handled));
                handled += 1;
            }
            calls += 1;
            if calls.is_multiple_of(YIELD_EVERY) && handled < records {
                // A time-out while this waits must not fail the record that is done.
                run.scope.begin(handled);
                yield_now().await;
            }
        }
        RunEnd {
            handled,
            failure: None,
        }
    })
}

/// Sends a record that has failed for the last time to the dead letters, and goes on. The failure comes back
/// where its end takes another way: that of a batch of several, of a record that something else keeps open or has
/// lost, or where it may be tried again. The call `took` so many records.
fn put_aside(run: &Run<'_>, at: usize, took: usize, failure: Failure) -> Result<(), Failure> {
    // No new one is begun while its partition is given back.
    let alone = took == 1 && run.scope.is_bare(at) && !run.scope.stopping();
    let letters = run.letters.filter(|_| alone);
    let Some(letters) = letters.filter(|letters| letters.is_last(at, &failure)) else {
        return Err(failure);
    };
    letters.send(at, failure, run.scope.token(at))
}

/// Records that nothing but their handler kept open: counted in the loop, and closed in one step when
/// it ends, also by a panic or a drop.
struct ClosedRecords<'r> {
    run: &'r Run<'r>,
    count: u32,
}

impl Drop for ClosedRecords<'_> {
    fn drop(&mut self) {
        self.run.scope.close(self.count);
    }
}

/// The number of records of a call that are done, then the number of those that failed together, and the
/// reason. The call took `taken` records from index `first` on.
fn judge(
    run: &Run<'_>,
    first: usize,
    taken: usize,
    outcome: Outcome,
) -> (usize, Option<(usize, Failure)>) {
    match outcome {
        // A thread cannot be stopped, so its call is judged when it returns.
        Ok(())
            if run
                .expired
                .is_some_and(|expired| expired.load(Acquire) == first + 1) =>
        {
            let late = Failure::retry("took longer than its time limit");
            (0, Some((taken, late)))
        }
        Ok(()) => (taken, None),
        Err((at, failure)) => {
            let is_retry = matches!(failure.kind(), FailureKind::Retry { .. });
            // The handler passed on, maybe in an error of its own, that its output can never be sent, or
            // not now.
            let failure = if is_retry && run.scope.is_hopeless(first) {
                failure.with_kind(FailureKind::Rejected)
            } else if is_retry && run.scope.is_excused(first) {
                failure.with_kind(FailureKind::Transient { after: None })
            } else {
                failure
            };
            match at.filter(|at| *at < taken) {
                // A batch that names a record, the first one too: the records before it are done.
                Some(at) => (at, Some((1, failure))),
                None => (0, Some((taken, failure))),
            }
        }
    }
}

/// Decodes and handles the records from `first` on, at most `len`; says how many went in.
#[inline]
async fn one_call<C: Consumer, I: Invoke<C>>(
    run: &Run<'_>,
    with: &I,
    hooks: Option<&Hooks<'_>>,
    first: usize,
    len: usize,
) -> (usize, Outcome) {
    let mut cx = CallContext::new(run, first, len);
    if C::Shape::BATCH {
        // A panic while the batch is decoded is the fault of its first record alone.
        run.scope.take(1);
    }
    let (input, taken) = match C::Input::gather(&cx, C::decode) {
        Ok(gathered) => gathered,
        Err(rejection) => {
            cx.shorten(1);
            if let Some(hooks) = hooks {
                hooks.undecoded(&HandlerCall::new(const { &C::DEF }, &cx), &rejection);
            }
            return (1, Err((None, rejection.into())));
        }
    };
    cx.shorten(taken);
    if C::Shape::BATCH {
        run.scope.take(taken);
    }
    let outcome = match hooks {
        None => outcome_of::<C>(with.invoke(input, &cx).await),
        Some(hooks) => {
            // A hook sees a failure without the index of its record, which goes round it.
            let at = OnceLock::new();
            let next = Box::pin(async {
                let outcome = outcome_of::<C>(with.invoke(input, &cx).await);
                outcome.map_err(|(index, failure)| {
                    let _ = at.set(index);
                    failure
                })
            });
            let call = HandlerCall::new(const { &C::DEF }, &cx);
            let outcome = hooks.call(call, next).await;
            outcome.map_err(|failure| (at.get().copied().flatten(), failure))
        }
    };
    (taken, outcome)
}

/// The outcome of a call; a parameter that could not be made rejects its record.
#[inline]
fn outcome_of<C: Consumer>(returned: Result<C::Output, Rejection>) -> Outcome {
    match returned {
        Ok(output) => C::outcome(output),
        Err(rejection) => Err((None, rejection.into())),
    }
}

/// Lets other tasks run; core has no tokio.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
