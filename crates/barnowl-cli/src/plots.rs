//! The plots of a run folder.

use barnowl::dataset::{Batch, Dataset, UNLABELLED};
use barnowl::error::{Error, Result};
use barnowl::loss::Score;
use barnowl::metric::ScoreKind;
use barnowl::model::Model;
use barnowl::network::Network;
use barnowl::objective::Answer;
use barnowl::parameters::TimeConstantForm;
use barnowl::pass::Pass;
use barnowl::report::{
    self, CurvePoint, LayerSpikes, NeuronTrace, RasterData, TimeConstantHistogram, ValuePairs,
    ValuesData,
};
use barnowl::task::TaskConfig;
use barnowl::trace::trace;
use barnowl::train::run::RunFolder;
use barnowl::train::{EpochReport, Evaluation};
use barnowl::words::counted;
use burn::tensor::{Device, Tensor, TensorData};

/// Draws learning curves, a sample, the confusion matrix and the time constants.
pub fn write(
    folder: &RunFolder,
    task: &TaskConfig,
    model: &Model,
    test: &Dataset,
    evaluation: &Evaluation,
    reports: &[EpochReport],
) -> Result<()> {
    folder.write("curves.svg", &curves(reports))?;
    let (name, _, _, svg) = answers(task, test, evaluation);
    folder.write(&format!("{name}.svg"), &svg)?;
    folder.write("raster.svg", &report::raster(&raster(task, &model.network, test)?))?;
    folder.write("time_constants.svg", &time_constants(task, &model.network)?)
}

/// The answers beside what was right: the name of the figure, its heading, what it shows, and the picture.
pub fn answers(
    task: &TaskConfig,
    test: &Dataset,
    evaluation: &Evaluation,
) -> (&'static str, &'static str, &'static str, String) {
    match &evaluation.confusion {
        Some(confusion) => (
            "confusion",
            "Confusion",
            "True classes in rows, answers in columns.",
            report::confusion(confusion, test.class_names()),
        ),
        None => (
            "values",
            "Numbers found",
            "What was to be found, and what was found.",
            report::values(&values_found(task, test, evaluation)),
        ),
    }
}

/// The most numbers that are drawn, and the most sequences.
const MOST_VALUES: usize = 6;
const MOST_PAIRS: usize = 2000;

/// The numbers of the first sequence, step by step, or those of the first sequences, in the unit of the data.
fn values_found(task: &TaskConfig, test: &Dataset, evaluation: &Evaluation) -> ValuesData {
    let (names, over_time) = (test.class_names(), test.targets().is_per_step());
    let count = names.len();
    let entries = if over_time { test.length(0) } else { test.samples().min(MOST_PAIRS) };
    let own = |place: usize, value: f32| {
        test.target_normalization().map_or(value, |by| by.undo(place, value))
    };
    let course = |all: &[f32], place: usize| -> Vec<f32> {
        let all = all.iter().skip(place).step_by(count).take(entries);
        all.map(|value| own(place, *value)).collect()
    };
    let scores = evaluation.regression.iter().flat_map(|regression| &regression.values);
    let scores: Vec<String> =
        scores.map(|score| score.r2.map_or(String::new(), |r2| format!(": R² {r2:.3}"))).collect();
    let pairs = |(place, name): (usize, &String)| ValuePairs {
        name: format!("{name}{}", scores.get(place).map_or("", String::as_str)),
        target: course(test.targets().values().unwrap_or_default(), place),
        found: course(&evaluation.prediction.values, place),
    };
    ValuesData {
        title: match over_time {
            true => format!("{}: sequence {}", task.name, test.sequence_name(0)),
            false => format!("{}: {}", task.name, counted(entries, "sequence")),
        },
        over_time,
        sampling_rate: task.sampling_rate(),
        values: names.iter().enumerate().take(MOST_VALUES).map(pairs).collect(),
    }
}

