//! The names in a module's scope: what it defines, imports and may get from macros.

use super::left_out;
use super::tokens::name;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};
use syn::{Item, ItemMacro, ItemMod, UseTree};

const KEYWORDS: [&str; 8] = [
    "struct", "enum", "union", "trait", "type", "fn", "const", "static",
];

#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) defined: BTreeSet<String>,
    pub(super) macros: BTreeSet<String>,
    /// A name may be imported twice: as a module and as a function.
    pub(super) imported: BTreeMap<String, Vec<Vec<String>>>,
    pub(super) globs: Vec<Vec<String>>,
    /// Names that macro calls mention; some of them are defined by the macro.
    pub(super) mentioned: BTreeSet<String>,
}

impl Scope {
    /// Items and imports inside functions count as the module's: to tell them apart would change no
    /// arrow, as long as the module does not use one name for two things.
    pub(super) fn new(items: &[Item]) -> Self {
        let mut scope = Self::default();
        for item in items {
            scope.visit_item(item);
        }
        scope
    }

    /// What a macro call defines, as far as its tokens say it.
    fn called(&mut self, tokens: TokenStream) {
        let mut after_keyword = false;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    let name = name(&ident);
                    let keyword = KEYWORDS.contains(&name.as_str());
                    if after_keyword && !keyword {
                        self.defined.insert(name);
                    } else if name.starts_with(char::is_uppercase) {
                        self.mentioned.insert(name);
                    }
                    after_keyword = keyword;
                }
                TokenTree::Group(group) => {
                    self.called(group.stream());
                    after_keyword = false;
                }
                _ => after_keyword = false,
            }
        }
    }
}

impl<'ast> Visit<'ast> for Scope {
    fn visit_item(&mut self, item: &'ast Item) {
        if left_out::item(item) {
            return;
        }
        let ident = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::TraitAlias(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        self.defined.extend(ident.map(name));
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        match &item.ident {
            Some(ident) => {
                self.macros.insert(name(ident));
            }
            None => self.called(item.mac.tokens.clone()),
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_some() {
            return;
        }
        for (path, leaf) in leaves(&item.tree) {
            match leaf {
                Leaf::Glob => self.globs.push(path),
                Leaf::Name(name) => self.imported.entry(name).or_default().push(path),
            }
        }
    }
}

/// The end of a `use` tree's branch: all that is in its path, or the name it has from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leaf {
    Glob,
    Name(String),
}

pub(super) fn leaves(tree: &UseTree) -> Vec<(Vec<String>, Leaf)> {
    let mut found = Vec::new();
    branch(tree, &mut Vec::new(), &mut found);
    found
}

fn branch(tree: &UseTree, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Leaf)>) {
    // `a::{self}` is `a`.
    let full = |last: String, path: &[String]| {
        let last = (last != "self" || path.is_empty()).then_some(last);
        path.iter().cloned().chain(last).collect::<Vec<_>>()
    };
    match tree {
        UseTree::Path(next) => {
            path.push(name(&next.ident));
            branch(&next.tree, path, found);
            path.pop();
        }
        UseTree::Name(leaf) => {
            let path = full(name(&leaf.ident), path);
            let known = path.last().cloned().unwrap_or_default();
            found.push((path, Leaf::Name(known)));
        }
        UseTree::Rename(leaf) => {
            let path = full(name(&leaf.ident), path);
            found.push((path, Leaf::Name(name(&leaf.rename))));
        }
        UseTree::Glob(_) => found.push((path.clone(), Leaf::Glob)),
        UseTree::Group(group) => {
            for tree in &group.items {
                branch(tree, path, found);
            }
        }
    }
}
