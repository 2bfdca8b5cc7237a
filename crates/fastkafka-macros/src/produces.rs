//! `#[produces]`: from the function to its definition, and the call that sends.

use crate::args::{Args, Kind};
use crate::consumes::{Codec, location, with_doc};
use crate::errors::Errors;
use crate::item::{Item, with_lifetime};
use crate::keys;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ReturnType;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

const KIND: Kind = Kind {
    attribute: "produces",
    noun: "producer",
    prefix: "to_",
    keys: keys::PRODUCER,
    other: ("consumes", keys::CONSUMER),
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
    let codec = Codec::of(&args, "encoder", &mut errors);
    if matches!(item.sig.output, ReturnType::Default) {
        let name = &item.sig.ident;
        errors.at(
            name.span(),
            format_args!(
                "producer `{name}` must return what it sends: `Result<Payload, ProduceError>`"
            ),
        );
    }
    if !errors.is_empty() {
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    }
    emit(&item, &args, &codec, &topic, &description)
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
    let returned = item.output();
    let span = returned.span();
    let returned = with_lifetime(&returned, "static");
    let [payload, key, into, generator] =
        ["payload", "key", "into", "generator"].map(|name| Ident::new(name, Span::mixed_site()));

    let raw = quote_spanned!(span=> #[allow(unused_imports)] use #p::DefaultEmit as _; #p::EmitProbe::<#returned>::RAW);
    let codec_ty = codec.ty(&p, span, &raw);
    let (encode, schema) = match codec {
        Codec::Path(path) => (
            quote_spanned!(path.span()=> #p::encode_with(#path, #payload, #into)),
            quote_spanned!(span=> #generator.subschema_for::<Self::Payload>()),
        ),
        _ => (
            quote_spanned!(span=> <#codec_ty as #p::Encode<Self::Payload>>::encode(#payload, #into)),
            quote_spanned!(span=> <#codec_ty as #p::Encode<Self::Payload>>::schema(#generator)),
        ),
    };
    let encode_key = match args.expr("key_encoder") {
        Some(path) => quote_spanned!(path.span()=> #p::encode_key_with(#path, #key)),
        None => quote_spanned!(span=> ::core::result::Result::Ok(#p::EncodedKey::bytes(#key))),
    };
    let not_bytes = quote_spanned!(span=>
        const _: fn() = || {
            fn check<T: #p::NotBytes<BYTE>, const BYTE: bool>() {}
            check::<(), { #[allow(unused_imports)] use #p::NotByte as _; #p::ByteProbe::<<#ident as #p::Producer>::Payload>::BYTE }>();
        };
    );
    let settings = args.settings(&p, "ProducerSettings");
    let location = location(&p, ident);
    let function = function(item, &p, topic);
    quote! {
        #function
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, missing_debug_implementations, unreachable_pub, unnameable_types)]
        #vis struct #ident {}
        #(#cfgs)*
        const _: () = {
            #not_bytes
            impl #p::Register for #ident {
                type App = #app;
                const ENTRY: #p::Def = #p::Def::Producer(&<Self as #p::Producer>::DEF);
            }
            impl #p::Producer for #ident {
                const DEF: #p::ProducerDef = #p::ProducerDef {
                    name: #name,
                    module: ::core::module_path!(),
                    location: #location,
                    topic: #topic,
                    description: #description,
                    settings: #settings,
                    content_type: <#codec_ty as #p::Codec>::CONTENT_TYPE,
                    schema: <Self as #p::Producer>::schema,
                };
                type Shape = <() as #p::SelectEmit<
                    { #[allow(unused_imports)] use #p::DefaultEmit as _; #p::EmitProbe::<#returned>::OUTER },
                    { #[allow(unused_imports)] use #p::DefaultEmit as _; #p::EmitProbe::<#returned>::INNER },
                >>::Shape;
                type Returned = <#returned as #p::ProducerReturn>::Ok;
                type Payload = <Self::Returned as #p::Emit<Self::Shape>>::Payload;
                type Key = <Self::Returned as #p::Emit<Self::Shape>>::Key;
                fn encode(
                    #payload: &Self::Payload,
                    #into: &mut ::std::vec::Vec<u8>,
                ) -> ::core::result::Result<(), #p::Rejection> {
                    #encode
                }
                fn encode_key(#key: &Self::Key) -> ::core::result::Result<#p::Bytes, #p::Rejection> {
                    #encode_key
                }
                fn schema(#generator: &mut #p::schemars::SchemaGenerator) -> #p::schemars::Schema {
                    #schema
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

/// The user's function around its own body: calls it, then sends what it returned.
fn function(item: &Item, p: &TokenStream, topic: &str) -> TokenStream {
    let ident = &item.sig.ident;
    // The inner function keeps the patterns; the outer one needs names to pass on.
    let mut inner = item.sig.clone();
    inner.ident = Ident::new("__fastkafka_body", Span::mixed_site());
    let mut outer = item.sig.clone();
    let pass = Item::name_parameters(&mut outer);
    let (body, inner_name) = (&item.body, &inner.ident);
    let [returned, sent, error, waiting] =
        ["returned", "sent", "error", "waiting"].map(|name| Ident::new(name, Span::mixed_site()));
    let wait = outer.asyncness.map(|_| quote!(.await));
    let send = match outer.asyncness {
        // Waits for room before and, outside a scope, for the reports after; what was returned is
        // not borrowed across either await.
        Some(_) => quote! {
            #p::room::<#ident>().await;
            let #sent = match #p::emit_open::<#ident, _>(&#returned) {
                ::core::result::Result::Ok(#waiting) => #waiting.reports().await,
                ::core::result::Result::Err(#error) => ::core::result::Result::Err(#error),
            };
        },
        None => quote!(let #sent = #p::emit::<#ident, _>(&#returned);),
    };
    let outer_item = Item {
        attrs: item.attrs.clone(),
        vis: item.vis.clone(),
        sig: outer,
        body: quote! {{
            #inner #body
            let #returned = #inner_name(#(#pass),*)#wait;
            #send
            match #sent {
                ::core::result::Result::Ok(()) => #returned,
                ::core::result::Result::Err(#error) => #p::ProducerReturn::from_error(#error),
            }
        }},
    };
    with_doc(&outer_item, &format!("Produces to topic `{topic}`."))
}
