//! Assertions that only the compiler can decide: constants that do not evaluate where the attribute and
//! the types of its function contradict each other.

use super::model::Model;
use super::types::payload;
use crate::lifetimes::with_lifetime;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

/// All of them.
pub(super) fn expand(model: &Model) -> TokenStream {
    let (not_bytes, key_used) = (not_bytes(model), key_used(model));
    let (is_batch, order) = (is_batch(model), order(model));
    quote!(#not_bytes #key_used #is_batch #order)
}

/// `Vec<u8>` would silently be a batch of numbers.
fn not_bytes(model: &Model) -> TokenStream {
    let (p, payload) = (&model.function.names.contract, payload(model, "static"));
    quote_spanned!(model.input.span()=>
        const _: fn() = || #p::not_bytes::<(), {
            #[allow(unused_imports)]
            use #p::NotByte as _;
            #p::ByteProbe::<#payload>::BYTE || #p::ByteProbe::<#payload>::BYTES
        }>();
    )
}

/// A `key_decoder` without a key to decode would be ignored; only the types tell.
fn key_used(model: &Model) -> Option<TokenStream> {
    let (p, decoder) = (&model.function.names.contract, model.key_decoder.as_ref()?);
    let keys = model.parameters.iter().map(|ty| {
        let ty = with_lifetime(ty, "static").into_token_stream();
        quote!(|| #p::KeyProbe::<#ty>::IS_KEY)
    });
    let message = format!(
        "consumer `{}` has a `key_decoder` and takes no `Key<..>`",
        model.function.names.function
    );
    Some(quote_spanned!(decoder.span()=> const _: () = {
        #[allow(unused_imports)]
        use #p::NotKey as _;
        ::core::assert!(false #(#keys)*, #message);
    };))
}

/// `batch` makes sure of what the type of the first parameter decides.
fn is_batch(model: &Model) -> Option<TokenStream> {
    let (p, ident) = (&model.function.names.contract, &model.function.ident);
    let message = format!(
        "consumer `{}` says `batch`, but its first parameter is not a `Vec`",
        model.function.names.function
    );
    Some(quote_spanned!(model.batch?=> const _: () = {
        ::core::assert!(<<#ident as #p::Consumer>::Shape as #p::Shape>::BATCH, #message);
    };))
}

/// Only the type of the first parameter tells whether the handler takes batches.
fn order(model: &Model) -> TokenStream {
    let settings = &model.settings;
    let (p, ident) = (&model.function.names.contract, &model.function.ident);
    let name = &model.function.names.function;
    let order = match (settings.word("order"), settings.word("executor")) {
        (Some(order), _) => order,
        (None, Some("Dynamic")) if settings.place("order").is_none() => "Key",
        _ => return TokenStream::new(),
    };
    let mut checks = TokenStream::new();
    if let (true, Some(at)) = (
        order == "Key",
        settings.place("order").or(settings.place("executor")),
    ) {
        let message = format!(
            "consumer `{name}` takes batches in order by key, but a batch has many keys; take one record at a time, or write `order = \"unordered\"`"
        );
        checks.extend(quote_spanned!(at=> const _: () = {
            ::core::assert!(!<<#ident as #p::Consumer>::Shape as #p::Shape>::BATCH, #message);
        };));
    }
    if let (true, Some(at)) = (order != "Partition", settings.place("max_poll_records")) {
        let message = format!(
            "consumer `{name}` has `max_poll_records`, but by key and without order each record is a call of its own; `concurrency` bounds the calls"
        );
        checks.extend(quote_spanned!(at=> const _: () = {
            ::core::assert!(<<#ident as #p::Consumer>::Shape as #p::Shape>::BATCH, #message);
        };));
    }
    checks
}
