//! The types of a consumer that depend on its first parameter, as the expansion writes them.

use super::model::Model;
use crate::lifetimes::with_lifetime;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

pub(super) fn shape(model: &Model) -> TokenStream {
    let p = &model.function.names.contract;
    let input = with_lifetime(&model.input, "static");
    quote! {
        <() as #p::SelectShape<{
            #[allow(unused_imports)]
            use #p::DefaultShape as _;
            #p::ShapeProbe::<#input>::SHAPE + #p::ShapeProbe::<#input>::NULLABLE
        }>>::Shape
    }
}

/// The payload of one record.
pub(super) fn payload(model: &Model, lifetime: &str) -> TokenStream {
    let (p, ident) = (&model.function.names.contract, &model.function.ident);
    let input = with_lifetime(&model.input, lifetime);
    let lifetime = syn::Lifetime::new(&format!("'{lifetime}"), Span::mixed_site());
    quote_spanned!(model.input.span()=> <#input as #p::InputOf<#lifetime, <#ident as #p::Consumer>::Shape>>::Payload)
}

pub(super) fn codec(model: &Model) -> TokenStream {
    let (p, span) = (&model.function.names.contract, model.input.span());
    let payload = payload(model, "static");
    let is_raw = quote_spanned!(span=>
        #[allow(unused_imports)]
        use #p::DefaultCodec as _;
        #p::CodecProbe::<#payload>::RAW
    );
    model.decoder.ty(p, span, &is_raw)
}
