//! The official schema of AsyncAPI.

use super::Finding;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use std::sync::LazyLock;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../schema/kafka-3.0.0.json"))
        .expect("the official schema is JSON");
    jsonschema::draft7::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("the official schema is a schema")
});

pub(super) fn check(document: &Value) -> Vec<Finding> {
    SCHEMA
        .iter_errors(document)
        .map(|error| describe(&error))
        .collect()
}

/// What is wrong, in the branch that comes nearest: that `oneOf` fails says nothing to anyone.
pub(super) fn describe(error: &ValidationError<'_>) -> Finding {
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) =
        error.kind()
    else {
        let what = error.to_string();
        return Finding::new(error.instance_path().as_str(), shorten(&what));
    };
    // A branch that fails for `$ref` alone was not meant, and one of another `type` hardly.
    let meant = context
        .iter()
        .filter_map(|errors| {
            let finding = describe(errors.iter().find(|error| !is_missing_reference(error))?);
            let depth = finding.at.matches('/').count();
            Some(((!errors.iter().any(is_other_type), depth), finding))
        })
        .max_by_key(|(nearness, _)| *nearness);
    meant.map_or_else(
        || {
            Finding::new(
                error.instance_path().as_str(),
                "it is none of the things that may stand here",
            )
        },
        |(_, finding)| finding,
    )
}

fn is_missing_reference(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Required { property } if property == "$ref")
}

fn is_other_type(error: &ValidationError<'_>) -> bool {
    matches!(
        error.kind(),
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. }
    ) && error.instance_path().as_str().ends_with("/type")
}

/// Messages begin with the whole value, however large it is.
fn shorten(what: &str) -> String {
    const LONGEST: usize = 160;
    if what.len() <= LONGEST {
        return what.to_owned();
    }
    let end = what.floor_char_boundary(LONGEST / 4);
    let begin = what.ceil_char_boundary(what.len() - 3 * LONGEST / 4);
    format!("{} .. {}", &what[..end], &what[begin..])
}
