//! `#[consumes]`: syntax ([`parse`]), what it means ([`model`]), the code it becomes ([`expand`]).

mod assertions;
mod expand;
mod model;
mod order;
mod parse;
mod types;

use crate::args::Args;
use crate::errors::Errors;
use crate::item::Item;
use crate::keys::CONSUMES;
use model::Model;
use parse::Raw;
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = Args::parse(&CONSUMES, attribute, &mut errors);
    let (item, mut errors) = match Item::parse_or_report(&CONSUMES, item, errors) {
        Ok(parsed) => parsed,
        Err(tokens) => return tokens,
    };
    let raw = Raw::parse(args, &mut errors);
    let model = Model::new(raw, &item, &mut errors);
    match model {
        Some(model) if errors.is_empty() => expand::expand(item, &model),
        _ => {
            let errors = errors.into_tokens();
            quote!(#item #errors)
        }
    }
}

#[cfg(test)]
mod tests;
