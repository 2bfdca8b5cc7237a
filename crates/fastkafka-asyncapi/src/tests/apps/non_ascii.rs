//! Texts and names beyond ASCII, Markdown, quotes and line breaks.

use crate::tests::apps::{app, golden};
use crate::{Broker, Document, Source};
use fastkafka::{AppInfo, AppSpec, Contact, License};
use fastkafka_macros::consumes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) struct NonAscii;

/// Größe in `cm`; „genau“ – 大きさ 📏
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Größe {
    /// Höhe: yes, "quoted": {not: yaml} # no comment
    pub(crate) höhe: f64,
    pub(crate) größe: Vec<Größe>,
}

/// Misst etwas: 'A' | "B" & <b>C</b>.
///
/// - Eins
/// - Zwei
///
/// ```text
/// key: value
/// ```
#[consumes(app = NonAscii, topic = "messwerte")]
pub(crate) fn messe_größe(_größe: Größe) {}

fn non_ascii() -> AppSpec {
    let mut app = app::<NonAscii>("Größen & Maße");
    app.info = AppInfo {
        description: "Zeile eins.\n\nZeile *zwei*: 100 % – „schön“.".to_owned(),
        contact: Some(Contact {
            name: Some("Jürgen Ä.".to_owned()),
            email: Some("groesse@example.com".to_owned()),
            url: Some("https://example.com".to_owned()),
        }),
        license: Some(License {
            name: "MIT".to_owned(),
            url: None,
        }),
        terms_of_service: Some("https://example.com/terms".to_owned()),
        ..app.info
    };
    app
}

pub(crate) fn non_ascii_document() -> Document {
    Document::new(&Source {
        app: &non_ascii(),
        client_id: "größen-maße",
        brokers: vec![Broker {
            name: "büro.eu".to_owned(),
            bootstrap: "[::1]:9092".to_owned(),
            ..Broker::default()
        }],
        topics: BTreeMap::new(),
    })
}

#[test]
fn texts_survive_and_names_become_keys() {
    let document = non_ascii_document();
    golden("non_ascii", &document);
    assert!(document.servers.contains_key("b_ro_eu"));
    assert!(document.operations.contains_key("messe_gr__e"));
    assert!(document.components.schemas.contains_key("Gr__e"));
}
