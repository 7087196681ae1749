//! From the names that the model's authors gave their parameters to ours.

use super::table::{Fate, TABLES, Table};
use super::{NamedTensor, TensorMap, find};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use std::collections::BTreeMap;

/// What [`rename`] made of a file's tensors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Renamed {
    /// The tensors under our names.
    pub tensors: TensorMap,
    /// Their names in the file, by ours.
    pub sources: BTreeMap<String, String>,
    /// What all these begin with in the file, such as `state_dict.` or `module.`; mostly nothing.
    pub prefix: String,
    /// The names in the file of parameters that the authors' forward pass never uses, and that are left out.
    pub ignored: Vec<String>,
    /// The names in the file of tensors that are left out because they belong to the training, such as an optimizer's, or
    /// because the caller says so.
    pub left_out: Vec<String>,
    /// The names in the file of tensors that are neither: what they do is not known, so the network may need them.
    pub unknown: Vec<String>,
    /// Whether some names were the authors' and not ours.
    pub translated: bool,
    /// Our name of input weights whose channels the authors' scripts have in reverse, if they were turned round.
    pub reversed: Option<&'static str>,
}

impl Renamed {
    /// How the file names, or would name, the parameter that is `ours`; with the table of `task`, if its names were used.
    pub(crate) fn in_file(&self, task: &str, ours: &str) -> String {
        if let Some(source) = self.sources.get(ours) {
            return source.clone();
        }
        let table = Table::of(task).filter(|_| self.translated);
        let theirs = table.and_then(|table| table.theirs(ours));
        format!("{}{}", self.prefix, theirs.as_deref().unwrap_or(ours))
    }
}

/// The tasks whose authors' names are known.
pub fn renamed_tasks() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|table| table.tasks).copied()
}

