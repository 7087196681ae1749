//! The operations on graphics processors: one kernel source, in CubeCL, for CUDA, ROCm, Metal, Vulkan and WebGPU.
//!
//! An eager framework launches dozens of kernels a time step; here a layer is one launch forward and one back, which
//! loop over time inside. What is left to Burn's operations are the large products outside of the recurrence: input
//! projections, before, and gradients of weights, after.
//!
//! | file | holds |
//! | --- | --- |
//! | `alif.rs` | adaptive neurons, forward and backward |
//! | `integrator.rs` | leaky integrators |
//! | `gated.rs` | tanh, LSTM and GRU cells |
//! | `product.rs` | products outside of the recurrence |
//! | `decay.rs` | α and ρ from time constants, gradients of time constants |
//! | `surrogate.rs` | ψ |
//! | `launch.rs` | what all launches need |
//!
//! Results are the same from run to run: no sum depends on the order in which cubes finish. They are not those of the
//! processor to the last bit, since graphics processors have exponentials of their own.

mod alif;
mod decay;
mod gated;
mod integrator;
mod launch;
mod product;
mod surrogate;

use super::{
    AlifArguments, AlifForward, AlifGradients, AlifOptions, Emission, GatedArguments, GatedCell,
    GatedGradients, IntegratorGradients, Observe, Recurrent, SequenceKernels, SequenceOps,
};
use burn::backend::ops::FloatTensorOps;
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;
use launch::{argument, dims, element_wise, empty, fits, part, spread};
use product::over_time;
use surrogate::Pseudo;

impl SequenceOps for CubeBackend {
    fn alif(
        current: CubeTensor,
        recurrent: Recurrent<Self>,
        tau_m: CubeTensor,
        tau_adp: CubeTensor,
        initial: CubeTensor,
        options: AlifOptions,
    ) -> (CubeTensor, CubeTensor) {
        let recurrent = match recurrent {
            Recurrent::Weight(weight) => Some(weight),
            Recurrent::Empty => None,
        };
        let arguments = AlifArguments { current, recurrent, tau_m, tau_adp, initial, options };
        let forward = Self::alif_forward(&arguments, false);
        (forward.output, forward.state)
    }

    fn integrator(current: CubeTensor, tau: CubeTensor, initial: CubeTensor) -> CubeTensor {
        Self::integrator_forward(&current, &tau, &initial)
    }

    fn gated(
        current: CubeTensor,
        recurrent: CubeTensor,
        bias: CubeTensor,
        cell: GatedCell,
    ) -> CubeTensor {
        Self::gated_forward(&GatedArguments { current, recurrent, bias, cell }, false).0
    }

    fn product(input: CubeTensor, weight: CubeTensor) -> CubeTensor {
        product::product(input, weight)
    }
}

/// How many sequences a cube runs back at a time at most: each of them shares the weights that the others have loaded.
const ROWS: usize = 4;

/// α, 1−α, ρ, 1−ρ, `[4, H]`.
fn decays(tau_m: &CubeTensor, tau_adp: &CubeTensor) -> CubeTensor {
    let [neurons] = tau_m.meta.shape().dims();
    let decays = empty(tau_m, [4, neurons]);
    let (cubes, units) = element_wise(neurons);
    decay::decays_of_two::launch(
        &tau_m.client,
        cubes,
        units,
        argument(tau_m),
        argument(tau_adp),
        argument(&decays),
        neurons as u32,
    );
    decays
}

/// What an ALIF kernel is compiled for, and how many cubes there are in x (sequences) and y (neurons).
fn layout(
    arguments: &AlifArguments<CubeBackend>,
    trace: bool,
    backward: bool,
) -> (alif::Layout, [usize; 2]) {
    let [_, batch, neurons] = dims(&arguments.current);
    let client = &arguments.current.client;
    let hardware = &client.properties().hardware;
    let AlifOptions { observe, emission, .. } = arguments.options;
    let recurrent = arguments.recurrent.is_some();
    let rows = if recurrent && backward {
        // Enough cubes for all multiprocessors first.
        let processors = hardware.num_streaming_multiprocessors.unwrap_or(64) as usize;
        (batch / processors.max(1)).clamp(1, ROWS)
    } else {
        1
    };
    let [units, mut columns] = spread(client, neurons);
    let mut cubes = [batch.div_ceil(rows), 1];
    if !recurrent {
        cubes[1] = columns;
        columns = 1;
    }
    let rectified = emission == Emission::Rectified;
    let (pseudo, _) = pseudo(arguments.options);
    let layout = alif::Layout {
        neurons,
        rows,
        units,
        columns,
        recurrent,
        resident: recurrent && fits(client, neurons, 2 * rows * neurons + 64),
        rectified,
        spikes: observe != Observe::Membrane,
        membrane: observe != Observe::Spikes,
        trace,
        pseudo,
    };
    (layout, cubes)
}

