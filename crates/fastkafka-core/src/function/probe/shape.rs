//! How many records one call takes, decided by the *type* of the first parameter.

use crate::delivery::failure::Rejection;
use crate::record::{CallContext, RawRecord};
use std::marker::PhantomData;

/// How many records one call takes.
pub trait Shape: Send + Sync + 'static {
    /// Several.
    const BATCH: bool;
    /// A tombstone is welcome too.
    const TOMBSTONES: bool = false;
}

/// One record per call.
#[derive(Debug)]
pub struct Single;
/// Several records per call.
#[derive(Debug)]
pub struct Batch;
/// One record per call, `None` for a tombstone.
#[derive(Debug)]
pub struct Nullable;

impl Shape for Single {
    const BATCH: bool = false;
}
impl Shape for Batch {
    const BATCH: bool = true;
}
impl Shape for Nullable {
    const BATCH: bool = false;
    const TOMBSTONES: bool = true;
}

/// What a handler of shape `S` takes first, made of payloads.
pub trait InputOf<'r, S: Shape>: Sized + Send {
    /// What one record carries.
    type Payload;
    /// Reads the records of one call, and says how many went in: a batch ends before a record that
    /// does not decode.
    ///
    /// # Errors
    /// When the first record does not decode.
    fn gather(
        cx: &CallContext<'r>,
        decode: impl Fn(&RawRecord<'r>) -> Result<Self::Payload, Rejection>,
    ) -> Result<(Self, usize), Rejection>;
}

impl<'r, T: Send> InputOf<'r, Single> for T {
    type Payload = T;
    #[inline]
    fn gather(
        cx: &CallContext<'r>,
        decode: impl Fn(&RawRecord<'r>) -> Result<T, Rejection>,
    ) -> Result<(T, usize), Rejection> {
        Ok((decode(&cx.record())?, 1))
    }
}

impl<'r, T: Send> InputOf<'r, Nullable> for Option<T> {
    type Payload = T;
    #[inline]
    fn gather(
        cx: &CallContext<'r>,
        decode: impl Fn(&RawRecord<'r>) -> Result<T, Rejection>,
    ) -> Result<(Option<T>, usize), Rejection> {
        let record = cx.record();
        Ok((record.payload().map(|_| decode(&record)).transpose()?, 1))
    }
}

impl<'r, T: Send> InputOf<'r, Batch> for Vec<T> {
    type Payload = T;
    fn gather(
        cx: &CallContext<'r>,
        decode: impl Fn(&RawRecord<'r>) -> Result<T, Rejection>,
    ) -> Result<(Vec<T>, usize), Rejection> {
        let mut batch = Vec::with_capacity(cx.records().len());
        for record in cx.records() {
            match decode(&record) {
                Ok(payload) => batch.push(payload),
                Err(rejection) if batch.is_empty() => return Err(rejection),
                Err(_) => break,
            }
        }
        let taken = batch.len();
        Ok((batch, taken))
    }
}

/// Asks a type which shape it has: an inherent constant wins over the trait's.
#[derive(Debug)]
pub struct ShapeProbe<T>(PhantomData<T>);
/// What [`ShapeProbe`] says of every other type.
pub trait DefaultShape {
    /// One record.
    const SHAPE: u8 = 0;
}
impl<T> DefaultShape for ShapeProbe<T> {}
impl<T> ShapeProbe<Vec<T>> {
    /// A batch.
    pub const SHAPE: u8 = 1;
}
impl<T> ShapeProbe<Option<T>> {
    /// One record or a tombstone.
    pub const SHAPE: u8 = 2;
}

/// Turns the answer of [`ShapeProbe`] into a type.
pub trait SelectShape<const SHAPE: u8> {
    /// The shape.
    type Shape: Shape;
}
impl SelectShape<0> for () {
    type Shape = Single;
}
impl SelectShape<1> for () {
    type Shape = Batch;
}
impl SelectShape<2> for () {
    type Shape = Nullable;
}

/// Finds `Vec<u8>`, which would silently be a batch of numbers.
#[derive(Debug)]
pub struct ByteProbe<T>(PhantomData<T>);
/// What [`ByteProbe`] says of every other type.
pub trait NotByte {
    /// Not a byte.
    const BYTE: bool = false;
    /// Not bytes either.
    const BYTES: bool = false;
}
impl<T> NotByte for ByteProbe<T> {}
impl ByteProbe<u8> {
    /// A byte.
    pub const BYTE: bool = true;
}
impl ByteProbe<Vec<u8>> {
    /// Inside an `Option`, a `Vec` or an event it would be an array of numbers.
    pub const BYTES: bool = true;
}

/// Holds for every payload but a byte.
#[diagnostic::on_unimplemented(
    message = "`Vec<u8>` cannot be a payload: it is a batch of numbers",
    label = "for the bytes of a record use `bytes::Bytes`, in a consumer also `&[u8]`",
    note = "several raw payloads are `Vec<bytes::Bytes>`, in a consumer also `Vec<&[u8]>`"
)]
pub trait NotBytes<const BYTE: bool> {}
impl NotBytes<false> for () {}

/// Compiles for every payload but a byte.
pub const fn not_bytes<T: NotBytes<BYTE>, const BYTE: bool>() {}
