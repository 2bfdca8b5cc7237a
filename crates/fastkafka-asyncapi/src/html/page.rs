//! The page.

use super::parts::{anchor, breakable, code, folded, kind, schema, to};
use super::{SCRIPT, STYLE, inline, markdown, policy};
use crate::model::{Document, Info, Message, Named, Operation, Server};
use crate::read::{self, Topic};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
    %3Ccircle cx='8' cy='8' r='7' fill='%230b5fa5'/%3E%3Cpath d='M5 4v8M5 8l6-4M5 8l6 4' stroke='white' fill='none' stroke-width='1.6'/%3E%3C/svg%3E";

pub(super) fn page(document: &Document, links: &[(&str, &str)]) -> Markup {
    let topics = read::topics(document);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(description) = &document.info.description {
                    meta name="description" content=(description.lines().next().unwrap_or_default());
                }
                title { (document.info.title) " " (document.info.version) }
                link rel="icon" href=(ICON);
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { "Skip to the topics" }
                (contents(document, &topics))
                main id="content" {
                    (intro(&document.info, links))
                    @if !document.servers.is_empty() { (servers(document)) }
                    section aria-labelledby="topics" {
                        h2 id="topics" { "Topics" (anchor("topics", "topics")) }
                        @for (i, topic) in topics.iter().enumerate() { (one_topic(document, topic, &topics[..i])) }
                        @if topics.is_empty() { p { "The app reads and writes no topic." } }
                    }
                    @let schemas = read::parts(document);
                    @if !schemas.is_empty() {
                        section aria-labelledby="schemas" {
                            h2 id="schemas" { "Types inside" (anchor("schemas", "types inside")) }
                            @for (name, schema) in schemas { (one_schema(document, name, schema)) }
                        }
                    }
                    footer { "AsyncAPI " (document.asyncapi) ". Made by FastKafka from the app that runs." }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn contents(document: &Document, topics: &[Topic<'_>]) -> Markup {
    let schemas = read::parts(document);
    html! {
        nav.contents aria-label="Contents" {
            p.title { a href="#top" { (document.info.title) } }
            h2 { "Topics" }
            ul {
                @for topic in topics {
                    li {
                        div {
                            a href=(to(&format!("topic-{}", topic.name))) { (breakable(topic.name)) }
                            span.does {
                                @for verb in verbs(topic) { span class={ "dot " (class(verb)) } { (verb) } }
                            }
                        }
                        ul {
                            @for (name, message) in &topic.messages {
                                li { a href=(to(&message_id(topic, name))) { (breakable(label(topic, name, message))) } }
                            }
                        }
                    }
                }
            }
            @if !schemas.is_empty() {
                h2 { "Types inside" }
                ul {
                    @for (name, _) in schemas {
                        li { a href=(to(&format!("schema-{name}"))) { (breakable(name)) } }
                    }
                }
            }
        }
    }
}

/// The message's title; its name, where several messages of the topic have one title.
fn label<'a>(topic: &Topic<'a>, name: &'a str, message: &'a Message) -> &'a str {
    let title = read::title(message, name);
    let mut same = topic
        .messages
        .iter()
        .filter(|(name, message)| read::title(message, name) == title);
    if same.nth(1).is_some() { name } else { title }
}

fn message_id(topic: &Topic<'_>, name: &str) -> String {
    format!("message-{}-{name}", topic.name)
}

fn verbs(topic: &Topic<'_>) -> Vec<&'static str> {
    let mut verbs: Vec<_> = topic
        .operations
        .iter()
        .map(|(_, operation)| read::verb(operation))
        .collect();
    verbs.sort_unstable();
    verbs.dedup();
    verbs
}

fn class(verb: &str) -> &'static str {
    match verb {
        "consumes" => "consumes",
        "produces" => "produces",
        _ => "dead",
    }
}

fn intro(info: &Info, links: &[(&str, &str)]) -> Markup {
    html! {
        header id="top" {
            h1 { (info.title) " " span.version { (info.version) } }
            @if let Some(description) = &info.description { (markdown(description)) }
            ul.about {
                @if let Some(contact) = &info.contact {
                    @let name = contact.name.as_deref().or(contact.url.as_deref()).unwrap_or("Contact");
                    @match &contact.url {
                        Some(url) => li { a href=(url) { (name) } },
                        None => @if contact.name.is_some() { li { (name) } },
                    }
                    @if let Some(email) = &contact.email { li { a href={ "mailto:" (email) } { (email) } } }
                }
                @if let Some(license) = &info.license {
                    @match &license.url {
                        Some(url) => li { "Licence: " a href=(url) { (license.name) } },
                        None => li { "Licence: " (license.name) },
                    }
                }
                @if let Some(terms) = &info.terms_of_service { li { a href=(terms) { "Terms of service" } } }
                @for (text, target) in links { li { a href=(target) { (text) } } }
            }
        }
    }
}

fn servers(document: &Document) -> Markup {
    html! {
        section aria-labelledby="servers" {
            h2 id="servers" { "Servers" (anchor("servers", "servers")) }
            dl.servers {
                @for (name, server) in &document.servers { (one_server(document, name, server)) }
            }
        }
    }
}

fn one_server(document: &Document, name: &str, server: &Server) -> Markup {
    let schemes = server.security.iter().filter_map(|scheme| {
        let scheme = document.components.security_schemes.get(scheme.name())?;
        let text = scheme.get("description").or_else(|| scheme.get("type"));
        text.and_then(Value::as_str)
    });
    html! {
        div id={ "server-" (name) } {
            dt { (server.title.as_deref().unwrap_or(name)) }
            dd {
                @for (i, address) in read::addresses(server).iter().enumerate() {
                    @if i > 0 { ", " }
                    code { (breakable(address)) }
                }
                span.note { (server.protocol) @for scheme in schemes { ", " (scheme) } }
                @if let Some(description) = &server.description { (markdown(description)) }
            }
        }
    }
}

fn one_topic(document: &Document, topic: &Topic<'_>, before: &[Topic<'_>]) -> Markup {
    let id = format!("topic-{}", topic.name);
    html! {
        section.topic id=(id) aria-labelledby={ (id) "-name" } {
            h3 id={ (id) "-name" } { (breakable(topic.name)) (anchor(&id, topic.name)) }
            (declared(topic))
            @for (id, operation) in &topic.operations { (one_operation(topic, id, operation)) }
            @for (i, (name, message)) in topic.messages.iter().enumerate() {
                @let payload = message.payload.as_ref().and_then(read::named);
                // A type that is the payload of several messages is described with the first.
                @let earlier = before.iter().flat_map(|topic| &topic.messages).chain(&topic.messages[..i]);
                @let mut earlier = earlier.filter_map(|(_, message)| message.payload.as_ref().and_then(read::named));
                @let is_first = !earlier.any(|earlier| Some(earlier) == payload);
                @let title = label(topic, name, message);
                (one_message(document, &message_id(topic, name), title, message, payload.filter(|_| is_first)))
            }
        }
    }
}

