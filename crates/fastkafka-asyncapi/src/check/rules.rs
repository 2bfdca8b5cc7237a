//! What AsyncAPI asks for in words.

use super::{Finding, members, reference, resolve};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn check(document: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    keys(document, &mut findings);
    servers(document, &mut findings);
    channels(document, &mut findings);
    operations(document, &mut findings);
    security_schemes(document, &mut findings);
    findings
}

/// Keys that references and programs can use as they are.
fn keys(document: &Value, findings: &mut Vec<Finding>) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    for (at, name, _) in members(document, "/servers") {
        if !name.chars().all(is_word) {
            findings.push(Finding::new(
                at,
                "a server's key takes ASCII letters, digits, `_` and `-`",
            ));
        }
    }
    for (section, _, _) in members(document, "/components") {
        for (at, name, _) in members(document, &section) {
            if !name.chars().all(|c| is_word(c) || c == '.') {
                findings.push(Finding::new(
                    at,
                    "a component's key takes ASCII letters, digits, `.`, `_` and `-`",
                ));
            }
        }
    }
}

/// The names in braces are those of the variables, and a default is one of the values.
fn servers(document: &Value, findings: &mut Vec<Finding>) {
    for (at, _, server) in members(document, "/servers") {
        let used = ["host", "pathname"]
            .iter()
            .filter_map(|field| server.get(field)?.as_str())
            .flat_map(in_braces)
            .collect();
        compare(&at, "variables", server, &used, findings);
        let protocol = server.get("protocol").and_then(Value::as_str);
        if let Some(protocol) = protocol
            && !matches!(protocol, "kafka" | "kafka-secure")
        {
            findings.push(Finding::new(
                format!("{at}/protocol"),
                format!("`{protocol}` is not `kafka` or `kafka-secure`"),
            ));
        }
        for (at, _, variable) in members(document, &format!("{at}/variables")) {
            let values = variable.get("enum").and_then(Value::as_array);
            if let (Some(values), Some(default)) = (values, variable.get("default"))
                && !values.contains(default)
            {
                findings.push(Finding::new(at, "its default is not one of its values"));
            }
        }
    }
}

/// Addresses are topics: one channel each on a server, without query or fragment, and with all its
/// parameters.
fn channels(document: &Value, findings: &mut Vec<Finding>) {
    let mut addresses: Vec<(&str, BTreeSet<String>)> = Vec::new();
    for (at, name, channel) in members(document, "/channels") {
        let address = channel.get("address").and_then(Value::as_str);
        let servers = channel.get("servers").and_then(Value::as_array);
        let servers: BTreeSet<_> = servers
            .into_iter()
            .flatten()
            .map(Value::to_string)
            .collect();
        // No list is all of them.
        let meets = |other: &BTreeSet<String>| {
            servers.is_empty() || other.is_empty() || !servers.is_disjoint(other)
        };
        let mut known = addresses.iter();
        let again = known.any(|(known, on)| Some(*known) == address && meets(on));
        addresses.extend(address.map(|address| (address, servers.clone())));
        if let Some(address) = address.filter(|_| again) {
            findings.push(Finding::new(
                format!("{at}/address"),
                format!("another channel has the address `{address}` already"),
            ));
        }
        if name.contains(['?', '#']) {
            findings.push(Finding::new(&*at, "a channel's key has no `?` and no `#`"));
        }
        let used = address.into_iter().flat_map(in_braces).collect();
        compare(&at, "parameters", channel, &used, findings);
        let topic = channel
            .pointer("/bindings/kafka/topic")
            .and_then(Value::as_str);
        if let (Some(topic), Some(address)) = (topic, address)
            && topic != address
        {
            findings.push(Finding::new(
                format!("{at}/bindings/kafka/topic"),
                format!("the topic `{topic}` is not the address `{address}`"),
            ));
        }
    }
}

fn in_braces(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
}

/// What is used is declared, and what is declared is used.
fn compare(
    at: &str,
    field: &str,
    part: &Value,
    used: &BTreeSet<&str>,
    findings: &mut Vec<Finding>,
) {
    let declared = part.get(field).and_then(Value::as_object);
    let declared: BTreeSet<&str> = declared
        .into_iter()
        .flatten()
        .map(|(name, _)| &**name)
        .collect();
    for missing in used.difference(&declared) {
        findings.push(Finding::new(
            at,
            format!("`{{{missing}}}` is not among its {field}"),
        ));
    }
    for unused in declared.difference(used) {
        findings.push(Finding::new(
            format!("{at}/{field}"),
            format!("`{unused}` is not used"),
        ));
    }
}

/// Identifiers in bindings are schemas; a group belongs to what is received.
fn operations(document: &Value, findings: &mut Vec<Finding>) {
    for (at, _, operation) in members(document, "/operations") {
        let sends = operation.get("action").and_then(Value::as_str) == Some("send");
        if sends && operation.pointer("/bindings/kafka/groupId").is_some() {
            findings.push(Finding::new(
                format!("{at}/bindings/kafka/groupId"),
                "what is sent has no consumer group",
            ));
        }
        let messages = operation.get("messages").and_then(Value::as_array);
        let targets: Vec<_> = messages
            .into_iter()
            .flatten()
            .filter_map(reference)
            .collect();
        let distinct: BTreeSet<_> = targets.iter().collect();
        if distinct.len() < targets.len() {
            findings.push(Finding::new(
                format!("{at}/messages"),
                "a message is named twice",
            ));
        }
        let channel = operation.get("channel").and_then(reference);
        let channel = channel.and_then(|target| resolve(document, target));
        if targets.is_empty()
            && channel.is_some_and(|channel| members(channel, "/messages").next().is_none())
        {
            findings.push(Finding::new(
                at,
                "neither it nor its channel names a message",
            ));
        }
    }
}

/// OAuth without a flow says nothing of where tokens come from.
fn security_schemes(document: &Value, findings: &mut Vec<Finding>) {
    for (at, _, scheme) in members(document, "/components/securitySchemes") {
        let is_oauth = scheme.get("type").and_then(Value::as_str) == Some("oauth2");
        let flows = scheme.get("flows").and_then(Value::as_object);
        if is_oauth && flows.is_none_or(serde_json::Map::is_empty) {
            findings.push(Finding::new(at, "`oauth2` names no flow"));
        }
    }
}
