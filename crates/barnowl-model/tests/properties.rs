//! What holds for programs and texts drawn at random.

#![cfg(feature = "file")]

use barnowl_model::{
    Binary, Builder, Definition, Id, Model, Program, Source, Text, Unary, Variant, built_in,
    built_in_names, built_in_text,
};
use barnowl_neuron::{AlifParameters, AlifState, Threshold};
use proptest::prelude::*;

/// How many inputs random programs have.
const INPUTS: usize = 4;

/// A program of smooth operations, each kept where finite differences are accurate.
fn program(choices: &[(u8, u16, u16)]) -> Program {
    let mut builder = Builder::default();
    let mut values: Vec<Id> = (0..INPUTS as u32).map(|i| builder.input(i)).collect();
    values.push(builder.number(0.75));
    for &(op, a, b) in choices {
        let (a, b) = (values[a as usize % values.len()], values[b as usize % values.len()]);
        let one = builder.number(1.0);
        // tanh bounds what is multiplied, divided by or raised, so that no value runs away.
        let mut bounded = |x| builder.unary(Unary::Tanh, x);
        let value = match op % 13 {
            0 => builder.binary(Binary::Add, a, b),
            1 => builder.binary(Binary::Sub, a, b),
            2 => {
                let (a, b) = (bounded(a), bounded(b));
                builder.binary(Binary::Mul, a, b)
            }
            3 => {
                let (a, b) = (bounded(a), bounded(b));
                let square = builder.binary(Binary::Mul, b, b);
                let positive = builder.binary(Binary::Add, square, one);
                builder.binary(Binary::Div, a, positive)
            }
            4 => builder.unary(Unary::Neg, a),
            5 => {
                let a = bounded(a);
                builder.unary(Unary::Exp, a)
            }
            6 => {
                let a = bounded(a);
                builder.unary(Unary::Expm1, a)
            }
            7 => builder.unary(Unary::Tanh, a),
            8 => builder.unary(Unary::Sigmoid, a),
            9 => {
                let positive = builder.unary(Unary::Sigmoid, a);
                builder.unary(Unary::Log, positive)
            }
            10 => {
                let positive = builder.unary(Unary::Sigmoid, a);
                builder.unary(Unary::Sqrt, positive)
            }
            // Of two numbers far apart, so that no difference crosses the fold; either may be the larger.
            side => {
                let (a, b) = (bounded(a), bounded(b));
                let away = builder.number(if side == 11 { 3.0 } else { -3.0 });
                let apart = builder.binary(Binary::Add, b, away);
                let smaller = builder.binary(Binary::Min, a, apart);
                let larger = builder.binary(Binary::Max, apart, a);
                let size = builder.unary(Unary::Abs, apart);
                let sum = builder.binary(Binary::Add, smaller, size);
                builder.binary(Binary::Mul, sum, larger)
            }
        };
        values.push(value);
    }
    let outputs = [values[values.len() - 1], values[values.len() / 2]];
    builder.finish(INPUTS, &outputs)
}

fn run(program: &Program, inputs: &[f64]) -> Vec<f64> {
    let mut outputs = vec![0.0; program.outputs().len()];
    program.run(inputs, &mut outputs, |_| panic!("no spikes here"));
    outputs
}

fn choices() -> impl Strategy<Value = Vec<(u8, u16, u16)>> {
    prop::collection::vec(any::<(u8, u16, u16)>(), 1..25)
}

