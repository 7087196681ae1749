//! Sums over tiles, and gradients as Burn's optimizers want them.

use super::columns::Columns;
use super::layer::LayerGradients;
use super::plan::{LayerPlan, Parameters};
use crate::network::Network;
use barnowl_engine::neurons::Sums;
use barnowl_engine::simd::{Isa, dispatch};
use burn::module::Param;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

/// The gradients of a network, summed over `groups` in their order.
pub(super) fn collect(
    network: &Network,
    plan: &[LayerPlan],
    groups: &[Vec<LayerGradients>],
) -> GradientsParams {
    let mut weights = totals(plan, groups).into_iter();
    let mut gradients = GradientsParams::new();
    if let Some(encoder) = &network.encoder {
        let sum: f64 = groups.iter().flatten().map(|layer| layer.threshold).sum();
        register(&mut gradients, &encoder.threshold, vec![sum as f32], [1]);
    }
    for (place, (layer, parameters)) in plan.iter().zip(Parameters::of(network)).enumerate() {
        let columns = layer.shape.gates * layer.shape.neurons;
        let mut sums = Sums::default();
        sums.reset(layer.shape);
        groups.iter().for_each(|group| sums.add(&group[place].sums));

        let of_recurrent_bias = match layer.shape.recurrent_apart {
            true => &sums.recurrent_bias,
            false => &sums.bias,
        };
        let linears = [
            (Some(parameters.input()), &layer.inputs, &sums.bias),
            (parameters.recurrent(), &layer.own(), of_recurrent_bias),
        ];
        for (linear, inputs, of_bias) in linears {
            let values = rows(weights.next().unwrap_or_default(), inputs, columns);
            let Some(linear) = linear else { continue };
            register(&mut gradients, &linear.weight, values, [inputs.count(), columns]);
            if let Some(bias) = &linear.bias {
                let gates = of_bias.chunks_exact(layer.shape.width);
                let values = gates.flat_map(|gate| &gate[..layer.shape.neurons]);
                register(&mut gradients, bias, values.map(|g| *g as f32).collect(), [columns]);
            }
        }
        let of_neurons = parameters.gradients(layer, &sums);
        for (parameter, values) in parameters.trained().into_iter().zip(of_neurons) {
            let shape = [values.len()];
            register(&mut gradients, parameter, values, shape);
        }
    }
    gradients
}

/// The rows of `values` that are not padding.
fn rows(values: Vec<f32>, inputs: &Columns, columns: usize) -> Vec<f32> {
    if inputs.is_packed() || values.is_empty() {
        return values;
    }
    inputs.places().flat_map(|row| &values[row * columns..(row + 1) * columns]).copied().collect()
}

/// The sums of all weight matrices' gradients, `[rows, gates · neurons]` each: of every layer its input weights, then its
/// recurrent ones, empty in a feed-forward layer.
fn totals(plan: &[LayerPlan], groups: &[Vec<LayerGradients>]) -> Vec<Vec<f32>> {
    let of = |group: usize, place: usize, recurrent: bool| -> &[f32] {
        let part = &groups[group][place];
        if recurrent { &part.recurrent } else { &part.input }
    };
    let mut totals: Vec<Vec<f32>> = Vec::with_capacity(2 * plan.len());
    for (place, layer) in plan.iter().enumerate() {
        for recurrent in [false, true] {
            let rows = of(0, place, recurrent).len() / layer.shape.width;
            totals.push(vec![0.0; rows * layer.shape.neurons]);
        }
    }
    // All matrices in one go, some rows at a time: enough for a thread to be worth waking.
    let pieces: Vec<_> = (totals.iter_mut().enumerate())
        .flat_map(|(i, total)| {
            let (place, recurrent) = (i / 2, i % 2 == 1);
            let shape = plan[place].shape;
            let rows = 8192_usize.div_ceil(shape.width);
            let pieces = total.chunks_mut(rows * shape.neurons).enumerate();
            pieces.map(move |(k, piece)| (place, recurrent, k * rows * shape.width, piece))
        })
        .collect();
    pieces.into_par_iter().for_each(|(place, recurrent, from, piece)| {
        let shape = plan[place].shape;
        for group in 0..groups.len() {
            let part = &of(group, place, recurrent)[from..];
            add_rows(piece, shape.neurons, part, shape.width);
        }
    });
    totals
}

dispatch! {
    fn add_rows(total: &mut [f32], neurons: usize, part: &[f32], width: usize) = add_rows_kernel
}

/// Adds padded rows to packed ones.
#[inline(always)]
fn add_rows_kernel<I: Isa>(_: I, total: &mut [f32], neurons: usize, part: &[f32], width: usize) {
    for (total, part) in total.chunks_exact_mut(neurons).zip(part.chunks_exact(width)) {
        for (total, part) in total.iter_mut().zip(part) {
            *total += part;
        }
    }
}

/// Registers the gradient of a parameter, if the parameter is trained.
fn register<const D: usize>(
    gradients: &mut GradientsParams,
    parameter: &Param<Tensor<D>>,
    values: Vec<f32>,
    shape: [usize; D],
) {
    if parameter.is_require_grad() {
        let gradient = Tensor::<D>::from_data(TensorData::new(values, shape), &Device::flex());
        gradients.register(parameter.id, gradient);
    }
}
