//! The fused whole-sequence operation: a layer of adaptive neurons over all steps of time at once.
//!
//! A framework that runs the recurrence step by step launches dozens of small operations per step and records each of
//! them for the backward pass. Here one operation runs the whole sequence, forward and backward (DESIGN equations
//! beside the code of [`mod@reference`] and of the kernels), and one autodiff node stands for it.
//!
//! - [`alif_sequence`]: input current `[T, B, H]` → spikes, membrane potential, final state, for ALIF and LIF neurons
//!   with or without recurrent weights;
//! - [`integrator_sequence`]: the leaky integrator of a readout;
//! - [`product`]: input projections on graphics processors;
//! - [`equations`]: neurons that run from their equations;
//! - [`gated_sequence`]: tanh, LSTM and GRU cells, the paper's baselines;
//! - [`mod@reference`]: the same in plain tensor operations, the oracle for every other file here.
//!
//! [`SequenceOps`] is what Burn's runtime dispatch sees; [`SequenceKernels`] is what a backend implements, one file per
//! backend. Gradients of both are written by hand in `autodiff.rs`.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
pub mod equations;
mod flex;
pub mod reference;

use barnowl_neuron::{Surrogate, Threshold};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, ExtensionType, backend_extension};
use burn::tensor::Tensor;

/// Which output of [`alif_sequence`] is wanted, and so carries the gradient.
///
/// A hidden layer needs its spikes, a readout its membrane potential. What is not wanted is not written to memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Observe {
    /// The spikes.
    #[default]
    Spikes,
    /// The membrane potential.
    Membrane,
    /// Both.
    Both,
}

/// What a neuron of [`alif_sequence`] emits from its membrane potential u and threshold θ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Emission {
    /// A spike, `s = 1 if u − θ > 0 else 0`.
    #[default]
    Spike,
    /// `s = max(0, u − θ)`, with its exact gradient: the paper's ReLU baseline.
    Rectified,
}

/// Which gated cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatedCell {
    /// tanh units without gates.
    Tanh,
    /// Long short-term memory: gates i, f, g, o.
    Lstm,
    /// Gated recurrent units: gates r, z, n.
    Gru,
}

impl GatedCell {
    /// The blocks of weights, in PyTorch's order.
    #[must_use]
    pub fn gates(self) -> usize {
        match self {
            Self::Tanh => 1,
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }
}

/// What an ALIF layer has besides tensors.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AlifOptions {
    /// b0, β and R.
    pub threshold: Threshold,
    /// ψ, which stands for ds/dv in the backward pass.
    pub surrogate: Surrogate,
    /// Which output is wanted; of rectified neurons, [`Observe::Spikes`].
    pub observe: Observe,
    /// What a neuron emits.
    pub emission: Emission,
}

/// The tensors of an ALIF layer over a sequence.
#[derive(Debug, Clone)]
pub struct AlifSequence {
    /// Input current I without its recurrent part, `[T, B, H]`.
    pub current: Tensor<3>,
    /// Recurrent weights, `[H, H]`: row = presynaptic neuron, column = postsynaptic neuron (`s W`), as in Burn's
    /// `Linear`; `None` in a feed-forward layer.
    pub recurrent: Option<Tensor<2>>,
    /// Membrane time constants τ_m in steps, `[H]`, positive.
    pub tau_m: Tensor<1>,
    /// Adaptation time constants τ_adp in steps, `[H]`, positive.
    pub tau_adp: Tensor<1>,
    /// The state before the first step, `[3, B, H]`: u, b and s; `None` for rest (u = 0, b = b0, s = 0).
    pub initial: Option<Tensor<3>>,
}

/// What [`alif_sequence`] returns.
#[derive(Debug, Clone)]
pub struct AlifOutput {
    /// Spikes, 0 or 1, `[T, B, H]`, if observed.
    pub spikes: Option<Tensor<3>>,
    /// Membrane potential, `[T, B, H]`, if observed.
    pub membrane: Option<Tensor<3>>,
    /// The state after the last step, `[3, B, H]`: u, b and s. It carries no gradient.
    pub state: Tensor<3>,
}