/// ψ and its numbers.
fn pseudo(options: AlifOptions) -> (Pseudo, [f32; 4]) {
    match options.emission {
        Emission::Spike => Pseudo::of(options.surrogate),
        Emission::Rectified => (Pseudo::Rectified, [1.0, 1.0, 0.0, 1.0]),
    }
}

impl SequenceKernels for CubeBackend {
    fn alif_forward(arguments: &AlifArguments<Self>, trace: bool) -> AlifForward<Self> {
        let [steps, batch, neurons] = dims(&arguments.current);
        let (layout, [x, y]) = layout(arguments, trace, false);
        let threshold = arguments.options.threshold;
        let current = &arguments.current;
        let output = match arguments.options.observe {
            Observe::Both => empty(current, [2, steps, batch, neurons]),
            _ => empty(current, [steps, batch, neurons]),
        };
        let kept =
            if trace { empty(current, [2, steps, batch, neurons]) } else { empty(current, [1]) };
        let state = empty(current, [3, batch, neurons]);
        let decays = decays(&arguments.tau_m, &arguments.tau_adp);
        alif::forward::launch(
            &current.client,
            CubeCount::new_2d(x as u32, y as u32),
            CubeDim::new_1d(layout.units as u32),
            argument(current),
            argument(arguments.recurrent.as_ref().unwrap_or(&decays)),
            argument(&decays),
            argument(&arguments.initial),
            argument(&output),
            argument(&kept),
            argument(&state),
            steps as u32,
            batch as u32,
            threshold.b0,
            threshold.beta,
            threshold.resistance,
            layout,
        );
        AlifForward { output, state, trace: trace.then_some(kept) }
    }

    fn alif_backward(
        arguments: &AlifArguments<Self>,
        trace: CubeTensor,
        gradient: CubeTensor,
    ) -> AlifGradients<Self> {
        let [steps, batch, neurons] = dims(&arguments.current);
        let (layout, [x, y]) = layout(arguments, true, true);
        let threshold = arguments.options.threshold;
        let (_, [gamma, sigma, height, scale]) = pseudo(arguments.options);
        let current = &arguments.current;
        let decays = decays(&arguments.tau_m, &arguments.tau_adp);
        let transposed = arguments
            .recurrent
            .as_ref()
            .map(|weight| into_contiguous(Self::float_swap_dims(weight.clone(), 0, 1)));
        let (size, span) = (steps * batch * neurons, batch * neurons);
        let found = empty(current, [if layout.recurrent { 2 * size } else { size }]);
        let ends = empty(current, [3 * span + x * 2 * neurons]);
        alif::backward::launch(
            &current.client,
            CubeCount::new_2d(x as u32, y as u32),
            CubeDim::new_1d(layout.units as u32),
            argument(&gradient),
            argument(transposed.as_ref().unwrap_or(&decays)),
            argument(&decays),
            argument(&arguments.initial),
            argument(&trace),
            argument(&found),
            argument(&ends),
            steps as u32,
            batch as u32,
            threshold.b0,
            threshold.beta,
            threshold.resistance,
            gamma,
            sigma,
            height,
            scale,
            layout,
        );
        let taus = empty(current, [2 * neurons]);
        let (cubes, units) = element_wise(neurons);
        decay::tau_gradients::launch(
            &current.client,
            cubes,
            units,
            argument(&ends),
            argument(&decays),
            argument(&arguments.tau_m),
            argument(&arguments.tau_adp),
            argument(&taus),
            (3 * span) as u32,
            x as u32,
            neurons as u32,
            true,
        );
        let shape = [steps, batch, neurons];
        let current = part(&found, 0, shape);
        let recurrent =
            layout.recurrent.then(|| over_time(part(&found, size, shape), current.clone()));
        AlifGradients {
            current,
            recurrent,
            tau_m: part(&taus, 0, [neurons]),
            tau_adp: part(&taus, neurons, [neurons]),
            initial: part(&ends, 0, [3, batch, neurons]),
        }
    }

    fn integrator_forward(
        current: &CubeTensor,
        tau: &CubeTensor,
        initial: &CubeTensor,
    ) -> CubeTensor {
        let [steps, batch, neurons] = dims(current);
        let membrane = empty(current, [steps, batch, neurons]);
        let (cubes, units) = element_wise(batch * neurons);
        integrator::forward::launch(
            &current.client,
            cubes,
            units,
            argument(current),
            argument(&integrator_decays(tau)),
            argument(initial),
            argument(&membrane),
            steps as u32,
            batch as u32,
            neurons as u32,
        );
        membrane
    }

