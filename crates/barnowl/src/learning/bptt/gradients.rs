//! Sums over tiles, and gradients as Burn's optimizers want them.

use super::plan::{Cell, LayerPlan, Parameters};
use super::tile::LayerGradients;
use crate::kernel::alif::Sums;
use crate::kernel::simd::{Isa, dispatch};
use crate::network::Network;
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
    let mut gradients = GradientsParams::new();
    for (place, (layer, parameters)) in plan.iter().zip(Parameters::of(network)).enumerate() {
        let parts: Vec<&LayerGradients> = groups.iter().map(|group| &group[place]).collect();
        let (inputs, neurons) = (layer.inputs, layer.neurons);
        let mut sums = Sums::default();
        sums.reset(layer.width);
        parts.iter().for_each(|part| sums.add(&part.sums));

        let input = total(layer, inputs, &parts, |part| &part.input);
        register(&mut gradients, &parameters.input().weight, input, [inputs, neurons]);
        if let Some(recurrent) = parameters.recurrent() {
            let weights = total(layer, neurons, &parts, |part| &part.recurrent);
            register(&mut gradients, &recurrent.weight, weights, [neurons, neurons]);
        }
        for linear in [Some(parameters.input()), parameters.recurrent()].into_iter().flatten() {
            if let Some(bias) = &linear.bias {
                let values = sums.bias[..neurons].iter().map(|bias| *bias as f32).collect();
                register(&mut gradients, bias, values, [neurons]);
            }
        }
        let (tau_m, tau_adp) = match &layer.cell {
            Cell::Alif(cell) => sums.tau_gradients(cell, &layer.tau_m, &layer.tau_adp),
            Cell::Integrator(cell) => (cell.tau_gradient(&layer.tau_m, &sums.alpha), Vec::new()),
        };
        let (of_tau_m, of_tau_adp) = parameters.time_constants();
        // dL/dlog τ = τ dL/dτ
        let log = |tau: &[f32], g: Vec<f32>| tau.iter().zip(g).map(|(tau, g)| tau * g).collect();
        register(&mut gradients, &of_tau_m.log_tau, log(&layer.tau_m, tau_m), [neurons]);
        if let Some(of_tau_adp) = of_tau_adp {
            register(&mut gradients, &of_tau_adp.log_tau, log(&layer.tau_adp, tau_adp), [neurons]);
        }
    }
    gradients
}

/// The sum of a weight matrix's gradients, `[inputs, neurons]`.
fn total<'a>(
    layer: &LayerPlan,
    inputs: usize,
    parts: &[&'a LayerGradients],
    of: impl Fn(&'a LayerGradients) -> &'a [f32] + Sync,
) -> Vec<f32> {
    let (neurons, width) = (layer.neurons, layer.width);
    let mut total = vec![0.0; inputs * neurons];
    // A few rows at a time: enough for a thread to be worth waking.
    let rows = 8192_usize.div_ceil(width);
    total.par_chunks_mut(rows * neurons).enumerate().for_each(|(i, total)| {
        for part in parts {
            add_rows(total, neurons, &of(part)[i * rows * width..], width);
        }
    });
    total
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
