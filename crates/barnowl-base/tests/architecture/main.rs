//! The modules of every crate are read from bottom to top: none leads back to itself.
//!
//! What is compared are the files and folders that lie side by side in a folder, and the file of the folder itself (`lib.rs`,
//! `mod.rs`). One uses another where a path leads from it into that other: of `use`, of expressions and types, in macros and in
//! attributes. Inside a folder, what its files use, the folder uses. What a folder's own file declares (`mod`) and hands on from
//! its files (`pub use`) it does not use by that; where a path comes through such a name, it leads to the file that is behind it.
//!
//! Tests inside the sources may use whatever they like. Methods that are called without a path to their type are not seen.

mod circles;
mod modules;
mod paths;
mod resolve;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where sources are read from.
type Files<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// The circles of a crate, each as text.
fn circles_of(src: &Path, files: Files<'_>) -> Vec<String> {
    let tree = modules::Tree::read(src, files);
    circles::circles(&tree, &resolve::arrows(&tree))
}

#[test]
fn no_module_leads_back_to_itself() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    assert!(!members.is_empty());
    let read = |path: &Path| std::fs::read_to_string(root.join(path)).ok();
    let circles =
        |member: &toml::Value| circles_of(&Path::new(member.as_str().unwrap()).join("src"), &read);
    let found: Vec<String> = members.iter().flat_map(circles).collect();
    assert!(found.is_empty(), "modules that lead back to themselves:\n\n{}", found.join("\n"));
}

/// The circles of made-up sources.
fn made_up(sources: &[(&str, &str)]) -> Vec<String> {
    let sources: BTreeMap<PathBuf, String> = sources
        .iter()
        .map(|(path, text)| (Path::new("src").join(path), (*text).to_owned()))
        .collect();
    circles_of(Path::new("src"), &|path| sources.get(path).cloned())
}

#[test]
fn a_circle_is_found_wherever_the_path_stands() {
    for back in [
        "use crate::cell::Cell;",
        "use super::{other, cell::{self, Cell}};\nfn f(_: cell::Kind) {}",
        "fn f(_: crate::cell::Cell) {}",
        "fn f() { println!(\"{}\", crate::cell::new()) }",
        "macro_rules! m { () => { $crate::cell::new() } }",
        "#[serde(default = \"crate::cell::new\")]\nstruct Layer;",
        "mod inside { fn f() -> super::super::cell::Cell { todo!() } }",
        "use crate::Cell;",
        "#[cfg(not(test))]\nuse crate::cell::Cell;",
        "use crate::*;\nuse cell::Cell;",
        "pub use crate::cell::Cell;",
    ] {
        let found = made_up(&[
            ("lib.rs", "mod cell;\nmod layer;\nmod other;\npub use cell::Cell;"),
            ("cell.rs", "//! Cells.\n\nuse crate::layer::Layer;\npub struct Cell;"),
            ("layer.rs", back),
            ("other.rs", "use crate::{cell::Cell, layer::Layer};"),
        ]);
        assert_eq!(found.len(), 1, "{back}: {found:?}");
        assert!(found[0].starts_with("src: cell, layer\n"), "{}", found[0]);
        assert!(found[0].contains("cell → layer  src/cell.rs:3\n"), "{}", found[0]);
        assert!(found[0].contains("layer → cell  src/layer.rs:"), "{}", found[0]);
    }
}

#[test]
fn circles_are_found_in_folders_and_with_the_file_of_the_folder() {
    let found = made_up(&[
        ("lib.rs", "pub mod task;\npub mod train;"),
        (
            "task/mod.rs",
            "mod parse;\nmod short;\npub struct Task;\npub fn load() -> Task { parse::parse() }",
        ),
        (
            "task/parse.rs",
            "use super::Task;\nuse super::short::short;\npub fn parse() -> Task { short() }",
        ),
        ("task/short.rs", "use crate::train::Config;"),
        ("train.rs", "pub struct Config;\nfn fit(_: crate::task::Task) {}"),
    ]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("task → train  src/task/short.rs:1\n"), "{}", found[0]);
    assert!(found[1].starts_with("src/task: mod.rs, parse\n"), "{}", found[1]);
}

#[test]
fn what_is_read_from_bottom_to_top_passes() {
    let found = made_up(&[
        ("lib.rs", "pub mod cell;\npub mod layer;\npub use layer::Layer;\npub use other::error;"),
        (
            "cell/mod.rs",
            "mod config;\nmod gated;\npub use config::Config;\npub use gated::{Gated as Cell};",
        ),
        ("cell/config.rs", "use crate::error::Error;\npub struct Config;"),
        // By the names that the folder hands on.
        ("cell/gated.rs", "use super::Config;\npub struct Gated(crate::cell::Config);"),
        (
            "layer.rs",
            "use crate::cell::{self, Cell};\npub(in super::super) struct Layer(Cell, cell::Config);\n\
             #[cfg(test)]\nmod tests {\n    use super::*;\n}",
        ),
    ]);
    assert_eq!(found, [""; 0]);
    // Tests may look up.
    let found = made_up(&[
        ("lib.rs", "pub mod cell;\npub mod layer;"),
        ("cell.rs", "#[cfg(all(unix, test))]\nmod tests {\n    use crate::layer::Layer;\n}"),
        ("layer.rs", "use crate::cell;\nfn f() { cell::new() }"),
    ]);
    assert_eq!(found, [""; 0]);
}
