//! One boxed future per run; the loop inside is monomorphic.

use super::around::HandlerCall;
use super::call::{CallContext, Run, RunEnd, RunFuture};
use super::consumer::{Consumer, Outcome};
use super::definition::ConsumerDef;
use super::interceptor::Hooks;
use super::shape::{InputOf, Shape};
use crate::app::AppContext;
use crate::delivery::failure::{Failure, FailureKind, Rejection};
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed},
};
use std::task::Poll;

/// The function, or whatever a tester put in its place.
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

/// Handles a run with the handler's function, or with what a tester put in its place.
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

/// Closes what needed no more than its handler: counted in the loop, told once, also when the loop
/// is left by a panic or a drop.
struct Tally<'r> {
    run: &'r Run<'r>,
    closed: u32,
}

impl Drop for Tally<'_> {
    fn drop(&mut self) {
        self.run.scope.close(self.closed);
    }
}

/// Handles a run with `with` in the function's place.
pub fn run_with<'r, C: Consumer, I: Invoke<C>>(
    run: &'r Run<'r>,
    hooks: Hooks<'r>,
    with: &'r I,
) -> RunFuture<'r> {
    Box::pin(async move {
        let records = run.records.len();
        let step = if C::Shape::BATCH && !run.single {
            records
        } else {
            1
        };
        let hooks = (!hooks.is_empty()).then_some(hooks);
        let mut tally = Tally { run, closed: 0 };
        let mut handled = 0;
        let mut calls = 0_usize;
        while handled < records && !run.scope.stopping() {
            run.scope.begin(handled);
            let (taken, outcome) = one_call::<C, I>(
                run,
                with,
                hooks.as_ref(),
                handled,
                step.min(records - handled),
            )
            .await;
            let outcome = outcome.map_err(|(at, failure)| {
                // The handler passed on that its output can never be sent.
                let hopeless = matches!(failure.kind(), FailureKind::Retry { .. })
                    && run.scope.is_hopeless(handled);
                let rejected = |failure: Failure| failure.with_kind(FailureKind::Rejected);
                (at, if hopeless { rejected(failure) } else { failure })
            });
            let (done, failure) = match outcome {
                // A thread cannot be stopped, so its call is judged when it returns.
                Ok(()) if run.expired.is_some_and(|expired| expired.load(Acquire)) => (
                    0,
                    Some((taken, Failure::retry("took longer than its time limit"))),
                ),
                Ok(()) => (taken, None),
                // A batch that names a record: what stands before it is done.
                Err((at, failure)) if at > 0 && at < taken => (at, Some((1, failure))),
                Err((_, failure)) if step > 1 && !run.single => (0, Some((taken, failure))),
                Err((_, failure)) => (0, Some((1, failure))),
            };
            for record in handled..handled + done {
                tally.closed += u32::from(run.scope.handled(record));
            }
            handled += done;
            if failure.is_some() {
                return RunEnd { handled, failure };
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
        run.scope.take(1);
    }
    let (input, taken) = match C::Input::gather(&cx, C::decode) {
        Ok(gathered) => gathered,
        Err(rejection) => {
            cx.shorten(1);
            if let Some(hooks) = hooks {
                hooks.undecoded(&HandlerCall::new(const { &C::DEF }, &cx), &rejection);
            }
            return (1, Err((0, rejection.into())));
        }
    };
    cx.shorten(taken);
    if C::Shape::BATCH {
        run.scope.take(taken);
    }
    let outcome = match hooks {
        None => match with.invoke(input, &cx).await {
            Ok(output) => C::outcome(output),
            Err(rejection) => Err((0, rejection.into())),
        },
        Some(hooks) => {
            let at = AtomicUsize::new(0);
            let next = Box::pin(async {
                let outcome = match with.invoke(input, &cx).await {
                    Ok(output) => C::outcome(output),
                    Err(rejection) => Err((0, rejection.into())),
                };
                outcome.map_err(|(index, failure)| {
                    at.store(index, Relaxed);
                    failure
                })
            });
            let call = HandlerCall::new(const { &C::DEF }, &cx);
            let outcome = hooks.call(call, next).await;
            outcome.map_err(|failure| (at.load(Relaxed), failure))
        }
    };
    (taken, outcome)
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
