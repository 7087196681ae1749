//! `barnowl import`: a model from another program's parameters.

use crate::args::Import;
use crate::print::{print_json, print_line};
use crate::settings;
use barnowl::dataset::mnist::Permutation;
use barnowl::error::{Error, Result};
use barnowl::exchange::safetensors::{self, Metadata};
use barnowl::exchange::{self, Format, Renamed};
use barnowl::import::{FitOptions, Fitted, fit};
use barnowl::model::Model;
use barnowl::task::{DatasetConfig, TaskConfig};
use barnowl::words::counted;
use burn::tensor::Device;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// The authors' order of pixels is not to be had, and the network is worth nothing on another one.
const UNKNOWN_ORDER: &str = "the authors' order of pixels is unpublished: their accuracy cannot be expected on the order that this \
                             task draws (another order: dataset.permutation = { file = \"order.txt\" })";

pub fn run(args: &Import) -> Result<ExitCode> {
    let task = TaskConfig::load(&args.task, &settings::join([], &args.set)?)?;
    check_out(args)?;
    let tensors = exchange::read(&args.file, args.key.as_deref())?;
    let options = FitOptions { repair: args.repair, leave_out: &args.leave_out };
    let in_file = |error: Error| error.in_file(&args.file);
    let Fitted { network, renamed, repaired, short } =
        fit(&task, tensors, options).map_err(in_file)?;
    let note = note(&task, &renamed);
    let source = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut provenance = Metadata::from([("imported from".to_owned(), source)]);
    if !repaired.is_empty() {
        let repaired: Vec<String> = repaired.iter().map(ToString::to_string).collect();
        provenance.insert("repaired".to_owned(), repaired.join("; "));
    }
    if let Some(name) = renamed.reversed {
        provenance.insert("channels turned round".to_owned(), name.to_owned());
    }
    if !renamed.left_out.is_empty() {
        provenance.insert("left out".to_owned(), entries(&renamed.left_out));
    }
    if let Some(note) = note {
        provenance.insert("note".to_owned(), note.to_owned());
    }
    Model::new(task, network, None).with_provenance(provenance).save(&args.out)?;
    let format = Format::of(&args.file)?;
    if Format::by_ending(&args.file).is_some_and(|ending| ending != format) {
        eprintln!("note: {} is {format}, whatever its ending says", args.file.display());
    }
    if !renamed.prefix.is_empty() {
        eprintln!("note: the tensors are those under {}", renamed.prefix.trim_end_matches('.'));
    }
    if !renamed.left_out.is_empty() {
        eprintln!("note: left out, as no part of the network: {}", entries(&renamed.left_out));
    }
    for name in &renamed.ignored {
        eprintln!("note: {name} is left out: the network never uses it");
    }
    if let Some(name) = renamed.reversed {
        eprintln!(
            "note: channel c of {name} is their channel 700 - c: their scripts number the cochlea's channels downward"
        );
    }
    for repair in &repaired {
        eprintln!("note: repaired {repair}");
    }
    for elements in &short {
        eprintln!(
            "note: {elements} are shorter than a step: they run as they are, and hardly remember"
        );
    }
    if let Some(note) = note {
        eprintln!("note: {note}");
    }
    let count = renamed.tensors.len();
    if args.output.json {
        print_json(&json!({
            "model": args.out, "tensors": count, "under": renamed.prefix.trim_end_matches('.'),
            "ignored": renamed.ignored, "left_out": renamed.left_out, "repaired": repaired,
            "shorter_than_a_step": short, "channels_turned_round": renamed.reversed, "note": note,
        }))?;
    } else {
        print_line(&format!("{} imported to {}", counted(count, "tensor"), args.out.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses to write over a file unasked, and over the file that is read in any case.
fn check_out(args: &Import) -> Result<()> {
    let Ok(there) = fs::canonicalize(&args.out) else {
        return Ok(());
    };
    if fs::canonicalize(&args.file).is_ok_and(|file| file == there) {
        return Err(Error::config("this is the file that is imported")
            .in_file(&args.out)
            .remedy("choose another name for the model: --out MODEL"));
    }
    if args.force {
        return Ok(());
    }
    Err(Error::config(format!("there is {} of this name already", what_is(&there)))
        .in_file(&args.out)
        .remedy("choose another name, or --force writes over it"))
}

/// What a file is that would be lost: `a trained model of ecg (epoch 12)`.
fn what_is(path: &Path) -> String {
    if path.is_dir() {
        return "a folder".to_owned();
    }
    if let Ok(model) = Model::load(path, &Device::flex()) {
        let from = ["epoch", "imported from"]
            .iter()
            .find_map(|key| Some(format!(" ({key} {})", model.provenance.get(*key)?)));
        return format!("a model of {}{}", model.task.name, from.unwrap_or_default());
    }
    if let Ok(contents) = safetensors::read(path) {
        return format!("a safetensors file of {}", counted(contents.tensors.len(), "tensor"));
    }
    "a file".to_owned()
}

/// What whoever evaluates the model should know.
fn note(task: &TaskConfig, renamed: &Renamed) -> Option<&'static str> {
    let drawn = matches!(
        task.dataset,
        DatasetConfig::Mnist { permutation: Some(Permutation::Seed(_)), .. }
    );
    (renamed.translated && drawn).then_some(UNKNOWN_ORDER)
}

/// `10 of optimizer, criterion.weight`: names by their first part, with how many there are.
fn entries(names: &[String]) -> String {
    let mut counts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        let entry = name.split_once('.').map_or(name.as_str(), |(entry, _)| entry);
        counts.entry(entry).or_default().push(name);
    }
    let text = counts.into_iter().map(|(entry, names)| match names[..] {
        [one] => one.to_owned(),
        _ => format!("{} of {entry}", names.len()),
    });
    text.collect::<Vec<_>>().join(", ")
}
