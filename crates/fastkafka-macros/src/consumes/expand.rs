//! The code a consumer becomes: its function unchanged, and a struct of the same name that is its
//! definition.
//!
//! Each type of the user's keeps its span in every generated use, so that a mistake is reported at
//! the type. Two uses give two errors, unless they read the same: rustc shows equal ones once. That
//! is why the lifetimes below are `'run` and `'_` also where `'static` would do.

use super::model::Model;
use super::order;
use crate::codec::Codec;
use crate::definition::local;
use crate::item::Item;
use crate::lifetimes::with_lifetime;
use crate::mirror;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

pub(crate) fn expand(mut item: Item, model: &Model) -> TokenStream {
    item.document(&model.summary);
    let (not_bytes, key_used) = (not_bytes(model), key_used(model));
    let (is_batch, consumer, owned) = (is_batch(model), consumer(model), owned(model));
    let order = order::expand(model);
    let p = &model.function.names.contract;
    let need = model.decoder.need(p);
    let need_key = model.key_decoder.as_ref().and_then(|key| key.need(p));
    let definition = model.function.define(
        ["Consumer", "Consumes"],
        &quote!(#need #need_key #not_bytes #key_used #is_batch #order #consumer #owned),
    );
    let mirror = mirror::of_consumer(&model.function);
    quote!(#item #definition #mirror)
}

fn consumer(model: &Model) -> TokenStream {
    let (ident, input) = (&model.function.ident, &model.input);
    let p = &model.function.names.contract;
    let (def, codec) = (def(model), codec(model));
    let shape = shape(model);
    let (payload, span) = (payload(model, "static"), input.span());
    let run_ty = with_lifetime(input, "run");
    let static_ty = with_lifetime(input, "static");
    let output = &model.output;
    let output = quote_spanned!(model.output_span=> type Output = #output;);
    let payload = quote_spanned!(span=> type Payload = #payload;);
    let (decode, schema) = decode(model);
    let (call, outcome, requires) = (call(model), outcome(model), requires(model));
    quote! {
        impl #p::Consumer for #ident {
            #def
            type Shape = #shape;
            type Codec = #codec;
            #payload
            type Input<'run> = #run_ty;
            type Args = #static_ty;
            #output
            #decode
            #call
            #outcome
            #schema
            #requires
        }
    }
}

fn def(model: &Model) -> TokenStream {
    let Model {
        is_async, blocking, ..
    } = model;
    let p = &model.function.names.contract;
    let fields = model.function.fields();
    let topics = &model.function.names.topics;
    let pattern = match &model.function.names.pattern {
        Some(pattern) => quote!(::core::option::Option::Some(#pattern)),
        None => quote!(::core::option::Option::None),
    };
    let settings = model.settings.expand(p, "ConsumerSettings");
    let settles = model.parameters.iter().map(|ty| match &model.key_decoder {
        None => quote_spanned!(ty.span()=> || <#ty as #p::FromContext<'_, <Self as #p::Consumer>::Shape>>::SETTLES),
        Some(_) => {
            let ty = with_lifetime(ty, "static");
            quote_spanned!(ty.span()=> || {
                #[allow(unused_imports)]
                use #p::SettlesNot as _;
                #p::SettlesProbe::<#ty>::SETTLES
            })
        }
    });
    let (codec, key) = (codec(model), key(model));
    quote! {
        const DEF: #p::ConsumerDef = #p::ConsumerDef {
            #fields
            topics: &[#(#topics),*],
            pattern: #pattern,
            settings: #settings,
            batch: <<Self as #p::Consumer>::Shape as #p::Shape>::BATCH,
            tombstones: <<Self as #p::Consumer>::Shape as #p::Shape>::TOMBSTONES,
            is_async: #is_async,
            blocking: #blocking,
            settles: false #(#settles)*,
            content_type: <#codec as #p::Codec>::CONTENT_TYPE,
            schema: <Self as #p::Consumer>::schema,
            key: #key,
            requires: <Self as #p::Consumer>::requires,
            run: #p::run::<Self>,
        };
    }
}

/// The schema of the key, where there is a parameter for it.
fn key(model: &Model) -> TokenStream {
    let p = &model.function.names.contract;
    if let Some(decoder) = &model.key_decoder {
        let schema = decoder.schema(p);
        return quote!(::core::option::Option::Some(#schema));
    }
    let keys = model.parameters.iter().map(|ty| {
        let ty = with_lifetime(ty, "static");
        quote!(#p::KeySchemaProbe::<#ty>::KEY)
    });
    quote!({
        #[allow(unused_imports)]
        use #p::NoKeySchema as _;
        #p::first_key(&[#(#keys),*])
    })
}

fn shape(model: &Model) -> TokenStream {
    let p = &model.function.names.contract;
    let input = with_lifetime(&model.input, "static");
    quote! {
        <() as #p::SelectShape<{
            #[allow(unused_imports)]
            use #p::DefaultShape as _;
            #p::ShapeProbe::<#input>::SHAPE
        }>>::Shape
    }
}

/// What one record carries.
fn payload(model: &Model, lifetime: &str) -> TokenStream {
    let (p, ident) = (&model.function.names.contract, &model.function.ident);
    let input = with_lifetime(&model.input, lifetime);
    let lifetime = syn::Lifetime::new(&format!("'{lifetime}"), Span::mixed_site());
    quote_spanned!(model.input.span()=> <#input as #p::InputOf<#lifetime, <#ident as #p::Consumer>::Shape>>::Payload)
}

fn codec(model: &Model) -> TokenStream {
    let (p, span) = (&model.function.names.contract, model.input.span());
    let payload = payload(model, "static");
    let is_raw = quote_spanned!(span=>
        #[allow(unused_imports)]
        use #p::DefaultCodec as _;
        #p::CodecProbe::<#payload>::RAW
    );
    model.decoder.ty(p, span, &is_raw)
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

/// `decode` and `schema`.
fn decode(model: &Model) -> (TokenStream, TokenStream) {
    let (p, span) = (&model.function.names.contract, model.input.span());
    let payload = payload(model, "run");
    let (record, generator) = (local("record"), local("generator"));
    let codec = codec(model);
    let (decode, schema) = match &model.decoder {
        Codec::Function(path) => (
            quote_spanned!(path.span()=> #p::DecodeFn::<'run, #payload, _>::decode(&#path, #record)),
            quote_spanned!(span=> #p::schema_of::<#payload>(#generator)),
        ),
        _ => (
            quote_spanned!(span=> <#codec as #p::Decode<'run, #payload>>::decode(#record)),
            quote_spanned!(span=> <#codec as #p::Decode<'run, #payload>>::schema(#generator)),
        ),
    };
    let decode = quote! {
        fn decode<'run>(#record: &#p::RawRecord<'run>) -> ::core::result::Result<#payload, #p::Rejection> {
            #decode
        }
    };
    let schema = quote! {
        fn schema(#generator: &mut #p::schemars::SchemaGenerator) -> #p::schemars::Schema {
            fn schema_of<'run>(#generator: &mut #p::schemars::SchemaGenerator, _: &'run ()) -> #p::schemars::Schema {
                #schema
            }
            schema_of(#generator, &())
        }
    };
    (decode, schema)
}

fn call(model: &Model) -> TokenStream {
    let (p, ident) = (&model.function.names.contract, &model.function.ident);
    let (input, cx) = (local("input"), local("cx"));
    let parameters = model.parameters.iter().map(|ty| match &model.key_decoder {
        None => quote_spanned!(ty.span()=> <#ty as #p::FromContext<'_, <Self as #p::Consumer>::Shape>>::from_context(#cx)?),
        Some(decoder) => {
            let (extract, decoder) = decoder.probe(p, ty.span());
            quote_spanned!(ty.span()=> {
                #[allow(unused_imports)]
                use #p::NotKey as _;
                #p::KeyProbe::<#ty>::#extract(#cx, #decoder, ::core::marker::PhantomData::<Self::Shape>)?
            })
        }
    });
    let wait = model.is_async.then(|| quote!(.await));
    let call = quote_spanned!(ident.span()=> async move {
        ::core::result::Result::Ok(#ident(#input, #(#parameters),*)#wait)
    });
    quote! {
        fn call<'run>(
            #input: Self::Input<'run>,
            #cx: &'run #p::CallContext<'run>,
        ) -> impl ::core::future::Future<Output = ::core::result::Result<Self::Output, #p::Rejection>>
        + ::core::marker::Send
        + 'run {
            let _ = &#cx;
            #call
        }
    }
}

fn outcome(model: &Model) -> TokenStream {
    let (p, output) = (&model.function.names.contract, local("output"));
    let judge = |path: &Option<Expr>| match path {
        Some(path) => quote_spanned!(path.span()=> ::core::option::Option::Some(#path)),
        None => quote!(::core::option::Option::None),
    };
    let (reject_if, retry_if) = (judge(&model.reject_if), judge(&model.retry_if));
    let outcome = quote_spanned!(model.output_span=> {
        #[allow(unused_imports)]
        use #p::{NoOutcome as _, OutcomeOf as _};
        #p::Returned(#output).outcome(#reject_if, #retry_if)
    });
    quote! {
        fn outcome(#output: Self::Output) -> #p::Outcome {
            #outcome
        }
    }
}

fn requires(model: &Model) -> TokenStream {
    let (p, need) = (&model.function.names.contract, local("need"));
    let requires = model.parameters.iter().map(|ty| match model.key_decoder {
        None => quote_spanned!(ty.span()=> <#ty as #p::FromContext<'_, <Self as #p::Consumer>::Shape>>::requires(#need);),
        // Keys need no state, and with a decoder of their own no `FromContext` either.
        Some(_) => {
            let ty = with_lifetime(ty, "static");
            quote_spanned!(ty.span()=> {
                #[allow(unused_imports)]
                use #p::NotKey as _;
                #p::KeyProbe::<#ty>::requires(#need, ::core::marker::PhantomData::<<Self as #p::Consumer>::Shape>);
            })
        }
    });
    quote! {
        fn requires(#need: &mut dyn ::core::ops::FnMut(::core::any::TypeId, &'static str)) {
            let _ = &#need;
            #(#requires)*
        }
    }
}

/// Where no lifetime of the first parameter is the record's, `Input<'_>` and `Args` are one type.
fn owned(model: &Model) -> Option<TokenStream> {
    let borrows =
        with_lifetime(&model.input, "run").to_string() != model.input.to_token_stream().to_string();
    let (p, ident, input) = (
        &model.function.names.contract,
        &model.function.ident,
        local("input"),
    );
    (!borrows).then(|| {
        quote! {
            impl #p::Owned for #ident {
                fn owned(#input: Self::Input<'_>) -> Self::Args {
                    #input
                }
            }
        }
    })
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
