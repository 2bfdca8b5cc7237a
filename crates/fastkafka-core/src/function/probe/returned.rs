//! The judgement of what a handler returned, asked of the type.

use crate::delivery::failure::{BatchFailure, Failure, FailureKind, IntoFailure};
use crate::function::consumer::Outcome;
use std::error::Error;
use std::fmt::Display;

/// A `reject_if` or `retry_if` function.
pub(crate) type Judge<E> = fn(&E) -> bool;

/// Turns what a handler returned into an [`Outcome`]. The expansion calls `outcome` at a concrete
/// type, where the inherent form, for errors that are an `Error`, wins over the trait's.
#[derive(Debug)]
pub struct Returned<T>(pub T);

impl<E: Error + Send + Sync + 'static> Returned<Result<(), E>> {
    /// Keeps the error as the source of the failure.
    ///
    /// # Errors
    /// The handler's.
    #[inline]
    pub fn outcome(self, reject_if: Option<Judge<E>>, retry_if: Option<Judge<E>>) -> Outcome {
        self.0.map_err(|e| {
            let kind = judge(&e, reject_if, retry_if);
            (None, with(Failure::from_error(e), kind))
        })
    }
}

/// The judgement of [`Returned`] for everything that is not an `Error`.
pub trait OutcomeOf {
    /// The value that `reject_if` and `retry_if` look at.
    type Error;
    /// Judges the return value.
    ///
    /// # Errors
    /// The handler's.
    fn outcome(
        self,
        reject_if: Option<Judge<Self::Error>>,
        retry_if: Option<Judge<Self::Error>>,
    ) -> Outcome;
}

impl OutcomeOf for Returned<()> {
    type Error = ();
    #[inline]
    fn outcome(self, _: Option<Judge<()>>, _: Option<Judge<()>>) -> Outcome {
        Ok(())
    }
}

impl OutcomeOf for Returned<Result<(), Failure>> {
    type Error = Failure;
    #[inline]
    fn outcome(
        self,
        reject_if: Option<Judge<Failure>>,
        retry_if: Option<Judge<Failure>>,
    ) -> Outcome {
        self.0.map_err(|e| {
            let kind = judge(&e, reject_if, retry_if);
            (None, with(e, kind))
        })
    }
}

impl OutcomeOf for Returned<Result<(), BatchFailure>> {
    type Error = BatchFailure;
    fn outcome(
        self,
        reject_if: Option<Judge<BatchFailure>>,
        retry_if: Option<Judge<BatchFailure>>,
    ) -> Outcome {
        self.0.map_err(|e| {
            let kind = judge(&e, reject_if, retry_if);
            let (index, failure) = e.into_parts();
            (Some(index), with(failure, kind))
        })
    }
}

impl<E: Display> OutcomeOf for Returned<Result<(), E>> {
    type Error = E;
    #[inline]
    fn outcome(self, reject_if: Option<Judge<E>>, retry_if: Option<Judge<E>>) -> Outcome {
        self.0.map_err(|e| {
            let kind = judge(&e, reject_if, retry_if);
            (None, with(e.into_failure(), kind))
        })
    }
}

/// Takes what nothing else takes, so that a wrong return type is reported once: by [`HandlerReturn`](crate::HandlerReturn).
pub trait NoOutcome: Sized {
    /// Never called: the type is no [`HandlerReturn`](crate::HandlerReturn).
    ///
    /// # Errors
    /// Never.
    fn outcome(self, _: Option<Judge<()>>, _: Option<Judge<()>>) -> Outcome {
        unreachable!("not a handler's return type")
    }
}
impl<T> NoOutcome for &Returned<T> {}

/// `reject_if` comes first: what can never succeed must not wait without limit.
fn judge<E>(
    error: &E,
    reject_if: Option<Judge<E>>,
    retry_if: Option<Judge<E>>,
) -> Option<FailureKind> {
    if reject_if.is_some_and(|f| f(error)) {
        Some(FailureKind::Rejected)
    } else if retry_if.is_some_and(|f| f(error)) {
        Some(FailureKind::Transient { after: None })
    } else {
        None
    }
}

fn with(failure: Failure, kind: Option<FailureKind>) -> Failure {
    match kind {
        Some(kind) => failure.with_kind(kind),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_kept_and_a_text_is_enough() {
        let parse: Result<(), _> = "x".parse::<u8>().map(|_| ());
        let (_, failure) = Returned(parse).outcome(None, None).unwrap_err();
        assert!(failure.error().is_some());
        let (_, failure) = Returned(Err::<(), _>("no"))
            .outcome(None, None)
            .unwrap_err();
        assert!(failure.error().is_none());
        assert_eq!(failure.message(), "no");
        assert!(Returned(()).outcome(None, None).is_ok());
    }

    #[test]
    fn reject_if_wins_over_retry_if() {
        let yes: Judge<&str> = |_| true;
        let (_, failure) = Returned(Err::<(), _>("no"))
            .outcome(Some(yes), Some(yes))
            .unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Rejected);
        let (_, failure) = Returned(Err::<(), _>("no"))
            .outcome(None, Some(yes))
            .unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Transient { after: None });
    }

    #[test]
    fn a_batch_failure_keeps_its_index() {
        let (at, failure) = Returned(Err::<(), _>(BatchFailure::at(3, Failure::reject("bad"))))
            .outcome(None, None)
            .unwrap_err();
        assert_eq!((at, failure.kind()), (Some(3), FailureKind::Rejected));
    }
}
