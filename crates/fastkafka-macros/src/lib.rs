#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod args;
mod codec;
mod consumes;
mod definition;
mod errors;
mod item;
mod keys;
mod lifetimes;
mod mirror;
mod names;
mod paths;
mod payload;
mod produces;
mod settings;

use proc_macro::TokenStream;

#[doc = include_str!("../docs/consumes.md")]
#[proc_macro_attribute]
pub fn consumes(attribute: TokenStream, item: TokenStream) -> TokenStream {
    consumes::expand(attribute.into(), &item.into()).into()
}

#[doc = include_str!("../docs/produces.md")]
#[proc_macro_attribute]
pub fn produces(attribute: TokenStream, item: TokenStream) -> TokenStream {
    produces::expand(attribute.into(), &item.into()).into()
}