fn declared(topic: &Topic<'_>) -> Markup {
    let kafka = topic
        .channel
        .bindings
        .as_ref()
        .map(|bindings| &bindings.kafka);
    let mut facts = Vec::new();
    if let Some(kafka) = kafka {
        facts.extend(kafka.partitions.map(|n| count(n, "partition")));
        facts.extend(kafka.replicas.map(|n| count(n, "replica")));
    }
    if !topic.channel.servers.is_empty() {
        let names: Vec<_> = topic
            .channel
            .servers
            .iter()
            .map(crate::model::Ref::name)
            .collect();
        facts.push(format!("on {}", names.join(", ")));
    }
    let none = Named::new();
    let configs = kafka.map_or(&none, |kafka| &kafka.topic_configuration);
    html! {
        @if !facts.is_empty() || !configs.is_empty() {
            p.note {
                (facts.join(", "))
                @for (key, value) in configs { " " code { (key) "=" (plain(value)) } }
            }
        }
    }
}

fn count(n: u32, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A value of a setting, as the broker takes it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn one_operation(topic: &Topic<'_>, id: &str, operation: &Operation) -> Markup {
    let verb = read::verb(operation);
    html! {
        article.operation id={ "operation-" (id) } {
            h4 {
                span class={ "badge " (class(verb)) } { (verb) }
                code { (breakable(operation.title.as_deref().unwrap_or(id))) }
                (anchor(&format!("operation-{id}"), id))
            }
            @if let Some(summary) = &operation.summary { p { (inline(summary)) } }
            @if let Some(description) = &operation.description { (markdown(description)) }
            dl.facts {
                @if let Some(group) = read::group(operation) {
                    div { dt { "Group" } dd { code { (breakable(group)) } } }
                }
                @if let Some(client) = read::client(operation) {
                    div { dt { "Client" } dd { code { (breakable(client)) } } }
                }
                @if !operation.messages.is_empty() {
                    div {
                        dt { @if operation.messages.len() > 1 { "Messages" } @else { "Message" } }
                        dd {
                            @for (i, message) in operation.messages.iter().enumerate() {
                                @if i > 0 { ", " }
                                a href=(to(&message_id(topic, message.name()))) { (breakable(message.name())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `described` is the name of the type that is described here and nowhere else.
fn one_message(
    document: &Document,
    id: &str,
    title: &str,
    message: &Message,
    described: Option<&str>,
) -> Markup {
    let schemas = &document.components.schemas;
    html! {
        article.message id=(id) {
            h4 { span.badge.message { "message" } (breakable(title)) (anchor(id, title)) }
            @if let Some(description) = &message.description { (markdown(description)) }
            dl.facts {
                @if let Some(content_type) = &message.content_type {
                    div { dt { "Content type" } dd { code { (content_type) } } }
                }
                @if let Some(key) = read::key(message) {
                    div { dt { "Key" } dd { (kind(&read::pieces(key))) } }
                }
                @if let Some(payload) = &message.payload {
                    div { dt { "Payload" } dd { (kind(&read::pieces(payload))) } }
                }
            }
            @if let Some(payload) = read::told(message).filter(|_| described.is_some()) {
                div.payload id=[described.map(|name| format!("schema-{name}"))] {
                    @if let Some(text) = read::resolved(schemas, payload).get("description").and_then(Value::as_str) {
                        (markdown(text))
                    }
                    (schema(schemas, payload))
                }
            }
            @if let Some(headers) = &message.headers {
                h5 { "Headers" }
                (schema(schemas, headers))
            }
            @for (what, example) in read::examples(document, message) {
                h5 { (what) }
                (code(&format!("{what} of {title}"), &example))
            }
            @if let Some(payload) = read::told(message) {
                (folded(&format!("{} of {title}", read::language(payload)), &read::bundle(schemas, payload)))
            }
        }
    }
}

fn one_schema(document: &Document, name: &str, described: &Value) -> Markup {
    let id = format!("schema-{name}");
    let schemas = &document.components.schemas;
    html! {
        section.schema id=(id) aria-labelledby={ (id) "-name" } {
            h3 id={ (id) "-name" } { (breakable(name)) (anchor(&id, name)) }
            @if let Some(description) = described.get("description").and_then(Value::as_str) {
                (markdown(description))
            }
            (schema(schemas, described))
            (folded(&format!("JSON Schema of {name}"), &read::bundle(schemas, described)))
        }
    }
}
