//! Panics of handlers and tasks.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Polls a whole run under one `catch_unwind` per poll, and drops it under another: a run that is cut drops
/// what its handler had in hand. The scope's index says which record panicked.
#[derive(Debug)]
pub struct CatchRun<F>(Option<F>);

impl<F> CatchRun<F> {
    /// Catches the panics of `future`.
    pub fn new(future: F) -> Self {
        Self(Some(future))
    }

    fn end(&mut self) {
        quietly(|| self.0 = None);
    }
}

impl<F: Future + Unpin> Future for CatchRun<F> {
    /// The error is the text of the panic.
    type Output = Result<F::Output, String>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.0.as_mut().expect("a run is not polled after it ended");
        // What a panic may leave half done is inside the future, and that is dropped here. The
        // slots outside are atomics.
        match catch_unwind(AssertUnwindSafe(|| Pin::new(future).poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => {
                self.end();
                let text = panic_text(&*panic).to_owned();
                discard(panic);
                Poll::Ready(Err(text))
            }
        }
    }
}

impl<F> Drop for CatchRun<F> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Drops a user's value.
pub(crate) fn drop_quietly<T>(value: T) {
    quietly(|| drop(value));
}

/// A panic of a user's drop was told by the panic hook; nobody else here is to hear of it.
fn quietly(dropping: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(dropping)) {
        discard(panic);
    }
}

/// What a panic carries is a user's value, and may panic in its turn when it is dropped.
fn discard(panic: Box<dyn Any + Send>) {
    if let Err(next) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(next);
    }
}

/// The text of a panic.
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}
