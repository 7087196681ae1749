//! The sequence operations in plain tensor operations, step by step: slow, short and differentiated by Burn.
//!
//! This is the oracle: every fused path is tested against it, values and gradients.

use super::{AlifOptions, AlifOutput, AlifSequence, Emission, GatedCell, Observe, state_at_rest};
use barnowl_model::{Binary, Model, Op, Program, Unary};
use barnowl_neuron::{Decay, Shape, Surrogate};
use burn::tensor::activation::{relu, sigmoid, tanh};
use burn::tensor::{Tensor, TensorData};
use std::f64::consts::PI;

/// [`alif_sequence`](super::alif_sequence), step by step.
///
/// # Panics
///
/// If the shapes do not agree.
#[must_use]
pub fn alif_sequence(sequence: AlifSequence, options: AlifOptions) -> AlifOutput {
    let [_, batch, neurons] = sequence.check();
    let device = sequence.current.device();
    let threshold = options.threshold;
    let initial =
        sequence.initial.unwrap_or_else(|| state_at_rest([batch, neurons], threshold.b0, &device));
    let [mut u, mut b, mut s] = [0, 1, 2].map(|i| {
        let part: Tensor<3> = initial.clone().narrow(0, i, 1);
        part.reshape([batch, neurons])
    });

    // α = exp(−1/τ_m)      ρ = exp(−1/τ_adp)      1−α = −expm1(−1/τ_m)
    let [alpha, leak] = decay(sequence.tau_m);
    let [rho, gain] = decay(sequence.tau_adp);
    let (mut spikes, mut membrane) = (Vec::new(), Vec::new());
    for mut current in steps(sequence.current) {
        if let Some(recurrent) = &sequence.recurrent {
            current = current + s.clone().matmul(recurrent.clone());
        }
        // b_t = ρ b_{t−1} + (1−ρ) s_{t−1}
        b = rho.clone() * b + gain.clone() * s.clone();
        // θ_t = b0 + β b_t
        let theta = b.clone() * threshold.beta + threshold.b0;
        // u_t = α u_{t−1} + (1−α) R I_t − θ_t s_{t−1}
        u = alpha.clone() * u + leak.clone() * (current * threshold.resistance) - theta.clone() * s;
        s = match options.emission {
            // s_t = 1 if u_t − θ_t > 0 else 0
            Emission::Spike => spike(u.clone() - theta, options.surrogate),
            // s_t = max(0, u_t − θ_t)
            Emission::Rectified => relu(u.clone() - theta),
        };
        spikes.push(s.clone());
        membrane.push(u.clone());
    }
    let stack = |steps: Vec<Tensor<2>>| Tensor::stack::<3>(steps, 0);
    AlifOutput {
        spikes: matches!(options.observe, Observe::Spikes | Observe::Both).then(|| stack(spikes)),
        membrane: matches!(options.observe, Observe::Membrane | Observe::Both)
            .then(|| stack(membrane)),
        state: Tensor::stack::<3>(vec![u, b, s], 0).detach(),
    }
}

/// [`integrator_sequence`](super::integrator_sequence), step by step.
#[must_use]
pub fn integrator_sequence(
    current: Tensor<3>,
    tau: Tensor<1>,
    initial: Option<Tensor<2>>,
) -> Tensor<3> {
    let [length, batch, neurons] = current.dims();
    let mut m = initial.unwrap_or_else(|| Tensor::zeros([batch, neurons], &current.device()));
    let [alpha, leak] = decay(tau);
    let mut membrane = Vec::with_capacity(length);
    for current in steps(current) {
        // m_t = α m_{t−1} + (1−α) I_t
        m = alpha.clone() * m + leak.clone() * current;
        membrane.push(m.clone());
    }
    Tensor::stack(membrane, 0)
}

