//! The trait through which a test reaches a function by its topic: `tester.to_orders(order)` sends to
//! a consumer, `tester.on_invoices()` is what a producer has sent.
//!
//! A trait per function, so that a glob import of the module brings it along, and so that two
//! functions of one topic are in each other's way only where a test means one of them.

use crate::definition::{Function, local};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;

/// Sends into the topics of a consumer. By pattern it has none that is known here.
pub(crate) fn of_consumer(function: &Function) -> TokenStream {
    let (p, ident, payload) = (&function.names.contract, &function.ident, local("payload"));
    let topics = &function.names.topics;
    let methods: Vec<_> = topics.iter().map(|topic| method("to", topic)).collect();
    let named_alike = |name: &Ident| methods.iter().filter(|other| *other == name).count() > 1;
    let methods = topics.iter().zip(&methods);
    let methods = methods.filter(|(_, method)| !named_alike(method)).map(|(topic, method)| {
        quote! {
            #[track_caller]
            fn #method(&self, #payload: <#ident as #p::Consumer>::Payload) -> <Self as #p::Sends<#ident>>::Sending<'_>
            where
                Self: #p::Sends<#ident>,
            {
                <Self as #p::Sends<#ident>>::sending(self, #topic, #payload)
            }
        }
    });
    expand(function, &quote!(#(#methods)*))
}

/// Returns the records that a producer has sent.
pub(crate) fn of_producer(function: &Function) -> TokenStream {
    let (p, ident) = (&function.names.contract, &function.ident);
    let method = method("on", &function.names.topic);
    let method = quote! {
        #[track_caller]
        fn #method(&self) -> Self::Received<#ident> {
            #p::MirrorHost::received::<#ident>(self)
        }
    };
    expand(function, &method)
}

fn expand(function: &Function, method: &TokenStream) -> TokenStream {
    let Function {
        ident, vis, cfgs, ..
    } = function;
    let p = &function.names.contract;
    let name = camel_case(&ident.unraw().to_string());
    let name = Ident::new(&format!("{name}Mirror"), Span::call_site());
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(dead_code, non_snake_case, non_camel_case_types, unreachable_pub, unnameable_types)]
        #vis trait #name: #p::MirrorHost {
            #method
        }
        #(#cfgs)*
        const _: () = {
            impl<Host: #p::MirrorHost> #name for Host {}
        };
    }
}

/// `to_<topic>` or `on_<topic>`; a topic may hold `.` and `-`, a name may not.
fn method(prefix: &str, topic: &str) -> Ident {
    let topic = topic.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    Ident::new(&format!("{prefix}_{topic}"), Span::call_site())
}

/// `on_input_data` is `OnInputData`. Between digits the underscore stays: `on_1_2` is not `on_12`.
fn camel_case(name: &str) -> String {
    let mut camel = String::new();
    for part in name.split('_').filter(|part| !part.is_empty()) {
        let mut chars = part.chars();
        let first = chars.next().expect("empty parts are left out");
        if first.is_ascii_digit() && camel.ends_with(|last: char| last.is_ascii_digit()) {
            camel.push('_');
        }
        camel.extend(first.to_uppercase());
        camel.push_str(chars.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_becomes_a_traits_name() {
        assert_eq!(camel_case("on_input_data"), "OnInputData");
        assert_eq!(camel_case("__on__a"), "OnA");
        assert_eq!(camel_case("on_1_2"), "On1_2");
        assert_eq!(camel_case("r2d2_on"), "R2d2On");
    }

    #[test]
    fn a_topic_becomes_a_methods_name() {
        assert_eq!(method("to", "eu.orders-v2").to_string(), "to_eu_orders_v2");
        assert_eq!(method("on", "Orders").to_string(), "on_Orders");
    }
}
