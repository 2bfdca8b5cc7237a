//! The code beside the function: a struct of its name that carries the definition,
//! and the entry in the link-time list.

use crate::names::Names;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Visibility;
use syn::spanned::Spanned;

/// The function that is defined.
pub(crate) struct Function {
    /// Its name, and that of the struct.
    pub(crate) ident: Ident,
    /// The struct is as visible as the function.
    pub(crate) vis: Visibility,
    /// Attributes that guard the function guard the rest as well.
    pub(crate) cfgs: Vec<syn::Attribute>,
    pub(crate) names: Names,
}

impl Function {
    /// A brace struct leaves the value namespace to the function: one `use` brings both.
    ///
    /// `[trait and variant, kind]` say which attribute it is.
    pub(crate) fn define(
        &self,
        [variant, kind]: [&str; 2],
        definition: &TokenStream,
    ) -> TokenStream {
        let Self {
            ident, vis, cfgs, ..
        } = self;
        let (p, app) = (&self.names.contract, &self.names.app);
        let [variant, kind] = [variant, kind].map(|name| Ident::new(name, Span::call_site()));
        // An app that is less visible than its function is reported at the app.
        let app_type = quote_spanned!(app.span()=> type App = #app;);
        quote! {
            #(#cfgs)*
            #[doc(hidden)]
            #[allow(non_camel_case_types, dead_code, missing_debug_implementations, unreachable_pub, unnameable_types)]
            #vis struct #ident {}
            #(#cfgs)*
            const _: () = {
                impl #p::Register for #ident {
                    #app_type
                    type Kind = #p::#kind;
                    const ENTRY: #p::Def = #p::Def::#variant(&<Self as #p::#variant>::DEF);
                }
                #definition
                #p::inventory::submit! {
                    #p::Entry {
                        scope: || ::core::any::TypeId::of::<#app>(),
                        def: <#ident as #p::Register>::ENTRY,
                    }
                }
            };
        }
    }

    /// The fields that the definitions of consumers and producers begin with.
    pub(crate) fn fields(&self) -> TokenStream {
        let place = self.place();
        let Names {
            topic, description, ..
        } = &self.names;
        quote! {
            #place
            topic: #topic,
            description: #description,
        }
    }

    /// The fields that all definitions begin with.
    pub(crate) fn place(&self) -> TokenStream {
        let (p, ident) = (&self.names.contract, &self.ident);
        let function = &self.names.function;
        let location = quote_spanned!(ident.span()=> #p::Location {
            file: ::core::file!(), line: ::core::line!(), column: ::core::column!(),
        });
        quote! {
            name: #function,
            module: ::core::module_path!(),
            location: #location,
        }
    }
}

/// A name that the expansion binds and uses. One span for all uses: inside `macro_rules!` they would
/// not see each other otherwise.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
