//! `decoder = ..` and `encoder = ..`, and the same for keys.

use crate::args::literal;
use crate::errors::{Errors, nearest};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, LitStr};

/// The codec of the payload.
pub(crate) enum Codec {
    /// Chosen by the payload's type: bytes as they are, everything else JSON.
    ByType,
    Bytes,
    Word(LitStr),
    /// A function of the user's.
    Function(Expr),
}

const WORDS: &[&str] = &["json", "bytes", "msgpack", "avro"];
const VALUES: &str = "`\"json\"`, `\"bytes\"`, `\"msgpack\"`, `\"avro\"` or the path of a function";
const KEY_WORDS: &[&str] = &["json", "msgpack", "avro"];
const KEY_VALUES: &str = "`\"json\"`, `\"msgpack\"`, `\"avro\"` or the path of a function";

impl Codec {
    pub(crate) fn new(key: &str, expr: Option<Expr>, errors: &mut Errors) -> Self {
        match value(key, expr, (WORDS, VALUES), errors) {
            None => Self::ByType,
            Some(Value::Path(path)) => Self::Function(path),
            Some(Value::Word(word)) if word.value() == "bytes" => Self::Bytes,
            Some(Value::Word(word)) => Self::Word(word),
        }
    }

    /// The codec as a type; `is_raw` is a constant expression: whether the payload is bytes.
    pub(crate) fn ty(&self, p: &TokenStream, span: Span, is_raw: &TokenStream) -> TokenStream {
        match self {
            Self::ByType => quote_spanned!(span=> <() as #p::SelectCodec<{ #is_raw }>>::Codec),
            Self::Bytes => quote_spanned!(span=> #p::Raw),
            Self::Word(word) => codec(p, word.span(), word),
            Self::Function(_) => quote_spanned!(span=> #p::Custom),
        }
    }

    /// An item that is an error where the codec is not built in.
    pub(crate) fn need(&self, p: &TokenStream) -> Option<TokenStream> {
        match self {
            Self::Word(word) => need(p, word),
            _ => None,
        }
    }
}

/// The codec of the key, where that is not left to its type.
pub(crate) enum KeyCodec {
    Word(LitStr),
    /// A function of the user's.
    Function(Expr),
}

impl KeyCodec {
    pub(crate) fn new(key: &str, expr: Option<Expr>, errors: &mut Errors) -> Option<Self> {
        if let Some(word) = expr
            .as_ref()
            .and_then(literal)
            .filter(|word| word.value() == "bytes")
        {
            let instead = match key {
                "key_decoder" => "take `Key<Bytes>` or `Key<&[u8]>`",
                _ => "give `KafkaEvent::key` the bytes",
            };
            errors.at(
                word.span(),
                format_args!("`{key} = \"bytes\"` is not needed: keys are bytes, {instead}"),
            );
            return None;
        }
        Some(match value(key, expr, (KEY_WORDS, KEY_VALUES), errors)? {
            Value::Path(path) => Self::Function(path),
            Value::Word(word) => Self::Word(word),
        })
    }

    /// The method of `KeyProbe` that makes the key, and its argument.
    pub(crate) fn probe(&self, p: &TokenStream, span: Span) -> (TokenStream, TokenStream) {
        match self {
            Self::Function(path) => (quote!(extract), quote!(#path)),
            Self::Word(word) => {
                let codec = codec(p, span, word);
                let marker = quote_spanned!(span=> ::core::marker::PhantomData::<#codec>);
                (quote!(through), marker)
            }
        }
    }

    /// The key's bytes, or why there are none.
    pub(crate) fn encode(&self, p: &TokenStream, key: &Ident) -> TokenStream {
        match self {
            Self::Function(path) => {
                quote_spanned!(path.span()=> #p::encode_key_with(#path, #key))
            }
            Self::Word(word) => {
                let codec = codec(p, word.span(), word);
                quote_spanned!(word.span()=> #p::write_key::<#codec, _>(#key))
            }
        }
    }

    /// The function that describes the key in the AsyncAPI document.
    pub(crate) fn schema(&self, p: &TokenStream) -> TokenStream {
        match self {
            Self::Function(_) => quote!(#p::custom_key),
            Self::Word(word) => {
                let codec = codec(p, word.span(), word);
                quote!(#p::key_of::<#codec>)
            }
        }
    }

    /// An item that is an error where the codec is not built in.
    pub(crate) fn need(&self, p: &TokenStream) -> Option<TokenStream> {
        match self {
            Self::Word(word) => need(p, word),
            Self::Function(_) => None,
        }
    }

    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Word(word) => word.span(),
            Self::Function(path) => path.span(),
        }
    }
}

enum Value {
    Word(LitStr),
    Path(Expr),
}

/// One of `words`, or a path.
fn value(
    key: &str,
    expr: Option<Expr>,
    (words, values): (&[&str], &str),
    errors: &mut Errors,
) -> Option<Value> {
    let expr = expr?;
    let Some(text) = literal(&expr) else {
        if let Expr::Lit(_) = &expr {
            errors.on(expr, format_args!("`{key}` takes {values}"));
            return None;
        }
        return Some(Value::Path(expr));
    };
    let word = text.value();
    if words.contains(&&*word) {
        return Some(Value::Word(text.clone()));
    }
    let wrong = match nearest(&word, words.iter().copied()) {
        Some(near) => format!("`{key}` has no value `{word}`, did you mean `{near}`?"),
        None => format!("`{key}` has no value `{word}`: it takes {values}"),
    };
    errors.at(text.span(), wrong);
    None
}

/// The codec of a word; what it cannot do is reported at `span`.
fn codec(p: &TokenStream, span: Span, word: &LitStr) -> TokenStream {
    match &*word.value() {
        "json" => quote_spanned!(span=> #p::Json),
        "msgpack" => quote_spanned!(span=> #p::Msgpack),
        _ => quote_spanned!(span=> #p::Avro),
    }
}

/// An error that is dropped where the codec is built in.
fn need(p: &TokenStream, word: &LitStr) -> Option<TokenStream> {
    let feature = word.value();
    let without = match &*feature {
        "msgpack" => quote!(without_msgpack),
        "avro" => quote!(without_avro),
        _ => return None,
    };
    let error = format!(
        "`\"{feature}\"` needs the feature `{feature}`: write `fastkafka = {{ version = \"..\", features = [\"{feature}\"] }}` in Cargo.toml"
    );
    Some(quote_spanned!(word.span()=> #p::#without! { ::core::compile_error!(#error); }))
}
