//! From the names that the model's authors gave their parameters to ours.

use super::table::{Fate, TABLES, Table};
use super::{NamedTensor, TensorMap};
use crate::error::{Error, Result};

/// What [`rename`] made of a file's tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Renamed {
    /// The tensors under our names.
    pub tensors: TensorMap,
    /// The authors' names of parameters that their forward pass never uses, and that are left out.
    pub ignored: Vec<String>,
    /// Our name of input weights whose channels the authors' scripts have in reverse, if they were turned round.
    pub reversed: Option<&'static str>,
}

/// The tasks whose authors' names are known.
pub fn renamed_tasks() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|table| table.tasks).copied()
}

/// Gives the tensors of the authors' network for `task` our names; tensors that have them already keep them.
///
/// A prefix that all names share (`module.` of a model on several GPUs, the key of a nested state dict) is dropped.
///
/// # Errors
///
/// If some names are neither the authors' nor ours: all of them, each with the nearest name known. If two tensors would
/// get the same name. If `task` has no table, unless all names are ours.
pub fn rename(task: &str, tensors: TensorMap) -> Result<Renamed> {
    let table = Table::of(task);
    let fate = |name: &str| {
        if is_canonical(name) { Some(Fate::Kept(name.to_string())) } else { table?.fate(name) }
    };
    let tensors = without_common_prefix(tensors, |name| fate(name).is_some());
    let mut renamed = Renamed { tensors: TensorMap::new(), ignored: Vec::new(), reversed: None };
    let mut unknown = Vec::new();
    let reversed = table.and_then(|table| table.reversed);
    for (name, mut tensor) in tensors {
        match fate(&name) {
            Some(Fate::Kept(ours)) => {
                if let Some(reversed) =
                    reversed.filter(|reversed| ours == *reversed && name != ours)
                {
                    reverse_channels(&mut tensor);
                    renamed.reversed = Some(reversed);
                }
                if renamed.tensors.contains_key(&ours) {
                    return Err(Error::mismatch(format!("two tensors stand for `{ours}`"))
                        .remedy(format!("leave out `{name}` or the other")));
                }
                renamed.tensors.insert(ours, tensor);
            }
            Some(Fate::Unused) => renamed.ignored.push(name),
            None => unknown.push(name),
        }
    }
    if !unknown.is_empty() {
        return Err(unknown_names(task, table, &unknown));
    }
    Ok(renamed)
}

/// Weights `[neurons, channels]` with channel c where channel `channels − c` was. Channel 0 has no counterpart and never has
/// an input there.
fn reverse_channels(weights: &mut NamedTensor) {
    let Some(&channels) = weights.shape.get(1).filter(|channels| **channels > 0) else { return };
    for row in weights.values.chunks_exact_mut(channels) {
        row[0] = 0.0;
        row[1..].reverse();
    }
}

/// Whether a name is one of ours:
/// `layers.N[.forward|.backward].PARAMETER` or `readout.PARAMETER`, PARAMETER being `input.weight`, `input.bias`,
/// `recurrent.weight`, `recurrent.bias`, `tau_m` or `tau_adp`; or `encoder.threshold`.
fn is_canonical(name: &str) -> bool {
    let parts: Vec<_> = name.split('.').collect();
    let parameter = match parts.as_slice() {
        ["encoder", "threshold"] => return true,
        ["readout", "recurrent", ..] => return false,
        ["readout", parameter @ ..] => parameter,
        ["layers", layer, rest @ ..]
            if layer.parse::<u16>().is_ok_and(|n| n.to_string() == *layer) =>
        {
            let (["forward" | "backward", parameter @ ..] | parameter) = rest;
            parameter
        }
        _ => return false,
    };
    matches!(parameter, ["input" | "recurrent", "weight" | "bias"] | ["tau_m" | "tau_adp"])
}

