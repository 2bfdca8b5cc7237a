//! The keys of `#[consumes]`, as they were written.

use crate::args::Args;
use crate::codec::{Codec, KeyCodec};
use crate::errors::Errors;
use crate::names::RawNames;
use crate::settings::Settings;
use proc_macro2::Span;
use syn::Expr;

pub(crate) struct Raw {
    pub(crate) names: RawNames,
    pub(crate) decoder: Codec,
    pub(crate) key_decoder: Option<KeyCodec>,
    pub(crate) reject_if: Option<Expr>,
    pub(crate) retry_if: Option<Expr>,
    pub(crate) blocking: Option<Span>,
    pub(crate) batch: Option<Span>,
    pub(crate) settings: Settings,
}

impl Raw {
    pub(crate) fn parse(mut args: Args, errors: &mut Errors) -> Self {
        Self {
            names: RawNames::take(&mut args, errors),
            decoder: Codec::new("decoder", args.expr("decoder"), errors),
            key_decoder: KeyCodec::new("key_decoder", args.expr("key_decoder"), errors),
            reject_if: args.expr("reject_if"),
            retry_if: args.expr("retry_if"),
            blocking: args.flag("blocking"),
            batch: args.flag("batch"),
            settings: Settings::new(args.rest(), errors),
        }
    }
}
