//! A network from another program's tensors, or everything that stands in the way of it, in one message.

use super::repair::{
    Elements, Repair, impossible_time_constants, repair_time_constants, short_time_constants,
};
use crate::error::{Error, Result};
use crate::exchange::{Discrepancies, Misshapen, Renamed, TensorMap, rename};
use crate::nearest::nearest;
use crate::network::{Network, NetworkConfig};
use crate::parameters::TimeConstantForm;
use crate::task::TaskConfig;
use burn::tensor::Device;

/// What [`fit`] may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct FitOptions<'a> {
    /// Set time constants that no neuron can have to the nearest that one can.
    pub repair: bool,
    /// Tensors to leave out: their names in the file, or what these begin with, up to a dot.
    pub leave_out: &'a [String],
}

/// A network from another program's tensors.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The network.
    pub network: Network,
    /// Which tensors of the file it is made of, and which are left out.
    pub renamed: Renamed,
    /// Time constants that were repaired.
    pub repaired: Vec<Repair>,
    /// Time constants, as the file has them, that are shorter than a step.
    pub short: Vec<Elements>,
}

/// Makes the network of `task` from the tensors of a file.
///
/// # Errors
///
/// As [`rename`], and one error that lists all tensors that are missing, misshapen or unknown, under their names in the
/// file and ours, layers of another size, and impossible time constants; with the options of `barnowl import` that mend it,
/// where some do.
pub fn fit(task: &TaskConfig, tensors: TensorMap, options: FitOptions<'_>) -> Result<Fitted> {
    let mut renamed = rename(&task.name, tensors, options.leave_out)?;
    let config = &task.network;
    let impossible = match options.repair {
        true => Vec::new(),
        false => impossible_time_constants(&renamed.tensors),
    };
    // Sizes that the file has, so that one layer of another size is one line, and not one for each of its tensors.
    let (resized, sizes) = resized(config, &renamed.tensors);
    let shapes = Network::shapes(&resized, &renamed.tensors, TimeConstantForm::Tau)?;
    let differ = Discrepancies::between(&renamed.tensors, &shapes);
    let problems = Problems { task, renamed: &renamed, sizes, differ, impossible };
    if !problems.is_empty() {
        return Err(problems.into_error());
    }
    // Before the repair, which leaves some at the shortest there is.
    let short = short_time_constants(config, &renamed.tensors);
    let repaired = match options.repair {
        true => repair_time_constants(config, &mut renamed.tensors),
        false => Vec::new(),
    };
    let form = TimeConstantForm::Tau;
    let network = Network::from_tensors(config, &renamed.tensors, form, &Device::flex())?;
    Ok(Fitted { network, renamed, repaired, short })
}

/// A layer that the file has in another size.
struct Size {
    layer: usize,
    file: usize,
    task: usize,
}

/// The configuration with the sizes of layers that the tensors have, and those that differ.
fn resized(config: &NetworkConfig, tensors: &TensorMap) -> (NetworkConfig, Vec<Size>) {
    let mut resized = config.clone();
    let mut sizes = Vec::new();
    for (layer, config) in resized.layers.iter_mut().enumerate() {
        let extent = |parameter: &str, axis: usize| {
            let of = |direction: &str| {
                let tensor = tensors.get(&format!("layers.{layer}.{direction}{parameter}"))?;
                tensor.shape.get(axis).copied()
            };
            of("").or_else(|| of("forward.")).or_else(|| of("backward."))
        };
        // Weights of gated cells have a block of rows for every gate; columns of recurrent ones are neurons always.
        let found = extent("recurrent.weight", 1).or_else(|| extent("tau_m", 0));
        let found = found.or_else(|| extent("tau_adp", 0));
        if let Some(file) = found.filter(|found| *found != config.size) {
            sizes.push(Size { layer, file, task: config.size });
            config.size = file;
        }
    }
    match resized.validate("network") {
        Ok(()) => (resized, sizes),
        // Sizes that no network has: then the tensors are what is wrong.
        Err(_) => (config.clone(), Vec::new()),
    }
}

