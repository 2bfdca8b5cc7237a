//! The names of an annotated function: topic, description, app.

use crate::args::Args;
use crate::contract;
use crate::errors::Errors;
use crate::item::Item;
use crate::keys::Attribute;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Ident, LitStr, Path, Type};

/// The keys of both attributes, as they were written.
pub(crate) struct RawNames {
    topic: Option<LitStr>,
    topics: Option<Vec<LitStr>>,
    pattern: Option<LitStr>,
    prefix: Option<LitStr>,
    description: Option<LitStr>,
    app: Option<Type>,
    root: Option<Path>,
    /// A topic that could not be read is not inferred from the name either.
    topic_given: bool,
}

impl RawNames {
    pub(crate) fn take(args: &mut Args, errors: &mut Errors) -> Self {
        let before = errors.len();
        let topic = args.text("topic", errors);
        let topics = args.texts("topics", errors);
        let pattern = args.text("pattern", errors);
        Self {
            topic_given: topic.is_some() || errors.len() > before,
            topics,
            pattern,
            topic,
            prefix: args.text("prefix", errors),
            description: args.text("description", errors),
            app: args.ty("app"),
            root: args.path("crate"),
        }
    }
}

/// Topic, description and app of a function.
pub(crate) struct Names {
    /// The function's name, without `r#`.
    pub(crate) function: String,
    /// A valid topic name: as written, or the function's name without its prefix.
    pub(crate) topic: String,
    /// Several topics, or the one.
    pub(crate) topics: Vec<String>,
    /// The pattern of its topics' names.
    pub(crate) pattern: Option<String>,
    /// `description = ".."`, or the doc comment; may be empty.
    pub(crate) description: String,
    /// The module that all emitted paths begin with.
    pub(crate) contract: TokenStream,
    /// The app's type, or the default one.
    pub(crate) app: TokenStream,
}

impl Names {
    /// Of a function without topics.
    pub(crate) fn without_topic(args: &mut Args, item: &Item) -> Self {
        let contract = contract::path(args.path("crate").as_ref());
        let app = match args.ty("app") {
            Some(app) => app.to_token_stream(),
            None => quote!(#contract::DefaultApp),
        };
        Self {
            function: item.sig.ident.unraw().to_string(),
            topic: String::new(),
            topics: Vec::new(),
            pattern: None,
            description: String::new(),
            contract,
            app,
        }
    }

    pub(crate) fn new(
        attribute: &Attribute,
        raw: &RawNames,
        item: &Item,
        errors: &mut Errors,
    ) -> Self {
        let ident = &item.sig.ident;
        let contract = contract::path(raw.root.as_ref());
        let app = match &raw.app {
            Some(app) => app.to_token_stream(),
            None => quote!(#contract::DefaultApp),
        };
        let description = raw
            .description
            .as_ref()
            .map_or_else(|| item.docs(), LitStr::value);
        one_way(raw, errors);
        let (topic, topics) = match (&raw.topics, &raw.pattern) {
            (Some(topics), _) => several(topics, errors),
            (None, Some(pattern)) => (by_pattern(pattern, errors), Vec::new()),
            (None, None) => {
                let topic = topic(attribute, raw, ident, errors);
                (topic.clone(), vec![topic])
            }
        };
        Self {
            function: ident.unraw().to_string(),
            topic,
            topics,
            pattern: raw.pattern.as_ref().map(LitStr::value),
            description,
            contract,
            app,
        }
    }
}

/// Topics are named in one way.
fn one_way(raw: &RawNames, errors: &mut Errors) {
    let topics = raw.topics.as_ref().and_then(|topics| topics.first());
    let ways = [
        ("topic", raw.topic.as_ref()),
        ("topics", topics),
        ("pattern", raw.pattern.as_ref()),
    ];
    let given: Vec<_> = ways
        .iter()
        .filter_map(|(key, written)| Some((key, (*written)?.span())))
        .collect();
    for (key, span) in given.iter().skip(1) {
        let (first, _) = given[0];
        errors.at(
            *span,
            format_args!("`{key}` and `{first}` both say what to read; keep one of them"),
        );
    }
    if let (Some(prefix), Some((key, _))) =
        (&raw.prefix, given.iter().find(|(k, _)| **k != "topic"))
    {
        errors.at(
            prefix.span(),
            format_args!("`prefix` finds the topic in the function's name, but `{key}` names it; keep one of them"),
        );
    }
}

fn several(topics: &[LitStr], errors: &mut Errors) -> (String, Vec<String>) {
    for (i, topic) in topics.iter().enumerate() {
        check_topic(topic, errors);
        if topics[..i]
            .iter()
            .any(|known| known.value() == topic.value())
        {
            errors.at(
                topic.span(),
                format_args!("`{}` is named twice", topic.value()),
            );
        }
    }
    let names: Vec<_> = topics.iter().map(LitStr::value).collect();
    (names.first().cloned().unwrap_or_default(), names)
}

/// librdkafka takes what begins with `^` for a pattern.
fn by_pattern(pattern: &LitStr, errors: &mut Errors) -> String {
    let text = pattern.value();
    if !text.starts_with('^') {
        errors.at(
            pattern.span(),
            format_args!("a `pattern` begins with `^`: write `\"^{text}\"`"),
        );
    }
    text
}

fn topic(attribute: &Attribute, raw: &RawNames, ident: &Ident, errors: &mut Errors) -> String {
    if let (Some(topic), Some(prefix)) = (&raw.topic, &raw.prefix) {
        errors.at(
            prefix.span(),
            format_args!(
                "`prefix` finds the topic `{}` in the function's name, but `topic` names it; keep one of them",
                topic.value()
            ),
        );
    }
    if let Some(topic) = &raw.topic {
        check_topic(topic, errors);
        return topic.value();
    }
    let name = ident.unraw().to_string();
    let prefix = raw
        .prefix
        .as_ref()
        .map_or_else(|| attribute.prefix.to_owned(), LitStr::value);
    match name.strip_prefix(&prefix).filter(|topic| !topic.is_empty()) {
        Some(topic) if topic.is_ascii() => topic.to_owned(),
        Some(topic) => {
            errors.at(ident.span(), format_args!(
                "{} `{name}`: `{topic}` is not a topic name, it takes ASCII letters, digits, `.`, `_` and `-`; \
                 write `#[{}(topic = \"..\")]`",
                attribute.noun, attribute.name
            ));
            String::new()
        }
        None if raw.topic_given => String::new(),
        None => {
            errors.at(ident.span(), format_args!(
                "{} `{name}`: its topic can not be inferred because the name does not start with `{prefix}`; \
                 write `#[{}(topic = \"..\")]` or `prefix = \"..\"`",
                attribute.noun, attribute.name
            ));
            String::new()
        }
    }
}

/// Kafka's rule for topic names.
pub(crate) fn check_topic(topic: &LitStr, errors: &mut Errors) {
    let text = topic.value();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.is_empty() {
        errors.at(topic.span(), "a topic name must not be empty");
    } else if text.len() > 249 {
        errors.at(topic.span(), "a topic name has at most 249 characters");
    } else if matches!(&*text, "." | "..") || !text.chars().all(allowed) {
        errors.at(
            topic.span(),
            format_args!(
                "`{text}` is not a topic name: it takes ASCII letters, digits, `.`, `_` and `-`"
            ),
        );
    }
}
