//! The shape of a handler, and bytes where there should be none: asked of the payload's type.

use crate::function::shape::{Batch, Nullable, NullableBatch, Shape, Single};
use std::marker::PhantomData;

/// Asks a type which shape it has: the sum of two answers, for one could not tell a batch from a batch of
/// tombstones. An inherent constant wins over the trait's.
#[derive(Debug)]
pub struct ShapeProbe<T>(PhantomData<T>);
/// The answer of [`ShapeProbe`] for every other type.
pub trait DefaultShape {
    /// One record.
    const SHAPE: u8 = 0;
    /// No batch that takes tombstones.
    const NULLABLE: u8 = 0;
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
impl<T> ShapeProbe<Vec<Option<T>>> {
    /// Each record may be a tombstone.
    pub const NULLABLE: u8 = 2;
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
impl SelectShape<3> for () {
    type Shape = NullableBatch;
}

/// Finds `Vec<u8>`, which would silently be a batch of numbers.
#[derive(Debug)]
pub struct ByteProbe<T>(PhantomData<T>);
/// The answer of [`ByteProbe`] for every other type.
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
