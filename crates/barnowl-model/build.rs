//! Lists the built-in models: whatever is in `models/`, so that a new neuron is a new file and nothing else.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=models");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets the folder of the package");
    let mut files: Vec<_> = fs::read_dir(Path::new(&root).join("models"))
        .expect("models/ can be read")
        .map(|entry| entry.expect("models/ can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let name = file.file_stem().expect("a name before .toml").to_string_lossy();
        writeln!(list, "    ({name:?}, include_str!({file:?})),").expect("a string can be written");
    }
    list.push_str("]\n");
    let out = env::var("OUT_DIR").expect("cargo sets the folder for what is generated");
    fs::write(Path::new(&out).join("models.rs"), list).expect("the list can be written");
}
