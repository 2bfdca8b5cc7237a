//! Schemas are schemas, and examples are what they say.

use super::structure::describe;
use super::{Finding, members, reference, resolve};
use jsonschema::Validator;
use serde_json::{Value, json};

pub(super) fn check(document: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, _, schema) in members(document, "/components/schemas") {
        let examples = schema.get("examples").and_then(Value::as_array);
        let examples = examples.into_iter().flatten().enumerate();
        let examples = examples.map(|(i, example)| (format!("{at}/examples/{i}"), example));
        validate(document, &at, schema, examples, &mut findings);
    }
    for (at, message) in messages(document) {
        let examples = || {
            let examples = message.get("examples").and_then(Value::as_array);
            examples.into_iter().flatten().enumerate()
        };
        for field in ["payload", "headers"] {
            // A payload in another format than JSON Schema is none of ours.
            let Some(schema) = message
                .get(field)
                .filter(|schema| schema.get("schema").is_none())
            else {
                continue;
            };
            let examples = examples().filter_map(|(i, example)| {
                Some((format!("{at}/examples/{i}/{field}"), example.get(field)?))
            });
            validate(
                document,
                &format!("{at}/{field}"),
                schema,
                examples,
                &mut findings,
            );
        }
        if let Some(key) = message.pointer("/bindings/kafka/key") {
            let at = format!("{at}/bindings/kafka/key");
            validate(document, &at, key, std::iter::empty(), &mut findings);
        }
    }
    findings
}

/// Those of the components, and those that stand in a channel.
fn messages(document: &Value) -> Vec<(String, &Value)> {
    let components =
        members(document, "/components/messages").map(|(at, _, message)| (at, message));
    let inline = members(document, "/channels").flat_map(|(path, _, _)| {
        let messages = members(document, &format!("{path}/messages"));
        messages.map(|(at, _, message)| (at, message))
    });
    components
        .chain(inline)
        .filter(|(_, message)| reference(message).is_none())
        .collect()
}

fn validate<'a>(
    document: &Value,
    at: &str,
    schema: &Value,
    examples: impl Iterator<Item = (String, &'a Value)>,
    findings: &mut Vec<Finding>,
) {
    // A reference that leads nowhere has been reported where it stands.
    if reference(schema).is_some_and(|target| resolve(document, target).is_none()) {
        return;
    }
    let validator = match validator(document, schema) {
        Ok(validator) => validator,
        Err(what) => {
            findings.push(Finding::new(
                at,
                format!("it is no JSON Schema of draft 7: {what}"),
            ));
            return;
        }
    };
    for (at, example) in examples {
        for error in validator.iter_errors(example) {
            let Finding { at: inside, what } = describe(&error);
            findings.push(Finding::new(
                format!("{at}{inside}"),
                format!("the example does not fit its schema: {what}"),
            ));
        }
    }
}

/// The schema in a document of its own, where its references still lead to their targets.
fn validator(document: &Value, schema: &Value) -> Result<Validator, String> {
    let alone = json!({
        "allOf": [schema],
        "components": { "schemas": document.pointer("/components/schemas") },
    });
    jsonschema::draft7::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .build(&alone)
        .map_err(|error| error.to_string())
}
