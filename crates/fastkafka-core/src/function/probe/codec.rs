//! The codec of a payload without a word: bytes as they are, everything else JSON.

use crate::codec::{Codec, Json, Raw};
use bytes::Bytes;
use std::marker::PhantomData;

/// The types whose default codec is [`Raw`]: an inherent constant wins over the trait's.
#[derive(Debug)]
pub struct CodecProbe<T>(PhantomData<T>);
/// The answer of [`CodecProbe`] for every other type.
pub trait DefaultCodec {
    /// JSON.
    const RAW: bool = false;
}
impl<T> DefaultCodec for CodecProbe<T> {}
impl CodecProbe<&[u8]> {
    /// Bytes.
    pub const RAW: bool = true;
}
impl CodecProbe<Bytes> {
    /// Bytes.
    pub const RAW: bool = true;
}

/// Turns the answer of [`CodecProbe`] into a type.
pub trait SelectCodec<const RAW: bool> {
    /// The codec.
    type Codec: Codec;
}
impl SelectCodec<false> for () {
    type Codec = Json;
}
impl SelectCodec<true> for () {
    type Codec = Raw;
}
