//! One boxed future per run; the loop inside is monomorphic.

use crate::delivery::failure::{Failure, FailureKind, Rejection};
use crate::function::around::HandlerCall;
use crate::function::consumer::{Consumer, Outcome};
use crate::function::definition::ConsumerDef;
use crate::function::probe::shape::{InputOf, Shape};
use crate::record::{CallContext, Run};
use crate::testing::Hooks;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed},
};
use std::task::{Context, Poll};

/// The handlers of one run.
pub type RunFuture<'r> = Pin<Box<dyn Future<Output = RunEnd> + Send + 'r>>;

/// How a run ended. Neither all handled nor a failure: it was asked to stop.
#[derive(Debug)]
pub struct RunEnd {
    /// How many records were handled.
    pub handled: usize,
    /// How many records after those failed together (a batch, else one), and why.
    pub failure: Option<(usize, Failure)>,
}

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
pub fn handle<'r>(handler: &'static ConsumerDef, run: &'r Run<'r>) -> RunFuture<'r> {
    match run.app.watch() {
        None => (handler.run)(run),
        Some(watch) => watch.run(handler, run),
    }
}

/// Handles a run with the function itself.
pub fn run<'r, C: Consumer>(run: &'r Run<'r>) -> RunFuture<'r> {
    run_with::<C, Direct>(run, &Direct)
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
pub fn run_with<'r, C: Consumer, I: Invoke<C>>(run: &'r Run<'r>, with: &'r I) -> RunFuture<'r> {
    Box::pin(async move {
        let records = run.records.len();
        let step = if C::Shape::BATCH && !run.single {
            records
        } else {
            1
        };
        let hooks = Hooks::new(run.app);
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
            cx.len = 1;
            if let Some(hooks) = hooks {
                hooks.undecoded(&HandlerCall::new(const { &C::DEF }, &cx), &rejection);
            }
            return (1, Err((0, rejection.into())));
        }
    };
    cx.len = taken;
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

/// Polls a whole run under one `catch_unwind` per poll. The scope's index says which record panicked.
#[derive(Debug)]
pub struct CatchRun<F>(Option<F>);

impl<F> CatchRun<F> {
    /// Catches the panics of `future`.
    pub fn new(future: F) -> Self {
        Self(Some(future))
    }
}

impl<F: Future + Unpin> Future for CatchRun<F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.0.as_mut().expect("a run is not polled after it ended");
        // What a panic may leave half done is inside the future, and that is dropped here. The
        // slots outside are atomics.
        match catch_unwind(AssertUnwindSafe(|| Pin::new(future).poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => {
                self.0 = None;
                Poll::Ready(Err(panic))
            }
        }
    }
}

/// The text of a panic.
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}
