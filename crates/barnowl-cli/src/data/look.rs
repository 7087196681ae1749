//! `barnowl data look`: what the network of a task gets.

use super::sketch;
use crate::args::Look;
use crate::print::{print_json, print_line};
use barnowl::dataset::{DataCard, Dataset, Inputs, Known, Targets};
use barnowl::error::Result;
use barnowl::file;
use barnowl::report::{SequenceData, SequencesData, sequences};
use barnowl::task::{Split, TaskConfig};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Classes that are drawn, at most, and sequences of each.
const MOST_CLASSES: usize = 12;
const OF_EACH: usize = 3;

pub fn run(args: &Look) -> Result<ExitCode> {
    let task = TaskConfig::load(&args.task, &args.set)?;
    let split: Split = args.split.into();
    let folder = args.data.directory();
    // As they are in the files: not yet normalized, and the training part with what will validate.
    let data = match split {
        Split::Valid => task.data(folder.as_deref(), split)?,
        Split::Train => task.raw_part(folder.as_deref(), split, Known::default())?,
        Split::Test => {
            // As after training: with the classes and channels of the training part.
            let train = task.raw_part(folder.as_deref(), Split::Train, Known::default())?;
            let card = DataCard::of(&train, task.sampling_rate());
            task.raw_part(folder.as_deref(), split, card.known())?
        }
    };
    let summary = data.summary();
    let examples = examples(&data);
    let picture =
        args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}-data.svg", task.name)));
    if args.output.json {
        let written = write(&picture, &task, &data, split, &examples);
        print_json(&json!({
            "task": task.name,
            "split": split,
            "summary": summary,
            "picture": written.then_some(&picture),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    print_line(&summary.to_string())?;
    if !is_events(&data) {
        print_line("sketches, each channel from its smallest value to its largest:")?;
    }
    for (class, samples) in &examples {
        if let Some(sample) = samples.first() {
            let class = &data.class_names()[*class];
            print_line(&match data.targets().is_real() {
                true => data.sequence_name(*sample),
                false => format!("{class}: {}", data.sequence_name(*sample)),
            })?;
            print_line(&sketch::sequence(
                &values(&data, *sample),
                &names(&data),
                is_events(&data),
            ))?;
        }
    }
    if write(&picture, &task, &data, split, &examples) {
        let of = if data.targets().is_real() { "" } else { " of each class" };
        print_line(&format!("a few sequences{of} are drawn in {}", picture.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Draws the examples; a picture that cannot be written costs no result.
fn write(
    path: &PathBuf,
    task: &TaskConfig,
    data: &Dataset,
    split: Split,
    examples: &[(usize, Vec<usize>)],
) -> bool {
    let written = file::write_atomic_bytes(path, picture(task, data, split, examples).as_bytes());
    if let Err(error) = &written {
        eprintln!("warning: there is no picture: {error}");
    }
    written.is_ok()
}

fn picture(
    task: &TaskConfig,
    data: &Dataset,
    split: Split,
    examples: &[(usize, Vec<usize>)],
) -> String {
    let panel = |sample: &usize| SequenceData {
        name: data.sequence_name(*sample),
        values: values(data, *sample),
        labels: match data.targets() {
            Targets::PerStep(all) => all[sample * data.steps()..][..data.length(*sample)].to_vec(),
            _ => Vec::new(),
        },
    };
    let classes = data.class_names();
    let row = |(class, samples): &(usize, Vec<usize>)| {
        let name = if data.targets().is_real() { "" } else { &classes[*class] };
        (name.to_owned(), samples.iter().map(panel).collect())
    };
    let more = match classes.len() > examples.len() && !data.targets().is_real() {
        true => format!(", {} of {} classes", examples.len(), classes.len()),
        false => String::new(),
    };
    sequences(&SequencesData {
        title: format!("{}: {} data{more}", task.name, split.name()),
        sampling_rate: data.sampling_rate().or(task.sampling_rate()),
        channels: names(data),
        events: is_events(data),
        classes: if data.targets().is_real() { Vec::new() } else { classes.to_vec() },
        rows: examples.iter().map(row).collect(),
    })
}

/// The first sequences of each class, or in which it occurs.
fn examples(data: &Dataset) -> Vec<(usize, Vec<usize>)> {
    if data.targets().is_real() {
        // There are no classes to show some of each.
        return vec![(0, (0..data.samples().min(OF_EACH)).collect())];
    }
    let has = |sample: usize, class: usize| match data.targets() {
        Targets::PerSequence(all) => usize::from(all[sample]) == class,
        Targets::PerStep(all) => {
            let labels = &all[sample * data.steps()..][..data.length(sample)];
            labels.iter().any(|label| usize::from(*label) == class)
        }
        Targets::ValuesPerStep(_) | Targets::ValuesPerSequence(_) => false,
    };
    let of = |class: usize| {
        (class, (0..data.samples()).filter(|sample| has(*sample, class)).take(OF_EACH).collect())
    };
    let all = (0..data.class_names().len()).map(of);
    all.filter(|(_, samples): &(usize, Vec<usize>)| !samples.is_empty())
        .take(MOST_CLASSES)
        .collect()
}

fn is_events(data: &Dataset) -> bool {
    matches!(data.inputs(), Inputs::Events(_))
}

/// The values of a sequence, `[T, C]`, without padding.
fn values(data: &Dataset, sample: usize) -> Vec<f32> {
    let mut values = data.batch(&[sample]).inputs;
    values.truncate(data.length(sample) * data.channels());
    values
}

fn names(data: &Dataset) -> Vec<String> {
    match data.channel_names() {
        [] => (0..data.channels()).map(|channel| channel.to_string()).collect(),
        names => names.to_vec(),
    }
}
