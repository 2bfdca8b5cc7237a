//! Settings: expressions of the user's, assigned to the fields of a settings struct, so that the
//! compiler checks each type where it was written.

use crate::args::{Arg, Given, literal};
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

/// What is assigned.
enum Value {
    /// The expression as it is.
    Expr(Expr),
    /// The text that the expression becomes.
    Text(Expr),
    /// `Attempts` from a number.
    Attempts(Expr),
    /// A variant of an enumeration, written as a word.
    Word(&'static str, &'static str),
}

pub(crate) struct Settings(Vec<Setting>);

impl Settings {
    /// What can be said of the values before the compiler looks at them.
    pub(crate) fn of(args: Vec<Arg>, errors: &mut Errors) -> Self {
        let settings = args.into_iter().filter_map(|arg| {
            let Given::Expr(expr) = arg.given else {
                unreachable!("settings are expressions");
            };
            let value = value(&arg.key.unraw().to_string(), arg.form, expr, errors)?;
            Some(Setting {
                field: arg.key,
                value,
            })
        });
        Self(settings.collect())
    }

    /// Where a setting was written, if it was.
    pub(crate) fn place(&self, name: &str) -> Option<Span> {
        self.find(name).map(|setting| setting.field.span())
    }

    /// The text of a setting that is a literal.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match &self.find(name)?.value {
            Value::Text(expr) => literal(expr).map(LitStr::value),
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

    /// Where a setting is written as the number 0.
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
                Value::Attempts(expr) => quote_spanned!(expr.span()=> <#p::Attempts as ::core::convert::From<_>>::from(#expr)),
                Value::Word(enumeration, variant) => {
                    let [enumeration, variant] =
                        [enumeration, variant].map(|name| Ident::new(name, Span::call_site()));
                    quote!(#p::#enumeration::#variant)
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
        Form::Words(words) => word(name, words, expr, errors),
        Form::Duration if is_number(&expr) => {
            errors.on(expr, format_args!(
                "`{name}` is a `Duration`: write `Duration::from_secs(..)` or `Duration::from_millis(..)`"
            ));
            None
        }
        Form::Text if name == "group_id" && is_none(&expr) => {
            errors.on(
                expr,
                "reading without a group is not built yet (docs/roadmap.md)",
            );
            None
        }
        Form::Topic => {
            if let Some(text) = literal(&expr) {
                check_topic(text, errors);
            }
            Some(Value::Text(expr))
        }
        Form::Text => Some(Value::Text(expr)),
        _ => Some(Value::Expr(expr)),
    }
}

fn word(name: &str, words: &'static Words, expr: Expr, errors: &mut Errors) -> Option<Value> {
    let Some(text) = literal(&expr) else {
        return Some(if words.enumeration == "Attempts" {
            Value::Attempts(expr)
        } else {
            Value::Expr(expr)
        });
    };
    let word = text.value();
    if let Some((_, variant)) = words.variants.iter().find(|(known, _)| *known == word) {
        return Some(Value::Word(words.enumeration, variant));
    }
    let all = words
        .variants
        .iter()
        .map(|(known, _)| format!("`\"{known}\"`"));
    let takes = all.collect::<Vec<_>>().join(", ") + words.or;
    let meant = nearest(&word, words.variants.iter().map(|(known, _)| *known));
    errors.at(
        text.span(),
        match meant {
            Some(near) => {
                format!("`{name}` has no value `{word}`, did you mean `{near}`? It takes {takes}")
            }
            None => format!("`{name}` has no value `{word}`: it takes {takes}"),
        },
    );
    None
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
    matches!(expr, Expr::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "None"))
}
