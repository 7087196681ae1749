//! The paper's comparisons, and cross-validations, as studies of any task.

use super::plan::{Plan, Variant};
use crate::args::{Study, StudyName};
use barnowl::error::{Error, Result};
use barnowl::loss::DecoderKind;
use barnowl::task::TaskConfig;
use std::path::Path;

/// The variants of a built-in study.
///
/// # Errors
///
/// If there is no such task, or it refuses a setting; of a study of groups, if the data cannot be read or have none.
pub fn plan(args: &Study, data: Option<&Path>, settings: &[String]) -> Result<Plan> {
    let (study, task) = (args.study, &args.task);
    let seeds = (1..=u64::from(args.seeds)).collect();
    if let (Some(folds), true) = (args.folds, study != StudyName::Folds) {
        return Err(Error::config(format!("--folds {folds} belongs to the study folds"))
            .remedy(format!("barnowl study folds {task} --folds {folds}")));
    }
    let config = TaskConfig::load(task, settings)?;
    let variants = match study {
        StudyName::Surrogates => surrogates(),
        StudyName::TimeConstants => time_constants(),
        StudyName::Adaptation => adaptation(&config),
        StudyName::Baselines => baselines(&config),
        StudyName::Size => sizes(&config),
        StudyName::Folds => folds(args.folds.map_or(5, usize::from)),
        StudyName::Groups => groups(&config.groups(data)?)?,
    };
    let title = match study {
        StudyName::Surrogates => "Surrogate gradients",
        StudyName::TimeConstants => "Time constants",
        StudyName::Adaptation => "Adaptation",
        StudyName::Baselines => "Baselines",
        StudyName::Size => "Size",
        StudyName::Folds => "Cross-validation",
        StudyName::Groups => "Leaving one group out",
    };
    let title = format!("{title} on {}", config.name);
    let mut plan = Plan {
        title,
        task: task.to_owned(),
        seeds,
        variants,
        median_stopping: None,
        search: false,
        cross_validation: matches!(study, StudyName::Folds | StudyName::Groups),
    }
    .with_settings(settings);
    plan.check()?;
    // A variant may be what another is already, where the task has its settings: it would only run twice.
    let seed = plan.seeds.first().copied().unwrap_or_default();
    let mut tasks: Vec<TaskConfig> = Vec::new();
    let mut distinct = Vec::new();
    for variant in std::mem::take(&mut plan.variants) {
        let task = plan.task_of(&variant, seed)?;
        if !tasks.contains(&task) {
            tasks.push(task);
            distinct.push(variant);
        }
    }
    plan.variants = distinct;
    Ok(plan)
}

/// The six that the paper compares.
fn surrogates() -> Vec<Variant> {
    ["multi_gaussian", "gaussian", "linear", "slayer", "fast_sigmoid", "arctan"]
        .map(|kind| {
            Variant::new(
                kind.replace('_', " "),
                [format!("network.surrogate={{ kind = \"{kind}\" }}")],
            )
        })
        .into()
}

/// How time constants of hidden layers start, and whether they are trained, there and in the readout.
fn time_constants() -> Vec<Variant> {
    let start = |tau_m: &str, tau_adp: &str| {
        vec![
            format!("network.layers.*.tau_m={tau_m}"),
            format!("network.layers.*.tau_adp={tau_adp}"),
        ]
    };
    let group = |mean: f64| format!("{{ mean = {mean:?}, sd = {:?} }}", mean / 5.0);
    let mixture = |means: [f64; 3]| {
        let groups = means.map(group).join(", ");
        format!("{{ kind = \"mixture\", groups = [{groups}] }}")
    };
    let normal =
        |mean: f64, sd: f64| format!("{{ kind = \"normal\", mean = {mean:?}, sd = {sd:?} }}");
    let constant = |value: f64| format!("{{ kind = \"constant\", value = {value:?} }}");
    let starts = [
        ("as the task has them", Vec::new()),
        ("constant 20, 150", start(&constant(20.0), &constant(150.0))),
        ("normal 20 ± 5, 150 ± 10", start(&normal(20.0, 5.0), &normal(150.0, 10.0))),
        (
            "mixture of 5, 20, 80; 50, 150, 400",
            start(&mixture([5.0, 20.0, 80.0]), &mixture([50.0, 150.0, 400.0])),
        ),
    ];
    let trained = |(name, settings): (&str, Vec<String>)| {
        [("trained", true), ("fixed", false)].map(|(word, train)| {
            let switch = [
                format!("network.layers.*.train_time_constants={train}"),
                format!("network.readout.train_time_constants={train}"),
            ];
            Variant::new(format!("{name}, {word}"), settings.iter().cloned().chain(switch))
        })
    };
    starts.into_iter().flat_map(trained).collect()
}

