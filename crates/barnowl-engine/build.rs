//! Writes the steps of the built-in neurons as Rust, from their equations: see `src/compiled.rs`.

use barnowl_model::{Binary, Instruction, Kernels, Operation, Program, Unary, Value};
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let mut text = String::new();
    let mut list = String::new();
    for name in barnowl_model::built_in_names() {
        let model = barnowl_model::built_in(&name).expect("it is tested");
        let trained: Vec<bool> = model.parameters().iter().map(|p| p.trained).collect();
        let [all, usual] =
            [vec![true; trained.len()], trained].map(|trained| Kernels::new(&model, &trained));
        let states = model.states().len();
        let word = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let parts = [
            ("forward", &all.forward, all.forward.outputs().len()),
            ("replay", &all.replay, states + all.spikes),
            ("backward", &all.backward, all.written),
            ("backward_usual", &usual.backward, usual.written),
        ];
        for (part, program, written) in parts {
            let name = format!("{word}_{part}");
            function(&mut text, &name, program, written, all.constant_inputs.clone());
        }
        writeln!(
            list,
            "        {name:?} => Some(CompiledKernels {{ forward: {word}_forward, replay: {word}_replay, \
             backward: {word}_backward, backward_usual: {word}_backward_usual }}),"
        )
        .expect("a string can be written");
    }
    write!(
        text,
        "/// What was compiled of the built-in model of this name.\n\
         pub(crate) fn find(name: &str) -> Option<CompiledKernels> {{\n    match name {{\n{list}        _ => None,\n    }}\n}}\n"
    )
    .expect("a string can be written");
    let out = env::var("OUT_DIR").expect("cargo sets the folder for what is generated");
    fs::write(Path::new(&out).join("compiled.rs"), text).expect("the file can be written");
}

/// Writes a program as a function over planes: column by column, its constants and sums in registers while the rows go by.
fn function(
    text: &mut String,
    name: &str,
    program: &Program,
    written: usize,
    constants: Range<usize>,
) {
    let places = program.places(written);
    let (inputs, outputs) = (program.inputs(), program.outputs().len());
    let read = |value: Value| match value {
        Value::Input(number) if constants.contains(&number) => format!("c{number}"),
        Value::Input(number) => format!("isa.load(&*places[{number}].add(i))"),
        Value::Number(x) => format!("isa.splat(f32::from_bits({:#010x}))", x.to_bits()),
        Value::Computed(id) => format!("v{}", id.index()),
        Value::Output(_) => unreachable!("no operand is an output"),
    };
    let store = |number: usize, value: &str| {
        format!("isa.store({value}, &mut *places[{}].add(i));", inputs + number)
    };
    let mut body = String::new();
    for Instruction { operation, to, operands } in program.instructions(written) {
        let operands: Vec<String> = operands.into_iter().map(read).collect();
        if let (Operation::Sum, Value::Output(number)) = (operation, to) {
            line(&mut body, &format!("s{number} = isa.add(s{number}, {});", operands[0]));
            continue;
        }
        let result = expression(operation, &operands);
        match to {
            Value::Computed(id) => {
                line(&mut body, &format!("let v{} = {result};", id.index()));
                if let Some(number) = places.iter().position(|place| *place == Some(id)) {
                    line(&mut body, &store(number, &format!("v{}", id.index())));
                }
            }
            Value::Output(number) => line(&mut body, &store(number, &result)),
            Value::Input(_) | Value::Number(_) => unreachable!("nothing is written to these"),
        }
    }
    let (mut before, mut after) = (String::new(), String::new());
    for number in constants {
        line(&mut before, &format!("let c{number} = isa.load(&*places[{number}].add(n));"));
    }
    for number in written..outputs {
        let place = inputs + number;
        line(&mut before, &format!("let mut s{number} = isa.load(&*places[{place}].add(n));"));
        line(&mut after, &format!("isa.store(s{number}, &mut *places[{place}].add(n));"));
    }
    writeln!(
        text,
        "dispatch! {{\n    fn {name}(places: &[*mut Lanes], rows: usize, stride: usize) = {name}_kernel\n}}\n\n\
         #[inline(always)]\n#[allow(unused_variables, clippy::all, reason = \"generated\")]\n\
         fn {name}_kernel<I: Isa>(isa: I, places: &[*mut Lanes], rows: usize, stride: usize) {{\n    \
         let places: &[*mut Lanes; {count}] = places.first_chunk().expect(\"all planes\");\n    \
         let (zero, one) = (isa.splat(0.0), isa.splat(1.0));\n    \
         for n in 0..stride {{\n        \
         // SAFETY: planes have `rows` times `stride` blocks, constants and sums `stride`; what is written is no one else's.\n        \
         unsafe {{\n{before}            for row in 0..rows {{\n            let i = row * stride + n;\n{body}            }}\n{after}        }}\n    }}\n}}\n",
        count = inputs + outputs,
    )
    .expect("a string can be written");
}

fn line(body: &mut String, text: &str) {
    writeln!(body, "            {text}").expect("a string can be written");
}

/// The same as `run_kernel` in `src/code.rs` does.
fn expression(operation: Operation, x: &[String]) -> String {
    let lanes = |f: &str| format!("each_lane(isa, {}, {f})", x[0]);
    let two = |f: &str| format!("isa.{f}({}, {})", x[0], x[1]);
    let product = || format!("isa.mul({}, {})", x[0], x[1]);
    match operation {
        Operation::Copy | Operation::Unary(Unary::Stop) => x[0].clone(),
        Operation::Unary(Unary::Neg) => lanes("|x| -x"),
        Operation::Unary(Unary::Abs) => lanes("Real::abs"),
        Operation::Unary(Unary::Exp) => lanes("Real::exp"),
        Operation::Unary(Unary::Expm1) => lanes("Real::expm1"),
        Operation::Unary(Unary::Log) => lanes("Real::log"),
        Operation::Unary(Unary::Sqrt) => lanes("Real::sqrt"),
        Operation::Unary(Unary::Tanh) => lanes("Real::tanh"),
        Operation::Unary(Unary::Sigmoid) => lanes("Real::sigmoid"),
        Operation::Unary(Unary::Spike) => {
            format!("isa.add_where(isa.positive({}), zero, one)", x[0])
        }
        Operation::Unary(Unary::Surrogate) => unreachable!("ψ comes from outside"),
        Operation::Sum => unreachable!("written where it is met"),
        Operation::Binary(Binary::Add) => two("add"),
        Operation::Binary(Binary::Sub) => two("sub"),
        Operation::Binary(Binary::Mul) => product(),
        Operation::Binary(Binary::Div) => two("div"),
        Operation::Binary(Binary::Min) => format!("smaller(isa, {}, {})", x[0], x[1]),
        Operation::Binary(Binary::Max) => format!("larger(isa, {}, {})", x[0], x[1]),
        Operation::Binary(Binary::Greater) => {
            format!("isa.add_where(isa.positive({}), zero, one)", two("sub"))
        }
        Operation::ProductPlus => format!("isa.add({}, {})", product(), x[2]),
        Operation::ProductMinus => format!("isa.sub({}, {})", product(), x[2]),
        Operation::MinusProduct => format!("isa.sub({}, {})", x[2], product()),
        Operation::Products => {
            format!("isa.add({}, isa.mul({}, {}))", product(), x[2], x[3])
        }
        Operation::ProductsMinus => {
            format!("isa.sub({}, isa.mul({}, {}))", product(), x[2], x[3])
        }
    }
}