pub fn curves(reports: &[EpochReport]) -> String {
    // Losses per step compare between lengths; reports of older versions have sums only.
    let per_step: Option<Vec<[f64; 2]>> = reports
        .iter()
        .map(|report| Some([report.train_loss_per_step?, report.valid_loss_per_step?]))
        .collect();
    let loss = match per_step {
        Some(_) if !reports.is_empty() => "per step",
        _ => "per sequence",
    };
    let point = |report: &EpochReport| CurvePoint {
        epoch: report.epoch,
        train_loss: report.train_loss,
        valid_loss: report.valid_loss,
        train_score: report.train_score,
        valid_score: report.valid_score,
        spike_rate: report.spike_rate,
        layer_spike_rates: report.layer_spike_rates.clone(),
        learning_rate: report.learning_rate,
        best: report.best,
    };
    // Only the last of the best epochs is the one that was chosen.
    let chosen = reports.iter().rposition(|report| report.best);
    let mut points: Vec<CurvePoint> = reports.iter().map(point).collect();
    for (i, point) in points.iter_mut().enumerate() {
        point.best = Some(i) == chosen;
        if let Some([train, valid]) = per_step.as_ref().and_then(|losses| losses.get(i)) {
            (point.train_loss, point.valid_loss) = (*train, *valid);
        }
    }
    let score = match reports.last().map(|report| report.judged_by) {
        Some(ScoreKind::R2) => "R²",
        Some(ScoreKind::Accuracy) | None => "Accuracy",
    };
    report::curves(&points, loss, score)
}

/// A sequence by itself, without padding.
fn sequence(data: &Dataset, sample: usize) -> Batch {
    let mut batch = data.batch(&[sample]);
    batch.steps = data.length(sample);
    batch.inputs.truncate(batch.steps * batch.channels);
    if data.targets().is_per_step() {
        batch.targets.truncate(batch.steps);
    }
    batch
}

/// The first sequence on its way through the network.
pub fn raster(task: &TaskConfig, network: &Network, test: &Dataset) -> Result<RasterData> {
    let batch = sequence(test, 0);
    let input = TensorData::new(batch.inputs.clone(), [batch.steps, 1, batch.channels]);
    let input = Tensor::from_data(input, &network.device());
    let output = network.forward(input, &task.network, Pass::default());
    let layer = |(i, spikes): (usize, &Tensor<3>)| {
        let name = format!("layer {}", i + 1);
        let neurons = spikes.dims()[2];
        values(spikes.clone()).map(|spikes| LayerSpikes { name, neurons, spikes })
    };
    let layers: Result<Vec<LayerSpikes>> = output.spikes.iter().enumerate().map(layer).collect();
    let classes = test.class_names().len();
    // Per step, the log-probabilities; else whatever the decoder reads.
    let (readout_name, readout) = match (&output.score, &output.readout.membrane) {
        (Score::PerStep(score), _) => match task.network.decode.answer {
            Answer::Class => ("log-probability", values(score.clone())?),
            Answer::Values | Answer::Labels => ("membrane", values(score.clone())?),
        },
        (_, Some(membrane)) => ("membrane", values(membrane.clone())?),
        _ => ("spikes", output.readout.spikes.clone().map_or(Ok(Vec::new()), values)?),
    };
    let best = |scores: &[f32]| {
        let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        best.unwrap_or_default() as u16
    };
    let prediction = match &output.score {
        // Numbers are no classes.
        _ if task.network.decode.answer.is_real() => Vec::new(),
        Score::PerStep(score) => values(score.clone())?.chunks_exact(classes).map(best).collect(),
        Score::PerSequence(score) => vec![best(&values(score.clone())?)],
    };
    // What is of a step of the data lasts as long as the steps of the hidden layers that it takes.
    let repeat = task.network.repeat;
    let target: Vec<u16> = match task.network.decode.answer.is_real() {
        true => Vec::new(),
        false => (batch.targets.iter())
            .map(|&target| u16::try_from(target).unwrap_or(UNLABELLED))
            .collect(),
    };
    let lasting = |classes: Vec<u16>| match classes.len() {
        1 => classes,
        _ => repeated(&classes, 1, repeat),
    };
    Ok(RasterData {
        title: format!("{}: sequence {}", task.name, test.sequence_name(0)),
        steps: batch.steps * repeat,
        sampling_rate: task.sampling_rate().map(|rate| rate * repeat as f64),
        channels: batch.channels,
        input: values(output.input)?,
        layers: layers?,
        readout_name: readout_name.into(),
        readout: repeated(&readout, classes, repeat),
        classes: test.class_names().to_vec(),
        target: lasting(target),
        prediction: lasting(prediction),
    })
}

