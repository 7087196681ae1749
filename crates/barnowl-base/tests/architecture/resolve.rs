//! Where paths lead.

use crate::modules::{Import, Tree};
use crate::paths::Named;

/// One module uses another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    /// The modules of whole files.
    pub from: usize,
    pub to: usize,
    pub line: usize,
}

/// What a path names.
enum Found {
    Module(usize),
    /// Something in a module.
    In(usize),
}

fn is_module(found: Found) -> bool {
    matches!(found, Found::Module(_))
}

/// What uses what, between files.
pub fn arrows(tree: &Tree) -> Vec<Arrow> {
    let mut all = Vec::new();
    for (module, of) in tree.0.iter().enumerate() {
        let mut add = |line: usize, found: Option<Found>, is_glob: bool| {
            let to = match found {
                Some(Found::In(to)) => to,
                Some(Found::Module(to)) if is_glob => to,
                // The paths that begin with its name tell more.
                _ => return,
            };
            let (from, to) = (of.whole, tree.0[to].whole);
            if from != to {
                all.push(Arrow { from, to, line });
            }
        };
        for import in of.imports.iter().filter(|import| !hands_on(tree, module, import)) {
            add(
                import.path.line,
                follow(tree, module, &import.path.names, 0),
                import.name.is_none(),
            );
        }
        for Named { names, line } in &of.paths {
            let imported = of.imports.iter().find(|import| import.name.as_ref() == names.first());
            let is_counted = |import: &Import| {
                let is_module =
                    || follow(tree, module, &import.path.names, 0).is_some_and(is_module);
                !hands_on(tree, module, import) && !is_module()
            };
            if !imported.is_some_and(is_counted) {
                add(*line, follow(tree, module, names, 0), false);
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

/// Whether a folder's own file makes a name of one of its files its own.
fn hands_on(tree: &Tree, module: usize, import: &Import) -> bool {
    let to = match follow(tree, module, &import.path.names, 0) {
        Some(Found::Module(to) | Found::In(to)) => tree.0[to].whole,
        None => return false,
    };
    import.is_public && to != tree.0[module].whole && tree.is_within(to, tree.0[module].whole)
}

/// The most names behind names.
const DEEPEST: usize = 20;

/// Where a path in a module leads; `None` to leave the crate, or for a name of the module's own.
fn follow(tree: &Tree, module: usize, names: &[String], depth: usize) -> Option<Found> {
    let (first, mut rest) = names.split_first()?;
    let mut at = match first.as_str() {
        "crate" => 0,
        "self" => module,
        "super" => tree.0[module].parent?,
        name => {
            return match tree.child(module, name) {
                Some(child) => within(tree, child, rest, depth),
                None if tree.0[module].items.contains(name) => None,
                None => through_import(tree, module, name, rest, depth, false).flatten(),
            };
        }
    };
    while let Some((next, after)) = rest.split_first()
        && next == "super"
    {
        (at, rest) = (tree.0[at].parent?, after);
    }
    within(tree, at, rest, depth)
}

/// Where the rest of a path leads, from a module on.
fn within(tree: &Tree, module: usize, names: &[String], depth: usize) -> Option<Found> {
    let Some((first, rest)) = names.split_first() else { return Some(Found::Module(module)) };
    if let Some(child) = tree.child(module, first) {
        return within(tree, child, rest, depth);
    }
    if tree.0[module].items.contains(first) {
        return Some(Found::In(module));
    }
    // What has another name behind it; else what a macro defines.
    through_import(tree, module, first, rest, depth, true).unwrap_or(Some(Found::In(module)))
}

/// Where a name leads that a module imports; `None` if it does not. From outside, only through what it hands on.
fn through_import(
    tree: &Tree,
    module: usize,
    name: &str,
    rest: &[String],
    depth: usize,
    from_outside: bool,
) -> Option<Option<Found>> {
    if depth == DEEPEST {
        return None;
    }
    let imports =
        || tree.0[module].imports.iter().filter(|import| import.is_public || !from_outside);
    if let Some(import) = imports().find(|import| import.name.as_deref() == Some(name)) {
        if import.path.names == [name] && tree.child(module, name).is_none() {
            return Some(None);
        }
        let names = [&import.path.names, rest].concat();
        return Some(follow(tree, module, &names, depth + 1));
    }
    imports().filter(|import| import.name.is_none()).find_map(|import| {
        let Some(Found::Module(of)) = follow(tree, module, &import.path.names, depth + 1) else {
            return None;
        };
        let is_there = tree.child(of, name).is_some() || tree.0[of].items.contains(name);
        if is_there {
            return Some(within(tree, of, &[&[name.to_owned()], rest].concat(), depth + 1));
        }
        through_import(tree, of, name, rest, depth + 1, true)
    })
}
