//! A function under `#[consumes]`, seen as a type.

use super::call::CallContext;
use super::definition::ConsumerDef;
use super::registry::Register;
use super::shape::{InputOf, Shape};
use crate::codec::Codec;
use crate::delivery::failure::{BatchFailure, Failure, Rejection};
use crate::record::RawRecord;
use schemars::{Schema, SchemaGenerator};
use std::any::TypeId;
use std::fmt::Display;

/// A function under `#[consumes]`, seen as a type. Implemented by the attribute only.
pub trait Consumer: Register + Sized + Send + Sync + 'static {
    /// The definition.
    const DEF: ConsumerDef;
    /// The number of records that one call takes.
    type Shape: Shape;
    /// The codec that reads the payload.
    type Codec: Codec;
    /// The payload of one record: `InputData`, also for `Vec<InputData>`.
    type Payload: 'static;
    /// The first parameter.
    type Input<'r>: InputOf<'r, Self::Shape>;
    /// The first parameter with every lifetime `'static`: the type in mocks and spies.
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

    /// Names the types of states that its parameters need.
    fn requires(_need: &mut dyn FnMut(TypeId, &'static str)) {}
}

/// The outcome of a handler call: done, or the failure, and the index in the batch where the handler named
/// one. Without an index it is the failure of all records of the call.
pub type Outcome = Result<(), (Option<usize>, Failure)>;

/// The return type of a consumer: `()`, or `Result<(), E>` with `E: Display`, [`Failure`] or [`BatchFailure`].
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
