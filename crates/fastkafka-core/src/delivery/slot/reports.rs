//! The delivery reports of a scope outside any handler.

use super::{Report, ScopeRef};
use crate::delivery::failure::Failure;
use crate::delivery::settle::Delivery;
use crate::delivery::sync::Ordering::*;
use crate::lock::unpoisoned;
use std::ops::Deref;
use std::task::{Poll, Waker};

#[derive(Default)]
pub(super) struct Collected {
    pub(super) delivered: Vec<Delivery>,
    pub(super) waker: Option<Waker>,
}

/// A scope outside any handler, as whoever waits for its reports has it. While this is there, its one record is
/// open; dropped, nobody waits, and the scope goes with the last of its outputs.
#[derive(Debug)]
#[must_use = "nobody else waits for the reports"]
pub struct Collecting(pub(super) ScopeRef);

impl Deref for Collecting {
    type Target = ScopeRef;

    fn deref(&self) -> &ScopeRef {
        &self.0
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        if self.0.handled(0) {
            self.0.close(1);
        }
    }
}

impl Collecting {
    /// Waits until everything that was sent is reported.
    ///
    /// # Errors
    /// When a record was lost: the reason, for the first of them.
    pub async fn reports(self) -> Result<Vec<Delivery>, Failure> {
        let scope = self.0.clone();
        drop(self);
        let Report::Collect(collected) = &scope.report else {
            return Ok(Vec::new());
        };
        std::future::poll_fn(|cx| {
            // Cloned, and the former one dropped, without the lock: both are the code of an executor.
            let waker = cx.waker().clone();
            let mut collected = unpoisoned(collected.lock());
            // Checked under the lock: the thread that closes the scope takes it to find the waker.
            if scope.open.load(Acquire) == 0 {
                return Poll::Ready(());
            }
            let former = collected.waker.replace(waker);
            drop(collected);
            drop(former);
            Poll::Pending
        })
        .await;
        match unpoisoned(scope.broken.lock()).take() {
            Some((_, failure)) => Err(failure),
            None => Ok(std::mem::take(&mut unpoisoned(collected.lock()).delivered)),
        }
    }
}
