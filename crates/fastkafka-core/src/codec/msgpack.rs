//! MessagePack through `rmp-serde`. Structs are maps from field names to values, as Python's `msgpack`
//! and most others expect; arrays of the fields in order, as some write them, are read too.

use super::payload::{described, payload};
use super::{Codec, Decode, Encode, Message, OutMessage, Reads, Writes};
use crate::delivery::failure::Rejection;
use crate::record::RawRecord;
use bytes::Bytes;
use rmp_serde::decode::Error;
use rmp_serde::{Deserializer, Serializer};
use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// MessagePack, `"msgpack"`.
#[derive(Debug)]
pub struct Msgpack;

impl Codec for Msgpack {
    const CONTENT_TYPE: &'static str = "application/x-msgpack";
}

/// As deep as `serde_json` goes; with what is usual here a bad record could overflow the stack.
const DEPTH: usize = 128;

/// One value and nothing behind it.
fn from_slice<'r, T: Deserialize<'r>>(bytes: &'r [u8]) -> Result<T, String> {
    let mut rest = Deserializer::from_read_ref(bytes);
    rest.set_max_depth(DEPTH);
    let value = T::deserialize(&mut rest).map_err(|error| error.to_string())?;
    // It does not tell how far it has come; asked for more, it lacks a marker only at the end.
    match bool::deserialize(&mut rest) {
        Err(Error::InvalidMarkerRead(_)) => Ok(value),
        _ => Err("more bytes follow the value".to_owned()),
    }
}

fn to_vec(value: &impl Serialize, into: &mut Vec<u8>) -> Result<(), String> {
    value
        .serialize(&mut Serializer::new(into).with_struct_map())
        .map_err(|error| error.to_string())
}

#[diagnostic::do_not_recommend]
impl<'r, T: Message<'r>> Decode<'r, T> for Msgpack {
    fn decode(record: &RawRecord<'r>) -> Result<T, Rejection> {
        from_slice(payload(record)?).map_err(|error| {
            Rejection::new(format_args!(
                "the payload is not the MessagePack it should be: {error}"
            ))
        })
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        described::<T>(generator)
    }
}

#[diagnostic::do_not_recommend]
impl<T: OutMessage> Encode<T> for Msgpack {
    fn encode(value: &T, into: &mut Vec<u8>) -> Result<(), Rejection> {
        to_vec(value, into).map_err(Rejection::new)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        described::<T>(generator)
    }
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Reads<T> for Msgpack {
    fn read(bytes: &[u8]) -> Result<T, String> {
        from_slice(bytes)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Writes<T> for Msgpack {
    fn write(value: &T) -> Result<Bytes, String> {
        let mut bytes = Vec::new();
        to_vec(value, &mut bytes)?;
        Ok(bytes.into())
    }
}
