//! The programs that train a layer: a step as an engine runs it forward, once more on the way back, and back.

use crate::model::Model;
use crate::op::{Binary, Id, Op, Unary};
use crate::program::{Builder, Program};
use alloc::vec::Vec;
use core::ops::Range;

/// The programs of a layer of neurons that an engine trains by backpropagation through time.
///
/// Kept of the way forward are the input currents; on the way back, the states of some steps are computed
/// [once more](Self::replay), then ψ of all their spikes at once, and then each step runs [back](Self::backward).
///
/// | program | inputs | outputs |
/// | --- | --- | --- |
/// | [`forward`](Self::forward) | I, states, constants | states, and s, unless it is [one of them](Self::emitted) |
/// | [`replay`](Self::replay) | the same | states, v of every spike |
/// | [`backward`](Self::backward) | the same, ψ of every spike, ∂L/∂s from outside, ∂L/∂s from the next step's current, ∂L/∂states | ∂L/∂I, ∂L/∂states of the step before; to be added up: ∂L/∂I, ∂L/∂constants |
#[derive(Debug, Clone, PartialEq)]
pub struct Kernels {
    /// One step.
    pub forward: Program,
    /// One step, on the way back.
    pub replay: Program,
    /// The gradient of one step.
    pub backward: Program,
    /// How many outputs of [`backward`](Self::backward) are written; those after them are added to what is there.
    pub written: usize,
    /// The numbers of the constants whose gradients are outputs.
    pub constants: Vec<usize>,
    /// How many spikes a step has.
    pub spikes: usize,
    /// The number of the state that is s, if one is.
    pub emitted: Option<usize>,
    /// Which inputs of each program are constants.
    pub constant_inputs: Range<usize>,
}

impl Kernels {
    /// Those of a model, of whose parameters, in order, only some are `trained`.
    ///
    /// # Panics
    /// If `trained` is not as long as the parameters are.
    #[must_use]
    pub fn new(model: &Model, trained: &[bool]) -> Self {
        Self::of(model, model.step(), trained)
    }

    /// The same of a model whose [membrane](Model::membrane) is observed; `None` if it has none. The forward program has it as
    /// one more output, the last, and the backward program the gradient of it as one more input, the last.
    ///
    /// # Panics
    /// As [`Kernels::new`].
    #[must_use]
    pub fn observed(model: &Model, trained: &[bool]) -> Option<Self> {
        Some(Self::of(model, &model.step_and_membrane()?, trained))
    }

    /// Those of `step`, which has the outputs of the model's, and perhaps more.
    fn of(model: &Model, step: &Program, trained: &[bool]) -> Self {
        assert_eq!(trained.len(), model.parameters().len(), "one for every parameter");
        let states = model.states().len();
        let more = &step.outputs()[states + 1..];
        let spikes: Vec<Id> = step.spikes().collect();
        let mut outputs = step.outputs()[..states].to_vec();
        outputs.extend(&spikes);
        let replay = step.with_outputs(&outputs);

        let emitted = model.states().iter().position(|state| state.emitted);
        let given = if emitted.is_some() { states } else { states + 1 };

        let constants = depends(model.constants(), trained);
        let adjoint = step.adjoint_of_surrogates();
        let mut builder = Builder::default();
        let mut next = 0..;
        let mut inputs = |builder: &mut Builder, count: usize| -> Vec<Id> {
            next.by_ref().take(count).map(|number| builder.input(number)).collect()
        };
        let values = inputs(&mut builder, step.inputs());
        let psi = inputs(&mut builder, spikes.len());
        let of_s = inputs(&mut builder, 2);
        let of_states = inputs(&mut builder, states);
        let of_more = inputs(&mut builder, more.len());
        let of_s = builder.binary(Binary::Add, of_s[0], of_s[1]);
        let given_back: Vec<Id> = values
            .iter()
            .copied()
            .chain(of_states)
            .chain([of_s])
            .chain(of_more)
            .chain(psi)
            .collect();
        let found = builder.inline(&adjoint, &given_back);
        let (written, of_constants) = found.split_at(1 + states);
        let mut outputs = written.to_vec();
        outputs.push(written[0]);
        outputs.extend(constants.iter().map(|number| of_constants[*number]));
        let inputs = step.inputs() + spikes.len() + 2 + states + more.len();
        Self {
            forward: step.with_outputs(&[&step.outputs()[..given], more].concat()),
            emitted,
            constant_inputs: 1 + states..step.inputs(),
            replay,
            backward: builder.finish(inputs, &outputs),
            written: written.len(),
            constants,
            spikes: spikes.len(),
        }
    }
}

