//! Neurons that run from their equations as one operation over the whole sequence, on the CPU.
//!
//! Elsewhere they run [step by step](super::reference::equations_sequence).

use super::Recurrent;
use super::flex::equations::{self as kernel, Arguments};
use super::reference::{self, EquationsSequence};
use barnowl_model::Model;
use barnowl_neuron::Surrogate;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use std::sync::Arc;

/// What the neurons have besides tensors.
#[derive(Debug, Clone)]
pub struct EquationsOptions {
    /// Their equations.
    pub model: Arc<Model>,
    /// ψ, which stands for ds/dv in the backward pass.
    pub surrogate: Surrogate,
}

/// The operation as Burn's runtime dispatch sees it.
#[backend_extension(Flex, Autodiff)]
pub trait EquationsOps: Backend {
    /// [`equations_sequence`]: current `[T, B, H]`, constants `[constants, H]`, state `[states + 1, B, H]` → spikes
    /// `[T, B, H]` and the state after the last step.
    fn equations(
        current: FloatTensor<Self>,
        #[extension_type] recurrent: Recurrent<Self>,
        constants: FloatTensor<Self>,
        initial: FloatTensor<Self>,
        options: EquationsOptions,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

impl EquationsOps for Flex {
    fn equations(
        current: FloatTensor<Self>,
        recurrent: Recurrent<Self>,
        constants: FloatTensor<Self>,
        initial: FloatTensor<Self>,
        options: EquationsOptions,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let EquationsOptions { model, surrogate } = options;
        let recurrent = match recurrent {
            Recurrent::Weight(weight) => Some(weight),
            Recurrent::Empty => None,
        };
        let arguments = Arguments { current, recurrent, constants, initial, model, surrogate };
        let (spikes, state, _) = kernel::forward(&arguments, false);
        (spikes, state)
    }
}

/// The backward step; parents: current, recurrent, constants, initial state.
#[derive(Debug)]
struct Equations;

impl Backward<Flex, 4> for Equations {
    type State = (Arguments, FloatTensor<Flex>);

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let (arguments, trace) = ops.state;
        let found = kernel::backward(&arguments, &trace, &gradient);
        let found =
            [Some(found.current), found.recurrent, Some(found.constants), Some(found.initial)];
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

impl<C: CheckpointStrategy> EquationsOps for Autodiff<Flex, C> {
    fn equations(
        current: FloatTensor<Self>,
        recurrent: Recurrent<Self>,
        constants: FloatTensor<Self>,
        initial: FloatTensor<Self>,
        options: EquationsOptions,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (current, current_node) = current.into_parts();
        let (recurrent, recurrent_node) = match recurrent {
            Recurrent::Weight(weight) => {
                let (weight, node) = weight.into_parts();
                (Some(weight), node)
            }
            // A node that asks for no gradient holds the place of the missing parent.
            Recurrent::Empty => (None, <FloatTensor<Self>>::new(current.clone()).node()),
        };
        let (constants, constants_node) = constants.into_parts();
        let (initial, initial_node) = initial.into_parts();
        let EquationsOptions { model, surrogate } = options;
        let arguments = Arguments { current, recurrent, constants, initial, model, surrogate };
        let nodes = [current_node, recurrent_node, constants_node, initial_node];
        let (spikes, state) = match Equations.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (spikes, state, trace) = kernel::forward(&arguments, true);
                let trace = trace.expect("a forward pass with trace returns one");
                (prep.finish((arguments, trace), spikes), state)
            }
            OpsKind::UnTracked(prep) => {
                let (spikes, state, _) = kernel::forward(&arguments, false);
                (prep.finish(spikes), state)
            }
        };
        (spikes, <FloatTensor<Self>>::new(state))
    }
}

/// Neurons from their equations: their spikes, `[T, B, H]`, and the state after the last step, `[states + 1, B, H]`,
/// without a gradient. Gradients flow to every tensor of `sequence`.
///
/// # Panics
///
/// If the shapes do not agree, or the tensors are not on the CPU.
#[must_use]
pub fn equations_sequence(
    sequence: EquationsSequence,
    model: &Arc<Model>,
    surrogate: Surrogate,
) -> (Tensor<3>, Tensor<3>) {
    let [_, batch, neurons] = sequence.current.dims();
    let (constants, initial) = reference::constants_and_state(&sequence, model);
    let mut constants: Vec<Tensor<2>> =
        constants.into_iter().map(|constant| constant.expand([1, neurons])).collect();
    if constants.is_empty() {
        // A tensor has a row at least; no one reads this one.
        constants.push(Tensor::zeros([1, neurons], &sequence.current.device()));
    }
    let initial: Vec<Tensor<2>> =
        initial.into_iter().map(|state| state.expand([batch, neurons])).collect();
    let recurrent = match sequence.recurrent {
        Some(weight) => Recurrent::Weight(weight.into_dispatch()),
        None => Recurrent::Empty,
    };
    let options = EquationsOptions { model: Arc::clone(model), surrogate };
    let (spikes, state) = Dispatch::equations(
        sequence.current.into_dispatch(),
        recurrent,
        Tensor::cat(constants, 0).into_dispatch(),
        Tensor::stack::<3>(initial, 0).into_dispatch(),
        options,
    );
    (Tensor::from_dispatch(spikes), Tensor::from_dispatch(state))
}
