//! `#[consumes]`: from the function to its definition.

use crate::args::{Args, Kind};
use crate::errors::Errors;
use crate::item::{Item, with_lifetime};
use crate::keys;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ReturnType;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

const KIND: Kind = Kind {
    attribute: "consumes",
    noun: "consumer",
    prefix: "on_",
    keys: keys::CONSUMER,
    other: ("produces", keys::PRODUCER),
};

pub(crate) fn expand(attribute: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = Args::parse(&KIND, attribute, &mut errors);
    let item: Item = match syn::parse2(tokens.clone()) {
        Ok(item) => item,
        Err(error) => {
            errors.push(error);
            let errors = errors.into_tokens();
            return quote!(#tokens #errors);
        }
    };
    item.check(&KIND, &mut errors);
    let topic = args.topic(&KIND, &item.sig.ident, &mut errors);
    let description = item.description(&args, &mut errors);
    let codec = Codec::of(&args, "decoder", &mut errors);
    check(&item, &args, &mut errors);
    if !errors.is_empty() {
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    }
    emit(&item, &args, &codec, &topic, &description)
}

fn check(item: &Item, args: &Args, errors: &mut Errors) {
    let (name, is_async) = (&item.sig.ident, item.sig.asyncness.is_some());
    if item.sig.inputs.is_empty() {
        errors.on(
            &item.sig,
            format_args!("consumer `{name}` must take the payload as its first parameter"),
        );
    }
    let blocking = args.flag("blocking");
    if let Some(span) = blocking.filter(|_| is_async) {
        errors.at(span, format_args!("consumer `{name}`: `blocking` is for sync functions; an `async fn` waits without blocking a thread"));
    }
    if let Some(span) = args
        .setting("handler_timeout")
        .filter(|_| !is_async && blocking.is_none())
    {
        errors.at(span, format_args!(
            "consumer `{name}`: a sync function can not be stopped, so it takes no `handler_timeout`; make it an `async fn`, or add `blocking`"
        ));
    }
}

fn emit(
    item: &Item,
    args: &Args,
    codec: &Codec<'_>,
    topic: &str,
    description: &str,
) -> TokenStream {
    let root = args.root();
    let p = quote!(#root::__private);
    let (ident, vis, cfgs) = (&item.sig.ident, &item.vis, item.cfgs());
    let name = ident.unraw().to_string();
    let app = args.app(&p);
    let parameters = item.parameters();
    let (payload, rest) = parameters.split_first().expect("checked before");
    let span = payload.span();
    let (static_ty, run_ty) = (
        with_lifetime(payload, "static"),
        with_lifetime(payload, "run"),
    );
    let shape = match args.flag("batch") {
        Some(_) => quote!(#p::Batch),
        None => {
            quote!(<() as #p::SelectShape<{ #[allow(unused_imports)] use #p::DefaultShape as _; #p::ShapeProbe::<#static_ty>::SHAPE }>>::Shape)
        }
    };
    // Names that the expansion binds and uses: one span for both ends.
    let [input, cx, need, record, output, generator] =
        ["input", "cx", "need", "record", "output", "generator"]
            .map(|name| Ident::new(name, Span::mixed_site()));

    let one = quote_spanned!(span=> <#run_ty as #p::InputOf<'run, <Self as #p::Consumer>::Shape>>::Payload);
    let one_static = quote_spanned!(span=> <#static_ty as #p::InputOf<'static, <Self as #p::Consumer>::Shape>>::Payload);
    let raw = quote_spanned!(span=> #[allow(unused_imports)] use #p::DefaultCodec as _; #p::CodecProbe::<#one_static>::RAW);
    let codec_ty = codec.ty(&p, span, &raw);
    let (decode, schema) = match codec {
        Codec::Path(path) => (
            quote_spanned!(path.span()=> #p::DecodeFn::<'run, #one, _>::decode(&#path, #record)),
            quote_spanned!(span=> #generator.subschema_for::<#one_static>()),
        ),
        _ => (
            quote_spanned!(span=> <#codec_ty as #p::Decode<'run, #one>>::decode(#record)),
            quote_spanned!(span=> <#codec_ty as #p::Decode<'static, #one_static>>::schema(#generator)),
        ),
    };
    let not_bytes = quote_spanned!(span=>
        const _: fn() = || {
            fn check<T: #p::NotBytes<BYTE>, const BYTE: bool>() {}
            check::<(), { #[allow(unused_imports)] use #p::NotByte as _; #p::ByteProbe::<<#static_ty as #p::InputOf<'static, <#ident as #p::Consumer>::Shape>>::Payload>::BYTE }>();
        };
    );

    let extract = rest.iter().map(|ty| match args.expr("key_decoder") {
        None => quote_spanned!(ty.span()=> <#ty as #p::FromCx<'_, Self::Shape>>::from_cx(#cx)?),
        Some(decoder) => quote_spanned!(ty.span()=> {
            #[allow(unused_imports)]
            use #p::NotKey as _;
            #p::KeyProbe::<#ty>::extract(#cx, #decoder, ::core::marker::PhantomData::<Self::Shape>)?
        }),
    });
    let requires = rest.iter().map(|ty| {
        let ty = with_lifetime(ty, "static");
        // Keys need no state, and with a decoder of their own no `FromCx` either.
        match args.expr("key_decoder") {
            None => quote_spanned!(ty.span()=> <#ty as #p::FromCx<'static, <Self as #p::Consumer>::Shape>>::requires(#need);),
            Some(_) => quote_spanned!(ty.span()=> {
                #[allow(unused_imports)]
                use #p::NotKey as _;
                #p::KeyProbe::<#ty>::requires(#need, ::core::marker::PhantomData::<<Self as #p::Consumer>::Shape>);
            }),
        }
    });
    let settles = rest.iter().map(|ty| {
        let ty = with_lifetime(ty, "static");
        match args.expr("key_decoder") {
            None => quote_spanned!(ty.span()=> || <#ty as #p::FromCx<'static, <Self as #p::Consumer>::Shape>>::SETTLES),
            Some(_) => quote_spanned!(ty.span()=> || { #[allow(unused_imports)] use #p::SettlesNot as _; #p::SettlesProbe::<#ty>::SETTLES }),
        }
    });
    let wait = item.sig.asyncness.map(|_| quote!(.await));
    let call = quote_spanned!(ident.span()=> async move { ::core::result::Result::Ok(#ident(#input, #(#extract),*)#wait) });
    let judge = |key: &str| match args.expr(key) {
        Some(path) => quote_spanned!(path.span()=> ::core::option::Option::Some(#path)),
        None => quote!(::core::option::Option::None),
    };
    let (reject_if, retry_if) = (judge("reject_if"), judge("retry_if"));
    let returned = item.output();
    let output_span = match &item.sig.output {
        ReturnType::Default => ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    let output_ty = quote_spanned!(output_span=> type Output = #returned;);
    let outcome = quote_spanned!(output_span=> { #[allow(unused_imports)] use #p::{NoOutcome as _, OutcomeOf as _}; #p::Returned(#output).outcome(#reject_if, #retry_if) });
    let settings = args.settings(&p, "ConsumerSettings");
    let (is_async, blocking) = (
        item.sig.asyncness.is_some(),
        args.flag("blocking").is_some(),
    );
    let location = location(&p, ident);
    let doc = doc_line(args, topic);
    let body = with_doc(item, &doc);
    quote! {
        #body
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, missing_debug_implementations, unreachable_pub, unnameable_types)]
        #vis struct #ident {}
        #(#cfgs)*
        const _: () = {
            #not_bytes
            impl #p::Register for #ident {
                type App = #app;
                const ENTRY: #p::Def = #p::Def::Consumer(&<Self as #p::Consumer>::DEF);
            }
            impl #p::Consumer for #ident {
                const DEF: #p::ConsumerDef = #p::ConsumerDef {
                    name: #name,
                    module: ::core::module_path!(),
                    location: #location,
                    topic: #topic,
                    description: #description,
                    settings: #settings,
                    batch: <<Self as #p::Consumer>::Shape as #p::Shape>::BATCH,
                    is_async: #is_async,
                    blocking: #blocking,
                    settles: false #(#settles)*,
                    content_type: <#codec_ty as #p::Codec>::CONTENT_TYPE,
                    schema: <Self as #p::Consumer>::schema,
                    requires: <Self as #p::Consumer>::requires,
                    run: #p::run::<Self>,
                };
                type Shape = #shape;
                type Payload = #one_static;
                type Input<'run> = #run_ty;
                type Args = #static_ty;
                #output_ty
                fn decode<'run>(#record: &#p::RawRecord<'run>) -> ::core::result::Result<#one, #p::Rejection> {
                    #decode
                }
                fn call<'run>(
                    #input: Self::Input<'run>,
                    #cx: &'run #p::Cx<'run>,
                ) -> impl ::core::future::Future<Output = ::core::result::Result<Self::Output, #p::Rejection>> + ::core::marker::Send + 'run {
                    let _ = &#cx;
                    #call
                }
                fn outcome(#output: Self::Output) -> #p::Outcome {
                    #outcome
                }
                fn schema(#generator: &mut #p::schemars::SchemaGenerator) -> #p::schemars::Schema {
                    #schema
                }
                fn requires(#need: &mut dyn ::core::ops::FnMut(::core::any::TypeId, &'static str)) {
                    let _ = &#need;
                    #(#requires)*
                }
            }
            #p::inventory::submit! {
                #p::Entry {
                    scope: || ::core::any::TypeId::of::<#app>(),
                    def: <#ident as #p::Register>::ENTRY,
                }
            }
        };
    }
}

/// What reads or writes the payload.
pub(crate) enum Codec<'a> {
    /// By the payload's type.
    Default,
    Json,
    Bytes,
    Path(&'a syn::Expr),
}

impl<'a> Codec<'a> {
    pub(crate) fn of(args: &'a Args, key: &str, errors: &mut Errors) -> Self {
        let Some(expr) = args.expr(key) else {
            return Self::Default;
        };
        let syn::Expr::Lit(literal) = expr else {
            return Self::Path(expr);
        };
        let text = match &literal.lit {
            syn::Lit::Str(text) => text.value(),
            _ => String::new(),
        };
        match text.as_str() {
            "json" => Self::Json,
            "bytes" => Self::Bytes,
            "msgpack" | "avro" => {
                errors.on(
                    literal,
                    format_args!("`{key} = \"{text}\"` is not built yet (docs/roadmap.md)"),
                );
                Self::Json
            }
            _ => {
                errors.on(
                    literal,
                    format_args!("`{key}` takes `\"json\"`, `\"bytes\"` or the path of a function"),
                );
                Self::Json
            }
        }
    }

    /// The codec as a type; `raw` says whether the payload is bytes.
    pub(crate) fn ty(&self, p: &TokenStream, span: Span, raw: &TokenStream) -> TokenStream {
        match self {
            Self::Default => quote_spanned!(span=> <() as #p::SelectCodec<{ #raw }>>::Codec),
            Self::Json => quote_spanned!(span=> #p::Json),
            Self::Bytes => quote_spanned!(span=> #p::Raw),
            Self::Path(_) => quote_spanned!(span=> #p::Custom),
        }
    }
}

pub(crate) fn location(p: &TokenStream, ident: &Ident) -> TokenStream {
    quote_spanned!(ident.span()=> #p::Location { file: ::core::file!(), line: ::core::line!(), column: ::core::column!() })
}

fn doc_line(args: &Args, topic: &str) -> String {
    match args.text("group_id") {
        Some(group) => format!("Consumes topic `{topic}` in group `{group}`."),
        None => format!("Consumes topic `{topic}`."),
    }
}

/// The item with one more paragraph in its documentation.
pub(crate) fn with_doc(item: &Item, line: &str) -> TokenStream {
    let has_docs = item
        .attrs
        .iter()
        .any(|attribute| attribute.path().is_ident("doc"));
    let gap = has_docs.then(|| quote!(#[doc = ""]));
    let (attrs, vis, sig, body) = (&item.attrs, &item.vis, &item.sig, &item.body);
    quote!(#(#attrs)* #gap #[doc = #line] #vis #sig #body)
}
