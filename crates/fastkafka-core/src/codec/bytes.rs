//! The bytes as they are.

use super::payload::payload;
use super::{Codec, Decode, Encode, Reads, Writes};
use crate::delivery::failure::Rejection;
use crate::record::RawRecord;
use bytes::Bytes;
use schemars::{Schema, SchemaGenerator};

/// The bytes as they are: `&[u8]` and [`Bytes`].
#[derive(Debug)]
pub struct Raw;

impl Codec for Raw {
    const CONTENT_TYPE: &'static str = "application/octet-stream";
}

/// Bytes of any kind.
pub(crate) fn binary() -> Schema {
    schemars::json_schema!({ "type": "string", "format": "binary" })
}

impl<'r> Decode<'r, &'r [u8]> for Raw {
    #[inline]
    fn decode(record: &RawRecord<'r>) -> Result<&'r [u8], Rejection> {
        payload(record)
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        binary()
    }
}

impl<'r> Decode<'r, Bytes> for Raw {
    fn decode(record: &RawRecord<'r>) -> Result<Bytes, Rejection> {
        payload(record).map(Bytes::copy_from_slice)
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        binary()
    }
}

impl<T: AsRef<[u8]>> Encode<T> for Raw {
    fn encode(value: &T, into: &mut Vec<u8>) -> Result<(), Rejection> {
        into.extend_from_slice(value.as_ref());
        Ok(())
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        binary()
    }
}

impl Reads<Bytes> for Raw {
    fn read(bytes: &[u8]) -> Result<Bytes, String> {
        Ok(Bytes::copy_from_slice(bytes))
    }
}

impl Reads<Vec<u8>> for Raw {
    fn read(bytes: &[u8]) -> Result<Vec<u8>, String> {
        Ok(bytes.to_vec())
    }
}

impl Reads<String> for Raw {
    fn read(bytes: &[u8]) -> Result<String, String> {
        String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())
    }
}

#[diagnostic::do_not_recommend]
impl<T: AsRef<[u8]>> Writes<T> for Raw {
    fn write(value: &T) -> Result<Bytes, String> {
        Ok(Bytes::copy_from_slice(value.as_ref()))
    }
}
