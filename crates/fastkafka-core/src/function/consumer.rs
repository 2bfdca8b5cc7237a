//! A function under `#[consumes]`, seen as a type.

use crate::codec::Codec;
use crate::delivery::failure::{BatchFailure, Failure, FailureKind, IntoFailure, Rejection};
use crate::function::definition::ConsumerDef;
use crate::function::probe::shape::{InputOf, Shape};
use crate::function::registry::Register;
use crate::record::{CallContext, RawRecord};
use schemars::{Schema, SchemaGenerator};
use std::any::TypeId;
use std::error::Error;
use std::fmt::Display;

/// A function under `#[consumes]`, seen as a type. Implemented by the attribute only.
pub trait Consumer: Register + Sized + Send + Sync + 'static {
    /// What the attribute says.
    const DEF: ConsumerDef;
    /// How many records one call takes.
    type Shape: Shape;
    /// What reads the payload.
    type Codec: Codec;
    /// What one record carries: `InputData`, also for `Vec<InputData>`.
    type Payload: 'static;
    /// The first parameter.
    type Input<'r>: InputOf<'r, Self::Shape>;
    /// The first parameter with every lifetime `'static`: what mocks and spies are typed by.
    type Args: 'static;
    /// The return type.
    type Output: HandlerReturn + Send + 'static;

    /// Reads one record's payload.
    ///
    /// # Errors
    /// When the bytes are something else.
    fn decode<'r>(
        record: &RawRecord<'r>,
    ) -> Result<<Self::Input<'r> as InputOf<'r, Self::Shape>>::Payload, Rejection>;

    /// Extracts the other parameters and calls the function.
    fn call<'r>(
        input: Self::Input<'r>,
        cx: &'r CallContext<'r>,
    ) -> impl Future<Output = Result<Self::Output, Rejection>> + Send + 'r;

    /// Judges what the function returned, with `reject_if` and `retry_if`.
    fn outcome(output: Self::Output) -> Outcome;

    /// The schema of the payload.
    fn schema(generator: &mut SchemaGenerator) -> Schema;

    /// State types the parameters need.
    fn requires(_need: &mut dyn FnMut(TypeId, &'static str)) {}
}

/// What came of a handler call: done, or the index in the batch (0 for one record) and the failure.
pub type Outcome = Result<(), (usize, Failure)>;

/// What a consumer may return: `()`, or `Result<(), E>` with `E: Display`, [`Failure`] or [`BatchFailure`].
#[diagnostic::on_unimplemented(
    message = "a consumer cannot return `{Self}`",
    label = "expected `()` or `Result<(), E>` with `E: Display`",
    note = "to send a value, call a `#[produces]` function"
)]
pub trait HandlerReturn {}
impl HandlerReturn for () {}
impl HandlerReturn for Result<(), Failure> {}
impl HandlerReturn for Result<(), BatchFailure> {}
impl<E: Display> HandlerReturn for Result<(), E> {}

/// A `reject_if` or `retry_if` function.
pub type Judge<E> = fn(&E) -> bool;

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
            (0, with(Failure::from_error(e), kind))
        })
    }
}

/// What [`Returned`] does with everything that is not an `Error`.
pub trait OutcomeOf {
    /// What `reject_if` and `retry_if` look at.
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
            (0, with(e, kind))
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
            (index, with(failure, kind))
        })
    }
}

impl<E: Display> OutcomeOf for Returned<Result<(), E>> {
    type Error = E;
    #[inline]
    fn outcome(self, reject_if: Option<Judge<E>>, retry_if: Option<Judge<E>>) -> Outcome {
        self.0.map_err(|e| {
            let kind = judge(&e, reject_if, retry_if);
            (0, with(e.into_failure(), kind))
        })
    }
}

/// Takes what nothing else takes, so that a wrong return type is reported once: by [`HandlerReturn`].
pub trait NoOutcome: Sized {
    /// Never called: the type is no [`HandlerReturn`].
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
        assert_eq!((at, failure.kind()), (3, FailureKind::Rejected));
    }
}
