//! `key = value` lists: syntax to values, every mistake reported.

use crate::errors::{Errors, nearest};
use crate::keys::{Key, Value};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token};

/// Which attribute it is.
pub(crate) struct Kind {
    /// As it is written.
    pub(crate) attribute: &'static str,
    /// What its function is.
    pub(crate) noun: &'static str,
    /// The prefix that a function's name loses to become the topic.
    pub(crate) prefix: &'static str,
    pub(crate) keys: &'static [(&'static str, Key)],
    /// The other attribute and its keys, to say where a key belongs.
    pub(crate) other: (&'static str, &'static [(&'static str, Key)]),
}

/// The arguments of an attribute.
#[derive(Default)]
pub(crate) struct Args {
    own: Vec<(Ident, Expr)>,
    flags: Vec<Ident>,
    krate: Option<Path>,
    app: Option<Path>,
    /// Assignments to the settings struct.
    pub(crate) settings: Vec<Setting>,
}

/// One assignment to a settings struct.
pub(crate) struct Setting {
    field: Ident,
    value: Value,
    expr: Expr,
}

impl Args {
    pub(crate) fn parse(kind: &Kind, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let parser = |input: ParseStream<'_>| -> syn::Result<()> {
            while !input.is_empty() {
                let key = Ident::parse_any(input)?;
                args.one(kind, &key, input, errors)?;
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
        args
    }

    fn one(
        &mut self,
        kind: &Kind,
        key: &Ident,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        let name = key.unraw().to_string();
        let known = kind
            .keys
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, key)| *key);
        let works = match known {
            Some(Key::Works(value)) => Some(value),
            _ => {
                errors.at(key.span(), refusal(kind, &name, known));
                None
            }
        };
        if !input.peek(Token![=]) {
            match name.as_str() {
                "batch" | "blocking" if works.is_some() => self.flags.push(key.clone()),
                _ if works.is_some() => errors.at(
                    key.span(),
                    format_args!("`{name}` needs a value: `{name} = ..`"),
                ),
                _ => skip(input)?,
            }
            return Ok(());
        }
        input.parse::<Token![=]>()?;
        match (works, name.as_str()) {
            (None, _) => skip(input)?,
            (Some(_), "crate") => self.krate = Some(input.call(Path::parse_mod_style)?),
            (Some(_), "app") => self.app = Some(input.parse()?),
            (Some(_), "batch" | "blocking") => {
                let value: Expr = input.parse()?;
                errors.on(
                    value,
                    format_args!("`{name}` is a flag: write `{name}` alone"),
                );
            }
            (Some(value), _) => {
                let expr: Expr = input.parse()?;
                if self.has(&name) {
                    errors.at(key.span(), format_args!("`{name}` is given twice"));
                } else if value == Value::Own {
                    self.own.push((key.clone(), expr));
                } else {
                    check(&name, value, &expr, errors);
                    self.settings.push(Setting {
                        field: key.clone(),
                        value,
                        expr,
                    });
                }
            }
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.own
            .iter()
            .map(|(key, _)| key)
            .chain(self.settings.iter().map(|s| &s.field))
            .any(|key| key.unraw() == name)
    }

    pub(crate) fn expr(&self, name: &str) -> Option<&Expr> {
        self.own
            .iter()
            .find(|(key, _)| key.unraw() == name)
            .map(|(_, expr)| expr)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<Span> {
        self.flags
            .iter()
            .find(|flag| flag.unraw() == name)
            .map(Ident::span)
    }

    pub(crate) fn setting(&self, name: &str) -> Option<Span> {
        self.settings
            .iter()
            .find(|s| s.field.unraw() == name)
            .map(|s| s.field.span())
    }

    /// The text of a setting that is a literal.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let setting = self.settings.iter().find(|s| s.field.unraw() == name)?;
        literal(&setting.expr).map(LitStr::value)
    }

    /// A key of our own whose value must be a string literal.
    pub(crate) fn literal(&self, name: &str, errors: &mut Errors) -> Option<LitStr> {
        let expr = self.expr(name)?;
        let text = literal(expr).cloned();
        if text.is_none() {
            errors.on(expr, format_args!("`{name}` must be a string literal"));
        }
        text
    }

    /// Where the emitted paths begin.
    pub(crate) fn root(&self) -> TokenStream {
        self.krate
            .as_ref()
            .map_or_else(|| quote!(::fastkafka), ToTokens::to_token_stream)
    }

    /// The app the function belongs to.
    pub(crate) fn app(&self, p: &TokenStream) -> TokenStream {
        self.app
            .as_ref()
            .map_or_else(|| quote!(#p::DefaultApp), ToTokens::to_token_stream)
    }

    /// The topic: as written, or the function's name without its prefix.
    pub(crate) fn topic(&self, kind: &Kind, ident: &Ident, errors: &mut Errors) -> String {
        let prefix = self
            .literal("prefix", errors)
            .map_or_else(|| kind.prefix.to_owned(), |prefix| prefix.value());
        if self.expr("topic").is_some() {
            let Some(topic) = self.literal("topic", errors) else {
                return String::new();
            };
            let text = topic.value();
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            if text.is_empty() || !text.chars().all(allowed) {
                errors.at(
                    topic.span(),
                    format_args!(
                        "`{text}` is not a topic name: it takes letters, digits, `.`, `_` and `-`"
                    ),
                );
            } else if text.len() > 249 {
                errors.at(topic.span(), "a topic name has at most 249 characters");
            }
            return text;
        }
        let name = ident.unraw().to_string();
        match name.strip_prefix(&prefix).filter(|topic| !topic.is_empty()) {
            Some(topic) => topic.to_owned(),
            None => {
                errors.at(ident.span(), format_args!(
                    "{} `{name}`: its topic can not be inferred because the name does not start with `{prefix}`; \
                     write `#[{}(topic = \"..\")]` or `prefix = \"..\"`",
                    kind.noun, kind.attribute
                ));
                String::new()
            }
        }
    }

    /// The function that makes the settings.
    pub(crate) fn settings(&self, p: &TokenStream, ty: &str) -> TokenStream {
        let ty = Ident::new(ty, Span::call_site());
        // One span for both ends: an attribute inside `macro_rules!` could not see it otherwise.
        let settings = Ident::new("settings", Span::mixed_site());
        let assign = self.settings.iter().map(|Setting { field, value, expr }| {
            let span = expr.span();
            let value = match value {
                Value::Own | Value::Plain | Value::Duration => expr.to_token_stream(),
                Value::Text => quote_spanned!(span=> #p::Text::from(#expr)),
                Value::Words(enumeration, words) => {
                    let enumeration = Ident::new(enumeration, Span::call_site());
                    match literal(expr)
                        .and_then(|text| words.iter().find(|(word, _)| *word == text.value()))
                    {
                        Some((_, variant)) => {
                            let variant = Ident::new(variant, Span::call_site());
                            quote!(#p::#enumeration::#variant)
                        }
                        None if enumeration == "Attempts" => {
                            quote_spanned!(span=> #p::Attempts::from(#expr))
                        }
                        None => expr.to_token_stream(),
                    }
                }
            };
            quote!(#settings.#field = ::core::option::Option::Some(#value);)
        });
        quote! {
            || {
                #[allow(unused_mut)]
                let mut #settings = <#p::#ty as ::core::default::Default>::default();
                #(#assign)*
                #settings
            }
        }
    }
}

fn literal(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        // A macro's `$topic:expr` arrives in an invisible group.
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

/// What can be said of a value before the compiler looks at it.
fn check(name: &str, value: Value, expr: &Expr, errors: &mut Errors) {
    let is_number = matches!(
        expr,
        Expr::Lit(ExprLit {
            lit: Lit::Int(_) | Lit::Float(_),
            ..
        })
    );
    match (value, literal(expr)) {
        (Value::Words(_, words), Some(text))
            if !words.iter().any(|(word, _)| *word == text.value()) =>
        {
            let all: Vec<_> = words
                .iter()
                .map(|(word, _)| format!("`\"{word}\"`"))
                .collect();
            let all = all.join(", ");
            let text_value = text.value();
            let message = match nearest(&text_value, words.iter().map(|(word, _)| *word)) {
                Some(near) => format!(
                    "`{name}` has no value `{text_value}`, did you mean `{near}`? It takes {all}"
                ),
                None => format!("`{name}` has no value `{text_value}`: it takes {all}"),
            };
            errors.at(text.span(), message);
        }
        (Value::Duration, _) if is_number => {
            errors.on(expr, format_args!("`{name}` is a `Duration`: write `Duration::from_secs(..)` or `Duration::from_millis(..)`"));
        }
        (Value::Text, _) if name == "group_id" && is_none(expr) => {
            errors.on(
                expr,
                "reading without a group is not built yet (docs/roadmap.md)",
            );
        }
        _ => {}
    }
}

fn is_none(expr: &Expr) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident("None"))
}

fn refusal(kind: &Kind, name: &str, known: Option<Key>) -> String {
    let attribute = kind.attribute;
    match known {
        Some(Key::Refused(why)) => format!("`{name}` does not exist here: {why}"),
        Some(Key::NotYet) => format!("`{name}` is not built yet (docs/roadmap.md)"),
        _ if kind.other.1.iter().any(|(other, _)| *other == name) => {
            format!(
                "`{name}` belongs to `#[{}]`, not to `#[{attribute}]`",
                kind.other.0
            )
        }
        _ => {
            let working = || {
                kind.keys
                    .iter()
                    .filter(|(_, key)| matches!(key, Key::Works(_)))
                    .map(|(name, _)| *name)
            };
            match nearest(name, kind.keys.iter().map(|(name, _)| *name)) {
                Some(near) => {
                    format!("`#[{attribute}]` has no parameter `{name}`, did you mean `{near}`?")
                }
                None => format!(
                    "`#[{attribute}]` has no parameter `{name}`; it has: {}",
                    working().collect::<Vec<_>>().join(", ")
                ),
            }
        }
    }
}

/// Passes over the value of a key that is refused.
fn skip(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