/// [`gated_sequence`](super::gated_sequence), step by step.
#[must_use]
pub fn gated_sequence(
    current: Tensor<3>,
    recurrent: Tensor<2>,
    bias: Tensor<1>,
    cell: GatedCell,
) -> Tensor<3> {
    let batch = current.dims()[1];
    let neurons = recurrent.dims()[0];
    let zeros = Tensor::<2>::zeros([batch, neurons], &current.device());
    let (mut h, mut c) = (zeros.clone(), zeros);
    let block = |gates: &Tensor<2>, gate: usize| gates.clone().narrow(1, gate * neurons, neurons);
    let mut outputs = Vec::new();
    for outer in steps(current) {
        let inner = h.clone().matmul(recurrent.clone()) + bias.clone().unsqueeze();
        let a = outer.clone() + inner.clone();
        h = match cell {
            GatedCell::Tanh => tanh(a),
            GatedCell::Lstm => {
                let [i, f, o] = [0, 1, 3].map(|gate| sigmoid(block(&a, gate)));
                c = f * c + i * tanh(block(&a, 2));
                o * tanh(c.clone())
            }
            GatedCell::Gru => {
                let [r, z] = [0, 1].map(|gate| sigmoid(block(&a, gate)));
                let n = tanh(block(&outer, 2) + r * block(&inner, 2));
                n.clone() + z * (h - n)
            }
        };
        outputs.push(h.clone());
    }
    Tensor::stack(outputs, 0)
}

/// The tensors of neurons that run from equations, over a sequence.
#[derive(Debug, Clone)]
pub struct EquationsSequence {
    /// Input current I without its recurrent part, `[T, B, H]`.
    pub current: Tensor<3>,
    /// Recurrent weights, `[H, H]`, row = presynaptic neuron; `None` in a feed-forward layer.
    pub recurrent: Option<Tensor<2>>,
    /// The parameters of the model, in order, `[H]` or `[1]` each.
    pub parameters: Vec<Tensor<1>>,
    /// The length of a step.
    pub dt: f32,
    /// The state before the first step, `[states + 1, B, H]`, s last; `None` for rest.
    pub initial: Option<Tensor<3>>,
}

/// Neurons from their equations: their spikes, `[T, B, H]`, and the state after the last step, `[states + 1, B, H]`,
/// without a gradient.
///
/// # Panics
///
/// If the shapes do not agree.
#[must_use]
pub fn equations_sequence(
    sequence: EquationsSequence,
    model: &Model,
    surrogate: Surrogate,
) -> (Tensor<3>, Tensor<3>) {
    let (mut outputs, state) = run_equations(sequence, model.step(), model, surrogate);
    (outputs.swap_remove(0), state)
}

/// The same with membrane potentials, `[T, B, H]`: spikes, membranes, and the state after the last step.
///
/// # Panics
///
/// As [`equations_sequence`], and if the model has no membrane.
#[must_use]
pub fn equations_and_membrane(
    sequence: EquationsSequence,
    model: &Model,
    surrogate: Surrogate,
) -> (Tensor<3>, Tensor<3>, Tensor<3>) {
    let step = model.step_and_membrane().expect("a model with a membrane");
    let (mut outputs, state) = run_equations(sequence, &step, model, surrogate);
    let membrane = outputs.swap_remove(1);
    (outputs.swap_remove(0), membrane, state)
}

/// Runs a program whose outputs are the states, s, and perhaps more: s and what follows it at every step, `[T, B, H]` each, and
/// the states and s after the last one.
fn run_equations(
    sequence: EquationsSequence,
    step: &Program,
    model: &Model,
    surrogate: Surrogate,
) -> (Vec<Tensor<3>>, Tensor<3>) {
    let [_, batch, neurons] = sequence.current.dims();
    let (constants, mut state) = constants_and_state(&sequence, model);
    let EquationsSequence { current, recurrent, .. } = sequence;
    let states = model.states().len();
    let mut found: Vec<Vec<Tensor<2>>> = vec![Vec::new(); step.outputs().len() - states];
    for mut current in steps(current) {
        let s = state.pop().expect("s comes last");
        if let Some(recurrent) = &recurrent {
            current = current + s.matmul(recurrent.clone());
        }
        let given: Vec<_> =
            [current].into_iter().chain(state).chain(constants.iter().cloned()).collect();
        // What is the same for all rows, or all neurons, is so for each.
        let all = |value: Tensor<2>| value.expand([batch, neurons]);
        state = evaluate(step, &given, surrogate).into_iter().map(all).collect();
        found.iter_mut().zip(&state[states..]).for_each(|(to, value)| to.push(value.clone()));
        state.truncate(states + 1);
    }
    let outputs = found.into_iter().map(|steps| Tensor::stack(steps, 0)).collect();
    (outputs, Tensor::stack::<3>(state, 0).detach())
}