/// Drops the parts that all names begin with, if that makes some of them known.
fn without_common_prefix(tensors: TensorMap, is_known: impl Fn(&str) -> bool) -> TensorMap {
    let mut names: Vec<&str> = tensors.keys().map(String::as_str).collect();
    let mut dropped = 0;
    while !names.iter().any(|name| is_known(name)) {
        let Some((prefix, _)) = names.first().and_then(|name| name.split_once('.')) else {
            return tensors;
        };
        let without = names.iter().map(|name| name.strip_prefix(prefix)?.strip_prefix('.'));
        let Some(rest) = without.collect() else {
            return tensors;
        };
        names = rest;
        dropped += prefix.len() + 1;
    }
    tensors.into_iter().map(|(mut name, tensor)| (name.split_off(dropped), tensor)).collect()
}

fn unknown_names(task: &str, table: Option<&Table>, unknown: &[String]) -> Error {
    const SHOWN: usize = 20;
    let Some(table) = table else {
        let tasks: Vec<_> = renamed_tasks().collect();
        return Error::mismatch(format!("the names of a network for `{task}` are not known"))
            .expected(format!("a network for one of {}", tasks.join(", ")))
            .remedy(format!(
                "or rename `{}` and the like to such as `layers.0.tau_m`",
                unknown[0]
            ));
    };
    let known: Vec<_> = table.names().map(|(theirs, _)| theirs).collect();
    let mut lines: Vec<_> = unknown
        .iter()
        .take(SHOWN)
        .map(|name| match nearest(name, &known) {
            Some(near) => format!("\n  unknown: {name} (nearest: {near})"),
            None => format!("\n  unknown: {name}"),
        })
        .collect();
    if unknown.len() > SHOWN {
        lines.push(format!("\n  and {} more", unknown.len() - SHOWN));
    }
    let problem = format!("not the authors' network for `{task}`:{}", lines.concat());
    Error::mismatch(problem).remedy(format!(
        "known are {}, and names such as `layers.0.tau_m`; if the state dict is nested, name the key that holds it",
        known.join(", ")
    ))
}

