//! The paths in a piece of source.

use crate::modules::{Import, is_test};
use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Meta, UseName, UseRename, UseTree, Visibility};

/// A path and where it stands.
#[derive(Clone)]
pub struct Named {
    pub names: Vec<String>,
    pub line: usize,
}

/// The attributes of an item.
pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
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
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item defines.
pub fn name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// The names of a `use`.
pub fn imports(item: &ItemUse, all: &mut Vec<Import>) {
    if item.leading_colon.is_none() {
        let is_public = !matches!(item.vis, Visibility::Inherited);
        branch(&item.tree, &mut Vec::new(), is_public, all);
    }
}

fn branch(tree: &UseTree, before: &mut Vec<Ident>, is_public: bool, all: &mut Vec<Import>) {
    let own = before.last().cloned();
    let mut add = |at: Span, last: Option<&Ident>, name: Option<&Ident>| {
        let names = before.iter().chain(last).map(Ident::to_string).collect();
        let path = Named { names, line: at.start().line };
        all.push(Import { path, name: name.map(Ident::to_string), is_public });
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.clone());
            branch(&path.tree, before, is_public, all);
            before.pop();
        }
        UseTree::Name(UseName { ident }) if ident == "self" => {
            add(ident.span(), None, own.as_ref());
        }
        UseTree::Name(UseName { ident }) => add(ident.span(), Some(ident), Some(ident)),
        UseTree::Rename(UseRename { ident, rename, .. }) => {
            add(ident.span(), Some(ident).filter(|ident| *ident != "self"), Some(rename));
        }
        UseTree::Glob(glob) => add(glob.star_token.spans[0], None, None),
        UseTree::Group(group) => {
            group.items.iter().for_each(|tree| branch(tree, before, is_public, all));
        }
    }
}

/// The paths in an item, but for those of its tests.
pub fn paths(item: &Item, all: &mut Vec<Named>) {
    Finder { all }.visit_item(item);
}

struct Finder<'a> {
    all: &'a mut Vec<Named>,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, method: &'ast syn::ImplItemFn) {
        if !is_test(&method.attrs) {
            visit::visit_impl_item_fn(self, method);
        }
    }

    // Inside a function.
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut all = Vec::new();
        imports(item, &mut all);
        self.all.extend(all.into_iter().map(|import| import.path));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let line = path.segments[0].ident.span().start().line;
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.all.push(Named { names, line });
        }
        visit::visit_path(self, path);
    }

    // Who may see something does not say what it uses.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_macro(&mut self, of: &'ast syn::Macro) {
        visit::visit_macro(self, of);
        self.tokens(of.tokens.clone(), false);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone(), true);
        }
    }
}

impl Finder<'_> {
    /// The paths in what only a macro understands; with those that `texts` name, as in `#[serde(default = "one")]`.
    fn tokens(&mut self, tokens: TokenStream, texts: bool) {
        let mut found: Vec<Named> = Vec::new();
        // Whether what comes next goes on with the last path, belongs to a value, or is a path of its own.
        let (mut goes_on, mut colons, mut is_field) = (false, 0, false);
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    let line = name.span().start().line;
                    let name = name.to_string();
                    match found.last_mut() {
                        Some(last) if goes_on && colons == 2 => last.names.push(name),
                        _ if !is_field => found.push(Named { names: vec![name], line }),
                        _ => {}
                    }
                    (goes_on, colons, is_field) = (!is_field, 0, false);
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    let first = colons == 0 && mark.spacing() == Spacing::Joint;
                    colons = if first || colons == 1 { colons + 1 } else { 0 };
                }
                TokenTree::Punct(mark) => {
                    (goes_on, colons, is_field) = (false, 0, mark.as_char() == '.');
                }
                TokenTree::Group(group) => {
                    // As in `use`.
                    if let Some(last) = found.last().filter(|_| goes_on && colons == 2) {
                        let (before, start) = (last.names.clone(), self.all.len());
                        self.tokens(group.stream(), texts);
                        for path in &mut self.all[start..] {
                            path.names.splice(0..0, before.clone());
                        }
                    } else {
                        self.tokens(group.stream(), texts);
                    }
                    (goes_on, colons, is_field) = (false, 0, false);
                }
                TokenTree::Literal(text) => {
                    let line = text.span().start().line;
                    let path = syn::parse_str::<syn::LitStr>(&text.to_string())
                        .and_then(|text| text.parse::<syn::Path>());
                    if let (Ok(path), true) = (path, texts) {
                        let names = path.segments.iter().map(|name| name.ident.to_string());
                        found.push(Named { names: names.collect(), line });
                    }
                    (goes_on, colons, is_field) = (false, 0, false);
                }
            }
        }
        self.all.append(&mut found);
    }
}
