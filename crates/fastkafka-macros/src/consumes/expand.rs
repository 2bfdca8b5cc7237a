//! The code a consumer becomes: its function unchanged, and a struct of the same name that is its
//! definition. `#[consumes] async fn on_order(order: Order) {}` becomes
//!
//! ```text
//! #[doc = "Consumes topic `order`: [`Order`]."]      // said in the function's documentation
//! #[allow(..)]                                   // it may link to a private type
//! async fn on_order(order: Order) {}                 // the function, unchanged
//!
//! #[doc(hidden)] #[allow(..)]
//! struct on_order {}                                 // names the handler: `register::<on_order>()`
//!
//! const _: () = {                                    // a scope, for the names below
//!     impl p::Register for on_order {                // the handler in a list of all functions
//!         type App = p::DefaultApp;
//!         type Kind = p::Consumes;
//!         const ENTRY: p::Def = p::Def::Consumer(&<Self as p::Consumer>::DEF);
//!     }
//!     const _: fn() = || p::not_bytes::<(), {        // fails where `Vec<u8>` would be a batch of numbers
//!         use p::NotByte as _;
//!         p::ByteProbe::<PAYLOAD>::BYTE || p::ByteProbe::<PAYLOAD>::BYTES
//!     }>();
//!     impl p::Consumer for on_order {
//!         const DEF: p::ConsumerDef = p::ConsumerDef {     // the attribute as data
//!             name: "on_order",
//!             module: module_path!(),
//!             location: p::Location { file: file!(), line: line!(), column: column!(), },
//!             topic: "order",
//!             description: "",
//!             topics: &["order"],
//!             pattern: None,
//!             settings: || <p::ConsumerSettings as Default>::default(),   // each key would be assigned
//!             batch: <<Self as p::Consumer>::Shape as p::Shape>::BATCH,
//!             tombstones: <<Self as p::Consumer>::Shape as p::Shape>::TOMBSTONES,
//!             is_async: true,
//!             blocking: false,
//!             settles: false,                              // `|| <Ack as ..>::SETTLES` per parameter
//!             content_type: <CODEC as p::Codec>::CONTENT_TYPE,
//!             schema: <Self as p::Consumer>::schema,
//!             key: { use p::NoKeySchema as _; p::first_key(&[]) },
//!             requires: <Self as p::Consumer>::requires,
//!             run: p::run::<Self>,                         // what calls the handler
//!         };
//!         // One record, a batch or a tombstone? The type is asked: an inherent constant of the probe
//!         // wins over the one of the trait, where its bounds hold.
//!         type Shape = <() as p::SelectShape<{
//!             use p::DefaultShape as _;
//!             p::ShapeProbe::<Order>::SHAPE + p::ShapeProbe::<Order>::NULLABLE
//!         }>>::Shape;
//!         type Codec = CODEC;
//!         type Payload = PAYLOAD;                          // of a `Vec<Order>` it is `Order`
//!         type Input<'run> = Order;
//!         type Args = Order;
//!         type Output = ();
//!         fn decode<'run>(record: &p::RawRecord<'run>) -> Result<PAYLOAD_OF_RUN, p::Rejection> {
//!             <CODEC as p::Decode<'run, PAYLOAD_OF_RUN>>::decode(record)
//!         }
//!         fn call<'run>(
//!             input: Self::Input<'run>,
//!             cx: &'run p::CallContext<'run>,
//!         ) -> impl Future<Output = Result<Self::Output, p::Rejection>> + Send + 'run {
//!             let _ = &cx;                                 // further parameters are made of it
//!             async move { Ok(on_order(input,).await) }
//!         }
//!         fn outcome(output: Self::Output) -> p::Outcome { // `()` or a `Result`? Asked of the type, too
//!             {
//!                 use p::{NoOutcome as _, OutcomeOf as _};
//!                 p::Returned(output).outcome(None, None)  // `reject_if`, `retry_if`
//!             }
//!         }
//!         fn schema(generator: &mut p::schemars::SchemaGenerator) -> p::schemars::Schema {
//!             fn schema_of<'run>(
//!                 generator: &mut p::schemars::SchemaGenerator, _: &'run ()
//!             ) -> p::schemars::Schema {
//!                 <CODEC as p::Decode<'run, PAYLOAD_OF_RUN>>::schema(generator)
//!             }
//!             schema_of(generator, &())
//!         }
//!         fn requires(need: &mut dyn FnMut(TypeId, &'static str)) {
//!             let _ = &need;                               // every `State<T>` would be named
//!         }
//!     }
//!     impl p::Owned for on_order {                         // where nothing is borrowed of the record
//!         fn owned(input: Self::Input<'_>) -> Self::Args { input }
//!     }
//!     p::inventory::submit! {                              // the entry in the link-time list
//!         p::Entry { scope: || TypeId::of::<p::DefaultApp>(), def: <on_order as p::Register>::ENTRY, }
//!     }
//! };
//!
//! #[doc(hidden)] #[allow(..)]
//! trait OnOrderMirror: p::MirrorHost {                     // `tester.to_order(..)`: see `mirror.rs`
//!     #[track_caller]
//!     fn to_order(&self, payload: <on_order as p::Consumer>::Payload)
//!         -> <Self as p::Sends<on_order>>::Sending<'_>
//!     where
//!         Self: p::Sends<on_order>,
//!     {
//!         <Self as p::Sends<on_order>>::sending(self, "order", payload)
//!     }
//! }
//! const _: () = { impl<Host: p::MirrorHost> OnOrderMirror for Host {} };
//! ```
//!
//! with `p` for `::fastkafka::__private`, paths into `core` cut, `#[allow(unused_imports)]` left out, and
//!
//! ```text
//! PAYLOAD         <Order as p::InputOf<'static, <on_order as p::Consumer>::Shape>>::Payload
//! PAYLOAD_OF_RUN  <Order as p::InputOf<'run, <on_order as p::Consumer>::Shape>>::Payload
//! CODEC           <() as p::SelectCodec<{ use p::DefaultCodec as _; p::CodecProbe::<PAYLOAD>::RAW }>>::Codec
//! ```
//!
//! A test compares this text with the expansion.
//!
//! Each type of the user's keeps its span in every generated use, so that a mistake is reported at
//! the type. Two uses give two errors, unless they read the same: rustc shows equal ones once. That
//! is why the lifetimes below are `'run` and `'_` also where `'static` would do.

use super::assertions;
use super::model::Model;
use super::types::{codec, payload, shape};
use crate::codec::Codec;
use crate::definition::local;
use crate::item::Item;
use crate::lifetimes::with_lifetime;
use crate::mirror;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

pub(crate) fn expand(mut item: Item, model: &Model) -> TokenStream {
    item.document(&model.summary);
    let assertions = assertions::expand(model);
    let (consumer, owned) = (consumer(model), owned(model));
    let p = &model.function.names.contract;
    let need = model.decoder.need(p);
    let need_key = model.key_decoder.as_ref().and_then(|key| key.need(p));
    let definition = model.function.define(
        ["Consumer", "Consumes"],
        &quote!(#need #need_key #assertions #consumer #owned),
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
