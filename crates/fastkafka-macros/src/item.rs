//! A function whose body is never parsed, so that half-typed code keeps its completion.

use crate::args::{Args, Kind};
use crate::errors::Errors;
use proc_macro2::{Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Expr, ExprLit, FnArg, Lit, Meta, Pat, ReturnType, Signature, Type, Visibility,
};

pub(crate) struct Item {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: TokenStream,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (attrs, vis, sig) = (
            input.call(Attribute::parse_outer)?,
            input.parse()?,
            input.parse()?,
        );
        Ok(Self {
            attrs,
            vis,
            sig,
            body: input.parse()?,
        })
    }
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attrs {
            attribute.to_tokens(tokens);
        }
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

impl Item {
    /// `description = ".."`, or the doc comment.
    pub(crate) fn description(&self, args: &Args, errors: &mut Errors) -> String {
        if let Some(text) = args.literal("description", errors) {
            return text.value();
        }
        let lines = self
            .attrs
            .iter()
            .filter_map(|attribute| match &attribute.meta {
                Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                    Expr::Lit(ExprLit {
                        lit: Lit::Str(text),
                        ..
                    }) => Some(text.value().trim().to_owned()),
                    _ => None,
                },
                _ => None,
            });
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    }

    /// Attributes that must also guard what is generated.
    pub(crate) fn cfgs(&self) -> Vec<&Attribute> {
        self.attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .collect()
    }

    pub(crate) fn output(&self) -> TokenStream {
        match &self.sig.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => ty.to_token_stream(),
        }
    }

    pub(crate) fn parameters(&self) -> Vec<&Type> {
        let inputs = self.sig.inputs.iter();
        let typed = inputs.filter_map(|input| match input {
            FnArg::Typed(typed) => Some(&*typed.ty),
            FnArg::Receiver(_) => None,
        });
        typed.collect()
    }

    /// Rules that both attributes share.
    pub(crate) fn check(&self, kind: &Kind, errors: &mut Errors) {
        let (name, noun) = (&self.sig.ident, kind.noun);
        for input in &self.sig.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    errors.on(
                        receiver,
                        format_args!("{noun} `{name}` must be a free function, not a method"),
                    );
                }
                FnArg::Typed(typed) if matches!(&*typed.ty, Type::ImplTrait(_)) => {
                    errors.on(
                        &typed.ty,
                        format_args!("{noun} `{name}` must name the types of its parameters"),
                    );
                }
                FnArg::Typed(_) => {}
            }
        }
        if !self.sig.generics.params.is_empty() {
            errors.on(
                &self.sig.generics,
                format_args!(
                    "{noun} `{name}` must not be generic: the app needs one concrete function"
                ),
            );
        }
        if let ReturnType::Type(_, ty) = &self.sig.output
            && matches!(**ty, Type::ImplTrait(_))
        {
            errors.on(
                ty,
                format_args!("{noun} `{name}` must name its return type"),
            );
        }
        if let Some(token) = self.sig.constness {
            errors.on(token, format_args!("{noun} `{name}` must not be `const`"));
        }
    }

    /// Makes plain names of the parameters' patterns, and returns them.
    pub(crate) fn name_parameters(sig: &mut Signature) -> Vec<Ident> {
        let mut names = Vec::new();
        for (i, input) in sig.inputs.iter_mut().enumerate() {
            let FnArg::Typed(typed) = input else { continue };
            let name = match &*typed.pat {
                Pat::Ident(pat) if pat.subpat.is_none() => pat.ident.clone(),
                _ => Ident::new(&format!("arg{i}"), Span::mixed_site()),
            };
            *typed.pat = syn::parse_quote!(#name);
            names.push(name);
        }
        names
    }
}

/// The tokens of a type with every elided lifetime (`'_`, `&T`) replaced.
pub(crate) fn with_lifetime(ty: &impl ToTokens, lifetime: &str) -> TokenStream {
    fn replace(tokens: TokenStream, lifetime: &str) -> TokenStream {
        let mut out = TokenStream::new();
        let mut tokens = tokens.into_iter().peekable();
        let tick = |out: &mut TokenStream, span: Span| {
            let mut quote = Punct::new('\'', Spacing::Joint);
            quote.set_span(span);
            out.extend([
                TokenTree::Punct(quote),
                TokenTree::Ident(Ident::new(lifetime, span)),
            ]);
        };
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                    if matches!(tokens.peek(), Some(TokenTree::Ident(ident)) if ident == "_") {
                        tokens.next();
                        tick(&mut out, punct.span());
                    } else {
                        out.extend([TokenTree::Punct(punct)]);
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == '&' => {
                    let span = punct.span();
                    out.extend([TokenTree::Punct(punct)]);
                    if !matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '\'')
                    {
                        tick(&mut out, span);
                    }
                }
                TokenTree::Group(group) => {
                    let mut inner =
                        Group::new(group.delimiter(), replace(group.stream(), lifetime));
                    inner.set_span(group.span());
                    out.extend([TokenTree::Group(inner)]);
                }
                other => out.extend([other]),
            }
        }
        out
    }
    replace(ty.to_token_stream(), lifetime)
}
