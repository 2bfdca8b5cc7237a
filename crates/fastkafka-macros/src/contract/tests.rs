//! The contract lists exactly the names that expansions use.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::path::Path;
use syn::{Item, UseTree};

/// The annotated functions: every form, and the codecs behind features, which do not compile here.
const FORMS: [&str; 2] = [
    "tests/suite/every_form.rs",
    "tests/ui/word_without_its_feature.rs",
];

#[test]
fn the_contract_lists_the_names_that_expansions_use_and_no_other() {
    let used: BTreeSet<_> = FORMS.into_iter().flat_map(used_by).collect();
    let listed = listed();
    let missing: Vec<_> = used.difference(&listed).collect();
    assert!(missing.is_empty(), "`__private` does not list {missing:?}");
    let unused: Vec<_> = listed.difference(&used).collect();
    assert!(
        unused.is_empty(),
        "no expansion of {FORMS:?} uses {unused:?} of `__private`"
    );
}

fn parse(path: &str) -> syn::File {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The names that the expansions of a file's functions take from the contract.
fn used_by(file: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in parse(file).items {
        let Item::Fn(mut function) = item else {
            continue;
        };
        while let Some((expand, arguments)) = take_attribute(&mut function) {
            let expansion = expand(arguments, &quote::quote!(#function));
            collect(expansion, &mut names);
        }
    }
    names
}

type Expand = fn(TokenStream, &TokenStream) -> TokenStream;

/// The first attribute of ours, which is removed.
fn take_attribute(function: &mut syn::ItemFn) -> Option<(Expand, TokenStream)> {
    let (at, expand) = function.attrs.iter().enumerate().find_map(|(at, attr)| {
        let expand: Expand = match &*attr.path().get_ident()?.to_string() {
            "consumes" => crate::consumes::expand,
            "produces" => crate::produces::expand,
            "run_in_background" => crate::background::expand,
            "benchmark" => crate::benchmark::expand,
            _ => return None,
        };
        Some((at, expand))
    })?;
    let attribute = function.attrs.remove(at);
    let arguments = match attribute.meta {
        syn::Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    };
    Some((expand, arguments))
}

/// The names behind `__private::`, at any depth.
fn collect(tokens: TokenStream, names: &mut BTreeSet<String>) {
    let mut tokens = tokens.into_iter().peekable();
    let colon =
        |token: Option<TokenTree>| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == ':');
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "__private" => {
                assert!(colon(tokens.next()) && colon(tokens.next()));
                match tokens.next() {
                    Some(TokenTree::Ident(name)) => names.extend([name.to_string()]),
                    // `use __private::{One as _, Other as _};`
                    Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                        let list = syn::parse::Parser::parse2(
                            syn::punctuated::Punctuated::<UseTree, syn::Token![,]>::parse_terminated,
                            group.stream(),
                        );
                        for tree in list.unwrap() {
                            match tree {
                                UseTree::Name(name) => names.insert(name.ident.to_string()),
                                UseTree::Rename(rename) => names.insert(rename.ident.to_string()),
                                _ => panic!("a path inside braces"),
                            };
                        }
                    }
                    other => panic!("`__private::{other:?}`"),
                }
            }
            TokenTree::Group(group) => collect(group.stream(), names),
            _ => {}
        }
    }
}

/// The names of core's module.
fn listed() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in parse("../fastkafka-core/src/__private.rs").items {
        let Item::Use(item) = item else {
            panic!("`__private` holds only `pub use`");
        };
        leaves(&item.tree, &mut names);
    }
    names
}

fn leaves(tree: &UseTree, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, names),
        UseTree::Name(name) => names.extend([name.ident.to_string()]),
        UseTree::Rename(rename) => names.extend([rename.rename.to_string()]),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, names)),
        UseTree::Glob(_) => panic!("`__private` names each name"),
    }
}
