//! What a normal build leaves out: code for tests, for doctests and for loom.

use syn::punctuated::Punctuated;
use syn::{Attribute, ImplItem, Item, Meta, Token, TraitItem};

/// These cfgs hold only where tests are built.
const FOR_TESTS: [&str; 3] = ["test", "doctest", "loom"];

/// Whether one of the attributes says that this is built for tests only.
pub(crate) fn by(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<Meta>()
                    .is_ok_and(|predicate| needs_tests(&predicate))
    })
}

fn needs_tests(predicate: &Meta) -> bool {
    match predicate {
        Meta::Path(path) => FOR_TESTS.iter().any(|name| path.is_ident(name)),
        Meta::List(list) => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let parts = parts.unwrap_or_default();
            if list.path.is_ident("all") {
                parts.iter().any(needs_tests)
            } else if list.path.is_ident("any") {
                parts.iter().all(needs_tests)
            } else {
                false
            }
        }
        Meta::NameValue(_) => false,
    }
}

pub(crate) fn item(item: &Item) -> bool {
    by(match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => return false,
    })
}

pub(crate) fn impl_item(item: &ImplItem) -> bool {
    by(match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        ImplItem::Macro(item) => &item.attrs,
        _ => return false,
    })
}

pub(crate) fn trait_item(item: &TraitItem) -> bool {
    by(match item {
        TraitItem::Const(item) => &item.attrs,
        TraitItem::Fn(item) => &item.attrs,
        TraitItem::Type(item) => &item.attrs,
        TraitItem::Macro(item) => &item.attrs,
        _ => return false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn only_what_needs_tests_is_left_out() {
        assert!(by(&[parse_quote!(#[cfg(test)])]));
        assert!(by(&[parse_quote!(#[cfg(all(test, loom))])]));
        assert!(by(&[parse_quote!(#[cfg(any(test, doctest))])]));
        assert!(!by(&[parse_quote!(#[cfg(any(test, feature = "proof"))])]));
        assert!(!by(&[parse_quote!(#[cfg(not(test))])]));
        assert!(!by(&[parse_quote!(#[cfg(feature = "test")])]));
    }
}