/// Recurrent weights of a primitive operation, which a feed-forward layer does not have.
#[derive(Debug, Clone, ExtensionType)]
pub enum Recurrent<B: Backend> {
    /// `[H, H]`, row = presynaptic neuron.
    Weight(FloatTensor<B>),
    /// A feed-forward layer.
    Empty,
}

/// The operations as Burn's runtime dispatch sees them. Shapes as in [`AlifSequence`].
#[backend_extension(Flex, Cube: cfg(feature = "cube"), Autodiff)]
pub trait SequenceOps: Backend {
    /// [`alif_sequence`]: returns the observed output, `[T, B, H]` or, for [`Observe::Both`], `[2, T, B, H]` with the
    /// spikes first; and the final state `[3, B, H]`.
    fn alif(
        current: FloatTensor<Self>,
        #[extension_type] recurrent: Recurrent<Self>,
        tau_m: FloatTensor<Self>,
        tau_adp: FloatTensor<Self>,
        initial: FloatTensor<Self>,
        options: AlifOptions,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// [`integrator_sequence`]: current `[T, B, H]`, τ `[H]`, initial `[B, H]` → membrane `[T, B, H]`.
    fn integrator(
        current: FloatTensor<Self>,
        tau: FloatTensor<Self>,
        initial: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// [`gated_sequence`]: current `[T, B, G · H]`, U `[H, G · H]`, b `[G · H]` → h `[T, B, H]`.
    fn gated(
        current: FloatTensor<Self>,
        recurrent: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        cell: GatedCell,
    ) -> FloatTensor<Self>;

    /// [`product`]: inputs `[R, I]`, weights `[I, H]` → `[R, H]`.
    fn product(input: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The tensors of gated cells, forward and backward; shapes as in [`gated_sequence`].
#[derive(Debug, Clone)]
pub struct GatedArguments<B: Backend> {
    /// `[T, B, G · H]`.
    pub current: FloatTensor<B>,
    /// `[H, G · H]`.
    pub recurrent: FloatTensor<B>,
    /// `[G · H]`.
    pub bias: FloatTensor<B>,
    /// Which cell.
    pub cell: GatedCell,
}

/// The gradients of gated cells, of the shapes of [`GatedArguments`].
#[derive(Debug)]
pub struct GatedGradients<B: Backend> {
    /// ∂L/∂(W x).
    pub current: FloatTensor<B>,
    /// ∂L/∂U.
    pub recurrent: FloatTensor<B>,
    /// ∂L/∂b.
    pub bias: FloatTensor<B>,
}

/// The tensors that the ALIF kernels read, forward and backward.
#[derive(Debug, Clone)]
pub struct AlifArguments<B: Backend> {
    /// `[T, B, H]`.
    pub current: FloatTensor<B>,
    /// `[H, H]`, row = presynaptic neuron.
    pub recurrent: Option<FloatTensor<B>>,
    /// `[H]`, in steps.
    pub tau_m: FloatTensor<B>,
    /// `[H]`, in steps.
    pub tau_adp: FloatTensor<B>,
    /// `[3, B, H]`.
    pub initial: FloatTensor<B>,
    /// Everything that is no tensor.
    pub options: AlifOptions,
}

/// What the forward kernel of a backend returns.
#[derive(Debug)]
pub struct AlifForward<B: Backend> {
    /// The observed output; see [`SequenceOps::alif`].
    pub output: FloatTensor<B>,
    /// `[3, B, H]`.
    pub state: FloatTensor<B>,
    /// Whatever the backward kernel needs besides the arguments, if a trace was asked for.
    pub trace: Option<FloatTensor<B>>,
}

/// The gradients of an ALIF layer, of the shapes of [`AlifArguments`].
#[derive(Debug)]
pub struct AlifGradients<B: Backend> {
    /// ∂L/∂I.
    pub current: FloatTensor<B>,
    /// ∂L/∂W_rec.
    pub recurrent: Option<FloatTensor<B>>,
    /// ∂L/∂τ_m.
    pub tau_m: FloatTensor<B>,
    /// ∂L/∂τ_adp.
    pub tau_adp: FloatTensor<B>,
    /// ∂L/∂(u, b, s) before the first step.
    pub initial: FloatTensor<B>,
}

/// The gradients of a leaky integrator.
#[derive(Debug)]
pub struct IntegratorGradients<B: Backend> {
    /// ∂L/∂I, `[T, B, H]`.
    pub current: FloatTensor<B>,
    /// ∂L/∂τ, `[H]`.
    pub tau: FloatTensor<B>,
    /// ∂L/∂m before the first step, `[B, H]`.
    pub initial: FloatTensor<B>,
}

/// What a backend implements: the kernels, forward and backward, without autodiff.
pub trait SequenceKernels: Backend {
    /// The forward pass; with `trace`, also what [`alif_backward`](Self::alif_backward) needs.
    fn alif_forward(arguments: &AlifArguments<Self>, trace: bool) -> AlifForward<Self>;

    /// The backward pass: the gradient of the observed output in, the gradients of every argument out.
    fn alif_backward(
        arguments: &AlifArguments<Self>,
        trace: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> AlifGradients<Self>;

    /// The leaky integrator, forward.
    fn integrator_forward(
        current: &FloatTensor<Self>,
        tau: &FloatTensor<Self>,
        initial: &FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// The leaky integrator, backward; `membrane` is the output of the forward pass.
    fn integrator_backward(
        current: &FloatTensor<Self>,
        tau: &FloatTensor<Self>,
        initial: &FloatTensor<Self>,
        membrane: &FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> IntegratorGradients<Self>;

    /// Gated cells, forward: h, and with `trace` what [`gated_backward`](Self::gated_backward) needs.
    fn gated_forward(
        arguments: &GatedArguments<Self>,
        trace: bool,
    ) -> (FloatTensor<Self>, Option<FloatTensor<Self>>);

    /// Gated cells, backward: the gradient of h in, the gradients of every argument out.
    fn gated_backward(
        arguments: &GatedArguments<Self>,
        trace: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> GatedGradients<Self>;

    /// The gradient of the inputs of a [product](SequenceOps::product), `[R, I]`, from that of its result.
    fn product_inputs(weight: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The gradient of its weights, `[I, H]`.
    fn product_weights(input: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The state at rest, `[3, B, H]`: u = 0, b = b0, s = 0.
#[must_use]
pub fn state_at_rest(
    [batch, neurons]: [usize; 2],
    b0: f32,
    device: &burn::tensor::Device,
) -> Tensor<3> {
    let zeros = Tensor::<3>::zeros([1, batch, neurons], device);
    Tensor::cat(vec![zeros.clone(), zeros.clone() + b0, zeros], 0)
}

/// A layer of adaptive leaky integrate-and-fire neurons over a whole sequence.
///
/// Gradients flow to every tensor of `sequence`. With β = 0 the neurons are plain LIF.
///
/// # Panics
///
/// If the shapes do not agree, T, B or H is zero, the tensors are not 32-bit floats, or the membrane of rectified
/// neurons is to be observed.
#[must_use]
pub fn alif_sequence(sequence: AlifSequence, options: AlifOptions) -> AlifOutput {
    let [steps, batch, neurons] = sequence.check();
    assert!(
        options.emission == Emission::Spike || options.observe == Observe::Spikes,
        "of rectified neurons, the output is observed"
    );
    let initial = sequence.initial.unwrap_or_else(|| {
        state_at_rest([batch, neurons], options.threshold.b0, &sequence.current.device())
    });
    let recurrent = match sequence.recurrent {
        Some(weight) => Recurrent::Weight(weight.into_dispatch()),
        None => Recurrent::Empty,
    };
    let (output, state) = Dispatch::alif(
        sequence.current.into_dispatch(),
        recurrent,
        sequence.tau_m.into_dispatch(),
        sequence.tau_adp.into_dispatch(),
        initial.into_dispatch(),
        options,
    );
    let state = Tensor::from_dispatch(state);
    let (spikes, membrane) = match options.observe {
        Observe::Spikes => (Some(Tensor::from_dispatch(output)), None),
        Observe::Membrane => (None, Some(Tensor::from_dispatch(output))),
        Observe::Both => {
            let both = Tensor::<4>::from_dispatch(output);
            let part = |i| {
                let part: Tensor<4> = both.clone().narrow(0, i, 1);
                Some(part.reshape([steps, batch, neurons]))
            };
            (part(0), part(1))
        }
    };
    AlifOutput { spikes, membrane, state }
}

/// A layer of leaky integrators, `m_t = α m_{t−1} + (1−α) I_t`, over a whole sequence.
///
/// `current` `[T, B, H]`; `tau` `[H]` in steps; `initial` `[B, H]`, zero if `None`. Returns m, `[T, B, H]`.
///
/// # Panics
///
/// If the shapes do not agree or T, B or H is zero.
#[must_use]
pub fn integrator_sequence(
    current: Tensor<3>,
    tau: Tensor<1>,
    initial: Option<Tensor<2>>,
) -> Tensor<3> {
    let [steps, batch, neurons] = current.dims();
    assert!(steps * batch * neurons > 0, "an empty sequence: current {:?}", current.dims());
    assert_eq!(tau.dims(), [neurons], "τ is [H]");
    let initial = initial.unwrap_or_else(|| Tensor::zeros([batch, neurons], &current.device()));
    assert_eq!(initial.dims(), [batch, neurons], "the initial membrane is [B, H]");
    Tensor::from_dispatch(Dispatch::integrator(
        current.into_dispatch(),
        tau.into_dispatch(),
        initial.into_dispatch(),
    ))
}

/// A layer of tanh, LSTM or GRU cells over a whole sequence, from a state of zero.
///
/// With G [gates](GatedCell::gates): `current` W x, `[T, B, G · H]`; `recurrent` U, `[H, G · H]`, row = presynaptic unit;
/// `bias` b, `[G · H]`. Returns h, `[T, B, H]`.
///
/// ```text
/// a = W x + U h_{t−1} + b
/// tanh   h_t = tanh(a)
/// LSTM   i, f, o = σ(a)    g = tanh(a)    c_t = f ⊙ c_{t−1} + i ⊙ g    h_t = o ⊙ tanh(c_t)
/// GRU    r, z = σ(a)    n = tanh(W x + r ⊙ (U h_{t−1} + b))    h_t = n + z ⊙ (h_{t−1} − n)
/// ```
///
/// # Panics
///
/// If the shapes do not agree, or T, B or H is zero.
#[must_use]
pub fn gated_sequence(
    current: Tensor<3>,
    recurrent: Tensor<2>,
    bias: Tensor<1>,
    cell: GatedCell,
) -> Tensor<3> {
    let [steps, batch, wide] = current.dims();
    let [neurons, outputs] = recurrent.dims();
    assert!(steps * batch * neurons > 0, "an empty sequence: current {:?}", current.dims());
    assert_eq!([wide, outputs], [cell.gates() * neurons; 2], "G · H columns of current and U");
    assert_eq!(bias.dims(), [wide], "the bias is [G · H]");
    let (current, recurrent) = (current.into_dispatch(), recurrent.into_dispatch());
    Tensor::from_dispatch(Dispatch::gated(current, recurrent, bias.into_dispatch(), cell))
}

/// The product of inputs `[R, I]` and weights `[I, H]`, `[R, H]`: as `matmul`, but in full single precision on every device.
///
/// # Panics
///
/// If the shapes do not agree, or one of R, I and H is zero.
#[must_use]
pub fn product(input: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    let ([rows, inputs], [expected, outputs]) = (input.dims(), weight.dims());
    assert!(rows * inputs * outputs > 0, "an empty product");
    assert_eq!(inputs, expected, "inputs are [R, I], weights [I, H]");
    Tensor::from_dispatch(Dispatch::product(input.into_dispatch(), weight.into_dispatch()))
}

impl AlifSequence {
    /// T, B and H, after checking that all shapes agree.
    fn check(&self) -> [usize; 3] {
        let [steps, batch, neurons] = self.current.dims();
        assert!(
            steps * batch * neurons > 0,
            "an empty sequence: current {:?}, expected [T, B, H]",
            self.current.dims()
        );
        if let Some(recurrent) = &self.recurrent {
            assert_eq!(recurrent.dims(), [neurons; 2], "recurrent weights are [H, H]");
        }
        assert_eq!(self.tau_m.dims(), [neurons], "τ_m is [H]");
        assert_eq!(self.tau_adp.dims(), [neurons], "τ_adp is [H]");
        if let Some(initial) = &self.initial {
            assert_eq!(initial.dims(), [3, batch, neurons], "the initial state is [3, B, H]");
        }
        [steps, batch, neurons]
    }
}
