//! The modules of a crate, from its files.

use crate::Files;
use crate::paths::{self, Named};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use syn::punctuated::Punctuated;
use syn::{Attribute, Item, Meta, Token};

/// A module: a file, or a part of one between braces.
pub struct Module {
    pub name: String,
    /// What it lies in; none for the root.
    pub parent: Option<usize>,
    /// The file, and the module that is the whole of that file.
    pub file: PathBuf,
    pub whole: usize,
    pub children: Vec<usize>,
    /// What it defines.
    pub items: BTreeSet<String>,
    /// What it imports or hands on.
    pub imports: Vec<Import>,
    /// The paths that stand elsewhere.
    pub paths: Vec<Named>,
}

/// One name of a `use`.
pub struct Import {
    pub path: Named,
    /// The name that it gets here; none for `*`.
    pub name: Option<String>,
    /// Whether others see it.
    pub is_public: bool,
}

/// The modules of a crate, the root first.
pub struct Tree(pub Vec<Module>);

impl Tree {
    /// Reads a crate's folder of sources.
    pub fn read(src: &Path, files: Files<'_>) -> Self {
        let root = ["lib.rs", "main.rs"].map(|name| src.join(name));
        let root = root.into_iter().find(|path| files(path).is_some()).expect("sources");
        let mut tree = Self(Vec::new());
        tree.file("crate", None, root, src, files);
        tree
    }

    /// Adds the module of a file, whose own modules lie in a folder.
    fn file(
        &mut self,
        name: &str,
        parent: Option<usize>,
        file: PathBuf,
        folder: &Path,
        files: Files<'_>,
    ) -> usize {
        let text = files(&file).unwrap();
        let parsed =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let whole = self.0.len();
        self.add(Place { name, parent, file: &file, whole, folder }, parsed.items, files)
    }

    fn add(&mut self, place: Place<'_>, items: Vec<Item>, files: Files<'_>) -> usize {
        let Place { name, parent, file, whole, folder } = place;
        let this = self.0.len();
        self.0.push(Module {
            name: name.to_owned(),
            parent,
            file: file.to_owned(),
            whole,
            children: Vec::new(),
            items: BTreeSet::new(),
            imports: Vec::new(),
            paths: Vec::new(),
        });
        for item in items.into_iter().filter(|item| !is_test(paths::attributes(item))) {
            match item {
                Item::Mod(module) => {
                    let name = module.ident.to_string();
                    let inside = folder.join(&name);
                    let child = match module.content {
                        Some((_, items)) => {
                            let parent = Some(this);
                            let place = Place { name: &name, parent, file, whole, folder: &inside };
                            self.add(place, items, files)
                        }
                        None => {
                            let places = [folder.join(format!("{name}.rs")), inside.join("mod.rs")];
                            let found = places.into_iter().find(|path| files(path).is_some());
                            let path = found
                                .unwrap_or_else(|| panic!("{}: no file of {name}", file.display()));
                            self.file(&name, Some(this), path, &inside, files)
                        }
                    };
                    self.0[this].children.push(child);
                }
                Item::Use(item) => paths::imports(&item, &mut self.0[this].imports),
                item => {
                    let module = &mut self.0[this];
                    module.items.extend(paths::name(&item));
                    paths::paths(&item, &mut module.paths);
                }
            }
        }
        this
    }

    /// A module's own module of this name.
    pub fn child(&self, module: usize, name: &str) -> Option<usize> {
        self.0[module].children.iter().copied().find(|child| self.0[*child].name == name)
    }

    /// The module and all that it lies in, the root last; of modules between braces, their file's.
    pub fn line(&self, module: usize) -> impl Iterator<Item = usize> {
        let up = |at: &usize| self.0[*at].parent.map(|parent| self.0[parent].whole);
        std::iter::successors(Some(self.0[module].whole), up)
    }

    /// Whether a module is another or lies in it.
    pub fn is_within(&self, module: usize, other: usize) -> bool {
        self.line(module).any(|at| at == other)
    }
}

/// Where a module is read.
struct Place<'a> {
    name: &'a str,
    parent: Option<usize>,
    file: &'a Path,
    whole: usize,
    folder: &'a Path,
}

/// Whether something is for tests only.
pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg = attribute.path().is_ident("cfg").then(|| attribute.parse_args::<Meta>());
        attribute.path().is_ident("test") || matches!(cfg, Some(Ok(of)) if asks_for_test(&of))
    })
}

fn asks_for_test(cfg: &Meta) -> bool {
    match cfg {
        Meta::List(list) if list.path.is_ident("all") => list
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|all| all.iter().any(asks_for_test)),
        other => other.path().is_ident("test"),
    }
}