/// Everything that stands in the way.
struct Problems<'a> {
    task: &'a TaskConfig,
    renamed: &'a Renamed,
    sizes: Vec<Size>,
    /// What differs once layers have the sizes that the file has.
    differ: Discrepancies,
    impossible: Vec<Elements>,
}

impl Problems<'_> {
    fn is_empty(&self) -> bool {
        self.sizes.is_empty()
            && self.differ.is_empty()
            && self.impossible.is_empty()
            && self.renamed.unknown.is_empty()
    }

    fn into_error(self) -> Error {
        let problem = format!("the parameters are not those of this network:{}", self.lines());
        Error::mismatch(problem).remedy(self.remedy())
    }

    /// Our name, and the file's where that is another.
    fn both(&self, ours: &str) -> String {
        match self.renamed.in_file(&self.task.name, ours) {
            theirs if theirs == ours => ours.to_owned(),
            theirs => format!("{ours} ({theirs} in the file)"),
        }
    }

    fn lines(&self) -> String {
        let mut lines = String::new();
        let mut line = |text: String| {
            lines.push_str("\n  ");
            lines.push_str(&text);
        };
        for Size { layer, file, task } in &self.sizes {
            line(format!("layer {layer} has {file} neurons in the file, {task} in the task"));
        }
        let unknown = &self.renamed.unknown;
        for (ours, shape) in &self.differ.missing {
            let theirs = self.renamed.in_file(&self.task.name, ours);
            let near = nearest(&theirs, unknown.iter().map(String::as_str));
            let near =
                near.map_or_else(String::new, |near| format!("; the nearest there is {near}"));
            line(match theirs == *ours {
                true => format!("missing: {ours} {shape:?}{near}"),
                false => format!("missing: {theirs} {shape:?}, our {ours}{near}"),
            });
        }
        for Misshapen { name, found, expected } in &self.differ.misshapen {
            let turned = found.len() > 1 && found.iter().eq(expected.iter().rev());
            let turned = if turned { ": transposed, rows are outputs here" } else { "" };
            let name = self.both(name);
            line(format!("misshapen: {name} is {found:?}, expected {expected:?}{turned}"));
        }
        for (ours, shape) in &self.differ.extra {
            line(format!("not expected: {} {shape:?}", self.both(ours)));
        }
        for name in unknown {
            line(format!("not expected: {name}, which is unknown"));
        }
        for elements in &self.impossible {
            let theirs = self.renamed.in_file(&self.task.name, &elements.tensor);
            let theirs = match theirs == elements.tensor {
                true => String::new(),
                false => format!(" ({theirs} in the file)"),
            };
            line(format!(
                "impossible time constants: {elements}{theirs}; expected positive numbers"
            ));
        }
        lines
    }

    fn remedy(&self) -> String {
        let mut remedies = Vec::new();
        let mut options: Vec<String> = self
            .sizes
            .iter()
            .map(|size| format!("--set network.layers.{}.size={}", size.layer, size.file))
            .collect();
        if !self.impossible.is_empty() {
            options.push("--repair".to_owned());
        }
        if !options.is_empty() {
            remedies.push(format!("add to the command: {}", options.join(" ")));
        }
        if !self.impossible.is_empty() {
            remedies.push(
                "--repair sets impossible time constants to the nearest possible ones, and says which"
                    .to_owned(),
            );
        }
        for (name, what, of_task) in
            [("layers.0", "channels", "the task's data"), ("readout", "classes", "the task")]
        {
            if let Some((file, task)) = self.other_extent(name) {
                remedies.push(format!(
                    "the file's network is for {file} {what}, and {of_task} has {task}: give the --task that it was trained for"
                ));
            }
        }
        remedies.extend(self.remedy_of_unknown());
        if !(self.differ.missing.is_empty() && self.differ.extra.is_empty()) {
            remedies.push(
                "the network of the file and that of the task differ: give the --task that it was trained for, or set its \
                 layers with --set (`barnowl tasks NAME` prints them)"
                    .to_owned(),
            );
        } else if remedies.is_empty() {
            remedies.push("check that the file and the task describe the same network".to_owned());
        }
        remedies.join("\n  ")
    }

    /// How many inputs of the first layer, or outputs of the readout, the file has and the task.
    fn other_extent(&self, part: &str) -> Option<(usize, usize)> {
        let axis = usize::from(part != "readout");
        let weights = |m: &&Misshapen| m.name.starts_with(part) && m.name.ends_with("input.weight");
        let misshapen = self.differ.misshapen.iter().find(weights)?;
        let (file, task) = (*misshapen.found.get(axis)?, *misshapen.expected.get(axis)?);
        // Not where the weights are turned, or differ in more.
        let same = misshapen.found.get(1 - axis) == misshapen.expected.get(1 - axis);
        (same && file != task).then_some((file, task))
    }

    fn remedy_of_unknown(&self) -> Option<String> {
        let unknown = &self.renamed.unknown;
        let first = unknown.first()?;
        let prefix = &self.renamed.prefix;
        let outside = !prefix.is_empty() && unknown.iter().all(|name| !name.starts_with(prefix));
        Some(match outside {
            true => format!(
                "--key {} takes the tensors under that name alone, if the network does without the others",
                prefix.trim_end_matches('.')
            ),
            false => format!(
                "--leave-out {first} leaves it out, if the network does without it (a norm or another layer would be missed)"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::NamedTensor;

    /// The task `ecg-paper` with two neurons, and a state dict of its network under the authors' names.
    fn ecg() -> (TaskConfig, TensorMap) {
        let task = TaskConfig::load("ecg-paper", &["network.layers.0.size=2".into()]).unwrap();
        let tensor = |shape: &[usize]| NamedTensor::new(shape, vec![0.5; shape.iter().product()]);
        let (inputs, classes) = (task.network.inputs, task.network.readout.size);
        let tensors = [
            ("i2h.weight", &[2, inputs][..]),
            ("i2h.bias", &[2]),
            ("h2h.weight", &[2, 2]),
            ("h2h.bias", &[2]),
            ("h2o.weight", &[classes, 2]),
            ("h2o.bias", &[classes]),
            ("tau_m_h", &[2]),
            ("tau_adp_h", &[2]),
            ("tau_m_o", &[classes]),
            ("tau_adp_o", &[classes]),
        ];
        let tensors = tensors.map(|(name, shape)| (name.to_owned(), tensor(shape)));
        (task, tensors.into_iter().collect())
    }

    fn refused(task: &TaskConfig, tensors: TensorMap) -> String {
        fit(task, tensors, FitOptions::default()).unwrap_err().to_string()
    }

    #[track_caller]
    fn assert_says(error: &str, parts: &[&str]) {
        for part in parts {
            assert!(error.contains(part), "{error}\nlacks: {part}");
        }
    }

    #[test]
    fn what_is_missing_is_named_as_the_file_would() {
        let (task, tensors) = ecg();
        let fitted = fit(&task, tensors.clone(), FitOptions::default()).unwrap();
        assert_eq!(fitted.renamed.tensors.len(), 10);
        for prefix in ["", "module.", "state_dict.module."] {
            let named = |(name, t): (&String, &NamedTensor)| (format!("{prefix}{name}"), t.clone());
            let mut file: TensorMap = tensors.iter().map(named).collect();
            let tau = file.remove(&format!("{prefix}tau_m_h")).unwrap();
            let line = format!("missing: {prefix}tau_m_h [2], our layers.0.tau_m");
            assert_says(&refused(&task, file.clone()), &[&line]);
            // A slip of the pen.
            file.insert(format!("{prefix}tau_mh"), tau);
            let near = format!("{line}; the nearest there is {prefix}tau_mh");
            assert_says(&refused(&task, file), &[&near, "which is unknown"]);
        }
        // Under our names there is one name.
        let mut ours = fitted.renamed.tensors;
        ours.remove("layers.0.tau_m");
        let error = refused(&task, ours);
        assert_says(&error, &["missing: layers.0.tau_m [2]\n"]);
        assert!(!error.contains("tau_m_h"), "{error}");
    }

    #[test]
    fn another_size_and_impossible_time_constants_are_one_message_that_mends_both() {
        let (small, mut tensors) = ecg();
        tensors.get_mut("tau_adp_h").unwrap().values[1] = -3.0;
        let task = TaskConfig::load("ecg-paper", &[]).unwrap();
        let error = refused(&task, tensors.clone());
        assert_says(
            &error,
            &[
                "layer 0 has 2 neurons in the file, 36 in the task",
                "layers.0.tau_adp, elements 1 (-3) of 2 (tau_adp_h in the file); expected positive numbers",
                "add to the command: --set network.layers.0.size=2 --repair\n",
            ],
        );
        assert!(!error.contains("misshapen"), "{error}");
        // What it says is right.
        let options = FitOptions { repair: true, ..FitOptions::default() };
        assert_eq!(fit(&small, tensors, options).unwrap().repaired.len(), 1);
    }

    #[test]
    fn shapes_that_no_size_explains_are_listed_with_both_names() {
        let (task, tensors) = ecg();
        let (inputs, classes) = (task.network.inputs, task.network.readout.size);
        let with = |name: &str, shape: &[usize]| {
            let tensor = NamedTensor::new(shape, vec![0.5; shape.iter().product()]);
            let mut tensors = tensors.clone();
            tensors.insert(name.to_owned(), tensor);
            refused(&task, tensors)
        };
        assert_says(
            &with("i2h.weight", &[inputs, 2]),
            &["misshapen: layers.0.input.weight (i2h.weight in the file)", "transposed"],
        );
        assert_says(
            &with("i2h.weight", &[2, inputs + 1]),
            &[&format!("for {} channels, and the task's data has {inputs}", inputs + 1)],
        );
        assert_says(
            &with("h2o.weight", &[classes + 2, 2]),
            &[&format!("for {} classes, and the task has {classes}", classes + 2)],
        );
        // A size that no network has is not advised.
        let error = with("h2h.weight", &[0, 0]);
        assert_says(
            &error,
            &["misshapen: layers.0.recurrent.weight (h2h.weight in the file) is [0, 0]"],
        );
        assert!(!error.contains("--set network.layers.0.size"), "{error}");
    }

    #[test]
    fn what_is_unknown_is_refused_unless_it_is_left_out() {
        let (task, mut tensors) = ecg();
        tensors.insert("bn.weight".to_owned(), NamedTensor::new([2], vec![1.0; 2]));
        tensors.insert("criterion.weight".to_owned(), NamedTensor::new([2], vec![1.0; 2]));
        let error = refused(&task, tensors.clone());
        assert_says(&error, &["not expected: bn.weight", "--leave-out bn.weight"]);
        assert!(!error.contains("criterion"), "{error}");
        let leave_out = ["bn".to_owned()];
        let options = FitOptions { leave_out: &leave_out, ..FitOptions::default() };
        let fitted = fit(&task, tensors.clone(), options).unwrap();
        assert_eq!(fitted.renamed.left_out, ["bn.weight", "criterion.weight"]);
        // Beside the entry that holds the network, its key is the way.
        let in_net = |name: &str| name != "bn.weight";
        let nested = tensors.into_iter().map(|(name, tensor)| match in_net(&name) {
            true => (format!("net.{name}"), tensor),
            false => (name, tensor),
        });
        assert_says(&refused(&task, nested.collect()), &["not expected: bn.weight", "--key net "]);
    }
}
