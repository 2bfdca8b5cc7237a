//! Types that contain themselves are refused. apache-avro follows a datum of theirs to any depth, so that
//! one bad record would overflow the stack and end the process.

use apache_avro::Schema;
use apache_avro::schema::Name;

/// # Errors
/// When a datum of this schema may be of any depth.
pub(super) fn bounded(schema: &Schema) -> Result<(), String> {
    match within(schema, &mut Vec::new()) {
        None => Ok(()),
        Some(name) => Err(format!(
            "`{name}` contains itself, and a bad record of any depth would end the process: \
             write it as JSON or MessagePack, which have a limit"
        )),
    }
}

/// The record that this schema leads back to, of those around it. A name that is used again stands for
/// where it was used first, so that a circle always ends at one of these.
fn within(schema: &Schema, around: &mut Vec<Name>) -> Option<Name> {
    match schema {
        Schema::Ref { name } => around.contains(name).then(|| name.clone()),
        Schema::Array(array) => within(&array.items, around),
        Schema::Map(map) => within(&map.types, around),
        Schema::Union(union) => union
            .variants()
            .iter()
            .find_map(|variant| within(variant, around)),
        Schema::Record(record) => {
            around.push(record.name.clone());
            let mut fields = record.fields.iter();
            let found = fields.find_map(|field| within(&field.schema, around));
            around.pop();
            found
        }
        _ => None,
    }
}