/// The constants, `[1, H]` each, and the state before the first step, `[B, H]` each, s last.
pub(super) fn constants_and_state(
    sequence: &EquationsSequence,
    model: &Model,
) -> (Vec<Tensor<2>>, Vec<Tensor<2>>) {
    let EquationsSequence { current, parameters, dt, initial, .. } = sequence;
    let [_, batch, neurons] = current.dims();
    let device = current.device();
    let mut inputs: Vec<Tensor<2>> =
        parameters.iter().map(|values| values.clone().expand([neurons]).unsqueeze()).collect();
    inputs.push(Tensor::full([1, neurons], *dt, &device));
    let [constants, rest] =
        [model.constants(), model.rest()].map(|program| of_parameters(program, &inputs));
    let state = match initial {
        Some(initial) => {
            let plane = |i| initial.clone().narrow(0, i, 1).reshape([batch, neurons]);
            (0..=rest.len()).map(plane).collect()
        }
        None => {
            let zeros = Tensor::zeros([batch, neurons], &device);
            let rest = rest.into_iter().map(|state| state.expand([batch, neurons]));
            rest.chain([zeros]).collect()
        }
    };
    (constants, state)
}

/// A program of the parameters, `[1, H]` each: the derivative is Burn's, of the program; the values are those that every
/// other path uses, to the bit.
fn of_parameters(program: &Program, inputs: &[Tensor<2>]) -> Vec<Tensor<2>> {
    let width = inputs[0].dims()[1];
    let planes: Vec<f32> =
        inputs.iter().flat_map(|x| x.to_data().iter().collect::<Vec<_>>()).collect();
    let mut values = vec![0.0; program.outputs().len() * width];
    let mut scratch = vec![0.0; program.scratch()];
    program.run_planes(width, &planes, &mut values, &mut scratch, |_| 0.0);
    let formulas = evaluate(program, inputs, Surrogate::default());
    let exact = formulas.into_iter().zip(values.chunks_exact(width)).map(|(formula, values)| {
        let data = TensorData::new(values.to_vec(), [1, width]);
        // The bracket is zero: it adds nothing to the value and the formula's derivative to the derivative.
        Tensor::<2>::from_data(data, &formula.device()) + (formula.clone() - formula.detach())
    });
    exact.collect()
}

/// A program, operation by operation.
fn evaluate(program: &Program, inputs: &[Tensor<2>], surrogate: Surrogate) -> Vec<Tensor<2>> {
    let device = inputs[0].device();
    let mut values: Vec<Tensor<2>> = Vec::with_capacity(program.ops().len());
    for op in program.ops() {
        let value = match *op {
            Op::Input(number) => inputs[number as usize].clone(),
            Op::Const(x) => Tensor::full([1, 1], x, &device),
            Op::Unary(kind, a) => {
                let a = values[a.index()].clone();
                match kind {
                    Unary::Neg => -a,
                    Unary::Abs => a.abs(),
                    Unary::Exp => a.exp(),
                    Unary::Expm1 => a.exp() - 1.0,
                    Unary::Log => a.log(),
                    Unary::Sqrt => a.sqrt(),
                    Unary::Tanh => tanh(a),
                    Unary::Sigmoid => sigmoid(a),
                    Unary::Stop => a.detach(),
                    Unary::Spike => spike(a, surrogate),
                    Unary::Surrogate => pseudo_derivative(a, surrogate),
                }
            }
            Op::Binary(kind, a, b) => {
                let (a, b) = (values[a.index()].clone(), values[b.index()].clone());
                match kind {
                    Binary::Add => a + b,
                    Binary::Sub => a - b,
                    Binary::Mul => a * b,
                    Binary::Div => a / b,
                    Binary::Min => a.min_pair(b),
                    Binary::Max => a.max_pair(b),
                    Binary::Greater => (a - b).greater_elem(0.0).float(),
                }
            }
        };
        values.push(value);
    }
    program.outputs().iter().map(|id| values[id.index()].clone()).collect()
}

