//! The number of records that one call takes, decided by the *type* of the first parameter.

use crate::delivery::failure::Rejection;
use crate::function::call::CallContext;
use crate::record::RawRecord;

/// The number of records that one call takes.
pub trait Shape: Send + Sync + 'static {
    /// True for several records.
    const BATCH: bool;
    /// True where a tombstone is a record like others.
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
/// Several records per call, `None` for a tombstone.
#[derive(Debug)]
pub struct NullableBatch;

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

/// The first parameter of a handler of shape `S`, made of payloads.
pub trait InputOf<'r, S: Shape>: Sized + Send {
    /// The payload of one record.
    type Payload;
    /// Reads the records of one call, and returns the number of those that went in: a batch ends before a
    /// record that does not decode.
    ///
    /// # Errors
    /// When the first record does not decode.
    fn gather(
        cx: &CallContext<'r>,
        decode: impl Fn(&RawRecord<'r>) -> Result<Self::Payload, Rejection>,
    ) -> Result<(Self, usize), Rejection>;
}

impl Shape for NullableBatch {
    const BATCH: bool = true;
    const TOMBSTONES: bool = true;
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
        batch_of(cx, decode)
    }
}

impl<'r, T: Send> InputOf<'r, NullableBatch> for Vec<Option<T>> {
    type Payload = T;
    fn gather(
        cx: &CallContext<'r>,
        decode: impl Fn(&RawRecord<'r>) -> Result<T, Rejection>,
    ) -> Result<(Vec<Option<T>>, usize), Rejection> {
        batch_of(cx, |record| {
            record.payload().map(|_| decode(record)).transpose()
        })
    }
}

/// The records up to the first that does not decode.
fn batch_of<'r, T>(
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
