//! The `key = value` list of an attribute: every key is known, every mistake is reported.

use crate::errors::{Errors, nearest};
use crate::keys::{Attribute, Form, Key};
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::token::Brace;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token, Type, braced};

/// A key that works, and what was written for it.
pub(crate) struct Arg {
    pub(crate) key: Ident,
    pub(crate) form: Form,
    pub(crate) given: Given,
}

/// The value behind a key, as it was written.
pub(crate) enum Given {
    /// Nothing: it is a flag.
    Flag,
    Expr(Expr),
    /// A path to a module.
    Path(Path),
    Type(Type),
    Properties(Vec<Property>),
}

/// `"property": value`.
pub(crate) struct Property {
    pub(crate) name: LitStr,
    pub(crate) value: Expr,
}

impl Parse for Property {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        let value = input.parse()?;
        Ok(Self { name, value })
    }
}

/// The arguments of an attribute, each key at most once.
pub(crate) struct Args(Vec<Arg>);

impl Args {
    pub(crate) fn parse(attribute: &Attribute, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self(Vec::new());
        let list = |input: ParseStream<'_>| -> syn::Result<()> {
            while !input.is_empty() {
                // The rest of the list is read after a mistake: all of them show at once.
                let arg = one(attribute, input);
                let whole = arg.is_ok();
                match arg {
                    Ok(arg) if args.find(&arg.key.unraw().to_string()).is_some() => errors.at(
                        arg.key.span(),
                        format_args!("`{}` is given twice", arg.key.unraw()),
                    ),
                    Ok(arg) => args.0.push(arg),
                    Err(error) => errors.push(error),
                }
                if !input.is_empty() && !input.peek(Token![,]) {
                    if whole {
                        errors.push(input.error("expected `,`"));
                    }
                    skip(input)?;
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        if let Err(error) = list.parse2(tokens) {
            errors.push(error);
        }
        args
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|arg| arg.key.unraw() == name)
    }

    fn take(&mut self, name: &str) -> Option<Arg> {
        self.find(name).map(|at| self.0.remove(at))
    }

    pub(crate) fn expr(&mut self, name: &str) -> Option<Expr> {
        match self.take(name)?.given {
            Given::Expr(expr) => Some(expr),
            _ => None,
        }
    }

    /// A key whose value the expansion must know: a string literal.
    pub(crate) fn text(&mut self, name: &str, errors: &mut Errors) -> Option<LitStr> {
        let expr = self.expr(name)?;
        let text = literal(&expr).cloned();
        if text.is_none() {
            errors.on(expr, format_args!("`{name}` must be a string literal"));
        }
        text
    }

    /// A key whose value is a list of string literals.
    pub(crate) fn texts(&mut self, name: &str, errors: &mut Errors) -> Option<Vec<LitStr>> {
        let expr = self.expr(name)?;
        let literals = match ungrouped(&expr) {
            Expr::Array(array) => array.elems.iter().map(|e| literal(e).cloned()).collect(),
            _ => None,
        };
        match literals {
            Some(literals) if !Vec::is_empty(&literals) => Some(literals),
            _ => {
                errors.on(
                    expr,
                    format_args!("`{name}` must be a list of string literals: `[\"a\", \"b\"]`"),
                );
                None
            }
        }
    }

    pub(crate) fn flag(&mut self, name: &str) -> Option<Span> {
        self.take(name).map(|arg| arg.key.span())
    }

    pub(crate) fn path(&mut self, name: &str) -> Option<Path> {
        match self.take(name)?.given {
            Given::Path(path) => Some(path),
            _ => None,
        }
    }

    pub(crate) fn ty(&mut self, name: &str) -> Option<Type> {
        match self.take(name)?.given {
            Given::Type(ty) => Some(ty),
            _ => None,
        }
    }

    /// The arguments that are left: the settings.
    pub(crate) fn rest(self) -> Vec<Arg> {
        self.0
    }
}

fn one(attribute: &Attribute, input: ParseStream<'_>) -> syn::Result<Arg> {
    let Ok(key) = Ident::parse_any(input) else {
        let error = input.error("expected `key = value`");
        skip(input)?;
        return Err(error);
    };
    let name = key.unraw().to_string();
    let refused = |why: String| syn::Error::new(key.span(), why);
    let form = match attribute.key(&name) {
        Some(Key::Works(form)) => form,
        other => {
            skip(input)?;
            return Err(refused(refusal(attribute, &name, other)));
        }
    };
    let equals: Option<Token![=]> = input.parse()?;
    let given = match (form, equals) {
        (Form::Flag, None) => Given::Flag,
        (Form::Flag, Some(_)) => {
            skip(input)?;
            return Err(refused(format!("`{name}` is a flag: write `{name}` alone")));
        }
        (_, None) => {
            skip(input)?;
            return Err(refused(format!("`{name}` needs a value: `{name} = ..`")));
        }
        (Form::Module, _) => Given::Path(input.call(Path::parse_mod_style)?),
        (Form::Type, _) => Given::Type(input.parse()?),
        (Form::Properties, _) if input.peek(Brace) => {
            let pairs;
            braced!(pairs in input);
            let parsed = Punctuated::<Property, Token![,]>::parse_terminated(&pairs);
            // What is left over would be a second mistake.
            while !pairs.is_empty() {
                pairs.parse::<TokenTree>()?;
            }
            Given::Properties(parsed?.into_iter().collect())
        }
        _ => Given::Expr(input.parse()?),
    };
    Ok(Arg { key, form, given })
}

/// The expression inside the invisible group in which a macro's `$value:expr` arrives.
pub(crate) fn ungrouped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => ungrouped(&group.expr),
        expr => expr,
    }
}

