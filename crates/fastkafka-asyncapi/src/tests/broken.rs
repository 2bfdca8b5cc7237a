//! Documents that are broken on purpose. `broken.json` says what is done to `broken.base.json`, what
//! our check finds, and whether the official parser finds it too; that half of it is tested in
//! `tests/node`.

use crate::{check, parse};
use serde_json::Value;

fn base() -> Value {
    parse(include_str!("../../tests/broken.base.json")).unwrap()
}

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("../../tests/broken.json")).unwrap()
}

/// Breaks a document as a case says.
fn broken(case: &Value) -> Value {
    let mut document = base();
    let text = |key: &str| case.get(key).and_then(Value::as_str);
    let copied = text("copy").map(|from| document.pointer(from).unwrap().clone());
    if let Some(at) = text("remove") {
        let (parent, name) = parent(&mut document, at);
        parent.as_object_mut().unwrap().remove(name).unwrap();
    }
    if let Some(at) = text("set") {
        put(
            &mut document,
            at,
            copied.unwrap_or_else(|| case["to"].clone()),
        );
    }
    if let Some(at) = text("and") {
        put(&mut document, at, case["is"].clone());
    }
    document
}

fn parent<'a, 'b>(document: &'a mut Value, at: &'b str) -> (&'a mut Value, &'b str) {
    let (parent, name) = at.rsplit_once('/').unwrap();
    (document.pointer_mut(parent).unwrap(), name)
}

fn put(document: &mut Value, at: &str, value: Value) {
    let (parent, name) = parent(document, at);
    match parent {
        Value::Array(parts) => parts[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
}

#[test]
fn what_is_wrong_with_a_document_is_found_where_it_is() {
    let mut missed = Vec::new();
    for case in cases() {
        let findings = check(&broken(&case));
        let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
        let right = match case.get("finds").and_then(Value::as_str) {
            Some(text) => findings.iter().any(|finding| finding.contains(text)),
            None => findings.is_empty(),
        };
        if !right {
            missed.push(format!("{}: {findings:#?}", case["name"]));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn at_least_twenty_are_found_by_the_official_parser_and_some_only_by_us() {
    let official = cases()
        .iter()
        .filter(|case| case["official"] == true)
        .count();
    let ours = cases()
        .iter()
        .filter(|case| case["official"] == false && case.get("finds").is_some())
        .count();
    assert!(official >= 20 && ours >= 10, "{official} and {ours}");
}
