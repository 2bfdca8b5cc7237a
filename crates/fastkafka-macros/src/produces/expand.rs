//! The code a producer becomes: its function around the user's body, and a struct of the same name
//! that is its definition.

use super::model::Model;
use crate::codec::Codec;
use crate::definition::local;
use crate::item::{Item, name_parameters};
use crate::mirror;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

pub(crate) fn expand(item: Item, model: &Model) -> TokenStream {
    let (not_bytes, producer) = (not_bytes(model), producer(model));
    let p = &model.function.names.contract;
    let need = model.encoder.need(p);
    let need_key = model.key_encoder.as_ref().and_then(|key| key.need(p));
    let definition = model.function.define(
        ["Producer", "Produces"],
        &quote!(#need #need_key #not_bytes #producer),
    );
    let function = function(item, model);
    let mirror = mirror::of_producer(&model.function);
    quote!(#function #definition #mirror)
}

fn producer(model: &Model) -> TokenStream {
    let (ident, output) = (&model.function.ident, &model.output);
    let (p, span) = (&model.function.names.contract, model.output_span);
    let (def, codec) = (def(model), codec(model));
    let (encode, encode_key, schema) = encode(model);
    let probe = |constant: &str| {
        let constant = Ident::new(constant, Span::call_site());
        quote!({ #[allow(unused_imports)] use #p::DefaultEmit as _; #p::EmitProbe::<#output>::#constant })
    };
    let (outer, inner) = (probe("OUTER"), probe("INNER"));
    let types = quote_spanned! {span=>
        type Shape = <() as #p::SelectEmit<#outer, #inner>>::Shape;
        type Returned = <#output as #p::ProducerReturn>::Ok;
        type Payload = <Self::Returned as #p::Emit<Self::Shape>>::Payload;
        type Key = <Self::Returned as #p::Emit<Self::Shape>>::Key;
        type Codec = #codec;
    };
    quote_spanned! {span=>
        impl #p::Producer for #ident {
            #def
            #types
            #encode
            #encode_key
            #schema
        }
    }
}

fn def(model: &Model) -> TokenStream {
    let p = &model.function.names.contract;
    let fields = model.function.fields();
    let settings = model.settings.expand(p, "ProducerSettings");
    let codec = codec(model);
    let key = match &model.key_encoder {
        Some(encoder) => {
            let schema = encoder.schema(p);
            quote!(::core::option::Option::Some(#schema))
        }
        None => quote!(::core::option::Option::None),
    };
    quote! {
        const DEF: #p::ProducerDef = #p::ProducerDef {
            #fields
            settings: #settings,
            content_type: <#codec as #p::Codec>::CONTENT_TYPE,
            schema: <Self as #p::Producer>::schema,
            key: #key,
        };
    }
}

/// Asked of the return type and not of `Self::Payload`: where that is wrong, it is reported once.
fn codec(model: &Model) -> TokenStream {
    let (p, output, span) = (
        &model.function.names.contract,
        &model.output,
        model.output_span,
    );
    let is_raw = quote_spanned!(span=>
        #[allow(unused_imports)]
        use #p::DefaultEmit as _;
        #p::EmitProbe::<#output>::RAW
    );
    model.encoder.ty(p, span, &is_raw)
}

/// `Vec<u8>` would silently be many records of a number each.
fn not_bytes(model: &Model) -> TokenStream {
    let (p, ident) = (&model.function.names.contract, &model.function.ident);
    quote_spanned!(model.output_span=>
        const _: fn() = || #p::not_bytes::<(), {
            #[allow(unused_imports)]
            use #p::NotByte as _;
            #p::ByteProbe::<<#ident as #p::Producer>::Payload>::BYTE
                || #p::ByteProbe::<<#ident as #p::Producer>::Payload>::BYTES
        }>();
    )
}

/// `encode`, `encode_key` and `schema`.
fn encode(model: &Model) -> (TokenStream, TokenStream, TokenStream) {
    let (p, span) = (&model.function.names.contract, model.output_span);
    let (payload, key) = (local("payload"), local("key"));
    let (into, generator) = (local("into"), local("generator"));
    let codec = codec(model);
    let (encode, schema) = match &model.encoder {
        Codec::Function(path) => (
            quote_spanned!(path.span()=> #p::encode_with(#path, #payload, #into)),
            quote_spanned!(span=> #p::schema_of::<Self::Payload>(#generator)),
        ),
        _ => (
            quote_spanned!(span=> <#codec as #p::Encode<Self::Payload>>::encode(#payload, #into)),
            quote_spanned!(span=> <#codec as #p::Encode<Self::Payload>>::schema(#generator)),
        ),
    };
    let encode_key = match &model.key_encoder {
        Some(encoder) => encoder.encode(p, &key),
        None => {
            quote_spanned!(span=> ::core::result::Result::Ok(<Self::Key as #p::EncodedKey>::bytes(#key)))
        }
    };
    (
        quote_spanned! {span=>
            fn encode(
                #payload: &Self::Payload,
                #into: &mut ::std::vec::Vec<u8>,
            ) -> ::core::result::Result<(), #p::Rejection> {
                #encode
            }
        },
        quote_spanned! {span=>
            fn encode_key(#key: &Self::Key) -> ::core::result::Result<#p::Bytes, #p::Rejection> {
                #encode_key
            }
        },
        quote_spanned! {span=>
            fn schema(#generator: &mut #p::schemars::SchemaGenerator) -> #p::schemars::Schema {
                #schema
            }
        },
    )
}

/// The user's function around its own body: calls it, then sends what it returned.
fn function(mut item: Item, model: &Model) -> TokenStream {
    let (p, ident, span) = (
        &model.function.names.contract,
        &model.function.ident,
        model.output_span,
    );
    // The inner function keeps the patterns; the outer one needs names to pass on.
    let mut inner = item.sig.clone();
    inner.ident = local("__fastkafka_body");
    let arguments = name_parameters(&mut item.sig);
    let (body, inner_name) = (&item.body, &inner.ident);
    let (returned, sent) = (local("returned"), local("sent"));
    let (error, waiting) = (local("error"), local("waiting"));
    let (output, _) = item.output();
    let value = quote_spanned!(span=> <#output as #p::ProducerReturn>::as_ok(&#returned));
    let wait = item.is_async().then(|| quote!(.await));
    let send = if item.is_async() {
        // Waits for room before and, outside a scope, for the reports after; what was returned is
        // not borrowed across either await.
        quote_spanned! {span=>
            #p::room::<#ident>().await;
            let #sent = match #p::emit_open::<#ident>(#value) {
                ::core::result::Result::Ok(#waiting) => #waiting.reports().await,
                ::core::result::Result::Err(#error) => ::core::result::Result::Err(#error),
            };
        }
    } else {
        quote_spanned!(span=> let #sent = #p::emit::<#ident>(#value);)
    };
    let failed = quote_spanned!(span=> <#output as #p::ProducerReturn>::from_error(#error));
    // A producer returns a `Result` and may be `async` because of what follows, not of its body.
    item.body = quote! {{
        #[allow(clippy::unnecessary_wraps, clippy::unused_async)]
        #inner #body
        let #returned = #inner_name(#(#arguments),*)#wait;
        #send
        match #sent {
            ::core::result::Result::Ok(()) => #returned,
            ::core::result::Result::Err(#error) => #failed,
        }
    }};
    item.document(&model.summary);
    quote!(#item)
}
