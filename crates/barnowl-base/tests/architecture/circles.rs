//! Circles among the modules of a folder.

use crate::modules::Tree;
use crate::resolve::Arrow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What uses what in a folder, and by which arrows.
type Graph<'a> = BTreeMap<usize, BTreeMap<usize, Vec<&'a Arrow>>>;

/// The circles of a crate, folder by folder, each with the arrows that it is made of.
pub fn circles(tree: &Tree, arrows: &[Arrow]) -> Vec<String> {
    // An arrow belongs to the innermost folder that both its ends lie in.
    let mut folders: BTreeMap<usize, Graph<'_>> = BTreeMap::new();
    for arrow in arrows {
        let folder = tree.line(arrow.from).find(|at| tree.is_within(arrow.to, *at)).unwrap();
        // The folder's own file stands for itself.
        let entry = |module| tree.line(module).take_while(|at| *at != folder).last();
        let [from, to] = [arrow.from, arrow.to].map(|end| entry(end).unwrap_or(folder));
        let graph = folders.entry(folder).or_default();
        graph.entry(from).or_default().entry(to).or_default().push(arrow);
    }
    let mut found = Vec::new();
    for (folder, graph) in &folders {
        found.extend(rings(graph).iter().map(|ring| text(tree, *folder, graph, ring)));
    }
    found
}

/// The groups of modules that all lead to each other.
fn rings(graph: &Graph<'_>) -> Vec<BTreeSet<usize>> {
    let reached = |from: usize| {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            let next = graph.get(&at).into_iter().flat_map(BTreeMap::keys);
            open.extend(next.filter(|next| reached.insert(**next)));
        }
        reached
    };
    let reached: BTreeMap<usize, BTreeSet<usize>> =
        graph.keys().map(|from| (*from, reached(*from))).collect();
    let mut rings: Vec<BTreeSet<usize>> = Vec::new();
    for (from, to) in &reached {
        if to.contains(from) && !rings.iter().any(|ring| ring.contains(from)) {
            let back = |at: &&usize| reached.get(*at).is_some_and(|to| to.contains(from));
            rings.push(to.iter().filter(back).copied().collect());
        }
    }
    rings
}

fn text(tree: &Tree, folder: usize, graph: &Graph<'_>, ring: &BTreeSet<usize>) -> String {
    let module = |at: usize| {
        let of = &tree.0[at];
        let own = || of.file.file_name().unwrap().to_string_lossy().into_owned();
        if at == folder { own() } else { of.name.clone() }
    };
    let names: Vec<String> = ring.iter().map(|at| module(*at)).collect();
    let path = tree.0[folder].file.as_path();
    let place = match path.file_name().unwrap().to_str() {
        Some("lib.rs" | "main.rs" | "mod.rs") => path.parent().unwrap().to_owned(),
        _ => path.with_extension(""),
    };
    let slashes = |path: &Path| path.display().to_string().replace('\\', "/");
    let mut text = format!("{}: {}\n", slashes(&place), names.join(", "));
    for from in ring {
        for (to, arrows) in graph[from].iter().filter(|(to, _)| ring.contains(to)) {
            let mut lines: Vec<String> = arrows
                .iter()
                .map(|arrow| format!("{}:{}", slashes(&tree.0[arrow.from].file), arrow.line))
                .collect();
            lines.dedup();
            text += &format!("  {} → {}  {}\n", module(*from), module(*to), lines.join(", "));
        }
    }
    text
}