/// β = 1.8, the paper's, in all layers, in none, and in each alone.
fn adaptation(config: &TaskConfig) -> Vec<Variant> {
    const BETA: f32 = 1.8;
    let layers = config.network.layers.len();
    let with = |name: String, on: &dyn Fn(usize) -> bool| {
        let setting = |i| {
            let beta = if on(i) { BETA } else { 0.0 };
            format!("network.layers.{i}.beta={beta:?}")
        };
        Variant::new(name, (0..layers).map(setting))
    };
    let mut variants =
        vec![with("in all layers".into(), &|_| true), with("in none".into(), &|_| false)];
    if layers > 1 {
        variants.extend(
            (0..layers).map(|layer| with(format!("in layer {layer} alone"), &|i| i == layer)),
        );
    }
    variants
}

/// The cells that the paper compares, in hidden layers of the same sizes; the adaptive ones with the paper's β.
fn baselines(config: &TaskConfig) -> Vec<Variant> {
    const BETA: &str = "network.layers.*.beta=1.8";
    let mut variants = vec![
        Variant::new("ALIF-SRNN", [BETA.to_owned()]),
        Variant::new("LIF-SRNN", ["network.cell=lif".into()]),
    ];
    if config.network.layers.iter().any(|layer| layer.recurrent) {
        let settings = [BETA.to_owned(), "network.cell=feedforward".into()];
        variants.push(Variant::new("feed-forward ALIF", settings));
    }
    if config.network.layers.iter().any(|layer| !layer.bidirectional) {
        let settings = [BETA.to_owned(), "network.layers.*.bidirectional=true".into()];
        variants.push(Variant::new("bidirectional ALIF-SRNN", settings));
    }
    variants.push(Variant::new("ReLU SRNN", [BETA.to_owned(), "network.cell=relu".into()]));
    for (name, word) in [("LSTM", "lstm"), ("GRU", "gru"), ("RNN", "rnn")] {
        let mut settings = vec![format!("network.cell={word}")];
        if config.network.decode.kind == DecoderKind::SpikeCount {
            settings.push("network.decode.kind=mean_membrane".into());
        }
        variants.push(Variant::new(name, settings));
    }
    variants
}

/// Hidden layers of a quarter, half, once and twice their size.
fn sizes(config: &TaskConfig) -> Vec<Variant> {
    [0.25, 0.5, 1.0, 2.0]
        .map(|factor| {
            let sizes = config
                .network
                .layers
                .iter()
                .map(|layer| ((layer.size as f64 * factor).round() as usize).max(1));
            let sizes: Vec<usize> = sizes.collect();
            let name: Vec<String> = sizes.iter().map(usize::to_string).collect();
            let setting = |(i, size): (usize, &usize)| format!("network.layers.{i}.size={size}");
            Variant::new(
                format!("{} neurons", name.join("–")),
                sizes.iter().enumerate().map(setting),
            )
        })
        .into()
}

/// Every fold in turn.
fn folds(count: usize) -> Vec<Variant> {
    let fold = |index| {
        let setting = format!("train.fold={{ index = {index}, count = {count} }}");
        Variant::new(format!("fold {index} of {count}"), [setting])
    };
    (1..=count).map(fold).collect()
}

/// Every group in turn.
fn groups(names: &[String]) -> Result<Vec<Variant>> {
    if names.len() < 3 {
        return Err(Error::mismatch(format!("the training data are of {}", names.join(" and ")))
            .expected("three groups or more: one is left out, one validates, one is trained on")
            .remedy("`barnowl study folds` shares out the sequences, if there is but one group"));
    }
    let group = |name: &String| {
        // A string of JSON is one of TOML.
        let quoted = serde_json::Value::from(name.as_str());
        Variant::new(format!("without {name}"), [format!("train.leave_out={quoted}")])
    };
    Ok(names.iter().map(group).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn every_study_of_every_task_can_run() {
        for (name, _) in barnowl::task::BUILT_IN {
            for study in [
                StudyName::Surrogates,
                StudyName::TimeConstants,
                StudyName::Adaptation,
                StudyName::Baselines,
                StudyName::Size,
                StudyName::Folds,
            ] {
                let line = ["barnowl", "study", study.name(), name, "--seeds", "2"];
                let Command::Study(args) = Cli::parse_from(line).command else { panic!("a study") };
                let plan = plan(&args, None, &["train.epochs=2".into()]).unwrap();
                let tasks: Vec<TaskConfig> =
                    plan.variants.iter().map(|v| plan.task_of(v, 1).unwrap()).collect();
                for (i, task) in tasks.iter().enumerate() {
                    assert_eq!(task.train.epochs, 2);
                    assert!(!tasks[..i].contains(task), "{} is no variant", plan.variants[i].name);
                }
            }
        }
    }
}
