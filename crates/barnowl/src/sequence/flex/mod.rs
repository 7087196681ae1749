//! The operations on the CPU: batch tiles in parallel, each through all of time, from the kernels of [`barnowl_engine`].
//!
//! The tiles depend on the shape alone and partial sums are reduced in the order of the tiles, so the result does not
//! depend on the number of threads.

mod alif;
mod backward;
mod buffer;
mod dense;
pub(super) mod equations;
mod forward;
mod gated;
mod integrator;
mod rectified;
mod tensor;
mod tile;

use super::{
    AlifArguments, AlifForward, AlifGradients, AlifOptions, Emission, GatedArguments, GatedCell,
    GatedGradients, IntegratorGradients, Recurrent, SequenceKernels, SequenceOps,
};
use burn::backend::Flex;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn_flex::FlexTensor;

impl SequenceOps for Flex {
    fn alif(
        current: FlexTensor,
        recurrent: Recurrent<Self>,
        tau_m: FlexTensor,
        tau_adp: FlexTensor,
        initial: FlexTensor,
        options: AlifOptions,
    ) -> (FlexTensor, FlexTensor) {
        let recurrent = match recurrent {
            Recurrent::Weight(weight) => Some(weight),
            Recurrent::Empty => None,
        };
        let arguments = AlifArguments { current, recurrent, tau_m, tau_adp, initial, options };
        let forward = Self::alif_forward(&arguments, false);
        (forward.output, forward.state)
    }

    fn integrator(current: FlexTensor, tau: FlexTensor, initial: FlexTensor) -> FlexTensor {
        Self::integrator_forward(&current, &tau, &initial)
    }

    fn gated(
        current: FlexTensor,
        recurrent: FlexTensor,
        bias: FlexTensor,
        cell: GatedCell,
    ) -> FlexTensor {
        gated::forward(&GatedArguments { current, recurrent, bias, cell }, false).0
    }

    fn product(input: FlexTensor, weight: FlexTensor) -> FlexTensor {
        Self::float_matmul(input, weight)
    }
}

impl SequenceKernels for Flex {
    fn alif_forward(arguments: &AlifArguments<Self>, trace: bool) -> AlifForward<Self> {
        match arguments.options.emission {
            Emission::Spike => alif::forward(arguments, trace),
            Emission::Rectified => rectified::forward(arguments, trace),
        }
    }

    fn alif_backward(
        arguments: &AlifArguments<Self>,
        trace: FlexTensor,
        gradient: FlexTensor,
    ) -> AlifGradients<Self> {
        match arguments.options.emission {
            Emission::Spike => alif::backward(arguments, &trace, &gradient),
            Emission::Rectified => rectified::backward(arguments, &trace, &gradient),
        }
    }

    fn integrator_forward(
        current: &FloatTensor<Self>,
        tau: &FloatTensor<Self>,
        initial: &FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        integrator::forward(current, tau, initial)
    }

    fn integrator_backward(
        current: &FloatTensor<Self>,
        tau: &FloatTensor<Self>,
        initial: &FloatTensor<Self>,
        membrane: &FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> IntegratorGradients<Self> {
        integrator::backward(current, tau, initial, membrane, &gradient)
    }

    fn gated_forward(
        arguments: &GatedArguments<Self>,
        trace: bool,
    ) -> (FlexTensor, Option<FlexTensor>) {
        gated::forward(arguments, trace)
    }

    fn gated_backward(
        arguments: &GatedArguments<Self>,
        trace: FlexTensor,
        gradient: FlexTensor,
    ) -> GatedGradients<Self> {
        gated::backward(arguments, &trace, &gradient)
    }

    fn product_inputs(weight: FlexTensor, gradient: FlexTensor) -> FlexTensor {
        Self::float_matmul(gradient, Self::float_swap_dims(weight, 0, 1))
    }

    fn product_weights(input: FlexTensor, gradient: FlexTensor) -> FlexTensor {
        Self::float_matmul(Self::float_swap_dims(input, 0, 1), gradient)
    }
}
