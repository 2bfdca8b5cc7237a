//! A function whose body is never parsed, so that half-typed code keeps its completion.

use crate::errors::Errors;
use crate::keys::Attribute;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, FnArg, Lit, Meta, Pat, ReturnType, Signature, Token, Type, Visibility};

pub(crate) struct Item {
    pub(crate) attrs: Vec<syn::Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: TokenStream,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(syn::Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
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
    /// The item, or what to emit where the attribute does not stand on a function.
    pub(crate) fn parse_or_report(
        attribute: &Attribute,
        tokens: &TokenStream,
        mut errors: Errors,
    ) -> Result<(Self, Errors), TokenStream> {
        match syn::parse2(tokens.clone()) {
            Ok(item) => Ok((item, errors)),
            Err(_) => {
                errors.at(
                    Span::call_site(),
                    format_args!("`#[{}]` stands on a function", attribute.name),
                );
                let errors = errors.into_tokens();
                Err(quote!(#tokens #errors))
            }
        }
    }

    /// The doc comment, without the space after `///`.
    pub(crate) fn docs(&self) -> String {
        let line = |attribute: &syn::Attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => {
                    let text = text.value();
                    Some(
                        text.strip_prefix(' ')
                            .unwrap_or(&text)
                            .trim_end()
                            .to_owned(),
                    )
                }
                _ => None,
            },
            _ => None,
        };
        let lines: Vec<_> = self.attrs.iter().filter_map(line).collect();
        lines.join("\n").trim().to_owned()
    }

    /// Adds a paragraph to the documentation. It may link to a type that is less public than the
    /// function: a warning about what the user cannot change helps nobody.
    pub(crate) fn document(&mut self, paragraph: &str) {
        let documented = self
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("doc"));
        if documented {
            self.attrs.push(syn::parse_quote!(#[doc = ""]));
        }
        self.attrs.push(syn::parse_quote!(#[doc = #paragraph]));
        self.attrs
            .push(syn::parse_quote!(#[allow(rustdoc::private_intra_doc_links)]));
    }

    /// False when it is certain that no attribute of ours stands on it: none has expanded, which leaves
    /// its mark in [`Self::document`], and there is none that may.
    pub(crate) fn may_be_ours(&self) -> bool {
        const BUILT_IN: [&str; 12] = [
            "allow",
            "cfg",
            "cold",
            "deny",
            "deprecated",
            "doc",
            "expect",
            "forbid",
            "inline",
            "must_use",
            "track_caller",
            "warn",
        ];
        self.attrs.iter().any(|attribute| {
            let built_in = BUILT_IN.iter().any(|name| attribute.path().is_ident(name));
            !built_in || is_mark(attribute)
        })
    }

    /// Attributes that must also guard what is generated.
    pub(crate) fn cfgs(&self) -> Vec<syn::Attribute> {
        let is_cfg = |attribute: &&syn::Attribute| attribute.path().is_ident("cfg");
        self.attrs.iter().filter(is_cfg).cloned().collect()
    }

    pub(crate) fn is_async(&self) -> bool {
        self.sig.asyncness.is_some()
    }

    /// The return type, and where to report what is wrong with it.
    pub(crate) fn output(&self) -> (TokenStream, Span) {
        match &self.sig.output {
            ReturnType::Default => (quote!(()), self.sig.ident.span()),
            ReturnType::Type(_, ty) => (ty.to_token_stream(), ty.span()),
        }
    }

    pub(crate) fn parameters(&self) -> impl Iterator<Item = &Type> {
        self.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(&*typed.ty),
            FnArg::Receiver(_) => None,
        })
    }

    /// Rules that the attributes share.
    pub(crate) fn check(&self, attribute: &Attribute, errors: &mut Errors) {
        let (sig, noun) = (&self.sig, attribute.noun);
        let name = &sig.ident;
        for input in &sig.inputs {
            check_parameter(input, noun, name, errors);
        }
        if !sig.generics.params.is_empty() {
            errors.on(
                &sig.generics,
                format_args!(
                    "{noun} `{name}` must not be generic: the app needs one concrete function"
                ),
            );
        }
        if let ReturnType::Type(_, ty) = &sig.output
            && matches!(**ty, Type::ImplTrait(_))
        {
            errors.on(
                ty,
                format_args!("{noun} `{name}` must name its return type"),
            );
        }
        if let Some(token) = sig.constness {
            errors.on(token, format_args!("{noun} `{name}` must not be `const`"));
        }
        if !matches!(sig.safety, syn::Safety::Default) {
            errors.on(
                &sig.safety,
                format_args!("{noun} `{name}` must not be `unsafe`: the app calls it"),
            );
        }
        if let Some(abi) = &sig.abi {
            errors.on(abi, format_args!("{noun} `{name}` must be a Rust function"));
        }
        for second in &self.attrs {
            match second.path().segments.last() {
                Some(last) if last.ident == "run_in_background" || attribute.is_task() => {
                    let known = ["consumes", "produces", "run_in_background"];
                    if known.iter().any(|known| last.ident == known) {
                        errors.on(second, format_args!(
                            "`{name}` cannot be a background task and something else: call one function from the other"
                        ));
                    }
                }
                Some(last) if last.ident == "consumes" || last.ident == "produces" => {
                    errors.on(second, format_args!(
                        "`{name}` cannot be consumer and producer: call a `#[produces]` function from a `#[consumes]` one"
                    ));
                }
                _ => {}
            }
        }
    }
}

/// Whether it is the lint that [`Item::document`] allows.
fn is_mark(attribute: &syn::Attribute) -> bool {
    let lints = Punctuated::<syn::Path, Token![,]>::parse_terminated;
    let Ok(lints) = attribute.parse_args_with(lints) else {
        return false;
    };
    let last = |lint: &syn::Path| lint.segments.last().map(|last| last.ident.clone());
    lints
        .iter()
        .filter_map(last)
        .any(|lint| lint == "private_intra_doc_links")
}

fn check_parameter(input: &FnArg, noun: &str, name: &Ident, errors: &mut Errors) {
    let attrs = match input {
        FnArg::Receiver(receiver) => {
            errors.on(
                receiver,
                format_args!("{noun} `{name}` must be a free function, not a method"),
            );
            &receiver.attrs
        }
        FnArg::Typed(typed) => {
            if matches!(&*typed.ty, Type::ImplTrait(_)) {
                errors.on(
                    &typed.ty,
                    format_args!("{noun} `{name}` must name the types of its parameters"),
                );
            }
            &typed.attrs
        }
    };
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("cfg")) {
        errors.on(
            attr,
            format_args!("{noun} `{name}`: put `#[cfg(..)]` on the function, not on a parameter"),
        );
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