/// Every row of `length` values so many times.
fn repeated<T: Copy>(values: &[T], length: usize, times: usize) -> Vec<T> {
    values.chunks_exact(length).flat_map(|row| row.repeat(times)).collect()
}

pub fn time_constants(task: &TaskConfig, trained: &Network) -> Result<String> {
    let before = task.network.init(&Device::flex(), task.train.seed)?;
    let form = TimeConstantForm::Tau;
    let before = before.tensors(&task.network, form);
    let after = trained.tensors(&task.network, form);
    let histograms: Vec<TimeConstantHistogram> = after
        .iter()
        .filter(|(name, _)| is_time_constant(task, name))
        .map(|(name, tensor)| TimeConstantHistogram {
            name: name.clone(),
            before: before[name].values.clone(),
            after: tensor.values.clone(),
        })
        .collect();
    Ok(report::time_constants(&histograms))
}

/// Of every hidden layer, the neurons of the most, the middle and the least spikes on the first test sequence.
pub fn traces(task: &TaskConfig, model: &Model, test: &Dataset) -> String {
    let batch = sequence(test, 0);
    let input = TensorData::new(batch.inputs, [batch.steps, 1, batch.channels]);
    let input = Tensor::from_data(input, &model.network.device());
    let mut chosen = Vec::new();
    for layer in &trace(&model.network, &task.network, input) {
        let course = |values: &[f32], neuron: usize| -> Vec<f32> {
            values.iter().skip(neuron).step_by(layer.neurons).copied().collect()
        };
        let spikes = |neuron| course(&layer.spikes, neuron).iter().filter(|s| **s > 0.0).count();
        let mut active: Vec<(usize, usize)> =
            (0..layer.neurons).map(|i| (spikes(i), i)).filter(|(count, _)| *count > 0).collect();
        active.sort_by_key(|(count, neuron)| (std::cmp::Reverse(*count), *neuron));
        let mut places = vec![0, active.len() / 2, active.len().saturating_sub(1)];
        places.dedup();
        for (count, neuron) in places.into_iter().filter_map(|place| active.get(place)) {
            let tau_m = layer.tau_m.get(*neuron);
            let tau_m = tau_m.map_or(String::new(), |tau| format!(", τ_m = {tau:.1} steps"));
            chosen.push(NeuronTrace {
                name: format!(
                    "layer {}, neuron {neuron}: {}{tau_m}",
                    layer.layer + 1,
                    counted(*count, "spike")
                ),
                membrane: course(&layer.membrane, *neuron),
                threshold: course(&layer.threshold, *neuron),
                spikes: course(&layer.spikes, *neuron).iter().map(|s| *s > 0.0).collect(),
            });
        }
    }
    let title = format!("{}: neurons on sequence {}", task.name, test.sequence_name(0));
    report::traces(&title, &chosen, task.sampling_rate())
}

/// Whether a tensor holds time constants that have an effect.
pub fn is_time_constant(task: &TaskConfig, name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.starts_with("tau") && !(last == "tau_adp" && without_adaptation(task, name))
}

/// Whether the neurons of a tensor have β = 0: their adaptation constants are without effect.
fn without_adaptation(task: &TaskConfig, name: &str) -> bool {
    let mut parts = name.split('.');
    let beta = match (parts.next(), parts.next()) {
        (Some("layers"), Some(index)) => {
            let layer = index.parse().ok().and_then(|i: usize| task.network.layers.get(i));
            layer.map(|layer| layer.beta)
        }
        _ => Some(task.network.readout.beta),
    };
    beta == Some(0.0)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let values = tensor.into_data().try_to_vec();
    values.map_err(|error| Error::format(format!("a plot needs 32-bit floats: {error:?}")))
}