/// Finds the state dict of the authors' network for `task` in a file, and gives its tensors our names; tensors that have
/// them already keep them.
///
/// What the names begin with (`module.` of a model on several GPUs, `state_dict.` of a checkpoint) is dropped where known
/// names follow. Tensors of the training (`optimizer.…`, `criterion.…`) are left out, and so are those named in `leave_out`:
/// a whole name or what it begins with, up to a dot.
///
/// # Errors
///
/// If no name is known: all of them, each with the nearest name known. If several entries hold as many known names: they
/// are listed. If two tensors would get the same name. If `task` has no table and no name is ours.
pub fn rename(task: &str, tensors: TensorMap, leave_out: &[String]) -> Result<Renamed> {
    let table = Table::of(task);
    let fate = |name: &str| {
        if is_canonical(name) { Some(Fate::Kept(name.to_string())) } else { table?.fate(name) }
    };
    let is_excluded = |name: &str| {
        let begins = |part: &String| {
            name.strip_prefix(part.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('.'))
        };
        leave_out.iter().any(begins)
    };
    let is_known = |name: &str| matches!(fate(name), Some(Fate::Kept(_)));
    let candidates = tensors.keys().map(String::as_str).filter(|name| !is_excluded(name));
    let Some(prefix) = find::prefix(candidates, is_known)? else {
        return Err(unknown_names(task, table, &tensors));
    };
    let mut renamed = Renamed { prefix, ..Renamed::default() };
    let reversed = table.and_then(|table| table.reversed);
    for (source, mut tensor) in tensors {
        if is_excluded(&source) {
            renamed.left_out.push(source);
            continue;
        }
        let name = source.strip_prefix(renamed.prefix.as_str()).map(find::plain);
        match name.as_deref().and_then(fate) {
            Some(Fate::Kept(ours)) => {
                let translated = name.as_ref() != Some(&ours);
                if let Some(reversed) = reversed.filter(|name| translated && ours == *name) {
                    reverse_channels(&mut tensor);
                    renamed.reversed = Some(reversed);
                }
                if let Some(other) = renamed.sources.get(&ours) {
                    return Err(Error::mismatch(format!(
                        "two tensors stand for `{ours}`: `{other}` and `{source}`"
                    ))
                    .remedy("leave one of them out: --leave-out NAME"));
                }
                renamed.translated |= translated;
                renamed.sources.insert(ours.clone(), source);
                renamed.tensors.insert(ours, tensor);
            }
            Some(Fate::Unused) => renamed.ignored.push(source),
            None if find::is_of_training(&source) => renamed.left_out.push(source),
            None => renamed.unknown.push(source),
        }
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

/// No name is known: all of them, except an optimizer's.
fn unknown_names(task: &str, table: Option<&Table>, tensors: &TensorMap) -> Error {
    const SHOWN: usize = 20;
    let (training, unknown): (Vec<&String>, Vec<&String>) =
        tensors.keys().partition(|name| find::is_of_training(name));
    let Some(table) = table else {
        let tasks: Vec<_> = renamed_tasks().collect();
        let such = unknown.first().map_or("its tensors", |name| name.as_str());
        return Error::mismatch(format!("the names of a network for `{task}` are not known"))
            .expected(format!("a network for one of {}", tasks.join(", ")))
            .remedy(format!("or rename `{such}` and the like to such as `layers.0.tau_m`"));
    };
    let known: Vec<_> = table.names().map(|(theirs, _)| theirs).collect();
    let mut lines: Vec<_> = unknown
        .iter()
        .take(SHOWN)
        .map(|name| match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("\n  unknown: {name} (nearest: {near})"),
            None => format!("\n  unknown: {name}"),
        })
        .collect();
    if unknown.len() > SHOWN {
        lines.push(format!("\n  and {} more", unknown.len() - SHOWN));
    }
    if !training.is_empty() {
        lines.push(format!("\n  and {} of the training, such as {}", training.len(), training[0]));
    }
    let problem = format!("not the authors' network for `{task}`:{}", lines.concat());
    Error::mismatch(problem).remedy(format!(
        "known are {}, and names such as `layers.0.tau_m`: rename the tensors in the program that wrote them",
        known.join(", ")
    ))
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
            let renamed = rename(task, tensors(&theirs), &[]).unwrap();
            assert!(renamed.tensors.keys().all(|name| is_canonical(name)), "{task}");
            assert_eq!(renamed.tensors.len() + renamed.ignored.len(), theirs.len(), "{task}");
            // Ours pass unchanged.
            let again = rename(task, renamed.tensors.clone(), &[]).unwrap();
            assert_eq!(again.tensors, renamed.tensors);
            assert!(again.ignored.is_empty());
        }
    }

    #[test]
    fn values_follow_their_names() {
        let renamed =
            rename("shd", tensors(["i_2_h1.weight", "tau_adp_o", "h2_2_h2.bias"]), &[]).unwrap();
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
            let renamed = rename(task, tensors, &[]).unwrap();
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
        assert_eq!(rename("my-task", ours.clone(), &[]).unwrap().tensors, ours);
        let error = rename("my-task", tensors(["i2h.weight"]), &[]).unwrap_err().to_string();
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
            let renamed = rename("timit", prefixed, &[]).unwrap();
            assert_eq!(renamed.prefix, format!("{prefix}."));
            assert_eq!(renamed.sources["readout.tau_m"], format!("{prefix}.dense_mean.tau_m"));
            assert_eq!(renamed.tensors, rename("timit", tensors(&names), &[]).unwrap().tensors);
        }
        // Nothing is known behind the prefix: the names are reported as they stand.
        let error =
            rename("ecg-paper", tensors(["net.a.b", "net.a.c"]), &[]).unwrap_err().to_string();
        assert!(error.contains("unknown: net.a.b") && error.contains("net.a.c"), "{error}");
    }

    #[test]
    fn what_the_network_does_not_know_is_named_and_what_the_training_left_is_left_out() {
        let names = ["module.i2h.bias", "module.bn.weight", "criterion.weight", "optimizer.0.m"];
        let renamed = rename("ecg-paper", tensors(names), &[]).unwrap();
        assert_eq!(renamed.tensors.len(), 1);
        assert_eq!(renamed.unknown, ["module.bn.weight"]);
        assert_eq!(renamed.left_out, ["criterion.weight", "optimizer.0.m"]);
        for part in ["module.bn", "module.bn.weight"] {
            let renamed = rename("ecg-paper", tensors(names), &[part.to_owned()]).unwrap();
            assert!(renamed.unknown.is_empty());
            assert_eq!(renamed.left_out.len(), 3, "{part}");
        }
        // Not by half a name.
        let renamed = rename("ecg-paper", tensors(names), &["module.b".to_owned()]).unwrap();
        assert_eq!(renamed.unknown, ["module.bn.weight"]);
    }

    #[test]
    fn all_unknown_names_are_reported_with_the_nearest() {
        let error = rename(
            "ecg-paper",
            tensors(["i2h.wight", "h2h.wieght", "embedding", "taum_h", "optim.m"]),
            &[],
        );
        let error = error.unwrap_err().to_string();
        for expected in [
            "unknown: h2h.wieght (nearest: h2h.weight)",
            "unknown: taum_h (nearest: tau_m_h)",
            "unknown: embedding\n",
            "and 1 of the training, such as optim.m",
            "known are i2h.weight, i2h.bias",
        ] {
            assert!(error.contains(expected), "{error} lacks: {expected}");
        }
        let many = tensors((0..30).map(|i| format!("conv{i}.weight")));
        let error = rename("ecg-paper", many, &[]).unwrap_err().to_string();
        assert!(error.contains("and 10 more"), "{error}");
    }

    #[test]
    fn two_tensors_for_one_place_are_refused() {
        let error = rename("ecg-paper", tensors(["tau_m_h", "layers.0.tau_m"]), &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("two tensors stand for `layers.0.tau_m`"), "{error}");
    }
}
