//! Parts that several places of the page are made of.

use super::json::json;
use super::{inline, markdown};
use crate::model::{Named, Schema};
use crate::read::{self, Field, Piece};
use maud::{Markup, html};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;
use std::fmt::Display;

/// What has a meaning in a URL, or may not stand in its fragment. A pattern has many of these.
const FRAGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The address of an element of the page.
pub(super) fn to(id: &str) -> impl Display {
    format!("#{}", utf8_percent_encode(id, FRAGMENT))
}

/// The mark that leads to a heading.
pub(super) fn anchor(id: &str, what: &str) -> Markup {
    html! { a.anchor href=(to(id)) aria-label={ "Link to " (what) } { "#" } }
}

/// A text to copy.
pub(super) fn code(what: &str, value: &Value) -> Markup {
    html! {
        div.code {
            button type="button" hidden data-copy aria-label={ "Copy " (what) } { "Copy" }
            pre tabindex="0" role="region" aria-label=(what) { code { (json(value)) } }
        }
    }
}

/// A text to copy that is folded away.
pub(super) fn folded(what: &str, value: &Value) -> Markup {
    html! {
        details {
            summary { (what) }
            (code(what, value))
        }
    }
}

/// A type in words.
pub(super) fn kind(pieces: &[Piece]) -> Markup {
    html! {
        @for piece in pieces {
            @match piece {
                Piece::Words(text) => (text),
                Piece::Value(text) => code { (text) },
                Piece::Named(name) => a href=(to(&format!("schema-{name}"))) { (name) },
            }
        }
    }
}

/// What a schema says: its fields, or its variants, or what it is.
pub(super) fn schema(schemas: &Named<Schema>, schema: &Schema) -> Markup {
    let schema = read::resolved(schemas, schema);
    let fields = read::fields(schema);
    let variants = read::variants(schemas, schema);
    html! {
        @if !fields.is_empty() { (table(&fields)) }
        @if !variants.is_empty() {
            p.lead { "One of:" }
            ul.variants {
                @for variant in &variants {
                    li {
                        p { strong { (kind(&variant.pieces)) }
                            @if !variant.description.is_empty() { " " (inline(&variant.description)) } }
                        @let fields = read::fields(variant.schema);
                        @if !fields.is_empty() { (table(&fields)) }
                    }
                }
            }
        }
        @if fields.is_empty() && variants.is_empty() {
            p.lead {
                (kind(&read::pieces(schema)))
                @for limit in read::limits(schema) { ", " (limit) }
            }
        }
    }
}

/// Fields of an object. On a narrow screen each row is a block, named by `data-label`.
pub(super) fn table(fields: &[Field]) -> Markup {
    html! {
        table.fields {
            thead { tr { th scope="col" { "Field" } th scope="col" { "Type" } th scope="col" { "Description" } } }
            tbody {
                @for field in fields {
                    tr {
                        th scope="row" {
                            code { (breakable(&field.path)) }
                            @if field.required { " " span.required { "required" } }
                        }
                        td data-label="Type" {
                            (kind(&field.pieces))
                            @for limit in &field.limits { span.limit { (limit) } }
                        }
                        td data-label="Description" { (markdown(&field.description)) }
                    }
                }
            }
        }
    }
}

/// A long name with places where a line may end.
pub(super) fn breakable(name: &str) -> Markup {
    html! {
        @for part in name.split_inclusive(['.', '_', '-']) { (part) wbr; }
    }
}
