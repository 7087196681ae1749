//! `barnowl predict`: answers to data without labels.

use crate::answers::Table;
use crate::args::{AnswerFormat, Predict};
use crate::opened::Opened;
use crate::place::{on_device, set_threads};
use crate::print::print_line;
use crate::settings;
use barnowl::dataset::own::{self, Form, OwnConfig};
use barnowl::error::{Error, Result};
use barnowl::file;
use barnowl::task::DatasetConfig;
use barnowl::train::{far_values, predict};
use barnowl::words::counted;
use burn::tensor::Device;
use std::path::PathBuf;
use std::process::ExitCode;

/// How many sequences run at a time: enough to fill the processor.
const BATCH: usize = 64;

pub fn run(args: &Predict) -> Result<ExitCode> {
    set_threads(&args.threads)?;
    on_device(&args.place, |device| run_on(args, device))
}

fn run_on(args: &Predict, device: &Device) -> Result<ExitCode> {
    let opened = Opened::load(&args.model, device)?;
    let model = &opened.model;
    let task = &settings::of_data(&model.task, &args.set)?;
    let config = match &task.dataset {
        DatasetConfig::Own(config) => config.clone(),
        _ if !args.set.is_empty() => {
            return Err(Error::config(format!("--set {}", args.set.join(" --set "))).expected(format!(
                "no settings: the values of the files are what the network reads, not what {} is made of",
                task.dataset.source()
            )));
        }
        _ => {
            eprintln!(
                "note: the values of the files are what the network reads, {}, as the data set {} is encoded",
                counted(task.network.inputs, "channel"),
                task.dataset.source()
            );
            OwnConfig::new("", Form::Arrays)
        }
    };
    let mut known = model.known();
    let numbers: Vec<String> =
        (0..task.network.readout.size).map(|class| class.to_string()).collect();
    if known.classes.is_empty() {
        eprintln!("note: the model does not know the names of its classes: they are numbers");
        known.classes = &numbers;
    }
    let paths: Vec<PathBuf> = args
        .files
        .iter()
        .map(|path| if path.as_os_str() == "-" { file::STDIN.into() } else { path.clone() })
        .collect();
    let per_step = task.network.decode.is_per_step();
    let data = own::read_files(&paths, &config, known, per_step)?;
    let data = match task.network.decode.answer.is_real() {
        true => data.to_be_found(known.classes, per_step)?,
        false => data,
    };
    task.check(&data)?;
    let card = model.data.as_ref();
    let data = match card.and_then(|card| card.normalization.as_ref()) {
        Some(by) => data.normalized(by)?,
        None => data,
    };
    let data = match card.and_then(|card| card.target_normalization.as_ref()) {
        Some(by) => data.with_normalized_targets(by)?,
        None => data,
    };
    data.notes().iter().for_each(|note| eprintln!("note: {note}"));
    if let Some(text) = far_values(&data) {
        eprintln!("warning: {text}");
    }
    if data.is_scaled_by_batch() {
        eprintln!(
            "note: the channels of a batch are divided by their standard deviations over the batch \
             (features.scale_batches): an answer depends on what else is answered with it"
        );
    }
    let answers = predict(&model.network, &task.network, &data, BATCH)?;
    let table = Table {
        data: &data,
        answers: &answers,
        sampling_rate: task.sampling_rate(),
        labelled: false,
    };
    if args.votes && task.network.decode.answer.is_real() {
        return Err(Error::config("--votes")
            .expected("no votes: the model answers with numbers, and votes are of classes"));
    }
    if args.votes {
        let file_of = |name: &str| match name.rsplit_once(':') {
            // The sequences of one file are called by their places.
            _ if args.files.len() == 1 => args.files[0].display().to_string(),
            Some((file, number)) if number.parse::<usize>().is_ok() => file.to_owned(),
            _ => name.to_owned(),
        };
        let votes = table.votes(file_of);
        match (&args.out, args.format) {
            (Some(path), _) => votes.write(path)?,
            (None, AnswerFormat::Csv) => print_line(votes.csv().trim_end())?,
            (None, AnswerFormat::Json) => print_line(&votes.json().to_string())?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    match (&args.out, args.format) {
        (Some(path), _) => table.write(path)?,
        (None, AnswerFormat::Csv) => print_line(table.csv().trim_end())?,
        (None, AnswerFormat::Json) => print_line(&table.json().to_string())?,
    }
    Ok(ExitCode::SUCCESS)
}
