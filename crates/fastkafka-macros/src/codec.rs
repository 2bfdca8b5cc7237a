//! `decoder = ..` and `encoder = ..`.

use crate::args::literal;
use crate::errors::{Errors, nearest};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Expr;

/// What reads or writes the payload.
pub(crate) enum Codec {
    /// Chosen by the payload's type: bytes as they are, everything else JSON.
    ByType,
    Json,
    Bytes,
    /// A function of the user's.
    Function(Expr),
}

const WORDS: &[&str] = &["json", "bytes", "msgpack", "avro"];

impl Codec {
    pub(crate) fn of(key: &str, expr: Option<Expr>, errors: &mut Errors) -> Self {
        let Some(expr) = expr else {
            return Self::ByType;
        };
        if let Expr::Lit(_) = &expr
            && literal(&expr).is_none()
        {
            errors.on(
                expr,
                format_args!("`{key}` takes `\"json\"`, `\"bytes\"` or the path of a function"),
            );
            return Self::ByType;
        }
        let Some(text) = literal(&expr) else {
            return Self::Function(expr);
        };
        let word = text.value();
        let wrong = match &*word {
            "json" => return Self::Json,
            "bytes" => return Self::Bytes,
            "msgpack" | "avro" => {
                format!("`{key} = \"{word}\"` is not built yet (docs/roadmap.md)")
            }
            _ => match nearest(&word, WORDS.iter().copied()) {
                Some(near) => format!("`{key}` has no value `{word}`, did you mean `{near}`?"),
                None => format!(
                    "`{key}` has no value `{word}`: it takes `\"json\"`, `\"bytes\"` or the path of a function"
                ),
            },
        };
        errors.at(text.span(), wrong);
        Self::ByType
    }

    /// The codec as a type; `is_raw` is a constant expression: whether the payload is bytes.
    pub(crate) fn ty(&self, p: &TokenStream, span: Span, is_raw: &TokenStream) -> TokenStream {
        match self {
            Self::ByType => quote_spanned!(span=> <() as #p::SelectCodec<{ #is_raw }>>::Codec),
            Self::Json => quote_spanned!(span=> #p::Json),
            Self::Bytes => quote_spanned!(span=> #p::Raw),
            Self::Function(_) => quote_spanned!(span=> #p::Custom),
        }
    }
}
