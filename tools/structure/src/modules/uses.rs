//! Every path that a module writes, and what it leads to.

use super::scope::leaves;
use super::tokens::{self, Written, name};
use super::{Found, ModuleId, Modules, left_out};
use std::collections::BTreeSet;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Macro, Meta, PatIdent, Path, TraitItem};

/// One use of an item.
#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) found: Found,
    pub(crate) line: usize,
}

/// What the module uses: by its imports and re-exports, by paths in its code and its attributes, and by
/// what looks like a path in macro calls. Methods are left out: their receiver's type is not known here.
pub(crate) fn uses(modules: &Modules, id: ModuleId) -> Vec<Use> {
    let mut reader = Reader {
        modules,
        id,
        local: Local::default(),
        uses: Vec::new(),
    };
    for item in &modules.all[id].items {
        reader.local = Local::default();
        reader.local.visit_item(item);
        reader.visit_item(item);
    }
    reader.uses
}

struct Reader<'a> {
    modules: &'a Modules,
    id: ModuleId,
    local: Local,
    uses: Vec<Use>,
}

impl Reader<'_> {
    fn path(&mut self, written: &Written) {
        let first = &written.path[0];
        let alone = written.path.len() == 1;
        if first == "Self"
            || self.local.parameters.contains(first)
            || alone && self.local.variables.contains(first)
        {
            return;
        }
        let found = self.modules.resolve(self.id, &written.path);
        self.keep(found, written.line);
    }

    fn keep(&mut self, found: Found, line: usize) {
        self.uses.push(Use { found, line });
    }

    fn called(&mut self, name: &str, line: usize) {
        let found = self.modules.resolve_macro(self.id, name);
        self.keep(found, line);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !left_out::item(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !left_out::impl_item(item) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        if !left_out::trait_item(item) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !left_out::by(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        if !left_out::by(&variant.attrs) {
            visit::visit_variant(self, variant);
        }
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if !left_out::by(&field.attrs) {
            visit::visit_field_value(self, field);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if !left_out::by(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !left_out::by(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    /// A module of its own, also where it is in the same file.
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_some() {
            return;
        }
        let line = item.use_token.span().start().line;
        // A module alone is no item, neither by its name nor by a glob: what is used of it counts.
        for (path, _) in leaves(&item.tree) {
            let found = self.modules.resolve(self.id, &path);
            self.keep(found, line);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            self.path(&tokens::written(path, path.span().start().line));
        }
        visit::visit_path(self, path);
    }

    /// In a pattern a bare name in upper case is a constant or a unit.
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let name = name(&pattern.ident);
        if name.starts_with(char::is_uppercase) {
            let line = pattern.ident.span().start().line;
            self.path(&Written {
                path: vec![name],
                line,
            });
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let of = call.path.get_ident().map(name);
        match &of {
            Some(name) => self.called(name, call.path.span().start().line),
            None => self.visit_path(&call.path),
        }
        // Quoted code is not code of this crate.
        let quotes = [
            "quote",
            "quote_spanned",
            "parse_quote",
            "parse_quote_spanned",
        ];
        if of.is_some_and(|name| quotes.contains(&name.as_str())) {
            return;
        }
        for written in tokens::paths(call.tokens.clone()) {
            self.path(&written);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        if attribute.path().segments.len() > 1 {
            self.visit_path(attribute.path());
        }
        match &attribute.meta {
            Meta::List(list) => {
                for written in tokens::paths(list.tokens.clone()) {
                    self.path(&written);
                }
                for written in tokens::paths_in_strings(list.tokens.clone()) {
                    self.path(&written);
                }
            }
            Meta::NameValue(pair) => self.visit_expr(&pair.value),
            Meta::Path(_) => {}
        }
    }
}

/// The names that an item binds itself: a variable may have the name of a function elsewhere.
#[derive(Default)]
struct Local {
    variables: BTreeSet<String>,
    parameters: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Local {
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let name = name(&pattern.ident);
        if !name.starts_with(char::is_uppercase) {
            self.variables.insert(name);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_type_param(&mut self, parameter: &'ast syn::TypeParam) {
        self.parameters.insert(name(&parameter.ident));
        visit::visit_type_param(self, parameter);
    }

    fn visit_const_param(&mut self, parameter: &'ast syn::ConstParam) {
        self.parameters.insert(name(&parameter.ident));
        visit::visit_const_param(self, parameter);
    }
}
