//! `Ack`: a handler settles its record itself.

use crate::delivery::failure::{Failure, IntoFailure, Rejection};
use crate::delivery::settle::Delivery;
use crate::delivery::slot::DeliveryToken;
use crate::function::call::CallContext;
use crate::function::extract::FromContext;
use crate::function::shape::Shape;

/// Settles the record, or the batch, when the handler's return does not: a parameter of handlers
/// with `enable_auto_commit = false`.
///
/// The offset waits for it, the order does not: the next record starts when the handler has
/// returned. Dropping it is a failed attempt.
///
/// ```
/// # use fastkafka_core::Ack;
/// // under #[consumes(topic = "orders", enable_auto_commit = false)]
/// async fn on_orders(order: u64, ack: Ack) {
///     store_later(order, move |stored| {
///         let settled = if stored { ack.ack() } else { ack.fail("not stored") };
///         if settled.is_err() {
///             // The partition was revoked: its next owner handles the order again.
///         }
///     });
/// }
/// # fn store_later(_: u64, done: impl FnOnce(bool)) { done(true) }
/// # let _ = on_orders;
/// ```
#[derive(Debug)]
#[must_use = "dropping an `Ack` is a failed attempt of its record"]
pub struct Ack(Option<DeliveryToken>);

/// The partition was revoked before the record was settled: its next owner handles it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the partition was revoked before the record was settled; its next owner handles it again")]
pub struct Revoked;

impl Ack {
    /// The record is done.
    ///
    /// # Errors
    /// [`Revoked`]: it no longer counts.
    pub fn ack(self) -> Result<(), Revoked> {
        self.settle(|token| token.ack(|| Delivery::new("", 0, 0)))
    }

    /// The record failed: an attempt of it is used up, and it is handled again.
    ///
    /// # Errors
    /// [`Revoked`]: it no longer counts.
    pub fn fail(self, error: impl IntoFailure) -> Result<(), Revoked> {
        self.settle(|token| token.fail(error.into_failure()))
    }

    fn settle(mut self, how: impl FnOnce(DeliveryToken)) -> Result<(), Revoked> {
        let token = self
            .0
            .take()
            .expect("only `settle` and `drop` take the token");
        let revoked = token.released();
        how(token);
        if revoked { Err(Revoked) } else { Ok(()) }
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        if let Some(token) = self.0.take() {
            token.fail(Failure::retry(
                "the `Ack` was dropped without `ack()` or `fail()`",
            ));
        }
    }
}

impl<'r, S: Shape> FromContext<'r, S> for Ack {
    const SETTLES: bool = true;
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
        Ok(Self(Some(cx.token())))
    }
}