    fn integrator_backward(
        current: &CubeTensor,
        tau: &CubeTensor,
        initial: &CubeTensor,
        membrane: &CubeTensor,
        gradient: CubeTensor,
    ) -> IntegratorGradients<Self> {
        let [steps, batch, neurons] = dims(current);
        let span = batch * neurons;
        let decays = integrator_decays(tau);
        let current_gradient = empty(current, [steps, batch, neurons]);
        let ends = empty(current, [2 * span]);
        let (cubes, units) = element_wise(span);
        integrator::backward::launch(
            &current.client,
            cubes,
            units,
            argument(&gradient),
            argument(&decays),
            argument(initial),
            argument(membrane),
            argument(&current_gradient),
            argument(&ends),
            steps as u32,
            batch as u32,
            neurons as u32,
        );
        let found = empty(current, [neurons]);
        let (cubes, units) = element_wise(neurons);
        decay::tau_gradients::launch(
            &current.client,
            cubes,
            units,
            argument(&ends),
            argument(&decays),
            argument(tau),
            argument(tau),
            argument(&found),
            span as u32,
            batch as u32,
            neurons as u32,
            false,
        );
        IntegratorGradients {
            current: current_gradient,
            tau: found,
            initial: part(&ends, 0, [batch, neurons]),
        }
    }

    fn gated_forward(
        arguments: &GatedArguments<Self>,
        trace: bool,
    ) -> (CubeTensor, Option<CubeTensor>) {
        let current = &arguments.current;
        let (layout, [steps, batch, neurons]) = gated_layout(arguments, trace);
        let output = empty(current, [steps, batch, neurons]);
        let planes = if trace { layout.kind.planes() * steps * batch * neurons } else { 1 };
        let kept = empty(current, [planes]);
        gated::forward::launch(
            &current.client,
            CubeCount::new_1d(batch as u32),
            CubeDim::new_1d(layout.units as u32),
            argument(current),
            argument(&arguments.recurrent),
            argument(&arguments.bias),
            argument(&output),
            argument(&kept),
            steps as u32,
            batch as u32,
            layout,
        );
        (output, trace.then_some(kept))
    }

    fn gated_backward(
        arguments: &GatedArguments<Self>,
        trace: CubeTensor,
        gradient: CubeTensor,
    ) -> GatedGradients<Self> {
        let current = &arguments.current;
        let (layout, [steps, batch, neurons]) = gated_layout(arguments, true);
        let wide = arguments.cell.gates() * neurons;
        let size = steps * batch * wide;
        let before = if layout.kind.is_distinct() { 2 * size } else { size };
        let found = empty(current, [before + steps * batch * neurons]);
        let transposed = into_contiguous(Self::float_swap_dims(arguments.recurrent.clone(), 0, 1));
        gated::backward::launch(
            &current.client,
            CubeCount::new_1d(batch as u32),
            CubeDim::new_1d(layout.units as u32),
            argument(&gradient),
            argument(&transposed),
            argument(&trace),
            argument(&found),
            steps as u32,
            batch as u32,
            layout,
        );
        let outer = part(&found, 0, [steps, batch, wide]);
        let inner = if layout.kind.is_distinct() {
            part(&found, size, [steps, batch, wide])
        } else {
            outer.clone()
        };
        let rows = Self::float_reshape(inner.clone(), Shape::from([steps * batch, wide]));
        let bias = Self::float_reshape(Self::float_sum_dim(rows, 0), Shape::from([wide]));
        GatedGradients {
            recurrent: over_time(part(&found, before, [steps, batch, neurons]), inner),
            bias,
            current: outer,
        }
    }

    fn product_inputs(weight: CubeTensor, gradient: CubeTensor) -> CubeTensor {
        product::product(gradient, Self::float_swap_dims(weight, 0, 1))
    }

    fn product_weights(input: CubeTensor, gradient: CubeTensor) -> CubeTensor {
        product::over_rows(input, gradient)
    }
}

/// α, 1−α of integrators, `[2, H]`.
fn integrator_decays(tau: &CubeTensor) -> CubeTensor {
    let [neurons] = tau.meta.shape().dims();
    let decays = empty(tau, [2, neurons]);
    let (cubes, units) = element_wise(neurons);
    decay::decays_of_one::launch(
        &tau.client,
        cubes,
        units,
        argument(tau),
        argument(&decays),
        neurons as u32,
    );
    decays
}

/// What a kernel of gated cells is compiled for, and T, B and H.
fn gated_layout(
    arguments: &GatedArguments<CubeBackend>,
    trace: bool,
) -> (gated::Layout, [usize; 3]) {
    let [steps, batch, wide] = dims(&arguments.current);
    let neurons = wide / arguments.cell.gates();
    let [units, columns] = spread(&arguments.current.client, neurons);
    let kind = gated::Kind::of(arguments.cell);
    (gated::Layout { neurons, units, columns, kind, trace }, [steps, batch, neurons])
}
