//! The expansion in the documentation of `expand.rs` is the real one.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;

/// The abbreviations of the documentation: first of paths, then of types.
const ABBREVIATED: [(&str, &str); 13] = [
    ("::fastkafka::__private", "p"),
    ("#[allow(unused_imports)]", ""),
    ("::core::option::Option::None", "None"),
    ("::core::result::Result::Ok", "Ok"),
    ("::core::any::", ""),
    ("::core::default::", ""),
    ("::core::future::", ""),
    ("::core::marker::", ""),
    ("::core::ops::", ""),
    ("::core::result::", ""),
    ("::core::", ""),
    (
        "<Order as p::InputOf<'static, <on_order as p::Consumer>::Shape>>::Payload",
        "PAYLOAD",
    ),
    (
        "<Order as p::InputOf<'run, <on_order as p::Consumer>::Shape>>::Payload",
        "PAYLOAD_OF_RUN",
    ),
];
const CODEC: &str =
    "<() as p::SelectCodec<{ use p::DefaultCodec as _; p::CodecProbe::<PAYLOAD>::RAW }>>::Codec";

#[test]
fn the_documented_expansion_is_the_real_one() {
    let expansion = super::expand(
        quote!(),
        &quote!(
            async fn on_order(order: Order) {}
        ),
    );
    let mut expansion = flat(expansion);
    for (long, short) in ABBREVIATED.into_iter().chain([(CODEC, "CODEC")]) {
        expansion = expansion.replace(&flat(long.parse().unwrap()), &format!(" {short} "));
        expansion = words(&expansion);
    }
    let documented = words(&flat(documented().parse().unwrap()));
    let expansion = words(&without_lints(&expansion));
    let same = |(a, b): &(&str, &str)| a == b;
    let (is, says) = (expansion.split(' '), documented.split(' '));
    let from = is.clone().zip(says.clone()).take_while(same).count();
    let differs = from < is.clone().count().max(says.clone().count());
    assert!(
        !differs,
        "after the same {from} tokens the expansion has\n{}\nand the documentation of `expand.rs`\n{}",
        is.skip(from).take(30).collect::<Vec<_>>().join(" "),
        says.skip(from).take(30).collect::<Vec<_>>().join(" "),
    );
}

/// The first block of the module documentation.
fn documented() -> String {
    let (_, text) = include_str!("expand.rs")
        .split_once("//! ```text\n")
        .unwrap();
    let (text, _) = text.split_once("//! ```\n").unwrap();
    let lines = text.lines().map(|line| line.trim_start_matches("//!"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Tokens with a space around each; comments are none.
fn flat(tokens: TokenStream) -> String {
    let mut text = String::new();
    for token in tokens {
        let one = match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                format!("{open} {} {close}", flat(group.stream()))
            }
            TokenTree::Punct(punct) => punct.as_char().to_string(),
            other => other.to_string(),
        };
        text.extend([" ", &one, " "]);
    }
    format!(" {} ", words(&text))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `#[allow(..)]` for a list of lints.
fn without_lints(text: &str) -> String {
    let mut parts = text.split("# [ allow ( ");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (_, rest) = part.split_once(" ) ]").unwrap();
        out.extend(["# [ allow ( . . ) ]", rest]);
    }
    out
}
