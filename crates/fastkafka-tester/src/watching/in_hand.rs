//! The call in hand: whose output it is that a client is given.

use crate::watching::calls::RecordedCall;
use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

thread_local! {
    /// The call that is being polled on this thread.
    static IN_HAND: RefCell<Option<Arc<RecordedCall>>> = const { RefCell::new(None) };
}

/// The call whose code runs here. None in what it has spawned.
pub(crate) fn in_hand() -> Option<Arc<RecordedCall>> {
    IN_HAND.with_borrow(Clone::clone)
}

/// The work of a call, which is in hand while it is polled.
pub(super) struct InHand<F> {
    call: Arc<RecordedCall>,
    work: F,
}

impl<F> InHand<F> {
    pub(super) fn new(call: Arc<RecordedCall>, work: F) -> Self {
        Self { call, work }
    }
}

impl<F: Future + Unpin> Future for InHand<F> {
    type Output = F::Output;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        /// Puts back what was in hand before, also after a panic.
        struct Before(Option<Arc<RecordedCall>>);
        impl Drop for Before {
            fn drop(&mut self) {
                IN_HAND.set(self.0.take());
            }
        }
        let _before = Before(IN_HAND.replace(Some(self.call.clone())));
        Pin::new(&mut self.work).poll(cx)
    }
}
