//! Codecs that are functions of the user's.

use super::Codec;
use super::payload::{described, payload};
use crate::delivery::failure::{IntoFailure, Rejection};
use crate::record::RawRecord;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::marker::PhantomData;

/// A function of the user's.
#[derive(Debug)]
pub struct Custom;

impl Codec for Custom {
    const CONTENT_TYPE: &'static str = "application/octet-stream";
}

/// A function under `decoder = path`: `fn(&RawRecord<'_>) -> Result<T, E>` or `fn(&[u8]) -> Result<T, E>`.
///
/// `By` tells the two forms apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "this function cannot decode `{T}`",
    label = "expected `fn(&RawRecord<'_>) -> Result<{T}, E>` or `fn(&[u8]) -> Result<{T}, E>` with `E: Display`"
)]
pub trait DecodeFn<'r, T, By> {
    /// Calls it.
    ///
    /// # Errors
    /// The function's own, as a rejection.
    fn decode(&self, record: &RawRecord<'r>) -> Result<T, Rejection>;
}

/// A decoder that takes the whole record.
#[derive(Debug)]
pub struct ByRecord<E>(PhantomData<E>);
/// A decoder that takes the payload.
#[derive(Debug)]
pub struct ByPayload<E>(PhantomData<E>);

impl<'r, T, E: IntoFailure, F: Fn(&RawRecord<'r>) -> Result<T, E>> DecodeFn<'r, T, ByRecord<E>>
    for F
{
    fn decode(&self, record: &RawRecord<'r>) -> Result<T, Rejection> {
        self(record).map_err(rejection)
    }
}

impl<'r, T, E: IntoFailure, F: Fn(&'r [u8]) -> Result<T, E>> DecodeFn<'r, T, ByPayload<E>> for F {
    fn decode(&self, record: &RawRecord<'r>) -> Result<T, Rejection> {
        self(payload(record)?).map_err(rejection)
    }
}

pub(crate) fn rejection(error: impl IntoFailure) -> Rejection {
    Rejection::new(error.into_failure().message())
}

/// The payload of a custom decoder or encoder: it must have a schema, for the AsyncAPI document.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no schema, which the AsyncAPI document needs",
    label = "derive it: `#[derive(schemars::JsonSchema)]`",
    note = "a payload with a function as `decoder` or `encoder` needs neither `Deserialize` nor `Serialize`, but a schema"
)]
pub trait HasSchema: JsonSchema {}
#[diagnostic::do_not_recommend]
impl<T: JsonSchema> HasSchema for T {}

/// The schema of a payload that a function of the user's reads or writes.
pub fn schema_of<T: HasSchema>(generator: &mut SchemaGenerator) -> Schema {
    described::<T>(generator)
}
