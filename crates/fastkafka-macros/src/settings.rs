//! Settings: expressions of the user's, assigned to the fields of a settings struct, so that the
//! compiler checks each type where it was written.

use crate::args::{Arg, Given, Property, literal, ungrouped};
use crate::errors::{Errors, nearest};
use crate::keys::{Form, Words};
use crate::names::check_topic;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Ident, Lit, LitStr};

/// One assignment.
pub(crate) struct Setting {
    /// The field, as the user wrote the key.
    field: Ident,
    value: Value,
}

/// The value of an assignment.
enum Value {
    /// The expression as it is.
    Expr(Expr),
    /// The text that the expression becomes.
    Text(Expr),
    /// A variant of an enumeration, written as a word.
    Word(&'static str, &'static str),
    /// A variant of an enumeration that holds a function.
    Function(&'static str, Expr),
    /// A value of this type, made from the expression.
    Made(&'static str, Expr),
    /// `Properties` from pairs.
    Properties(Vec<Property>),
}

pub(crate) struct Settings(Vec<Setting>);

impl Settings {
    /// Reads the values, and reports the mistakes that show without their types.
    pub(crate) fn new(args: Vec<Arg>, errors: &mut Errors) -> Self {
        let settings = args.into_iter().filter_map(|arg| {
            let value = match arg.given {
                Given::Expr(expr) => value(&arg.key.unraw().to_string(), arg.form, expr, errors)?,
                Given::Properties(pairs) => Value::Properties(pairs),
                Given::Flag | Given::Path(_) | Given::Type(_) => {
                    unreachable!("flags, paths and types are no settings")
                }
            };
            Some(Setting {
                field: arg.key,
                value,
            })
        });
        Self(settings.collect())
    }

    /// The place of a setting, if it was written.
    pub(crate) fn place(&self, name: &str) -> Option<Span> {
        self.find(name).map(|setting| setting.field.span())
    }

    /// The text of a setting that is a literal.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match &self.find(name)?.value {
            Value::Text(expr) | Value::Made(_, expr) => literal(expr).map(LitStr::value),
            _ => None,
        }
    }

