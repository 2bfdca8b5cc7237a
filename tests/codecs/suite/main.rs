//! MessagePack and Avro: bytes, what the compiler says, and with the feature `python` Python's libraries.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod avro;
mod mistakes;
mod msgpack;
#[cfg(feature = "python")]
mod python;
