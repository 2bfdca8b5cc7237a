//! Confluent's wire format: a zero byte, the id of the writer's schema in four bytes, the datum.

use super::{AvroMessage, Form, OutAvroMessage, depth};
use crate::delivery::failure::Rejection;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::{AvroResult, Schema, from_value};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;

const MAGIC: u8 = 0;

/// The ids of schemas: a table, or a copy of a schema registry.
///
/// Called for every record, on the thread of the handler: answer from memory.
pub trait SchemaIds {
    /// The schema that records under this id are written with.
    ///
    /// # Errors
    /// When the id is not known; the record is then rejected.
    fn schema(&self, id: u32) -> Result<&Schema, String>;

    /// The id under which the readers of a record find this schema.
    ///
    /// # Errors
    /// When it has none.
    fn id(&self, schema: &Schema) -> Result<u32, String>;
}

/// A table of schemas by their ids.
impl SchemaIds for BTreeMap<u32, Schema> {
    fn schema(&self, id: u32) -> Result<&Schema, String> {
        self.get(&id)
            .ok_or_else(|| format!("schema id {id} is not known"))
    }

    fn id(&self, schema: &Schema) -> Result<u32, String> {
        let mut all = self.iter();
        let found = all.find(|(_, known)| *known == schema);
        found.map(|(id, _)| *id).ok_or_else(|| {
            let name = schema
                .name()
                .map_or_else(String::new, |name| format!(" `{name}`"));
            format!("the schema{name} has no id")
        })
    }
}

/// Reads and writes Confluent's wire format, for functions under `decoder = path` and
/// `encoder = path`.
///
/// A datum of another schema than the type's is resolved to it by Avro's rules: fields that were added
/// have defaults, fields that are gone are left out.
///
/// ```
/// # mod fastkafka { pub use fastkafka_core as codec; pub use fastkafka_core as error; }
/// use apache_avro::{AvroSchema, Schema};
/// use fastkafka::codec::avro::Confluent;
/// use fastkafka::error::Rejection;
/// use std::collections::BTreeMap;
/// use std::sync::LazyLock;
///
/// #[derive(AvroSchema, serde::Serialize, serde::Deserialize, Debug, PartialEq)]
/// struct Order {
///     id: i64,
/// }
///
/// static SCHEMAS: LazyLock<Confluent<BTreeMap<u32, Schema>>> =
///     LazyLock::new(|| Confluent::new(BTreeMap::from([(17, Order::get_schema())])));
///
/// fn read(payload: &[u8]) -> Result<Order, Rejection> {
///     SCHEMAS.decode(payload)
/// }
///
/// fn write(order: &Order) -> Result<Vec<u8>, Rejection> {
///     SCHEMAS.encode(order)
/// }
///
/// let bytes = write(&Order { id: 3 })?;
/// assert_eq!(bytes, [0, 0, 0, 0, 17, 6]);
/// assert_eq!(read(&bytes)?, Order { id: 3 });
/// # Ok::<(), Rejection>(())
/// ```
pub struct Confluent<S> {
    ids: S,
}

impl<S: SchemaIds> Confluent<S> {
    /// With ids from here.
    pub const fn new(ids: S) -> Self {
        Self { ids }
    }

    /// A payload in this format.
    ///
    /// # Errors
    /// When it is not, when its id is not known, or when its schema does not resolve to that of `T`.
    pub fn decode<T: AvroMessage>(&self, payload: &[u8]) -> Result<T, Rejection> {
        let &[MAGIC, a, b, c, d, ref datum @ ..] = payload else {
            return Err(Rejection::new(
                "the payload is not Confluent's wire format: it begins with a zero byte and the schema id in four",
            ));
        };
        let id = u32::from_be_bytes([a, b, c, d]);
        let writer = self.ids.schema(id).map_err(Rejection::new)?;
        self::read(writer, datum).map_err(|error| {
            Rejection::new(format_args!(
                "the payload is not the Avro datum of schema id {id} that it should be: {error}"
            ))
        })
    }

    /// A payload in this format, under the id of `T`'s schema.
    ///
    /// # Errors
    /// When the schema has no id, or the value cannot be written.
    pub fn encode<T: OutAvroMessage>(&self, value: &T) -> Result<Vec<u8>, Rejection> {
        let form = Form::for_type::<T>().map_err(Rejection::new)?;
        let id = self.ids.id(form.schema).map_err(Rejection::new)?;
        let mut bytes = vec![MAGIC];
        bytes.extend(id.to_be_bytes());
        form.write(value, &mut bytes).map_err(Rejection::new)?;
        Ok(bytes)
    }
}

fn read<T: AvroMessage>(writer: &Schema, mut datum: &[u8]) -> Result<T, String> {
    let form = Form::for_type::<T>()?;
    if writer == form.schema {
        return form.read(datum);
    }
    depth::bounded(writer)?;
    let value = resolve(writer, form.schema, &mut datum).map_err(|error| error.to_string())?;
    match datum.len() {
        0 => Ok(value),
        more => Err(format!("{more} bytes follow the datum")),
    }
}

fn resolve<T: DeserializeOwned>(
    writer: &Schema,
    reader: &Schema,
    datum: &mut &[u8],
) -> AvroResult<T> {
    let reader = GenericDatumReader::builder(writer)
        .reader_schema(reader)
        .build()?;
    from_value(&reader.read_value(datum)?)
}

impl<S> fmt::Debug for Confluent<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confluent").finish_non_exhaustive()
    }
}
