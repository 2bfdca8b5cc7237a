//! The schemas of all payloads, under names that do not depend on who asked first.
//!
//! Definitions that say the same under the same name become one, wherever they came from: the
//! contract is about shapes, not about Rust's types. What has one name and differs gets the part of
//! its path that tells it apart, `orders.Item` and `stock.Item`, or the way it is used,
//! `Order.consumed` and `Order.produced`, where serde reads a type otherwise than it writes it.

use super::sorted;
use crate::model::{self, Named};
use crate::names;
use percent_encoding::percent_decode_str;
use schemars::generate::{Contract, SchemaSettings};
use schemars::transform::ReplaceBoolSchemas;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const SCHEMAS: &str = "#/components/schemas/";

/// Whether a payload is described as it is read or as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Consumed,
    Produced,
}

/// Collects payloads; all names are given at the end.
pub(super) struct Payloads {
    consumed: SchemaGenerator,
    produced: SchemaGenerator,
    payloads: Vec<(Way, Value)>,
}

/// A payload in the document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Described {
    /// What a message of it is called.
    pub(super) name: String,
    /// Its schema: a reference, unless it has no name in the document.
    pub(super) schema: Value,
}

/// A definition where it was made: which way, and what its generator calls it.
type Node = (Way, String);

/// What there is to know of a definition.
struct Definition {
    /// The Rust path of its type, as far as it is known.
    path: String,
    schema: Value,
}

impl Default for Payloads {
    fn default() -> Self {
        Self {
            consumed: generator(Contract::Deserialize),
            produced: generator(Contract::Serialize),
            payloads: Vec::new(),
        }
    }
}

impl Payloads {
    /// Describes a payload. Its place among the results of [`Payloads::finish`] is returned.
    pub(super) fn add(&mut self, make: fn(&mut SchemaGenerator) -> Schema, way: Way) -> usize {
        let generator = match way {
            Way::Consumed => &mut self.consumed,
            Way::Produced => &mut self.produced,
        };
        let mut schema = make(generator);
        for transform in generator.transforms_mut() {
            transform.transform(&mut schema);
        }
        self.payloads.push((way, sorted(schema.to_value())));
        self.payloads.len() - 1
    }

    /// The schemas by name, and each payload in the order in which they came.
    pub(super) fn finish(self) -> (Named<Value>, Vec<Described>) {
        let mut definitions = self::definitions(Way::Consumed, self.consumed);
        definitions.extend(self::definitions(Way::Produced, self.produced));
        let names = names(&definitions);
        let name = |way: Way| {
            let names = &names;
            move |local: &str| names.get(&(way, local.to_owned())).cloned()
        };
        let mut schemas = Named::new();
        for ((way, local), mut definition) in definitions {
            point(&mut definition.schema, &name(way));
            if let Some(name) = name(way)(&local) {
                schemas.insert(name, definition.schema);
            }
        }
        let payloads = self.payloads.into_iter().map(|(way, mut schema)| {
            point(&mut schema, &name(way));
            let title = match model::avro(&schema) {
                Some(avro) => avro.get("name").or(avro.get("type")).or(Some(avro)),
                None => schema.get("title"),
            };
            let title = title.and_then(Value::as_str);
            let named = schema.get("$ref").and_then(Value::as_str);
            let name = match (named.and_then(|target| target.strip_prefix(SCHEMAS)), title) {
                (Some(name), _) => name.to_owned(),
                (None, Some(title)) => names::component(title),
                (None, None) => "bytes".to_owned(),
            };
            Described { name, schema }
        });
        (schemas, payloads.collect())
    }
}

/// Draft 7, since `$defs` and `prefixItems` mean nothing in AsyncAPI.
fn generator(contract: Contract) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft07();
    settings.definitions_path = SCHEMAS.trim_start_matches('#').into();
    settings.meta_schema = None;
    settings.contract = contract;
    let mut bools = ReplaceBoolSchemas::default();
    bools.skip_additional_properties = true;
    settings.transforms.insert(0, Box::new(bools));
    settings.into_generator()
}

fn definitions(way: Way, mut generator: SchemaGenerator) -> BTreeMap<Node, Definition> {
    let paths = type_paths(&format!("{generator:?}"));
    let definitions = generator.take_definitions(true);
    definitions
        .into_iter()
        .map(|(local, schema)| {
            let path = paths
                .get(&local)
                .map_or(&local, |path| full_path(path, &local));
            let definition = Definition {
                path: path.clone(),
                schema: sorted(schema),
            };
            ((way, local), definition)
        })
        .collect()
}

/// The type's path, unless the type says itself what it is called: that is not in the path.
fn full_path<'a>(path: &'a String, local: &'a String) -> &'a String {
    let outer = path.split('<').next().unwrap_or_default();
    let last = outer.rsplit("::").next().unwrap_or_default();
    let is_default = local
        .strip_prefix(last)
        .is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()));
    if is_default { path } else { local }
}

