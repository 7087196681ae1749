//! The operations on the CPU: batch tiles in parallel, each through all of time, from the [kernels](crate::kernel).
//!
//! The tiles depend on the shape alone and partial sums are reduced in the order of the tiles, so the result does not
//! depend on the number of threads.

mod backward;
mod buffer;
mod forward;
mod integrator;
mod tile;

use super::{
    AlifArguments, AlifForward, AlifGradients, AlifOptions, IntegratorGradients, Recurrent,
    SequenceKernels, SequenceOps,
};
use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Shape, TensorData};
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
}

impl SequenceKernels for Flex {
    fn alif_forward(arguments: &AlifArguments<Self>, trace: bool) -> AlifForward<Self> {
        forward::run(arguments, trace)
    }

    fn alif_backward(
        arguments: &AlifArguments<Self>,
        trace: FlexTensor,
        gradient: FlexTensor,
    ) -> AlifGradients<Self> {
        backward::run(arguments, &trace, &gradient)
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
}

/// A contiguous tensor from its values.
fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, Shape::from(shape)))
}

/// T, B and H of a current.
fn dims(current: &FlexTensor) -> [usize; 3] {
    let shape = current.layout().shape();
    [shape[0], shape[1], shape[2]]
}
