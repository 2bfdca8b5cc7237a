//! The document as Markdown, for `cargo doc` and for whoever reads the repository.

use crate::model::{Document, Message, Named, Operation, Schema};
use crate::read::{self, Field, Piece, Topic};
use serde_json::Value;
use std::fmt::Write;

impl Document {
    /// As Markdown: tables of fields, and schemas folded away. It names the app no second time, so
    /// that it can follow the first words of a crate's documentation.
    pub fn to_markdown(&self) -> String {
        let mut out = String::from("## Contract\n\n");
        let _ = writeln!(out, "{}", overview(self));
        for topic in read::topics(self) {
            one_topic(&mut out, self, &topic);
        }
        for (name, schema) in read::parts(self) {
            one_schema(&mut out, &self.components.schemas, name, schema);
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }
}

/// A table of all functions.
fn overview(document: &Document) -> String {
    let mut out = String::from("| function | | topic | message | group |\n|---|---|---|---|---|\n");
    for topic in read::topics(document) {
        for (id, operation) in &topic.operations {
            let _ = writeln!(
                out,
                "| `{}` | {} | [{}](#{}) | {} | {} |",
                name(id, operation),
                read::verb(operation),
                cell(topic.name),
                heading(&topic),
                messages(document, operation),
                read::group(operation).map_or_else(String::new, code),
            );
        }
    }
    out
}

fn name<'a>(id: &'a str, operation: &'a Operation) -> &'a str {
    operation.title.as_deref().unwrap_or(id)
}

fn messages(document: &Document, operation: &Operation) -> String {
    let shown = operation.messages.iter().map(|message| {
        let message = document
            .channels
            .get(operation.channel.name())
            .and_then(|channel| channel.messages.get(message.name()))
            .and_then(|message| document.components.messages.get(message.name()));
        cell(message.map_or("", |message| read::title(message, "")))
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The heading's id, by rustdoc's rule and, for the letters of a topic, GitHub's too.
fn heading(topic: &Topic<'_>) -> String {
    let slug: String = format!("topic-{}", topic.name)
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
        .collect();
    slug
}

fn one_topic(out: &mut String, document: &Document, topic: &Topic<'_>) {
    let _ = writeln!(out, "### Topic `{}`\n", topic.name);
    for (id, operation) in &topic.operations {
        let name = name(id, operation);
        let _ = write!(out, "- `{name}` ({}", read::verb(operation));
        if let Some(group) = read::group(operation) {
            let _ = write!(out, ", group {}", code(group));
        }
        out.push(')');
        match &operation.summary {
            Some(summary) => {
                let _ = writeln!(out, ": {}", plain(summary));
            }
            None => out.push('\n'),
        }
    }
    out.push('\n');
    for (_, message) in &topic.messages {
        one_message(out, document, message);
    }
}

fn one_message(out: &mut String, document: &Document, message: &Message) {
    let schemas = &document.components.schemas;
    let _ = write!(out, "**{}**", read::title(message, ""));
    if let Some(content_type) = &message.content_type {
        let _ = write!(out, ", `{content_type}`");
    }
    if let Some(key) = read::key(message) {
        let _ = write!(out, ", key {}", kind(&read::pieces(key)));
    }
    out.push_str("\n\n");
    if let Some(description) = &message.description {
        let _ = writeln!(out, "{}\n", plain(description));
    }
    let Some(payload) = &message.payload else {
        return;
    };
    if read::named(payload).is_some() {
        about(out, schemas, read::resolved(schemas, payload));
    } else {
        let _ = writeln!(out, "Payload: {}.\n", kind(&read::pieces(payload)));
    }
    if let Some(headers) = &message.headers {
        out.push_str("Headers:\n\n");
        about(out, schemas, headers);
    }
    for (what, example) in read::examples(document, message) {
        fence(out, what, &example);
    }
    if let Some(payload) = read::told(message) {
        let what = format!(
            "{} of {}",
            read::language(payload),
            read::title(message, "")
        );
        folded(out, &what, &read::bundle(schemas, payload));
    }
}

fn one_schema(out: &mut String, schemas: &Named<Schema>, name: &str, schema: &Schema) {
    let _ = writeln!(out, "### Type `{name}`\n");
    about(out, schemas, schema);
    folded(
        out,
        &format!("JSON Schema of {name}"),
        &read::bundle(schemas, schema),
    );
}

/// What a schema says of itself, its fields and its variants.
fn about(out: &mut String, schemas: &Named<Schema>, schema: &Schema) {
    if let Some(description) = schema.get("description").and_then(Value::as_str) {
        let _ = writeln!(out, "{}\n", plain(description));
    }
    let fields = read::fields(schema);
    table(out, &fields);
    let variants = read::variants(schemas, schema);
    for variant in &variants {
        let _ = write!(out, "- {}", kind(&variant.pieces));
        if !variant.description.is_empty() {
            let _ = write!(out, ": {}", plain(&variant.description));
        }
        out.push('\n');
        for field in read::fields(variant.schema) {
            let _ = writeln!(out, "  - {}", row(&field, ": "));
        }
    }
    if !variants.is_empty() {
        out.push('\n');
    }
    if fields.is_empty() && variants.is_empty() {
        let limits = read::limits(schema);
        let _ = write!(out, "{}", kind(&read::pieces(schema)));
        for limit in limits {
            let _ = write!(out, ", {limit}");
        }
        out.push_str("\n\n");
    }
}

fn table(out: &mut String, fields: &[Field]) {
    if fields.is_empty() {
        return;
    }
    out.push_str("| field | type | |\n|---|---|---|\n");
    for field in fields {
        let _ = writeln!(out, "| {} |", row(field, " | "));
    }
    out.push('\n');
}

/// Name, type and the rest of a field.
fn row(field: &Field, between: &str) -> String {
    let limits = field
        .limits
        .iter()
        .map(|limit| format!(", {}", cell(limit)));
    let optional = if field.required { "" } else { "Optional. " };
    let about = format!(
        "{optional}{}",
        plain(&field.description).replace('|', "\\|")
    );
    format!(
        "`{}`{between}{}{}{between}{}",
        field.path,
        kind(&field.pieces),
        limits.collect::<String>(),
        about.trim_end()
    )
}

fn kind(pieces: &[Piece]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Words(text) => cell(text),
        Piece::Value(text) => code(text).replace('|', "\\|"),
        Piece::Named(name) => format!("`{name}`"),
    };
    pieces.iter().map(piece).collect()
}

fn code(text: &str) -> String {
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

/// A text in a table: nothing in it is markup.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '|' | '*' | '_' | '[' | ']' | '<' | '>' | '`' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Markdown of the app's in one line. Brackets are no links here: what they name is elsewhere.
fn plain(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    let mut in_code = false;
    for c in line.chars() {
        in_code ^= c == '`';
        if !in_code && matches!(c, '[' | ']' | '<' | '>') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn fence(out: &mut String, what: &str, value: &Value) {
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    let _ = writeln!(out, "{what}:\n\n```json\n{json}\n```\n");
}

fn folded(out: &mut String, what: &str, value: &Value) {
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    let _ = writeln!(
        out,
        "<details><summary>{what}</summary>\n\n```json\n{json}\n```\n\n</details>\n"
    );
}