/// The Rust path of the type behind each definition, out of a printed generator.
///
/// Types of one name are only numbered by a generator, in the order in which it meets them, and which
/// type has which number shows nowhere else. The workspace keeps schemars to a minor version for this;
/// should one print it otherwise, the numbers remain, and a test says so.
fn type_paths(printed: &str) -> BTreeMap<String, String> {
    let mut paths = BTreeMap::new();
    let (_, mut rest) = printed
        .split_once("schema_id_to_name: {")
        .unwrap_or_default();
    while let Some((path, after)) = rest.strip_prefix("SchemaUid(").and_then(quoted) {
        let name = after
            .split_once("): ")
            .and_then(|(_contract, after)| quoted(after));
        let Some((name, after)) = name else { break };
        paths.insert(name, path);
        rest = after.strip_prefix(", ").unwrap_or_default();
    }
    paths
}

/// A text in quotes, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut content = String::new();
    let mut chars = text.strip_prefix('"')?.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((content, &text[at + 2..])),
            '\\' => content.extend(chars.next().map(|(_, c)| c)),
            c => content.push(c),
        }
    }
    None
}

/// What each definition is called in the document.
fn names(definitions: &BTreeMap<Node, Definition>) -> BTreeMap<Node, String> {
    let classes = classes(definitions);
    // Each class goes by the first of its paths.
    let mut paths: BTreeMap<usize, (&str, Way)> = BTreeMap::new();
    for (node, definition) in definitions {
        let candidate = (&*definition.path, node.0);
        let known = paths.entry(classes[node]).or_insert(candidate);
        *known = candidate.min(*known);
    }
    let mut sorted: Vec<_> = paths
        .iter()
        .map(|(class, (path, way))| (*path, *way, *class))
        .collect();
    sorted.sort_unstable();
    let both_ways = |path: &str| sorted.iter().filter(|other| other.0 == path).count() > 1;
    let names = names::distinct(&sorted, |(path, way, _), words| {
        let name = names::of_type(path, words);
        match way {
            _ if !both_ways(path) => name,
            Way::Consumed => format!("{name}.consumed"),
            Way::Produced => format!("{name}.produced"),
        }
    });
    let of_class: BTreeMap<_, _> = sorted
        .iter()
        .map(|(_, _, class)| *class)
        .zip(names)
        .collect();
    classes
        .into_iter()
        .map(|(node, class)| (node, of_class[&class].clone()))
        .collect()
}

/// Definitions that say the same under the same name, up to what they refer to: a number each.
///
/// Begins with what definitions say themselves, and divides classes as long as their references lead
/// to different ones: recursive types need no special case.
fn classes(definitions: &BTreeMap<Node, Definition>) -> BTreeMap<Node, usize> {
    let mut classes = number(definitions.iter().map(|(node, definition)| {
        let mut said = definition.schema.clone();
        point(&mut said, &|_| Some(String::new()));
        let name = names::of_type(&definition.path, 1);
        (node.clone(), (name, said.to_string()))
    }));
    loop {
        let finer = number(definitions.iter().map(|(node, definition)| {
            let mut targets = Vec::new();
            references(&definition.schema, &mut |local| {
                targets.push(classes.get(&(node.0, local)).copied());
            });
            (node.clone(), (classes[node], targets))
        }));
        if count(&finer) == count(&classes) {
            return classes;
        }
        classes = finer;
    }
}

/// A number for each value, the same for equal ones.
fn number<V: Ord>(nodes: impl Iterator<Item = (Node, V)>) -> BTreeMap<Node, usize> {
    let mut numbers = BTreeMap::new();
    nodes
        .map(|(node, value)| {
            let next = numbers.len();
            (node, *numbers.entry(value).or_insert(next))
        })
        .collect()
}

fn count(classes: &BTreeMap<Node, usize>) -> usize {
    classes.values().collect::<BTreeSet<_>>().len()
}

/// The definition that a reference names in its generator's words.
fn target(schema: &Value) -> Option<String> {
    let name = schema.get("$ref")?.as_str()?.strip_prefix(SCHEMAS)?;
    let name = percent_decode_str(name).decode_utf8().ok()?;
    Some(name.replace("~1", "/").replace("~0", "~"))
}

fn references(schema: &Value, found: &mut impl FnMut(String)) {
    if let Some(local) = target(schema) {
        found(local);
    }
    match schema {
        Value::Object(parts) => parts.values().for_each(|part| references(part, found)),
        Value::Array(parts) => parts.iter().for_each(|part| references(part, found)),
        _ => {}
    }
}

/// Points references to what definitions are called in the document.
fn point(schema: &mut Value, name: &impl Fn(&str) -> Option<String>) {
    if let Some(name) = target(schema).and_then(|local| name(&local)) {
        schema["$ref"] = format!("{SCHEMAS}{name}").into();
    }
    match schema {
        Value::Object(parts) => parts.values_mut().for_each(|part| point(part, name)),
        Value::Array(parts) => parts.iter_mut().for_each(|part| point(part, name)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;

    mod elsewhere {
        #[derive(schemars::JsonSchema)]
        #[allow(dead_code, reason = "only described")]
        pub(super) struct Item(u8);
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only described")]
    struct Item {
        other: elsewhere::Item,
    }

    #[test]
    fn a_printed_generator_tells_the_types_of_its_definitions() {
        let mut generator = generator(Contract::Deserialize);
        generator.subschema_for::<Item>();
        let paths = type_paths(&format!("{generator:?}"));
        let here = module_path!();
        assert_eq!(
            paths.into_iter().collect::<Vec<_>>(),
            [
                ("Item".to_owned(), format!("{here}::Item")),
                ("Item2".to_owned(), format!("{here}::elsewhere::Item"))
            ]
        );
    }
}
