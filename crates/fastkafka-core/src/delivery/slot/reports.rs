//! The delivery reports of a scope outside any handler.

use super::{DeliveryScope, Report};
use crate::delivery::failure::Failure;
use crate::delivery::settle::Delivery;
use crate::delivery::sync::Ordering::*;
use crate::lock::unpoisoned;
use std::task::{Poll, Waker};

#[derive(Default)]
pub(super) struct Collected {
    pub(super) delivered: Vec<Delivery>,
    pub(super) waker: Option<Waker>,
}

impl DeliveryScope {
    /// Waits until everything that was sent in a [`DeliveryScope::collecting`] scope is reported.
    ///
    /// # Errors
    /// When a record was lost: the reason, for the first of them.
    pub async fn reports(&self) -> Result<Vec<Delivery>, Failure> {
        if self.handled(0) {
            self.close(1);
        }
        let Report::Collect(collected) = &self.report else {
            return Ok(Vec::new());
        };
        std::future::poll_fn(|cx| {
            // Cloned, and the former one dropped, without the lock: both are the code of an executor.
            let waker = cx.waker().clone();
            let mut collected = unpoisoned(collected.lock());
            // Checked under the lock: the thread that closes the scope takes it to find the waker.
            if self.open.load(Acquire) == 0 {
                return Poll::Ready(());
            }
            let former = collected.waker.replace(waker);
            drop(collected);
            drop(former);
            Poll::Pending
        })
        .await;
        match unpoisoned(self.broken.lock()).take() {
            Some((_, failure)) => Err(failure),
            None => Ok(std::mem::take(&mut unpoisoned(collected.lock()).delivered)),
        }
    }
}
