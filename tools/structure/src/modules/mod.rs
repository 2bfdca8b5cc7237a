//! A crate as modules: which file each is in and which names are in its scope.

pub(crate) mod left_out;
mod resolve;
mod scope;
pub(crate) mod tokens;
mod uses;

pub(crate) use resolve::Found;
pub(crate) use uses::uses;

use crate::workspace::Package;
use anyhow::{Context, Result, bail};
use scope::Scope;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use syn::{Item, ItemMod};

pub(crate) type FileId = usize;
pub(crate) type ModuleId = usize;

/// The modules of a package's library and programs, without those for tests.
pub(crate) struct Modules {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) all: Vec<Module>,
    /// By the name under which the package's programs know it.
    library: Option<(String, ModuleId)>,
}

pub(crate) struct Module {
    pub(crate) file: FileId,
    pub(crate) items: Vec<Item>,
    parent: Option<ModuleId>,
    root: ModuleId,
    children: BTreeMap<String, ModuleId>,
    scope: Scope,
}

impl Modules {
    /// Reads the package's roots and every module that they declare. A file that nothing declares is
    /// no part of the crate.
    pub(crate) fn read(package: &Package) -> Result<Self> {
        let mut modules = Self {
            files: Vec::new(),
            all: Vec::new(),
            library: None,
        };
        let source = package.folder.join("src");
        let library = source.join("lib.rs");
        if library.is_file() {
            let root = modules.file(None, &library)?;
            modules.library = Some((package.name.replace('-', "_"), root));
        }
        for program in programs(&source)? {
            modules.file(None, &program)?;
        }
        Ok(modules)
    }

    fn file(&mut self, parent: Option<ModuleId>, path: &Path) -> Result<ModuleId> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let syntax = syn::parse_file(&text).with_context(|| path.display().to_string())?;
        let file = self.files.len();
        self.files.push(path.to_owned());
        let folder = path.parent().expect("a file is in a folder");
        let stem = path.file_stem().expect("a file has a name");
        let folder = if parent.is_none() || stem == "mod" {
            folder.to_owned()
        } else {
            folder.join(stem)
        };
        self.module(parent, file, &folder, syntax.items)
    }

    fn module(
        &mut self,
        parent: Option<ModuleId>,
        file: FileId,
        folder: &Path,
        items: Vec<Item>,
    ) -> Result<ModuleId> {
        let id = self.all.len();
        self.all.push(Module {
            file,
            items: Vec::new(),
            parent,
            root: parent.map_or(id, |parent| self.all[parent].root),
            children: BTreeMap::new(),
            scope: Scope::new(&items),
        });
        for item in &items {
            let Item::Mod(declared) = item else { continue };
            if left_out::item(item) {
                continue;
            }
            let name = tokens::name(&declared.ident);
            let child = match &declared.content {
                Some((_, items)) => {
                    self.module(Some(id), file, &folder.join(&name), items.clone())?
                }
                None => {
                    let path = find(folder, &self.files[file], declared, &name)?;
                    self.file(Some(id), &path)?
                }
            };
            self.all[id].children.insert(name, child);
        }
        self.all[id].items = items;
        Ok(id)
    }
}

fn programs(source: &Path) -> Result<Vec<PathBuf>> {
    let mut programs = vec![source.join("main.rs")];
    let folder = source.join("bin");
    if folder.is_dir() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            programs.push(if path.is_dir() {
                path.join("main.rs")
            } else {
                path
            });
        }
    }
    programs.retain(|path| path.is_file() && path.extension().is_some_and(|kind| kind == "rs"));
    programs.sort();
    Ok(programs)
}

/// The file of `mod name;`.
fn find(folder: &Path, from: &Path, declared: &ItemMod, name: &str) -> Result<PathBuf> {
    let given = declared.attrs.iter().find_map(|attribute| {
        let value = &attribute.meta.require_name_value().ok()?.value;
        match value {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(path),
                ..
            }) if attribute.path().is_ident("path") => Some(path.value()),
            _ => None,
        }
    });
    let candidates = match given {
        Some(path) => vec![from.with_file_name(path)],
        None => vec![
            folder.join(format!("{name}.rs")),
            folder.join(name).join("mod.rs"),
        ],
    };
    match candidates.into_iter().find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => bail!("{}: there is no file of `mod {name}`", from.display()),
    }
}