/// The candidate that the fewest edits turn into `name`, if that is less than half of it.
pub(crate) fn nearest<'a>(name: &str, candidates: &'a [String]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (edit_distance(name, candidate), candidate.as_str()))
        .filter(|(distance, candidate)| 2 * distance < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many characters must be inserted, deleted or replaced to turn `a` into `b` (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<_> = b.chars().collect();
    // row[j] = distance between the part of `a` so far and b[..j]
    let mut row: Vec<_> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::NamedTensor;

    /// Tensors of one value each: the place of the name in the list.
    fn tensors<S: ToString>(names: impl IntoIterator<Item = S>) -> TensorMap {
        let tensor = |index: usize| NamedTensor::new([1], vec![f32::from(index as u16)]);
        let named = |(index, name): (usize, S)| (name.to_string(), tensor(index));
        names.into_iter().enumerate().map(named).collect()
    }

    fn names_of(task: &str) -> Vec<String> {
        Table::of(task).unwrap().names().map(|(theirs, _)| theirs).collect()
    }

    #[test]
    fn every_table_leads_to_names_of_ours_without_collision() {
        for task in renamed_tasks() {
            let theirs = names_of(task);
            let renamed = rename(task, tensors(&theirs)).unwrap();
            assert!(renamed.tensors.keys().all(|name| is_canonical(name)), "{task}");
            assert_eq!(renamed.tensors.len() + renamed.ignored.len(), theirs.len(), "{task}");
            // Ours pass unchanged.
            let again = rename(task, renamed.tensors.clone()).unwrap();
            assert_eq!(again.tensors, renamed.tensors);
            assert!(again.ignored.is_empty());
        }
    }

    #[test]
    fn values_follow_their_names() {
        let renamed =
            rename("shd", tensors(["i_2_h1.weight", "tau_adp_o", "h2_2_h2.bias"])).unwrap();
        assert_eq!(renamed.ignored, ["tau_adp_o"]);
        let names: Vec<_> =
            renamed.tensors.iter().map(|(n, t)| (n.as_str(), t.values[0])).collect();
        assert_eq!(names, [("layers.0.input.weight", 0.0), ("layers.1.recurrent.bias", 2.0)]);
    }

    #[test]
    fn channels_of_a_cochlea_are_turned_round() {
        let weights = NamedTensor::new([2, 4], vec![9.0, 1.0, 2.0, 3.0, 9.0, 4.0, 5.0, 6.0]);
        let of = |task: &str, name: &str| {
            let tensors = TensorMap::from([(name.to_owned(), weights.clone())]);
            let renamed = rename(task, tensors).unwrap();
            (renamed.tensors["layers.0.input.weight"].values.clone(), renamed.reversed.is_some())
        };
        let turned = vec![0.0, 3.0, 2.0, 1.0, 0.0, 6.0, 5.0, 4.0];
        assert_eq!(of("shd", "i_2_h1.weight"), (turned.clone(), true));
        assert_eq!(of("ssc", "i_2_h1.weight"), (turned, true));
        assert_eq!(of("shd", "layers.0.input.weight"), (weights.values.clone(), false));
        assert_eq!(of("smnist", "i2h.weight"), (weights.values.clone(), false));
    }

    #[test]
    fn our_names_need_no_table() {
        let ours =
            tensors(["layers.0.forward.tau_m", "readout.input.weight", "layers.12.input.bias"]);
        assert_eq!(rename("my-task", ours.clone()).unwrap().tensors, ours);
        let error = rename("my-task", tensors(["i2h.weight"])).unwrap_err().to_string();
        for task in ["my-task", "ecg-paper", "shd", "ssc", "smnist", "psmnist", "timit"] {
            assert!(error.contains(task), "{error}");
        }
    }

    #[test]
    fn only_our_names_are_canonical() {
        for name in ["readout.tau_adp", "layers.0.tau_m", "layers.3.backward.recurrent.bias"] {
            assert!(is_canonical(name), "{name}");
        }
        for name in [
            "",
            "layers",
            "readout",
            "readout.recurrent.weight",
            "readout.input",
            "readout.forward.tau_m",
            "layers.tau_m",
            "layers.x.tau_m",
            "layers.01.tau_m",
            "layers.-1.tau_m",
            "layers.0.sideways.tau_m",
            "layers.0.tau_m.weight",
            "layers.0.input.weight.",
        ] {
            assert!(!is_canonical(name), "{name}");
        }
    }

    #[test]
    fn a_common_prefix_is_dropped() {
        for prefix in ["module", "checkpoint.state_dict"] {
            let names = names_of("timit");
            let prefixed = tensors(names.iter().map(|name| format!("{prefix}.{name}")));
            let renamed = rename("timit", prefixed).unwrap();
            assert_eq!(renamed, rename("timit", tensors(&names)).unwrap());
        }
        // Nothing is known behind the prefix: the names are reported as they stand.
        let error = rename("ecg-paper", tensors(["net.a.b", "net.a.c"])).unwrap_err().to_string();
        assert!(error.contains("unknown: net.a.b") && error.contains("net.a.c"), "{error}");
        // Of a name and the same name with a prefix, neither is dropped.
        let error = rename("ecg-paper", tensors(["x.i2h.bias", "x"])).unwrap_err().to_string();
        assert!(error.contains("unknown: x.i2h.bias"), "{error}");
    }

    #[test]
    fn all_unknown_names_are_reported_with_the_nearest() {
        let error =
            rename("ecg-paper", tensors(["i2h.weight", "h2h.wieght", "embedding", "taum_h"]));
        let error = error.unwrap_err().to_string();
        for expected in [
            "unknown: h2h.wieght (nearest: h2h.weight)",
            "unknown: taum_h (nearest: tau_m_h)",
            "unknown: embedding\n",
            "known are i2h.weight, i2h.bias",
        ] {
            assert!(error.contains(expected), "{error} lacks: {expected}");
        }
        let many = tensors((0..30).map(|i| format!("conv{i}.weight")));
        let error = rename("ecg-paper", many).unwrap_err().to_string();
        assert!(error.contains("and 10 more"), "{error}");
    }

    #[test]
    fn two_tensors_for_one_place_are_refused() {
        let error =
            rename("ecg-paper", tensors(["tau_m_h", "layers.0.tau_m"])).unwrap_err().to_string();
        assert!(error.contains("two tensors stand for `layers.0.tau_m`"), "{error}");
    }

    #[test]
    fn edits_are_counted() {
        for (a, b, edits) in
            [("", "", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("τ_m", "tau_m", 3)]
        {
            assert_eq!(edit_distance(a, b), edits);
            assert_eq!(edit_distance(b, a), edits);
        }
    }
}