/// The numbers of the outputs that depend on an input that is marked; inputs beyond the marks are not.
fn depends(program: &Program, marked: &[bool]) -> Vec<usize> {
    let mut marks: Vec<bool> = Vec::with_capacity(program.ops().len());
    for op in program.ops() {
        marks.push(match *op {
            Op::Input(number) => marked.get(number as usize).copied().unwrap_or(false),
            Op::Unary(Unary::Stop, _) => false,
            _ => op.operands().any(|id| marks[id.index()]),
        });
    }
    let outputs = program.outputs().iter().enumerate();
    outputs.filter(|(_, id)| marks[id.index()]).map(|(number, _)| number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Parameter, Source, Text, Variant};
    use alloc::string::String;
    use alloc::vec;

    fn model() -> Model {
        let equations = "u = alpha*u' + beta*I - theta*s'\ns = spike(u - theta)";
        let parameters = ["alpha", "beta", "theta"].map(|name| Parameter::new(name, 0.5));
        let source = Source {
            name: Text::new("lif"),
            title: String::new(),
            source: String::new(),
            variants: vec![Variant::only(equations)],
            membrane: None,
            constants: Vec::new(),
            parameters: parameters.into(),
            values: Vec::new(),
        };
        Model::build(source).unwrap()
    }

    #[test]
    fn only_constants_of_trained_parameters_have_gradients() {
        let model = model();
        let kernels = Kernels::new(&model, &[true, false, true]);
        let names = model.constant_names();
        let found: Vec<&str> =
            kernels.constants.iter().map(|number| names[*number].as_str()).collect();
        assert_eq!(found, ["alpha", "theta"]);
        assert_eq!(kernels.backward.outputs().len(), kernels.written + 1 + 2);
    }

    #[test]
    fn a_step_back_is_the_adjoint() {
        let model = model();
        let kernels = Kernels::new(&model, &[true; 3]);
        // I, u', s' (in the order of the states), constants.
        let values = [0.7, 0.9, 1.0, 0.3, 0.6, 0.25];
        let (psi, outside, recurrent) = (0.4, 2.0, 0.5);
        let of_states = [0.3, -0.2];
        let mut given = values.to_vec();
        given.extend([psi, outside, recurrent]);
        given.extend(of_states);
        let mut found = vec![0.0_f64; kernels.backward.outputs().len()];
        kernels.backward.run(&given, &mut found, |_| panic!("ψ comes from outside"));

        let mut of_adjoint = values.to_vec();
        of_adjoint.extend(of_states);
        of_adjoint.push(outside + recurrent);
        let mut expected = vec![0.0; 6];
        model.step().adjoint().run(&of_adjoint, &mut expected, |_| psi);
        assert_eq!(found[..3], expected[..3]);
        assert_eq!(found[3], expected[0]);
        assert_eq!(found[4..], expected[3..]);
    }

    #[test]
    fn a_replay_gives_what_the_spikes_are_taken_of() {
        let kernels = Kernels::new(&model(), &[true; 3]);
        let values = [0.7, 0.9, 1.0, 0.3, 0.6, 0.25];
        // s is a state, the second.
        assert_eq!((kernels.emitted, kernels.constant_inputs.clone()), (Some(1), 3..6));
        let mut forward = [0.0_f64; 2];
        kernels.forward.run(&values, &mut forward, |_| 0.0);
        let mut replay = [0.0; 3];
        kernels.replay.run(&values, &mut replay, |_| 0.0);
        assert_eq!(forward, replay[..2]);
        assert_eq!(forward[1], f64::from(u8::from(replay[2] > 0.0)));
    }
}
