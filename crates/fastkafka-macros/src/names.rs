//! What both attributes say about their function beside settings: topic, description, app.

use crate::args::Args;
use crate::errors::Errors;
use crate::item::Item;
use crate::keys::Attribute;
use crate::paths;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Ident, LitStr, Path, Type};

/// The keys of both attributes, as they were written.
pub(crate) struct RawNames {
    topic: Option<LitStr>,
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
        Self {
            topic_given: topic.is_some() || errors.len() > before,
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
    /// `description = ".."`, or the doc comment; may be empty.
    pub(crate) description: String,
    /// The module that all emitted paths begin with.
    pub(crate) contract: TokenStream,
    /// The app's type, or the default one.
    pub(crate) app: TokenStream,
}

impl Names {
    pub(crate) fn of(
        attribute: &Attribute,
        raw: &RawNames,
        item: &Item,
        errors: &mut Errors,
    ) -> Self {
        let ident = &item.sig.ident;
        let contract = paths::contract(raw.root.as_ref());
        let app = match &raw.app {
            Some(app) => app.to_token_stream(),
            None => quote!(#contract::DefaultApp),
        };
        let description = raw
            .description
            .as_ref()
            .map_or_else(|| item.docs(), LitStr::value);
        Self {
            function: ident.unraw().to_string(),
            topic: topic(attribute, raw, ident, errors),
            description,
            contract,
            app,
        }
    }
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
