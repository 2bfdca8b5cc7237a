//! Avro through `apache-avro`: one plain datum per record, written and read by the schema of the type.
//! Nothing in the bytes names the schema, so both sides must have it; FastKafka for Python writes the
//! same.
//!
//! Other framings are known by their first bytes and refused by name, once they did not read as a
//! datum: a datum may begin with any byte.

mod confluent;
mod depth;

use super::payload::payload;
use super::{Codec, Decode, Encode, Reads, Writes};
use crate::delivery::failure::Rejection;
use crate::lock::unpoisoned;
use crate::record::RawRecord;
use apache_avro::AvroSchema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use bytes::Bytes;
use schemars::{SchemaGenerator, json_schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{LazyLock, RwLock};

pub use confluent::{Confluent, SchemaIds};

/// AsyncAPI's name for a schema of Avro.
const SCHEMA_FORMAT: &str = "application/vnd.apache.avro;version=1.9.0";

/// A payload that can be read from Avro: `Deserialize + AvroSchema + Send`, owning its data.
/// Implemented for all such types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the payload of a consumer of Avro",
    label = "`{Self}` must be readable and have an Avro schema",
    note = "derive both: `#[derive(serde::Deserialize, apache_avro::AvroSchema)]`; it must own its data"
)]
pub trait AvroMessage: DeserializeOwned + AvroSchema + Send + 'static {}
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + AvroSchema + Send + 'static> AvroMessage for T {}

/// A payload that can be written as Avro: `Serialize + AvroSchema`. Implemented for all such types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the payload of a producer of Avro",
    label = "`{Self}` must be writable and have an Avro schema",
    note = "derive both: `#[derive(serde::Serialize, apache_avro::AvroSchema)]`"
)]
pub trait OutAvroMessage: Serialize + AvroSchema + 'static {}
#[diagnostic::do_not_recommend]
impl<T: Serialize + AvroSchema + 'static> OutAvroMessage for T {}

/// Avro, `"avro"`.
#[derive(Debug)]
pub struct Avro;

impl Codec for Avro {
    const CONTENT_TYPE: &'static str = "application/vnd.apache.avro";
}

impl<'r, T: AvroMessage> Decode<'r, T> for Avro {
    fn decode(record: &RawRecord<'r>) -> Result<T, Rejection> {
        Self::read(payload(record)?).map_err(|error| {
            Rejection::new(format_args!(
                "the payload is not the Avro datum it should be: {error}"
            ))
        })
    }
    fn schema(_: &mut SchemaGenerator) -> schemars::Schema {
        described::<T>()
    }
}

impl<T: OutAvroMessage> Encode<T> for Avro {
    fn encode(value: &T, into: &mut Vec<u8>) -> Result<(), Rejection> {
        let form = Form::for_type::<T>().map_err(Rejection::new)?;
        form.write(value, into).map_err(Rejection::new)
    }
    fn schema(_: &mut SchemaGenerator) -> schemars::Schema {
        described::<T>()
    }
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + AvroSchema + 'static> Reads<T> for Avro {
    fn read(bytes: &[u8]) -> Result<T, String> {
        let read = Form::for_type::<T>()?.read(bytes);
        read.map_err(|error| match other_framing(bytes) {
            Some(other) => format!("{error}; it begins like {other}"),
            None => error,
        })
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + AvroSchema + 'static> Writes<T> for Avro {
    fn write(value: &T) -> Result<Bytes, String> {
        let mut bytes = Vec::new();
        Form::for_type::<T>()?.write(value, &mut bytes)?;
        Ok(bytes.into())
    }
}

/// A type's schema and what follows from it alone: deriving costs more than a record.
struct Form {
    schema: &'static apache_avro::Schema,
    reader: GenericDatumReader<'static>,
    writer: GenericDatumWriter<'static>,
}

impl Form {
    /// Made once per type and kept to the end of the process.
    fn for_type<T: AvroSchema + 'static>() -> Result<&'static Self, String> {
        type Forms = HashMap<TypeId, Result<&'static Form, String>>;
        static FORMS: LazyLock<RwLock<Forms>> = LazyLock::new(RwLock::default);
        let id = TypeId::of::<T>();
        let forms = unpoisoned(FORMS.read());
        let known = forms.get(&id).cloned();
        drop(forms);
        known.unwrap_or_else(|| {
            // Without the lock: it is the user's code. Who comes second finds what the first has made.
            let schema = T::get_schema();
            let mut forms = unpoisoned(FORMS.write());
            let form = || {
                let name = std::any::type_name::<T>();
                depth::bounded(&schema)?;
                Self::new(schema)
                    .map_err(|error| format!("the schema of `{name}` is wrong: {error}"))
            };
            forms.entry(id).or_insert_with(form).clone()
        })
    }

    fn new(schema: apache_avro::Schema) -> apache_avro::AvroResult<&'static Self> {
        let schema: &'static _ = Box::leak(Box::new(schema));
        Ok(Box::leak(Box::new(Self {
            schema,
            reader: GenericDatumReader::builder(schema)
                .human_readable(false)
                .build()?,
            writer: GenericDatumWriter::builder(schema)
                .human_readable(false)
                .build()?,
        })))
    }

    fn read<T: DeserializeOwned>(&self, mut bytes: &[u8]) -> Result<T, String> {
        let value = self.reader.read_deser(&mut bytes);
        let value = value.map_err(|error| error.to_string())?;
        match bytes.len() {
            0 => Ok(value),
            more => Err(format!("{more} bytes follow the datum")),
        }
    }

    fn write(&self, value: &impl Serialize, into: &mut Vec<u8>) -> Result<(), String> {
        let written = self.writer.write_ser(into, value);
        written.map(drop).map_err(|error| error.to_string())
    }
}

/// A framing that the first bytes look like, and what to do about it.
fn other_framing(bytes: &[u8]) -> Option<String> {
    match bytes {
        [b'O', b'b', b'j', 1, ..] => Some(
            "an object container file, which is for files: it repeats its schema in every record; \
             write a plain datum"
                .to_owned(),
        ),
        [0xc3, 1, ..] => Some(
            "a single object, with a fingerprint of its schema; write a plain datum, or take its 10 \
             first bytes off in a decoder of your own"
                .to_owned(),
        ),
        &[0, a, b, c, d, _, ..] => Some(format!(
            "Confluent's wire format with schema id {}: read it with `avro::Confluent` in a decoder \
             of your own",
            u32::from_be_bytes([a, b, c, d])
        )),
        _ => None,
    }
}

/// A schema in another format than AsyncAPI's own: an object that names it.
fn described<T: AvroSchema>() -> schemars::Schema {
    json_schema!({ "schemaFormat": SCHEMA_FORMAT, "schema": T::get_schema() })
}
