//! A consumer, checked as far as it can be without types.

use super::order;
use super::parse::Raw;
use crate::codec::{Codec, KeyCodec};
use crate::definition::Function;
use crate::errors::Errors;
use crate::item::Item;
use crate::keys::CONSUMES;
use crate::names::Names;
use crate::payload;
use crate::settings::Settings;
use proc_macro2::{Span, TokenStream};
use syn::{Expr, Type};

/// Everything the expansion says about a consumer.
pub(crate) struct Model {
    pub(crate) function: Function,
    /// The first parameter: a payload, several, or one that may be missing; the type decides.
    pub(crate) input: Type,
    /// The others, each made through `FromContext`.
    pub(crate) parameters: Vec<Type>,
    pub(crate) output: TokenStream,
    /// The place for mistakes of the return type.
    pub(crate) output_span: Span,
    pub(crate) is_async: bool,
    /// Only sync functions.
    pub(crate) blocking: bool,
    /// Override to take batches: an error if the first parameter is no `Vec`.
    pub(crate) batch: Option<Span>,
    pub(crate) decoder: Codec,
    /// The codec of `Key<K>` parameters.
    pub(crate) key_decoder: Option<KeyCodec>,
    /// `fn(&E) -> bool`: the failure is final.
    pub(crate) reject_if: Option<Expr>,
    /// `fn(&E) -> bool`: the failure is not the record's.
    pub(crate) retry_if: Option<Expr>,
    pub(crate) settings: Settings,
    /// For the function's documentation.
    pub(crate) summary: String,
}

impl Model {
    /// `None` when there is no payload; that and all other mistakes are in `errors`.
    pub(crate) fn new(raw: Raw, item: &Item, errors: &mut Errors) -> Option<Self> {
        item.check(&CONSUMES, errors);
        let names = Names::new(&CONSUMES, &raw.names, item, errors);
        let name = &item.sig.ident;
        let mut parameters = item.parameters().cloned();
        let input = parameters.next();
        if item.sig.inputs.is_empty() {
            errors.on(
                &item.sig,
                format_args!("consumer `{name}` must take the payload as its first parameter"),
            );
        }
        let is_async = item.is_async();
        if let Some(span) = raw.blocking.filter(|_| is_async) {
            errors.at(span, format_args!(
                "consumer `{name}`: `blocking` is for sync functions; an `async fn` waits without blocking a thread"
            ));
        }
        let inline = !is_async && raw.blocking.is_none();
        if let Some(span) = raw.settings.place("handler_timeout").filter(|_| inline) {
            errors.at(span, format_args!(
                "consumer `{name}`: a sync function can not be stopped, so it takes no `handler_timeout`; make it an `async fn`, or add `blocking`"
            ));
        }
        order::check(&names.function, &raw.settings, errors);
        let what = match (&names.pattern, &*names.topics) {
            (Some(pattern), _) => format!("topics that match `{pattern}`"),
            (None, [topic]) => format!("topic `{topic}`"),
            (None, topics) => format!("topics `{}`", topics.join("`, `")),
        };
        let mut summary = match (raw.settings.text("group_id"), raw.settings.word("group_id")) {
            (Some(group), _) => format!("Consumes {what} in group `{group}`"),
            (None, Some(_)) => format!("Consumes {what} without a group"),
            (None, None) => format!("Consumes {what}"),
        };
        let link = input.as_ref().and_then(payload::link);
        summary.push_str(&link.map_or(".".to_owned(), |link| format!(": {link}.")));
        let (output, output_span) = item.output();
        Some(Self {
            function: Function {
                ident: name.clone(),
                vis: item.vis.clone(),
                cfgs: item.cfgs(),
                names,
            },
            input: input?,
            parameters: parameters.collect(),
            output,
            output_span,
            is_async,
            blocking: raw.blocking.is_some(),
            batch: raw.batch,
            decoder: raw.decoder,
            key_decoder: raw.key_decoder,
            reject_if: raw.reject_if,
            retry_if: raw.retry_if,
            settings: raw.settings,
            summary,
        })
    }
}
