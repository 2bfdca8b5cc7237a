//! The records in the value that a producer returned, asked of its type.
//!
//! The expansion of `#[produces]` asks [`EmitProbe`] two questions, [`SelectEmit`] turns the two answers
//! into a shape, and [`Emit`] of that shape yields the records. One probe with one answer would not do:
//! `Result<Vec<_>, _>` and `Result<Vec<KafkaEvent<_, _>>, _>` overlap.

use crate::delivery::error::ProduceError;
use crate::function::event::KafkaEvent;
use bytes::Bytes;
use std::marker::PhantomData;

/// The return type of a producer: `Result<_, E>` with `E: From<ProduceError>`.
#[diagnostic::on_unimplemented(
    message = "a producer cannot return `{Self}`",
    label = "expected `Result<_, E>` with `E: From<ProduceError>`",
    note = "sending can fail, so the return type must be able to say so"
)]
pub trait ProducerReturn {
    /// The value that is sent.
    type Ok;
    /// The value, if the function made one.
    fn as_ok(&self) -> Option<&Self::Ok>;
    /// The value that says that nothing was sent.
    fn from_error(error: ProduceError) -> Self;
}

impl<T, E: From<ProduceError>> ProducerReturn for Result<T, E> {
    type Ok = T;
    #[inline]
    fn as_ok(&self) -> Option<&T> {
        self.as_ref().ok()
    }
    fn from_error(error: ProduceError) -> Self {
        Err(error.into())
    }
}

/// One record of a returned value.
#[derive(Debug)]
pub struct Outgoing<'a, T, K> {
    /// The payload; `None` is a tombstone.
    pub message: Option<&'a T>,
    /// The key.
    pub key: Option<&'a K>,
    /// The headers.
    pub headers: &'a [(String, Option<Bytes>)],
    /// The time; `None` for the client's clock.
    pub timestamp: Option<i64>,
    /// The partition; `None` leaves it to the key.
    pub partition: Option<i32>,
    /// The topic; `None` for the producer's.
    pub topic: Option<&'a str>,
}

impl<'a, T, K> Outgoing<'a, T, K> {
    fn plain(message: &'a T) -> Self {
        Self {
            message: Some(message),
            key: None,
            headers: &[],
            timestamp: None,
            partition: None,
            topic: None,
        }
    }
    fn event(event: &'a KafkaEvent<T, K>) -> Self {
        Self {
            message: event.message.as_ref(),
            key: event.key.as_ref(),
            headers: &event.headers,
            timestamp: event.timestamp,
            partition: event.partition,
            topic: event.topic.as_deref(),
        }
    }
}

/// Takes the records of a returned value one by one.
pub type Take<'a, T, K> = dyn FnMut(Outgoing<'_, T, K>) -> Result<(), ProduceError> + 'a;

/// A returned value of shape `S`, as records.
pub trait Emit<S> {
    /// The payload of one record.
    type Payload;
    /// The key's type before `key_encoder`.
    type Key;
    /// Calls `send` for each record in order, until one fails.
    ///
    /// # Errors
    /// The first that `send` returns.
    fn each(&self, send: &mut Take<'_, Self::Payload, Self::Key>) -> Result<(), ProduceError>;
}

/// Exactly one record.
#[derive(Debug)]
pub struct One;
/// Any number, in order.
#[derive(Debug)]
pub struct Many;
/// One or none.
#[derive(Debug)]
pub struct Maybe;
/// Payloads without key and headers.
#[derive(Debug)]
pub struct Plain<S>(PhantomData<S>);
/// [`KafkaEvent`]s.
#[derive(Debug)]
pub struct Event<S>(PhantomData<S>);

macro_rules! emit {
    ($([$($generics:ident),*] $shape:ty => $returned:ty, key $key:ty, |$value:ident| $items:expr, $make:path;)*) => {$(
        impl<$($generics),*> Emit<$shape> for $returned {
            type Payload = T;
            type Key = $key;
            #[inline]
            fn each(&self, send: &mut Take<'_, T, $key>) -> Result<(), ProduceError> {
                let $value = self;
                for item in $items {
                    send($make(item))?;
                }
                Ok(())
            }
        }
    )*};
}
emit! {
    [T] Plain<One> => T, key Bytes, |value| [value], Outgoing::plain;
    [T] Plain<Many> => Vec<T>, key Bytes, |values| values, Outgoing::plain;
    [T] Plain<Maybe> => Option<T>, key Bytes, |value| value.iter(), Outgoing::plain;
    [T, K] Event<One> => KafkaEvent<T, K>, key K, |event| [event], Outgoing::event;
    [T, K] Event<Many> => Vec<KafkaEvent<T, K>>, key K, |events| events, Outgoing::event;
    [T, K] Event<Maybe> => Option<KafkaEvent<T, K>>, key K, |event| event.iter(), Outgoing::event;
}

/// Asks a return type how many records it makes, and of which kind: an inherent constant wins over
/// the trait's.
#[derive(Debug)]
pub struct EmitProbe<T>(PhantomData<T>);
/// The answer of [`EmitProbe`] for every other type.
pub trait DefaultEmit {
    /// One record.
    const OUTER: u8 = 0;
    /// A plain payload.
    const INNER: u8 = 0;
    /// Its payload is written as JSON.
    const RAW: bool = false;
}
impl<T> DefaultEmit for EmitProbe<T> {}
impl<T, E> EmitProbe<Result<Vec<T>, E>> {
    /// Many records.
    pub const OUTER: u8 = 1;
}
impl<T, E> EmitProbe<Result<Option<T>, E>> {
    /// One or none.
    pub const OUTER: u8 = 2;
}
impl<T, K, E> EmitProbe<Result<KafkaEvent<T, K>, E>> {
    /// An event.
    pub const INNER: u8 = 1;
}
impl<T, K, E> EmitProbe<Result<Vec<KafkaEvent<T, K>>, E>> {
    /// Events.
    pub const INNER: u8 = 1;
}
impl<T, K, E> EmitProbe<Result<Option<KafkaEvent<T, K>>, E>> {
    /// An event.
    pub const INNER: u8 = 1;
}

macro_rules! raw {
    ($([$($generics:ident),*] $returned:ty;)*) => {$(
        impl<$($generics),*> EmitProbe<Result<$returned, E>> {
            /// Its payload is written as it is.
            pub const RAW: bool = true;
        }
    )*};
}
raw! {
    [E] Bytes;
    [E] Vec<Bytes>;
    [E] Option<Bytes>;
    [K, E] KafkaEvent<Bytes, K>;
    [K, E] Vec<KafkaEvent<Bytes, K>>;
    [K, E] Option<KafkaEvent<Bytes, K>>;
}

/// Turns the answers of [`EmitProbe`] into a type.
pub trait SelectEmit<const OUTER: u8, const INNER: u8> {
    /// The shape.
    type Shape;
}
impl SelectEmit<0, 0> for () {
    type Shape = Plain<One>;
}
impl SelectEmit<1, 0> for () {
    type Shape = Plain<Many>;
}
impl SelectEmit<2, 0> for () {
    type Shape = Plain<Maybe>;
}
impl SelectEmit<0, 1> for () {
    type Shape = Event<One>;
}
impl SelectEmit<1, 1> for () {
    type Shape = Event<Many>;
}
impl SelectEmit<2, 1> for () {
    type Shape = Event<Maybe>;
}
