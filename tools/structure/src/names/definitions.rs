//! The names that a file defines.

use crate::modules::tokens::name;
use anyhow::Result;
use proc_macro2::{Ident, TokenStream, TokenTree};
use serde::Deserialize;
use std::fmt;
use std::fs;
use std::path::Path;
use syn::visit::{self, Visit};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Type,
    Trait,
    /// A function, free or not.
    Fn,
    /// A function of a type or a trait.
    Method,
    Field,
    Variant,
    Const,
    /// A `mod` or its file.
    Module,
    File,
}

impl Kind {
    /// Whether something of this kind breaks a rule for `asked`.
    pub(super) fn counts_as(self, asked: Self) -> bool {
        self == asked
            || self == Self::Method && asked == Self::Fn
            || self == Self::File && asked == Self::Module
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Type => "type",
            Self::Trait => "trait",
            Self::Fn => "function",
            Self::Method => "method",
            Self::Field => "field",
            Self::Variant => "variant",
            Self::Const => "constant",
            Self::Module => "module",
            Self::File => "file",
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) line: usize,
}

/// What the file and its tests define; `None` when it is no Rust, as the test of a syntax error.
pub(super) fn definitions(file: &Path) -> Result<Option<Vec<Definition>>> {
    let Ok(syntax) = syn::parse_file(&fs::read_to_string(file)?) else {
        return Ok(None);
    };
    let mut found = Definitions::default();
    let of_folder = file.file_name().is_some_and(|name| name == "mod.rs");
    let named = if of_folder {
        file.parent().and_then(Path::file_name)
    } else {
        file.file_stem()
    };
    found.0.extend(named.map(|name| Definition {
        kind: Kind::File,
        name: name.to_string_lossy().into_owned(),
        line: 1,
    }));
    found.visit_file(&syntax);
    Ok(Some(found.0))
}

#[derive(Default)]
struct Definitions(Vec<Definition>);

impl Definitions {
    fn add(&mut self, kind: Kind, ident: &Ident) {
        self.0.push(Definition {
            kind,
            name: name(ident),
            line: ident.span().start().line,
        });
    }

    /// Definitions in the tokens of a macro call: a keyword and the name behind it.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut expected = None;
        for token in tokens {
            let kind = expected.take();
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(ident) => {
                    expected = match ident.to_string().as_str() {
                        "struct" | "enum" | "union" | "type" => Some(Kind::Type),
                        "trait" => Some(Kind::Trait),
                        "fn" => Some(Kind::Fn),
                        "const" | "static" => Some(Kind::Const),
                        "mod" => Some(Kind::Module),
                        _ => {
                            if let Some(kind) = kind {
                                self.add(kind, &ident);
                            }
                            None
                        }
                    };
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Definitions {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Const(item) => self.add(Kind::Const, &item.ident),
            syn::Item::Enum(item) => self.add(Kind::Type, &item.ident),
            syn::Item::Fn(item) => self.add(Kind::Fn, &item.sig.ident),
            syn::Item::Mod(item) => self.add(Kind::Module, &item.ident),
            syn::Item::Static(item) => self.add(Kind::Const, &item.ident),
            syn::Item::Struct(item) => self.add(Kind::Type, &item.ident),
            syn::Item::Trait(item) => self.add(Kind::Trait, &item.ident),
            syn::Item::TraitAlias(item) => self.add(Kind::Trait, &item.ident),
            syn::Item::Type(item) => self.add(Kind::Type, &item.ident),
            syn::Item::Union(item) => self.add(Kind::Type, &item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        match item {
            syn::ImplItem::Const(item) => self.add(Kind::Const, &item.ident),
            syn::ImplItem::Fn(item) => self.add(Kind::Method, &item.sig.ident),
            syn::ImplItem::Type(item) => self.add(Kind::Type, &item.ident),
            _ => {}
        }
        visit::visit_impl_item(self, item);
    }

    fn visit_trait_item(&mut self, item: &'ast syn::TraitItem) {
        match item {
            syn::TraitItem::Const(item) => self.add(Kind::Const, &item.ident),
            syn::TraitItem::Fn(item) => self.add(Kind::Method, &item.sig.ident),
            syn::TraitItem::Type(item) => self.add(Kind::Type, &item.ident),
            _ => {}
        }
        visit::visit_trait_item(self, item);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if let Some(ident) = &field.ident {
            self.add(Kind::Field, ident);
        }
        visit::visit_field(self, field);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.add(Kind::Variant, &variant.ident);
        visit::visit_variant(self, variant);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(call.tokens.clone());
    }
}
