//! Where in a file the tensors of a network stand: checkpoints hold more than a state dict, and wrap it.

use std::collections::BTreeMap;

use super::TensorMap;
use crate::error::{Error, Result};
use crate::nearest::nearest;

/// Parts of names that wrappers put in: `DataParallel`, `torch.compile`, `torch.optim.swa_utils`.
const WRAPPERS: [&str; 3] = ["module", "_orig_mod", "_fsdp_wrapped_module"];
/// Entries that belong to the training and not to the network, alone or before an underscore.
const TRAINING: [&str; 8] =
    ["optimizer", "optim", "scheduler", "sched", "criterion", "loss", "scaler", "rng"];

/// What the names of the network's tensors begin with, a final dot included: the prefix behind which the most names are
/// known. `None` if no name is known.
///
/// # Errors
///
/// If as many are known behind another one.
pub(super) fn prefix<'a>(
    names: impl Iterator<Item = &'a str>,
    is_known: impl Fn(&str) -> bool,
) -> Result<Option<String>> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names.filter(|name| !is_of_training(name)) {
        let starts = std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1));
        // The longest name that is known: the shortest prefix.
        let mut behind = starts.map(|start| name.split_at(start));
        let known = behind.find(|(_, rest)| !begins_wrapped(rest) && is_known(&plain(rest)));
        if let Some((prefix, _)) = known {
            *found.entry(prefix).or_default() += 1;
        }
    }
    let most = found.values().copied().max().unwrap_or(0);
    let best: Vec<&str> =
        found.iter().filter(|(_, count)| **count == most).map(|(prefix, _)| *prefix).collect();
    match best[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.to_owned())),
        _ => {
            let key = |prefix: &str| prefix.trim_end_matches('.').to_owned();
            let entry = |prefix: &&str| match key(prefix).as_str() {
                "" => format!("\n  the top level ({most} known tensors)"),
                key => format!("\n  {key} ({most} known tensors)"),
            };
            let entries: String = best.iter().map(entry).collect();
            let keys = best.iter().map(|prefix| key(prefix)).filter(|key| !key.is_empty());
            let keys: Vec<_> = keys.map(|key| format!("--key {key}")).collect();
            Err(Error::mismatch(format!(
                "several entries hold parameters of this network:{entries}"
            ))
            .remedy(format!("say which one is meant: {}", keys.join(" or "))))
        }
    }
}

/// A name without the parts that wrappers of single modules put in: `i2h._orig_mod.weight` is `i2h.weight`.
pub(super) fn plain(name: &str) -> String {
    let parts: Vec<_> = name.split('.').filter(|part| !WRAPPERS.contains(part)).collect();
    parts.join(".")
}

fn begins_wrapped(name: &str) -> bool {
    WRAPPERS.iter().any(|part| name.split('.').next() == Some(*part))
}

/// Whether a tensor is of the training and not of the network: an optimizer's, a loss's.
pub(super) fn is_of_training(name: &str) -> bool {
    let is_training = |part: &str| {
        let part = part.to_ascii_lowercase();
        TRAINING.iter().any(|entry| {
            part.strip_prefix(entry)
                .is_some_and(|rest| matches!(rest, "" | "s") || rest.starts_with('_'))
        })
    };
    // The last part is the tensor itself.
    name.rsplit_once('.').is_some_and(|(parts, _)| parts.split('.').any(is_training))
}

/// The tensors of the entry `key`, under their names in it.
///
/// # Errors
///
/// If there are none: the entries that have some are listed, and the nearest is named.
pub(super) fn under(key: &str, tensors: TensorMap) -> Result<TensorMap> {
    let mut entries: BTreeMap<String, usize> = BTreeMap::new();
    let mut inside = TensorMap::new();
    for (name, tensor) in tensors {
        for (dot, _) in name.match_indices('.') {
            *entries.entry(name[..dot].to_owned()).or_default() += 1;
        }
        if let Some(rest) = name.strip_prefix(key).and_then(|rest| rest.strip_prefix('.')) {
            inside.insert(rest.to_owned(), tensor);
        }
    }
    if !inside.is_empty() {
        return Ok(inside);
    }
    let error = Error::config(format!("there are no tensors under the key `{key}`"));
    let top = entries.iter().filter(|(entry, _)| !entry.contains('.'));
    let listed: Vec<_> = top.map(|(entry, count)| format!("{entry} ({count})")).collect();
    if listed.is_empty() {
        return Err(
            error.remedy("leave --key out: all tensors of this file stand at its top level")
        );
    }
    let near = nearest(key, entries.keys().map(String::as_str));
    let near = near.map_or_else(String::new, |near| format!("; the nearest is --key {near}"));
    Err(error.remedy(format!("entries with tensors, and how many: {}{near}", listed.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::NamedTensor;

    fn prefix_of(names: &[&str]) -> Result<Option<String>> {
        prefix(names.iter().copied(), |name| ["a.weight", "a.bias", "tau"].contains(&name))
    }

    #[test]
    fn the_entry_with_the_most_known_names_is_the_network() {
        for (names, expected) in [
            (&["a.weight", "tau"][..], Some("")),
            (&["module.a.weight", "module.tau", "criterion.weight"], Some("module.")),
            (&["_orig_mod.module.a.weight", "_orig_mod.module.tau"], Some("_orig_mod.module.")),
            (
                &["state_dict.net.a.weight", "state_dict.net.tau", "best.tau"],
                Some("state_dict.net."),
            ),
            (&["optimizer.a.weight", "optimizer.tau", "model.tau"], Some("model.")),
            (&["a._orig_mod.weight", "tau"], Some("")),
            (&["b.weight"], None),
            (&["optimizer.state.0.a.weight"], None),
            (&[], None),
        ] {
            assert_eq!(prefix_of(names).unwrap().as_deref(), expected, "{names:?}");
        }
    }

    #[test]
    fn entries_that_fit_alike_are_listed() {
        let names = ["ema.shadow.a.bias", "ema.shadow.tau", "state_dict.a.bias", "state_dict.tau"];
        let error = prefix_of(&names).unwrap_err().to_string();
        for part in ["ema.shadow (2 known", "--key ema.shadow or --key state_dict"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn tensors_of_the_training_are_told_by_their_entries() {
        for name in
            ["optimizer.state.0.exp_avg", "optimizer_states.0.x", "criterion.weight", "a.loss_fn.w"]
        {
            assert!(is_of_training(name), "{name}");
        }
        for name in ["a.weight", "optimal.weight", "a.loss", "lossless.weight", "optics.bias"] {
            assert!(!is_of_training(name), "{name}");
        }
    }

    #[test]
    fn a_key_may_be_an_entry_of_an_entry() {
        let tensors = |names: &[&str]| -> TensorMap {
            names.iter().map(|name| (name.to_string(), NamedTensor::new([0], vec![]))).collect()
        };
        let file = tensors(&["a.model.tau", "a.model.x.y", "best", "optimizer.lr"]);
        let names = |key: &str| {
            under(key, file.clone()).map(|inside| inside.into_keys().collect::<Vec<_>>())
        };
        assert_eq!(names("a.model").unwrap(), ["tau", "x.y"]);
        assert_eq!(names("a").unwrap(), ["model.tau", "model.x.y"]);
        let error = names("a.modle").unwrap_err().to_string();
        for part in ["the key `a.modle`", "a (2), optimizer (1)", "the nearest is --key a.model"] {
            assert!(error.contains(part), "{error}");
        }
        let error = under("model", tensors(&["tau"])).unwrap_err().to_string();
        assert!(error.contains("leave --key out"), "{error}");
    }
}
