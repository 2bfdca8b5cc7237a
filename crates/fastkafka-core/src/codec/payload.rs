//! The two questions that every codec has about a payload: its bytes, and its schema.

use crate::delivery::failure::Rejection;
use crate::record::RawRecord;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// The payload's bytes; a tombstone has none.
pub(super) fn payload<'r>(record: &RawRecord<'r>) -> Result<&'r [u8], Rejection> {
    record.payload().ok_or_else(|| {
        Rejection::new(
            "the record is a tombstone: its payload is null; take `Option<..>` to accept it",
        )
    })
}

/// The schema of a payload: a reference to a named one, or one with a title that names it.
pub(super) fn described<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = generator.subschema_for::<T>();
    if schema.get("$ref").is_none() && schema.get("title").is_none() {
        schema.insert("title".to_owned(), T::schema_name().into());
    }
    schema
}
