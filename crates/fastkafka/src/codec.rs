//! Keys of your own types, and framed Avro.
//!
//! Payloads need nothing of this module: they derive serde's traits, and the attributes name a codec or a
//! function. You need it to send and read keys of a type of yours ([`EncodeKey`], [`DecodeKey`]), and with
//! the feature `avro` for `codec::avro::Confluent`, Avro in the framing of a schema registry. The guide's
//! chapter [Encoding and decoding](crate::guide::codecs) has all codecs.

#[cfg(feature = "avro")]
#[doc(inline)]
pub use fastkafka_core::avro;
#[doc(inline)]
pub use fastkafka_core::{DecodeKey, EncodeKey, IntoKey};