    /// The variant of a setting that is written as a word.
    pub(crate) fn word(&self, name: &str) -> Option<&'static str> {
        match self.find(name)?.value {
            Value::Word(_, variant) => Some(variant),
            _ => None,
        }
    }

    /// The place of a setting that is written as the number 0.
    pub(crate) fn zero(&self, name: &str) -> Option<Span> {
        let Value::Expr(Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        })) = &self.find(name)?.value
        else {
            return None;
        };
        let zero = number.base10_digits() == "0";
        zero.then(|| number.span())
    }

    fn find(&self, name: &str) -> Option<&Setting> {
        self.0.iter().find(|setting| setting.field.unraw() == name)
    }

    /// A closure that makes the settings struct `ty`.
    pub(crate) fn expand(&self, p: &TokenStream, ty: &str) -> TokenStream {
        let ty = Ident::new(ty, Span::call_site());
        if self.0.is_empty() {
            return quote!(|| <#p::#ty as ::core::default::Default>::default());
        }
        // One span for all uses: inside `macro_rules!` they would not see each other otherwise.
        let settings = Ident::new("settings", Span::mixed_site());
        let assign = self.0.iter().map(|Setting { field, value }| {
            let value = match value {
                Value::Expr(expr) => expr.to_token_stream(),
                Value::Text(expr) => quote_spanned!(expr.span()=> <#p::Text as ::core::convert::From<_>>::from(#expr)),
                Value::Word(enumeration, variant) => {
                    let [enumeration, variant] =
                        [enumeration, variant].map(|name| Ident::new(name, Span::call_site()));
                    quote!(#p::#enumeration::#variant)
                }
                Value::Function(enumeration, path) => {
                    let enumeration = Ident::new(enumeration, Span::call_site());
                    quote_spanned!(path.span()=> #p::#enumeration::Function(#path))
                }
                Value::Made("Brokers", expr) => quote_spanned!(expr.span()=> #p::brokers(#expr)),
                Value::Made("Tokens", expr) => quote_spanned!(expr.span()=> #p::Tokens::new(#expr)),
                Value::Made(ty, expr) => {
                    let ty = Ident::new(ty, Span::call_site());
                    quote_spanned!(expr.span()=> <#p::#ty as ::core::convert::From<_>>::from(#expr))
                }
                Value::Properties(pairs) => {
                    let pairs = pairs.iter().map(|Property { name, value }| {
                        quote_spanned!(value.span()=> .set(#name, #value))
                    });
                    quote!(#p::Properties::new() #(#pairs)*)
                }
            };
            quote!(#settings.#field = ::core::option::Option::Some(#value);)
        });
        quote! {
            || {
                let mut #settings = <#p::#ty as ::core::default::Default>::default();
                #(#assign)*
                #settings
            }
        }
    }
}

/// `None` when the mistake is reported.
fn value(name: &str, form: Form, expr: Expr, errors: &mut Errors) -> Option<Value> {
    match form {
        Form::Words(words) => match word(name, words, &expr, errors)? {
            Some(variant) => Some(variant),
            None if words.enumeration == "Attempts" => Some(Value::Made("Attempts", expr)),
            None => Some(Value::Expr(expr)),
        },
        Form::WordsOrPath(words) => match word(name, words, &expr, errors)? {
            Some(variant) => Some(variant),
            None => Some(Value::Function(words.enumeration, expr)),
        },
        Form::Duration if is_number(&expr) => {
            errors.on(expr, format_args!(
                "`{name}` is a `Duration`: write `Duration::from_secs(..)` or `Duration::from_millis(..)`"
            ));
            None
        }
        Form::Group if is_none(&expr) => Some(Value::Word("GroupId", "None")),
        Form::Group => Some(Value::Made("GroupId", expr)),
        Form::Topic => {
            if let Some(text) = literal(&expr) {
                check_topic(text, errors);
            }
            Some(Value::Text(expr))
        }
        Form::Text => Some(Value::Text(expr)),
        Form::Secret => Some(Value::Made("Secret", expr)),
        Form::Brokers => Some(Value::Made("Brokers", expr)),
        Form::Tokens => Some(Value::Made("Tokens", expr)),
        _ => Some(Value::Expr(expr)),
    }
}

/// `None` when the mistake is reported, `Some(None)` when it is an expression and no word.
fn word(
    name: &str,
    words: &'static Words,
    expr: &Expr,
    errors: &mut Errors,
) -> Option<Option<Value>> {
    let Some((word, span)) = written(expr, words) else {
        return Some(None);
    };
    if let Some((_, variant)) = words.variants.iter().find(|(known, _)| *known == word) {
        return Some(Some(Value::Word(words.enumeration, variant)));
    }
    let all = words
        .variants
        .iter()
        .map(|(known, _)| format!("`\"{known}\"`"));
    let takes = all.collect::<Vec<_>>().join(", ") + words.or;
    let meant = nearest(&word, words.variants.iter().map(|(known, _)| *known));
    errors.at(
        span,
        match meant {
            Some(near) => {
                format!("`{name}` has no value `{word}`, did you mean `{near}`? It takes {takes}")
            }
            None => format!("`{name}` has no value `{word}`: it takes {takes}"),
        },
    );
    None
}

/// The word that was written: a string, or a number where numbers are among the words.
fn written(expr: &Expr, words: &Words) -> Option<(String, Span)> {
    if let Some(text) = literal(expr) {
        return Some((text.value(), text.span()));
    }
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) if words.variants.iter().any(|(word, _)| *word == "0") => {
            Some((number.base10_digits().to_owned(), number.span()))
        }
        _ => None,
    }
}

fn is_number(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Lit(ExprLit {
            lit: Lit::Int(_) | Lit::Float(_),
            ..
        })
    )
}

fn is_none(expr: &Expr) -> bool {
    matches!(ungrouped(expr), Expr::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "None"))
}
