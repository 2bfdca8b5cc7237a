//! The other direction of an app's codecs: a test writes what a handler reads, and reads what a
//! producer writes.

use bytes::Bytes;
use fastkafka_core::{Codec, Json, Raw};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes what a handler reads. Implemented by the handler's codec where that has an inverse: not for a
/// function under `decoder = ..`.
///
/// ```compile_fail
/// # use fastkafka::consumes;
/// # use fastkafka_tester::Tester;
/// # fn degrees(_: &[u8]) -> Result<i32, String> { Ok(0) }
/// #[consumes(decoder = degrees)]
/// async fn on_degrees(degrees: i32) {}
///
/// async fn test(tester: &Tester) {
///     tester.to_degrees(20).await;
/// }
/// ```
///
/// ```
/// # use fastkafka::consumes;
/// # use fastkafka_tester::Tester;
/// # fn degrees(_: &[u8]) -> Result<i32, String> { Ok(0) }
/// # #[consumes(decoder = degrees)]
/// # async fn on_degrees(degrees: i32) {}
/// async fn test(tester: &Tester) {
///     tester.mirror::<on_degrees>().raw("20").await;
/// }
/// # let _ = test;
/// ```
#[diagnostic::on_unimplemented(
    message = "a test cannot write a `{T}` for this handler",
    label = "the handler's decoder has no inverse for it",
    note = "a JSON payload needs `#[derive(serde::Serialize)]`",
    note = "a function under `decoder = ..` cannot be turned round: send the bytes with `tester.mirror::<f>().raw(..)`"
)]
pub trait Writes<T>: Codec {
    /// The payload's bytes.
    ///
    /// # Errors
    /// When the value cannot be written.
    fn write(value: &T) -> Result<Bytes, String>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Writes<T> for Json {
    fn write(value: &T) -> Result<Bytes, String> {
        let bytes = serde_json::to_vec(value).map_err(|error| error.to_string())?;
        Ok(bytes.into())
    }
}

#[diagnostic::do_not_recommend]
impl<T: AsRef<[u8]>> Writes<T> for Raw {
    fn write(value: &T) -> Result<Bytes, String> {
        Ok(Bytes::copy_from_slice(value.as_ref()))
    }
}

/// Reads what a producer has written. Implemented by the producer's codec where that has an inverse.
#[diagnostic::on_unimplemented(
    message = "a test cannot read a `{T}` of this producer",
    label = "the producer's encoder has no inverse for it",
    note = "a JSON payload needs `#[derive(serde::Deserialize)]`",
    note = "a function under `encoder = ..` cannot be turned round: look at the bytes with `.records()`"
)]
pub trait Reads<T>: Codec {
    /// The payload.
    ///
    /// # Errors
    /// When the bytes are something else.
    fn read(payload: &[u8]) -> Result<T, String>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Reads<T> for Json {
    fn read(payload: &[u8]) -> Result<T, String> {
        serde_json::from_slice(payload).map_err(|error| error.to_string())
    }
}

impl Reads<Bytes> for Raw {
    fn read(payload: &[u8]) -> Result<Bytes, String> {
        Ok(Bytes::copy_from_slice(payload))
    }
}

impl Reads<Vec<u8>> for Raw {
    fn read(payload: &[u8]) -> Result<Vec<u8>, String> {
        Ok(payload.to_vec())
    }
}

impl Reads<String> for Raw {
    fn read(payload: &[u8]) -> Result<String, String> {
        String::from_utf8(payload.to_vec()).map_err(|error| error.to_string())
    }
}
