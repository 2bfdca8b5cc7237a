//! Every reference leads somewhere, and where AsyncAPI says that it must.

use super::{Finding, escape, members, reference, resolve};
use serde_json::Value;

pub(super) fn check(document: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    resolve_all(document, document, &mut String::new(), &mut findings);
    operations(document, &mut findings);
    channels(document, &mut findings);
    security(document, &mut findings);
    findings
}

fn resolve_all(document: &Value, part: &Value, at: &mut String, findings: &mut Vec<Finding>) {
    let whole = at.len();
    match part {
        Value::Object(parts) => {
            if let Some(target) = reference(part)
                && resolve(document, target).is_none()
            {
                findings.push(Finding::new(&*at, format!("`{target}` leads nowhere")));
            }
            for (name, part) in parts {
                // What stands in examples is data.
                if matches!(
                    &**name,
                    "examples" | "example" | "default" | "const" | "enum"
                ) && part.is_array() | part.is_object()
                    && !at.ends_with("/properties")
                {
                    continue;
                }
                at.push('/');
                at.push_str(&escape(name));
                resolve_all(document, part, at, findings);
                at.truncate(whole);
            }
        }
        Value::Array(parts) => {
            for (i, part) in parts.iter().enumerate() {
                at.push_str(&format!("/{i}"));
                resolve_all(document, part, at, findings);
                at.truncate(whole);
            }
        }
        _ => {}
    }
}

/// An operation names a channel of the document, and messages of that channel.
fn operations(document: &Value, findings: &mut Vec<Finding>) {
    for (at, _, operation) in members(document, "/operations") {
        let Some(channel) = operation.get("channel").and_then(reference) else {
            continue;
        };
        if !is_below(channel, "#/channels/") {
            findings.push(Finding::new(
                format!("{at}/channel"),
                format!("`{channel}` must be a channel of this document, `#/channels/..`"),
            ));
        }
        let messages = operation.get("messages").and_then(Value::as_array);
        for (i, message) in messages.into_iter().flatten().enumerate() {
            let Some(target) = reference(message) else {
                continue;
            };
            let of_channel = format!("{channel}/messages/");
            if !is_below(target, &of_channel) {
                findings.push(Finding::new(
                    format!("{at}/messages/{i}"),
                    format!(
                        "`{target}` must be a message of the operation's channel, `{of_channel}..`"
                    ),
                ));
            }
        }
    }
}

fn channels(document: &Value, findings: &mut Vec<Finding>) {
    for (at, _, channel) in members(document, "/channels") {
        let servers = channel.get("servers").and_then(Value::as_array);
        for (i, server) in servers.into_iter().flatten().enumerate() {
            if let Some(target) = reference(server)
                && !is_below(target, "#/servers/")
            {
                findings.push(Finding::new(
                    format!("{at}/servers/{i}"),
                    format!("`{target}` must be a server of this document, `#/servers/..`"),
                ));
            }
        }
    }
}

/// The schema allows any reference here, also one to something that is no security scheme.
fn security(document: &Value, findings: &mut Vec<Finding>) {
    for (at, _, server) in members(document, "/servers") {
        let schemes = server.get("security").and_then(Value::as_array);
        for (i, scheme) in schemes.into_iter().flatten().enumerate() {
            if let Some(target) = reference(scheme)
                && !is_below(target, "#/components/securitySchemes/")
            {
                findings.push(Finding::new(
                    format!("{at}/security/{i}"),
                    format!(
                        "`{target}` must be a security scheme, `#/components/securitySchemes/..`"
                    ),
                ));
            }
        }
    }
}

/// One step below, not deeper.
fn is_below(target: &str, parent: &str) -> bool {
    target
        .strip_prefix(parent)
        .is_some_and(|name| !name.is_empty() && !name.contains('/'))
}
