//! `#[produces]`: syntax ([`parse`]), what it means ([`model`]), the code it becomes ([`expand`]).

mod expand;
mod model;
mod parse;

use crate::args::Args;
use crate::errors::Errors;
use crate::item::Item;
use crate::keys::PRODUCES;
use model::Model;
use parse::Raw;
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = Args::parse(&PRODUCES, attribute, &mut errors);
    let (item, mut errors) = match Item::parse_or_report(&PRODUCES, item, errors) {
        Ok(parsed) => parsed,
        Err(tokens) => return tokens,
    };
    let raw = Raw::parse(args, &mut errors);
    let model = Model::new(raw, &item, &mut errors);
    if errors.is_empty() {
        expand::expand(item, &model)
    } else {
        let errors = errors.into_tokens();
        quote!(#item #errors)
    }
}
