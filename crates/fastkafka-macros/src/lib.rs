#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod args;
mod background;
mod benchmark;
mod codec;
mod consumes;
mod contract;
mod definition;
mod errors;
mod item;
mod keys;
mod lifetimes;
mod mirror;
mod names;

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

#[doc = include_str!("../docs/run_in_background.md")]
#[proc_macro_attribute]
pub fn run_in_background(attribute: TokenStream, item: TokenStream) -> TokenStream {
    background::expand(attribute.into(), &item.into()).into()
}

#[doc = include_str!("../docs/benchmark.md")]
#[proc_macro_attribute]
pub fn benchmark(attribute: TokenStream, item: TokenStream) -> TokenStream {
    benchmark::expand(attribute.into(), &item.into()).into()
}
