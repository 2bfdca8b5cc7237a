//! The document as one page: static, whole in itself, readable without its script.

mod json;
mod page;
mod parts;

use crate::model::Document;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::PreEscaped;
use pulldown_cmark::{Event, Options, Parser, html};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("page.css");
/// Copies what stands beside a button. Without it the buttons stay hidden.
const SCRIPT: &str = include_str!("page.js");

impl Document {
    /// As one HTML page. It loads nothing: styles and script are in it, and allowed by their hashes.
    pub fn to_html(&self) -> String {
        page::page(self, &[]).into_string()
    }

    /// As [`Document::to_html`], with links to other forms of the document: their text and where
    /// they are.
    pub fn to_html_with(&self, links: &[(&str, &str)]) -> String {
        page::page(self, links).into_string()
    }
}

/// The content security policy that the page needs and no more, for the header of that name. The page
/// has it as an element too, for when it is opened as a file.
pub fn content_security_policy() -> String {
    format!(
        "{}; frame-ancestors 'none'",
        // Only a header can say who may frame the page.
        policy()
    )
}

fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Markdown as HTML. HTML inside it is shown, not run.
fn markdown(text: &str) -> PreEscaped<String> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let events = Parser::new_ext(text, options).map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        event => event,
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    PreEscaped(out)
}

/// Markdown of one line, without the paragraph around it.
fn inline(text: &str) -> PreEscaped<String> {
    let PreEscaped(html) = markdown(text);
    let html = html.trim();
    let inner = html
        .strip_prefix("<p>")
        .and_then(|html| html.strip_suffix("</p>"))
        .filter(|html| !html.contains("<p>"));
    PreEscaped(inner.unwrap_or(html).to_owned())
}
