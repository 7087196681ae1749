//! Answers: what a network says of sequences, labelled or not.

use crate::dataset::{Dataset, UNLABELLED};
use crate::device::guard;
use crate::error::{Error, Result};
use crate::loss::Score;
use crate::metric::Prediction;
use crate::network::{Network, NetworkConfig};
use crate::pass::Pass;
use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The answers of a network to a data set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// The most probable classes, or the numbers, in the unit of the data; of labels, the probability of each.
    pub prediction: Prediction,
    /// The probability of every class, `[N, T, classes]` or `[N, classes]`: softmax of the decoder's score; 0 at padding. None
    /// where the answer is no class.
    pub probabilities: Vec<f32>,
    /// How many classes there are, or numbers.
    pub classes: usize,
}

/// Runs a network over a data set, `batch` sequences at a time. Labels are not looked at. The classes are those of
/// [`evaluate`](super::evaluate).
///
/// # Errors
///
/// If the data do not fit the network, or a graphics processor fails.
pub fn predict(
    network: &Network,
    config: &NetworkConfig,
    dataset: &Dataset,
    batch: usize,
) -> Result<Answers> {
    config.check(dataset)?;
    guard(&network.device(), || predict_unguarded(network, config, dataset, batch))
}

fn predict_unguarded(
    network: &Network,
    config: &NetworkConfig,
    dataset: &Dataset,
    batch: usize,
) -> Result<Answers> {
    let network = network.valid();
    let (samples, classes) = (dataset.samples(), config.readout.size);
    let per_step = config.decode.is_per_step();
    let steps = if per_step { dataset.steps() } else { 1 };
    let entries = samples * steps;
    let objective = config.decode.answer.objective();
    let mut answers = match objective {
        None => Answers {
            prediction: Prediction {
                classes: vec![UNLABELLED; entries],
                values: Vec::new(),
                steps,
            },
            probabilities: vec![0.0; entries * classes],
            classes,
        },
        Some(_) => Answers {
            prediction: Prediction {
                classes: Vec::new(),
                values: vec![f32::NAN; entries * classes],
                steps,
            },
            probabilities: Vec::new(),
            classes,
        },
    };
    let mut indices: Vec<usize> = (0..samples).collect();
    if dataset.is_scaled_by_batch() {
        // In the batches of an evaluation.
        indices.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    }
    for indices in indices.chunks(batch.max(1)) {
        let of: Vec<usize> = indices.iter().map(|sample| dataset.length(*sample)).collect();
        let longest = of.iter().copied().max().unwrap_or(0);
        let lengths = dataset.lengths().map(|_| of.as_slice());
        let (rows, channels) = (indices.len(), dataset.channels());
        let mut inputs = dataset.batch(indices).inputs;
        inputs.truncate(longest * rows * channels);
        let input = TensorData::new(inputs, [longest, rows, channels]);
        let input = Tensor::from_data(input, &network.device());
        let pass = Pass { lengths, sequences: Some(indices), ..Pass::default() };
        let score = network.forward(input, config, pass).score;
        let unreadable = |error| Error::format(format!("the scores cannot be read: {error:?}"));
        if let Some(objective) = objective {
            let score: Tensor<2> = match score {
                Score::PerStep(score) => score.flatten(0, 1),
                Score::PerSequence(score) => score,
            };
            let values = objective.answers(score).into_data().convert::<f32>();
            let values: Vec<f32> = values.try_to_vec().map_err(unreadable)?;
            for (entry, found) in values.chunks_exact(classes).enumerate() {
                let (step, row) = (entry / rows, entry % rows);
                if per_step && step >= of[row] {
                    continue;
                }
                let at = (indices[row] * steps + step) * classes;
                let to = answers.prediction.values[at..at + classes].iter_mut().zip(found);
                to.enumerate().for_each(|(place, (to, found))| {
                    *to =
                        dataset.target_normalization().map_or(*found, |by| by.undo(place, *found));
                });
            }
            continue;
        }
        let (best, probabilities) = match score {
            Score::PerStep(score) => (score.clone().argmax(2).into_data(), score.exp().into_data()),
            Score::PerSequence(score) => {
                (score.clone().argmax(1).into_data(), softmax(score, 1).into_data())
            }
        };
        let best: Vec<u16> = best.iter::<i64>().map(|class| class as u16).collect();
        let probabilities: Vec<f32> =
            probabilities.convert::<f32>().try_to_vec().map_err(unreadable)?;
        let entries = best.iter().zip(probabilities.chunks_exact(classes)).enumerate();
        for (entry, (class, p)) in entries {
            let (step, row) = (entry / rows, entry % rows);
            if per_step && step >= of[row] {
                continue;
            }
            let at = indices[row] * steps + step;
            answers.prediction.classes[at] = *class;
            answers.probabilities[at * classes..(at + 1) * classes].copy_from_slice(p);
        }
    }
    Ok(answers)
}
