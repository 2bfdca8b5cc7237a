//! The page and the Markdown of apps that are hard to describe.

use crate::tests::apps::clusters::Clusters;
use crate::tests::apps::codec::Codecs;
use crate::tests::apps::enums::Enums;
use crate::tests::apps::generics::Generics;
use crate::tests::apps::recursive::Recursive;
use crate::tests::apps::same_name::SameName;
use crate::tests::apps::shared_topic::SharedTopic;
use crate::tests::apps::words::Words;
use crate::tests::apps::{document, non_ascii};
use crate::{Document, Format, check, content_security_policy, parse};
use serde_json::Value;

fn all() -> Vec<Document> {
    vec![
        document::<Clusters>("Clusters"),
        document::<Codecs>("Codecs"),
        document::<Enums>("Enums"),
        document::<Generics>("Generics"),
        document::<Recursive>("Recursive"),
        document::<SameName>("Same name"),
        document::<SharedTopic>("Shared topic"),
        document::<Words>("Words"),
        non_ascii::non_ascii_document(),
    ]
}

/// The texts between two marks.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    let parts = text.split(open).skip(1);
    parts.filter_map(move |part| Some(part.split_once(close)?.0))
}

#[test]
fn the_page_asks_for_nothing() {
    for document in all() {
        let html = document.to_html();
        assert!(!html.contains("src="), "{html}");
        let loads = between(&html, "<link", ">").filter(|link| !link.contains("href=\"data:"));
        assert_eq!(loads.count(), 0);
        assert!(!html.contains("url(") && !html.contains("@import"));
    }
}

#[test]
fn the_policy_of_the_page_allows_its_style_and_its_script() {
    use base64::Engine;
    use sha2::{Digest, Sha256};
    let html = document::<Enums>("Enums").to_html();
    let policy = content_security_policy();
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        for text in between(&html, open, close) {
            let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
            assert!(
                policy.contains(&format!("'sha256-{hash}'")),
                "{open} {policy}"
            );
        }
    }
    assert!(!policy.contains("unsafe"));
    // No style and no handler stands in an element, where a hash would not reach it.
    assert!(!html.contains(" style=") && !html.contains(" onclick="));
}

#[test]
fn html_in_documentation_is_shown_and_not_run() {
    let html = non_ascii::non_ascii_document().to_html();
    assert!(
        html.contains("&lt;b&gt;C&lt;/b&gt;") && !html.contains("<b>C</b>"),
        "{html}"
    );
}

#[test]
fn each_function_topic_and_type_has_a_place_in_the_page() {
    for document in all() {
        let html = document.to_html();
        let has = |id: String| assert!(html.contains(&format!("id=\"{id}\"")), "{id}");
        document
            .operations
            .keys()
            .for_each(|id| has(format!("operation-{id}")));
        document
            .channels
            .keys()
            .for_each(|topic| has(format!("topic-{topic}")));
        document
            .servers
            .keys()
            .for_each(|name| has(format!("server-{name}")));
        for name in document.components.schemas.keys() {
            let used = html.contains(&format!("href=\"#schema-{name}\""));
            assert!(
                !used || html.contains(&format!("id=\"schema-{name}\"")),
                "{name}"
            );
        }
    }
}

#[test]
fn what_is_shown_as_a_sample_fits_its_schema() {
    let mut samples = 0;
    for mut document in all() {
        // Messages begin with their title in bold; the last one ends with the text.
        let markdown = document.to_markdown() + "\n**";
        for message in document.components.messages.values_mut() {
            let title = format!("**{}**", message.title.clone().unwrap_or_default());
            let section = between(&markdown, &title, "\n**")
                .next()
                .unwrap_or_default();
            if let Some(sample) = between(section, "Sample:\n\n```json\n", "\n```").next() {
                samples += 1;
                message.examples.push(crate::model::Example {
                    headers: None,
                    payload: Some(serde_json::from_str(sample).unwrap()),
                });
            }
        }
        // As examples they are checked.
        let findings = check(&parse(&document.to_json()).unwrap());
        assert!(findings.is_empty(), "{findings:#?}");
    }
    assert!(samples > 15, "{samples}");
}

#[test]
fn a_schema_to_copy_is_whole() {
    for document in all() {
        let markdown = document.to_markdown();
        for text in between(&markdown, "</summary>\n\n```json\n", "\n```") {
            let schema: Value = serde_json::from_str(text).unwrap();
            for target in between(text, "\"$ref\": \"#", "\"") {
                assert!(schema.pointer(target).is_some(), "{target} in {text}");
            }
        }
    }
}

#[test]
fn a_form_follows_from_the_name_of_a_file() {
    use std::path::Path;
    assert_eq!(
        Format::from_path(Path::new("docs/contract.YML")),
        Some(Format::Yaml)
    );
    for format in Format::ALL {
        let path = format!("asyncapi.{format}");
        assert_eq!(Format::from_path(Path::new(&path)), Some(format));
        assert!(!document::<Enums>("Enums").render(format).is_empty());
    }
    assert_eq!(Format::from_path(Path::new("contract.txt")), None);
    assert_eq!(Format::from_path(Path::new("json")), None);
}
