//! Apps that are made to be hard to describe, each with its document in `goldens`.
//!
//! `BLESS=1 cargo test -p fastkafka-asyncapi apps::` writes the documents anew.

mod clusters;
mod codec;
mod enums;
mod forms;
mod generics;
mod non_ascii;
mod patterns;
mod pitfalls;
mod recursive;
mod same_name;
mod shared_topic;
mod two_clusters;
mod words;

use crate::{Broker, Document, Source, check, parse};
use fastkafka::{AppInfo, AppSpec, Registry, States};
use std::any::TypeId;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The functions of one test.
fn app<S: 'static>(title: &str) -> AppSpec {
    let info = AppInfo {
        title: title.to_owned(),
        version: "1.2.3".to_owned(),
        ..AppInfo::default()
    };
    AppSpec::new(
        info,
        Registry::linked(TypeId::of::<S>()),
        &States::default(),
    )
}

/// Their document, on one cluster.
fn document<S: 'static>(title: &str) -> Document {
    let cluster = Broker {
        name: "localhost".to_owned(),
        bootstrap: "localhost:9092".to_owned(),
        ..Broker::default()
    };
    Document::new(&Source {
        app: &app::<S>(title),
        client_id: "tests",
        brokers: vec![cluster],
        topics: BTreeMap::new(),
    })
}

/// The document is the one in `goldens`, and valid.
#[track_caller]
fn golden(name: &str, document: &Document) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/goldens")
        .join(format!("{name}.yaml"));
    let yaml = document.to_yaml();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &yaml).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == yaml,
        "{} differs from what the app says; `BLESS=1` writes it anew:\n{yaml}",
        path.display()
    );
    let findings = check(&parse(&yaml).unwrap());
    assert!(findings.is_empty(), "{findings:#?}");
    assert_eq!(&Document::parse(&yaml).unwrap(), document);
    assert_eq!(&Document::parse(&document.to_json()).unwrap(), document);
}
