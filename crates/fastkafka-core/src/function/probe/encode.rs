//! Encoders of the user's: a producer's `encoder` and `key_encoder`.

use crate::codec::rejection;
use crate::delivery::failure::{IntoFailure, Rejection};
use bytes::Bytes;

/// The key as it is, for producers without a `key_encoder`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as a key",
    label = "set the key with `KafkaEvent::key`",
    note = "or give the producer a `key_encoder = path` with `fn(&{Self}) -> Result<Vec<u8>, E>`"
)]
pub trait EncodedKey {
    /// The bytes.
    fn bytes(&self) -> Bytes;
}
impl EncodedKey for Bytes {
    fn bytes(&self) -> Bytes {
        self.clone()
    }
}

/// The key through a `key_encoder`.
///
/// # Errors
/// The encoder's.
pub fn encode_key_with<K, B: Into<Bytes>, E: IntoFailure>(
    encoder: impl Fn(&K) -> Result<B, E>,
    key: &K,
) -> Result<Bytes, Rejection> {
    encoder(key).map(Into::into).map_err(rejection)
}

/// The payload through an `encoder`.
///
/// # Errors
/// The encoder's.
pub fn encode_with<T, B: AsRef<[u8]>, E: IntoFailure>(
    encoder: impl Fn(&T) -> Result<B, E>,
    value: &T,
    into: &mut Vec<u8>,
) -> Result<(), Rejection> {
    into.extend_from_slice(encoder(value).map_err(rejection)?.as_ref());
    Ok(())
}
