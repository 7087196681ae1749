//! Gradients by Burn's autodiff, one node a layer: for what [`Bptt`](super::Bptt) does not do, and on graphics
//! processors.

use crate::dataset::{Batch, Dataset, Targets};
use crate::layer::Pass;
use crate::learning::BatchOutcome;
use crate::loss::{Score, Target};
use crate::network::{Network, NetworkConfig, NetworkOutput};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

/// The gradients of a network over some sequences of a data set, on the network's device, which must have autodiff.
///
/// `penalty` is added to the loss, but not to the loss that is reported.
#[must_use]
pub fn gradients(
    network: &Network,
    config: &NetworkConfig,
    data: &Dataset,
    indices: &[usize],
    pass: Pass,
    penalty: Option<&dyn Fn(&NetworkOutput) -> Tensor<1>>,
) -> (BatchOutcome, GradientsParams) {
    let (output, target) = forward(network, config, data, indices, pass);
    let loss = config.decode.loss(&output.score, &target);
    let outcome = outcome(number(&loss), &output);
    let loss = match penalty {
        Some(penalty) => loss + penalty(&output),
        None => loss,
    };
    drop(output);
    (outcome, GradientsParams::from_grads(loss.backward(), network))
}

/// What a network does on some sequences of a data set, without gradients.
#[must_use]
pub fn evaluate(
    network: &Network,
    config: &NetworkConfig,
    data: &Dataset,
    indices: &[usize],
    pass: Pass,
) -> BatchOutcome {
    let (output, target) = forward(&network.valid(), config, data, indices, pass);
    outcome(number(&config.decode.loss(&output.score, &target)), &output)
}

fn forward(
    network: &Network,
    config: &NetworkConfig,
    data: &Dataset,
    indices: &[usize],
    pass: Pass,
) -> (NetworkOutput, Target) {
    let per_step = matches!(data.targets(), Targets::PerStep(_));
    let Batch { steps, batch, channels, inputs, targets, .. } = data.batch(indices);
    let device = network.device();
    let input = TensorData::new(inputs, [steps, batch, channels]);
    let target = if per_step {
        Target::PerStep(Tensor::from_data(TensorData::new(targets, [steps, batch]), &device))
    } else {
        Target::PerSequence(Tensor::from_data(TensorData::new(targets, [batch]), &device))
    };
    (network.forward(Tensor::from_data(input, &device), config, pass), target)
}

/// A loss as a number.
fn number(loss: &Tensor<1>) -> f64 {
    f64::from(loss.clone().into_scalar::<f32>())
}

fn outcome(loss: f64, output: &NetworkOutput) -> BatchOutcome {
    let rates = output.spikes.iter().map(|spikes| activity(spikes.clone())).collect();
    let readout_rate = output.readout.spikes.clone().map(activity);
    BatchOutcome { loss, classes: classes(&output.score), rates, readout_rate }
}

/// The share of a tensor's values that are not zero: of spikes, the spike rate; of tanh, LSTM and GRU cells, about 1.
fn activity(outputs: Tensor<3>) -> f64 {
    let count = outputs.shape().num_elements();
    // Counted where they are: a batch of spikes is the largest array that there is.
    outputs.not_equal_elem(0.0).int().sum().into_scalar::<i64>() as f64 / count as f64
}

/// The class of the largest score, `[T, B]` or `[B]`; the first where several are largest.
fn classes(score: &Score) -> Vec<u16> {
    let (data, classes) = match score {
        Score::PerStep(score) => (score.to_data(), score.dims()[2]),
        Score::PerSequence(score) => (score.to_data(), score.dims()[1]),
    };
    let Ok(scores) = data.as_slice::<f32>() else {
        return Vec::new();
    };
    let best = |scores: &[f32]| {
        let mut best = 0;
        for (i, score) in scores.iter().enumerate() {
            if *score > scores[best] {
                best = i;
            }
        }
        best as u16
    };
    scores.chunks_exact(classes).map(best).collect()
}