/// The text of a string literal.
pub(crate) fn literal(expr: &Expr) -> Option<&LitStr> {
    match ungrouped(expr) {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

fn refusal(attribute: &Attribute, name: &str, known: Option<Key>) -> String {
    let this = attribute.name;
    match known {
        Some(Key::Refused(why)) => return format!("`{name}` does not exist here: {why}"),
        Some(Key::NotYet("")) => return format!("`{name}` is not built yet (docs/roadmap.md)"),
        Some(Key::NotYet(until_then)) => {
            return format!("`{name}` is not built yet (docs/roadmap.md): {until_then}");
        }
        Some(Key::Works(_)) | None => {}
    }
    let (other, keys) = attribute.other;
    if keys.iter().any(|(key, _)| *key == name) {
        return format!("`{name}` belongs to `#[{other}]`, not to `#[{this}]`");
    }
    match nearest(name, attribute.keys.iter().map(|(name, _)| *name)) {
        Some(near) => format!("`#[{this}]` has no parameter `{name}`, did you mean `{near}`?"),
        None => {
            let works =
                |(name, key): &(&'static str, Key)| matches!(key, Key::Works(_)).then_some(*name);
            let all: Vec<_> = attribute.keys.iter().filter_map(works).collect();
            format!(
                "`#[{this}]` has no parameter `{name}`; it has: {}",
                all.join(", ")
            )
        }
    }
}

/// Passes over what is left of an argument.
fn skip(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{CONSUMES, PRODUCES};
    use std::fmt::Write;

    /// `GOLDEN=overwrite` renews the file.
    #[test]
    fn every_key_that_does_not_work_says_why() {
        let mut texts = String::new();
        for attribute in [&CONSUMES, &PRODUCES] {
            for (name, key) in attribute.keys {
                if !matches!(key, Key::Works(_)) {
                    let text = refusal(attribute, name, Some(*key));
                    writeln!(texts, "#[{}] {text}", attribute.name).unwrap();
                }
            }
        }
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/refused_keys.txt");
        if std::env::var_os("GOLDEN").is_some() {
            std::fs::write(file, &texts).unwrap();
        }
        assert_eq!(texts, std::fs::read_to_string(file).unwrap());
    }
}
