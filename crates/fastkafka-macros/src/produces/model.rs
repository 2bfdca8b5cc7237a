//! A producer, checked as far as it can be without types.

use super::parse::Raw;
use crate::codec::{Codec, KeyCodec};
use crate::definition::Function;
use crate::errors::Errors;
use crate::item::Item;
use crate::keys::PRODUCES;
use crate::lifetimes::with_lifetime;
use crate::names::Names;
use crate::payload;
use crate::settings::Settings;
use proc_macro2::{Span, TokenStream};
use syn::ReturnType;

/// Everything the expansion says about a producer.
pub(crate) struct Model {
    pub(crate) function: Function,
    /// The return type, without elided lifetimes.
    pub(crate) output: TokenStream,
    /// The place for mistakes of the return type.
    pub(crate) output_span: Span,
    pub(crate) encoder: Codec,
    /// The codec for the keys of returned `KafkaEvent`s.
    pub(crate) key_encoder: Option<KeyCodec>,
    pub(crate) settings: Settings,
    /// For the function's documentation.
    pub(crate) summary: String,
}

impl Model {
    /// Whether it holds is in `errors`.
    pub(crate) fn new(raw: Raw, item: &Item, errors: &mut Errors) -> Self {
        item.check(&PRODUCES, errors);
        let names = Names::new(&PRODUCES, &raw.names, item, errors);
        let ident = &item.sig.ident;
        if matches!(item.sig.output, ReturnType::Default) {
            errors.at(
                ident.span(),
                format_args!(
                    "producer `{ident}` must return what it sends: `Result<Payload, ProduceError>`"
                ),
            );
        }
        let (output, output_span) = item.output();
        let link = match &item.sig.output {
            ReturnType::Type(_, ty) => payload::link(ty),
            ReturnType::Default => None,
        };
        let link = link.map_or(String::new(), |link| format!(": {link}"));
        let summary = format!("Produces to topic `{}`{link}.", names.topic);
        Self {
            function: Function {
                ident: ident.clone(),
                vis: item.vis.clone(),
                cfgs: item.cfgs(),
                names,
            },
            summary,
            output: with_lifetime(&output, "static"),
            output_span,
            encoder: raw.encoder,
            key_encoder: raw.key_encoder,
            settings: raw.settings,
        }
    }
}
