//! The roots of emitted paths: the standard library by its absolute path, everything else through
//! one module of the facade, which is the whole contract between the expansion and the library.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

/// The contract: `<root>::__private`, `root` being `::fastkafka` or the path of `crate = ..`.
pub(crate) fn path(root: Option<&Path>) -> TokenStream {
    match root {
        Some(root) => quote!(#root::__private),
        None => quote!(::fastkafka::__private),
    }
}

#[cfg(test)]
mod tests;
