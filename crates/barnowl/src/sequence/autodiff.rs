//! The hand-written gradients as nodes of Burn's autodiff graph: one node per layer and sequence.

use super::{
    AlifArguments, AlifOptions, GatedArguments, GatedCell, Recurrent, SequenceKernels, SequenceOps,
};
use burn::backend::tensor::FloatTensor;
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_autodiff::{Autodiff, NodeId};

/// Hands the gradients that there are to the parents that ask for them.
fn register<B: SequenceKernels, const N: usize>(
    parents: [Option<NodeId>; N],
    grads: &mut Gradients,
    found: [Option<FloatTensor<B>>; N],
) {
    for (parent, gradient) in parents.into_iter().zip(found) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            grads.register::<B>(parent, gradient);
        }
    }
}

/// The backward step of [`SequenceOps::alif`]; parents: current, recurrent, τ_m, τ_adp, initial state.
#[derive(Debug)]
struct Alif;

impl<B: SequenceKernels> Backward<B, 5> for Alif {
    type State = (AlifArguments<B>, FloatTensor<B>);

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<B>(&ops.node);
        let (arguments, trace) = ops.state;
        let found = B::alif_backward(&arguments, trace, gradient);
        let found = [
            Some(found.current),
            found.recurrent,
            Some(found.tau_m),
            Some(found.tau_adp),
            Some(found.initial),
        ];
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<B, 5>(parents, grads, found);
    }
}

/// The backward step of [`SequenceOps::integrator`]; parents: current, τ, initial membrane.
#[derive(Debug)]
struct Integrator;

impl<B: SequenceKernels> Backward<B, 3> for Integrator {
    /// Current, τ, initial membrane, membrane.
    type State = [FloatTensor<B>; 4];

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<B>(&ops.node);
        let [current, tau, initial, membrane] = ops.state;
        let found = B::integrator_backward(&current, &tau, &initial, &membrane, gradient);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<B, 3>(parents, grads, [found.current, found.tau, found.initial].map(Some));
    }
}

/// The backward step of [`SequenceOps::gated`]; parents: current, recurrent weights, bias.
#[derive(Debug)]
struct Gated;

impl<B: SequenceKernels> Backward<B, 3> for Gated {
    type State = (GatedArguments<B>, FloatTensor<B>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<B>(&ops.node);
        let (arguments, trace) = ops.state;
        let found = B::gated_backward(&arguments, trace, gradient);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<B, 3>(parents, grads, [found.current, found.recurrent, found.bias].map(Some));
    }
}

/// The backward step of [`SequenceOps::product`]; parents: inputs, weights.
#[derive(Debug)]
struct Product;

impl<B: SequenceKernels> Backward<B, 2> for Product {
    /// Inputs, weights.
    type State = [FloatTensor<B>; 2];

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<B>(&ops.node);
        let [input, weight] = ops.state;
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        // Inputs that are data ask for no gradient, and none is computed.
        let inputs = parents[0].map(|_| B::product_inputs(weight, gradient.clone()));
        let weights = parents[1].map(|_| B::product_weights(input, gradient));
        register::<B, 2>(parents, grads, [inputs, weights]);
    }
}

impl<B, C> SequenceOps for Autodiff<B, C>
where
    B: SequenceOps + SequenceKernels,
    C: CheckpointStrategy,
{
    fn alif(
        current: FloatTensor<Self>,
        recurrent: Recurrent<Self>,
        tau_m: FloatTensor<Self>,
        tau_adp: FloatTensor<Self>,
        initial: FloatTensor<Self>,
        options: AlifOptions,
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
        let (tau_m, tau_m_node) = tau_m.into_parts();
        let (tau_adp, tau_adp_node) = tau_adp.into_parts();
        let (initial, initial_node) = initial.into_parts();
        let arguments = AlifArguments { current, recurrent, tau_m, tau_adp, initial, options };
        let nodes = [current_node, recurrent_node, tau_m_node, tau_adp_node, initial_node];
        let (output, state) = match Alif.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let forward = B::alif_forward(&arguments, true);
                let trace = forward.trace.expect("a forward pass with trace returns one");
                (prep.finish((arguments, trace), forward.output), forward.state)
            }
            OpsKind::UnTracked(prep) => {
                let forward = B::alif_forward(&arguments, false);
                (prep.finish(forward.output), forward.state)
            }
        };
        (output, <FloatTensor<Self>>::new(state))
    }

    fn integrator(
        current: FloatTensor<Self>,
        tau: FloatTensor<Self>,
        initial: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (current, current_node) = current.into_parts();
        let (tau, tau_node) = tau.into_parts();
        let (initial, initial_node) = initial.into_parts();
        let membrane = B::integrator_forward(&current, &tau, &initial);
        let nodes = [current_node, tau_node, initial_node];
        match Integrator.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                prep.finish([current, tau, initial, membrane.clone()], membrane)
            }
            OpsKind::UnTracked(prep) => prep.finish(membrane),
        }
    }

    fn gated(
        current: FloatTensor<Self>,
        recurrent: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        cell: GatedCell,
    ) -> FloatTensor<Self> {
        let (current, current_node) = current.into_parts();
        let (recurrent, recurrent_node) = recurrent.into_parts();
        let (bias, bias_node) = bias.into_parts();
        let arguments = GatedArguments { current, recurrent, bias, cell };
        let nodes = [current_node, recurrent_node, bias_node];
        match Gated.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (output, trace) = B::gated_forward(&arguments, true);
                let trace = trace.expect("a forward pass with trace returns one");
                prep.finish((arguments, trace), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::gated_forward(&arguments, false).0),
        }
    }

    fn product(input: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        let (input, input_node) = input.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let product = B::product(input.clone(), weight.clone());
        match Product.prepare::<C>([input_node, weight_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish([input, weight], product),
            OpsKind::UnTracked(prep) => prep.finish(product),
        }
    }
}
