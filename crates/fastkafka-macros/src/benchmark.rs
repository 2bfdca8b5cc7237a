//! `#[benchmark]`: the function, unchanged, inside one that counts what goes through it.

use crate::args::{Args, ungrouped};
use crate::contract;
use crate::definition::local;
use crate::errors::Errors;
use crate::item::{Item, name_parameters};
use crate::keys::BENCHMARK;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, FnArg, Lit};

pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut args = Args::parse(&BENCHMARK, attribute, &mut errors);
    let (item, mut errors) = match Item::parse_or_report(&BENCHMARK, item, errors) {
        Ok(parsed) => parsed,
        Err(tokens) => return tokens,
    };
    let p = contract::path(args.path("crate").as_ref());
    let interval = interval(args.expr("interval"), &mut errors);
    let window = window(args.expr("sliding_window_size"), &mut errors);
    check(&item, &mut errors);
    if errors.is_empty() {
        measured(item, &p, &interval, &window)
    } else {
        let errors = errors.into_tokens();
        quote!(#item #errors)
    }
}

/// The rest is said by the attribute beside it.
fn check(item: &Item, errors: &mut Errors) {
    for input in &item.sig.inputs {
        if let FnArg::Receiver(receiver) = input {
            errors.on(
                receiver,
                "`#[benchmark]` measures consumers and producers, which are free functions",
            );
        }
    }
    if !item.may_be_ours() && item.sig.receiver().is_none() {
        let name = &item.sig.ident;
        errors.at(name.span(), format_args!(
            "`#[benchmark]` measures consumers and producers: add `#[consumes]` or `#[produces]` to `{name}`"
        ));
    }
    let second = item.attrs.iter().find(|attr| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == "benchmark")
    });
    if let Some(second) = second {
        errors.on(second, "`#[benchmark]` is given twice; keep one of them");
    }
}

/// Seconds as a number, or an expression of a `Duration`.
fn interval(expr: Option<Expr>, errors: &mut Errors) -> TokenStream {
    let Some(expr) = expr else {
        return quote!(::core::time::Duration::from_secs(1));
    };
    let span = expr.span();
    let (seconds, value) = match ungrouped(&expr) {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => (
            number.base10_parse::<f64>(),
            quote_spanned!(span=> ::core::time::Duration::from_secs(#number)),
        ),
        Expr::Lit(ExprLit {
            lit: Lit::Float(number),
            ..
        }) => (
            number.base10_parse(),
            quote_spanned!(span=> ::core::time::Duration::from_secs_f64(#number)),
        ),
        Expr::Lit(_) => {
            errors.on(
                &expr,
                "`interval` is seconds as a number, or a `Duration`: `1`, `0.5`, `Duration::from_millis(500)`",
            );
            return TokenStream::new();
        }
        _ => return quote_spanned!(span=> #expr),
    };
    match seconds {
        Ok(seconds) if seconds > 0.0 => {}
        Ok(_) => errors.on(&expr, "`interval` must be longer than nothing"),
        Err(error) => errors.push(error),
    }
    value
}

fn window(expr: Option<Expr>, errors: &mut Errors) -> TokenStream {
    let Some(expr) = expr else {
        return quote!(::core::option::Option::None);
    };
    if let Expr::Lit(ExprLit {
        lit: Lit::Int(number),
        ..
    }) = ungrouped(&expr)
        && number.base10_digits() == "0"
    {
        errors.on(number, "`sliding_window_size` must be at least 1");
    }
    quote_spanned!(expr.span()=> ::core::option::Option::Some(#expr))
}

fn measured(
    mut item: Item,
    p: &TokenStream,
    interval: &TokenStream,
    window: &TokenStream,
) -> TokenStream {
    let ident = item.sig.ident.clone();
    let mut inner = item.sig.clone();
    // Items are seen from inside the user's body: no name of theirs may be meant.
    inner.ident = local("__fastkafka_measured");
    let meter = Ident::new("__FASTKAFKA_METER", Span::mixed_site());
    let arguments = name_parameters(&mut item.sig);
    let (body, inner_name) = (&item.body, &inner.ident);
    let (taken, returned) = (local("taken"), local("returned"));
    let first = match arguments.first() {
        Some(first) => quote!(#p::Records(&#first).records()),
        None => quote!(1),
    };
    let wait = item.is_async().then(|| quote!(.await));
    let call = quote_spanned!(ident.span()=> #inner_name(#(#arguments),*)#wait);
    let (_, span) = item.output();
    let sent = quote_spanned!(span=> #p::Records(&#returned).records());
    let count = quote_spanned!(ident.span()=> #p::count::<#ident>(&#meter, #taken, #sent));
    item.body = quote! {{
        #[allow(clippy::unused_async, clippy::unnecessary_wraps)]
        #inner #body
        static #meter: #p::Meter = #p::Meter {
            function: <#ident as #p::Register>::ENTRY,
            interval: || #interval,
            window: || #window,
        };
        const _: () = {
            #p::inventory::submit! { #p::Measured(&#meter) }
        };
        #[allow(unused_imports)]
        use #p::{OneRecord as _, RecordsOfResult as _};
        let #taken = #first;
        #[allow(clippy::let_unit_value)]
        let #returned = #call;
        #count;
        #returned
    }};
    quote!(#item)
}