fn inputs() -> impl Strategy<Value = [f64; INPUTS]> {
    prop::array::uniform4(-1.5..1.5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn adjoints_agree_with_finite_differences(
        choices in choices(), x in inputs(), g in prop::array::uniform2(-1.0..1.0),
    ) {
        let program = program(&choices);
        let adjoint = program.adjoint();
        prop_assert_eq!(adjoint.inputs(), INPUTS + 2);
        let gradient = run(&adjoint, &[&x[..], &g].concat());
        let objective = |x: &[f64]| -> f64 {
            run(&program, x).iter().zip(g).map(|(y, g)| y * g).sum()
        };
        for i in 0..INPUTS {
            // The central difference of fourth order.
            let at = |step: f64| {
                let mut moved = x;
                moved[i] += step;
                objective(&moved)
            };
            let h = 1e-3;
            let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
            let error = (gradient[i] - difference).abs();
            let scale = 1.0 + gradient[i].abs();
            prop_assert!(error <= 1e-6 * scale, "input {}: {} and {}", i, gradient[i], difference);
        }
    }

    #[test]
    fn planes_have_the_bits_of_single_neurons(
        choices in choices(), width in 0_usize..200, seed in any::<u32>(),
    ) {
        let program = program(&choices).adjoint();
        let size = program.inputs() * width;
        let inputs: Vec<f32> = (0..size as u32)
            .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32 / 8e6 - 1.0)
            .collect();
        let mut planes = vec![0.0; program.outputs().len() * width];
        let mut scratch = vec![f32::NAN; program.scratch()];
        program.run_planes(width, &inputs, &mut planes, &mut scratch, |v| v);
        for n in 0..width {
            let own: Vec<f32> = (0..program.inputs()).map(|i| inputs[i * width + n]).collect();
            let mut single = vec![0.0; program.outputs().len()];
            program.run(&own, &mut single, |v| v);
            for (i, value) in single.iter().enumerate() {
                prop_assert_eq!(value.to_bits(), planes[i * width + n].to_bits());
            }
        }
    }

    #[test]
    fn any_text_is_a_model_or_an_error(text in ".{0,400}") {
        let _ = Model::from_toml(&text);
        let _ = Model::from_toml(&format!("name = \"x\"\nequations = '''\n{text}\n'''\n"));
    }

    #[test]
    fn any_words_are_a_model_or_an_error(
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..80),
    ) {
        read(&with_equations(&words.concat()));
    }

    #[test]
    fn damaged_models_are_models_or_errors(
        which in any::<prop::sample::Index>(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, prop::sample::select(WORDS.to_vec())), 1..6),
    ) {
        let names: Vec<String> = built_in_names().collect();
        let mut text = built_in_text(&names[which.index(names.len())]).unwrap().to_owned();
        for (at, cut, put) in damages {
            let places: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
            let at = at.index(places.len());
            let end = (at + cut).min(places.len() - 1);
            text.replace_range(places[at]..places[end], put);
        }
        read(&text);
    }

    #[test]
    fn the_alif_program_has_the_bits_of_the_streaming_neuron(
        tau_m in 0.1_f32..1e3, tau_adp in 0.1_f32..1e4, b0 in 0.0_f32..1.0, beta in 0.0_f32..3.0,
        resistance in 0.5_f32..2.0, dt in 0.1_f32..5.0,
        currents in prop::collection::vec(-3.0_f32..5.0, 1..100),
    ) {
        let model = built_in("alif").unwrap();
        let threshold = Threshold { b0, beta, resistance };
        let neuron = AlifParameters::new(tau_m, tau_adp, dt, threshold);
        let mut state = AlifState::at_rest(b0);
        let given = |name: &str| match name {
            "tau_m" => tau_m,
            "tau_adp" => tau_adp,
            "b0" => b0,
            "beta" => beta,
            "R" => resistance,
            _ => panic!("a parameter {name} that ALIF has not"),
        };
        let parameters: Vec<f32> =
            model.parameters().iter().map(|p| given(&p.name.text)).chain([dt]).collect();
        let run = |program: &Program, inputs: &[f32]| {
            let mut outputs = vec![0.0; program.outputs().len()];
            program.run(inputs, &mut outputs, |_| 0.0);
            outputs
        };
        let constants = run(model.constants(), &parameters);
        let mut own = run(model.rest(), &parameters);
        for current in currents {
            let found = run(model.step(), &[&[current], &own[..], &constants].concat());
            own = found[..3].to_vec();
            let spike = neuron.step(&mut state, current);
            prop_assert_eq!(found[3], if spike { 1.0 } else { 0.0 });
            prop_assert_eq!(own[0].to_bits(), state.b.to_bits());
            prop_assert_eq!(own[1].to_bits(), state.u.to_bits());
        }
    }
}

/// What equations are made of, and what they are not.
const WORDS: [&str; 40] = [
    "u", "s", "v", "I", "dt", "tau", "alpha", "u'", "s'", "'", "=", "+", "-", "*", "/", "(", ")",
    ",", "\n", "\ns = ", "\nu = ", "spike(", "stop(", "exp(", "min(", "log(", "0", "1", "1e",
    "1e30", ".", "#", " ", "\"", "\"\"\"", "[", "]", "ψ", "\u{0}", "NaN",
];

fn with_equations(equations: &str) -> String {
    format!(
        "name = \"x\"\nequations = '''\n{equations}\n'''\n[constants]\nalpha = \"exp(-dt/tau)\"\n\
         [parameters.tau]\nstart = 20\n"
    )
}

/// Reads a text; whatever is a model can be differentiated, counted, written and read again.
fn read(text: &str) {
    let Ok(model) = Model::from_toml(text) else { return };
    let _ = (model.step().adjoint().count(), model.constants().adjoint(), model.latex());
    let _ = model.markdown();
    let source = rewritten(&model);
    let again = Model::build(source.clone()).unwrap_or_else(|error| {
        panic!("written again: {error}\n{}", source.variants[0].equations.text)
    });
    assert_eq!(again.equations(), model.equations());
    assert_eq!(again.step().count(), model.step().count());
}

/// The source with its equations and constants as the program has them.
fn rewritten(model: &Model) -> Source {
    let mut source = model.source().clone();
    source.variants = vec![Variant::only(model.equations().join("\n"))];
    source.constants = model
        .named_constants()
        .iter()
        .map(|line| {
            let (name, expression) = line.split_once(" = ").unwrap();
            Definition { name: Text::new(name), expression: Text::new(expression) }
        })
        .collect();
    source
}

#[test]
fn built_in_models_are_written_as_they_are_read() {
    for name in built_in_names() {
        let model = built_in(&name).unwrap();
        let again = Model::build(rewritten(&model)).unwrap();
        assert_eq!(again.step(), model.step(), "{name}");
        assert_eq!(again.constants(), model.constants(), "{name}");
    }
}