/// α and 1−α, `[1, H]` each, of time constants `[H]` in steps.
///
/// The derivative is Burn's, of the formula; the values are those that every other path uses, to the bit. A decay that
/// differs in its last digit sooner or later lifts some membrane over a threshold that it misses elsewhere.
fn decay(tau: Tensor<1>) -> [Tensor<2>; 2] {
    let steps: Vec<f32> = tau.to_data().iter().collect();
    let decays = steps.iter().map(|tau| Decay::from_time_constant(*tau, 1.0));
    let (keep, leak): (Vec<f32>, Vec<f32>) = decays.map(|decay| (decay.keep, decay.leak)).unzip();
    let exponent = -tau.recip();
    [(exponent.clone().exp(), keep), (-(exponent.exp() - 1.0), leak)].map(|(formula, values)| {
        let values = Tensor::<1>::from_floats(values.as_slice(), &formula.device());
        // The bracket is zero: it adds nothing to the value and the formula's derivative to the derivative.
        let exact = values + (formula.clone() - formula.detach());
        exact.unsqueeze()
    })
}

/// The steps of `[T, B, C]`, `[B, C]` each.
///
/// By halves: the gradient of a slice is as large as what it was cut from, so that cutting every step from the whole
/// would cost T² on the way back.
fn steps(sequence: Tensor<3>) -> Vec<Tensor<2>> {
    fn split(sequence: Tensor<3>, into: &mut Vec<Tensor<2>>) {
        let [steps, batch, channels] = sequence.dims();
        match steps {
            0 => {}
            1 => into.push(sequence.reshape([batch, channels])),
            _ => {
                let middle = steps / 2;
                split(sequence.clone().narrow(0, 0, middle), into);
                split(sequence.narrow(0, middle, steps - middle), into);
            }
        }
    }
    let mut found = Vec::with_capacity(sequence.dims()[0]);
    split(sequence, &mut found);
    found
}

/// `s = 1 if v > 0 else 0` with ds/dv = ψ(v): `v − v` adds nothing to the value and ψ to the derivative.
pub(crate) fn spike(v: Tensor<2>, surrogate: Surrogate) -> Tensor<2> {
    let fixed = v.clone().detach();
    let spike = fixed.clone().greater_elem(0.0).float();
    let psi = pseudo_derivative(fixed.clone(), surrogate);
    spike + psi * (v - fixed)
}

/// ψ(v); the equations are those of [`Surrogate`].
fn pseudo_derivative(v: Tensor<2>, surrogate: Surrogate) -> Tensor<2> {
    let normal = |mean: f32, sigma: f32| {
        let z = (v.clone() - mean) / sigma;
        (-(z.clone() * z) / 2.0).exp() / (f64::from(sigma) * (2.0 * PI).sqrt())
    };
    let absolute = v.clone().abs();
    let shape = match surrogate.shape {
        Shape::MultiGaussian { sigma, height, scale } => {
            normal(0.0, sigma) * (1.0 + height)
                - normal(sigma, scale * sigma) * height
                - normal(-sigma, scale * sigma) * height
        }
        Shape::Gaussian { sigma } => normal(0.0, sigma),
        Shape::Linear => (-absolute + 1.0).clamp_min(0.0),
        Shape::Slayer => (absolute * -5.0).exp(),
        Shape::FastSigmoid => {
            let slope = absolute * 10.0 + 1.0;
            (slope.clone() * slope).recip()
        }
        Shape::Arctan => {
            let x = v.clone() * PI;
            (x.clone() * x + 1.0).recip()
        }
        Shape::DoubleGaussian { sigma, height, scale } => {
            normal(0.0, sigma) * (1.0 + height) - normal(0.0, scale * sigma) * (2.0 * height)
        }
        Shape::Exponential { steepness } => (absolute * -steepness).exp(),
        Shape::Sigmoid { steepness } => {
            let e = (absolute * -steepness).exp();
            let sum = e.clone() + 1.0;
            e * steepness / (sum.clone() * sum)
        }
        Shape::StraightThrough => v.ones_like(),
        Shape::Box { width } => absolute.lower_elem(width).float(),
    };
    shape * surrogate.gamma
}
