//! `#[consumes]` and `#[produces]`: from syntax to a definition. Use them through the `fastkafka` crate.
#![forbid(unsafe_code)]

mod args;
mod consumes;
mod errors;
mod item;
mod keys;
mod produces;

use proc_macro::TokenStream;

/// Makes a function the handler of a topic's records.
#[proc_macro_attribute]
pub fn consumes(attribute: TokenStream, item: TokenStream) -> TokenStream {
    consumes::expand(attribute.into(), item.into()).into()
}

/// Makes a function a producer: what it returns is sent.
#[proc_macro_attribute]
pub fn produces(attribute: TokenStream, item: TokenStream) -> TokenStream {
    produces::expand(attribute.into(), item.into()).into()
}
