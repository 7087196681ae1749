//! A program of [`barnowl_model`] as the interpreter runs it: instructions over *planes*, a strip of blocks at a time.
//!
//! An instruction is one loop over the strip, so that choosing it costs little; what it computes stays in the nearest
//! cache until the next one reads it. Products that are used once, in a sum, are one instruction with it. Values are kept
//! in as few registers, strips of memory, as their lives allow.

use super::simd::{Isa, LANES, Lanes, dispatch};
use barnowl_model::{Binary, Id, Op, Program, Real, Unary};
use std::marker::PhantomData;

/// Blocks of a strip: enough that the choice of an instruction costs little, few enough that the values of a step stay in
/// the nearest cache.
const STRIP: usize = 16;

/// What an instruction computes of a, b, c and d.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Copy,
    Unary(Unary),
    Binary(Binary),
    /// a · b + c
    ProductPlus,
    /// a · b − c
    ProductMinus,
    /// c − a · b
    MinusProduct,
    /// a · b + c · d
    Products,
    /// a · b − c · d
    ProductsMinus,
}

/// One loop over a strip. Operands are places in the table of a [`Call`].
#[derive(Debug, Clone, Copy)]
struct Instruction {
    operation: Operation,
    to: u16,
    operands: [u16; 4],
}

/// A program as instructions.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    inputs: usize,
    outputs: usize,
    /// Numbers that are operands.
    numbers: Vec<f32>,
    registers: usize,
    instructions: Vec<Instruction>,
    /// Whether products and sums are rounded together where the processor can.
    fused: bool,
}

/// Where a value is while the program is translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Input(usize),
    Number(usize),
    /// Computed by the instruction of this operation.
    Computed(Id),
    /// An output that is added to.
    Output(usize),
}

/// An instruction whose values have no places yet.
struct Step {
    operation: Operation,
    to: Value,
    operands: Vec<Value>,
}

impl Code {
    /// The code of a program whose outputs from `written` on are added to what is there. `fused` if products and sums may
    /// be rounded together, as on the way back.
    pub(crate) fn new(program: &Program, written: usize, fused: bool) -> Self {
        let mut numbers = Vec::new();
        let steps = steps(program, written, &mut numbers);
        let (inputs, outputs) = (program.inputs(), program.outputs().len());
        let mut code =
            Self { inputs, outputs, numbers, registers: 0, instructions: Vec::new(), fused };
        code.place(program, written, &steps);
        code
    }

    /// How many numbers a [`Machine`] needs to work in.
    pub(crate) fn memory(&self) -> usize {
        (self.numbers.len() + self.registers) * STRIP * LANES
    }

    /// Gives every value a place: inputs, outputs, numbers, then registers, each free again after its last use.
    fn place(&mut self, program: &Program, written: usize, steps: &[Step]) {
        let first_register = self.inputs + self.outputs + self.numbers.len();
        let size = program.ops().len();
        let mut last_use = vec![0; size];
        for (at, step) in steps.iter().enumerate() {
            for value in &step.operands {
                if let Value::Computed(id) = value {
                    last_use[id.index()] = at;
                }
            }
        }
        // A value that is an output is computed right there.
        let mut places: Vec<Option<usize>> = vec![None; size];
        let mut held = vec![false; size];
        for (number, id) in program.outputs()[..written].iter().enumerate() {
            let at = &mut places[id.index()];
            if at.is_none() && is_computed(program, *id) {
                *at = Some(self.inputs + number);
                held[id.index()] = true;
            }
        }
        let mut free: Vec<usize> = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let mut operands = [0; 4];
            for (operand, value) in operands.iter_mut().zip(&step.operands) {
                *operand = match *value {
                    Value::Input(number) => number,
                    Value::Output(number) => self.inputs + number,
                    Value::Number(number) => self.inputs + self.outputs + number,
                    Value::Computed(id) => places[id.index()].expect("computed before it is used"),
                } as u16;
            }
            for value in &step.operands {
                let Value::Computed(id) = *value else { continue };
                if last_use[id.index()] == at && !held[id.index()] {
                    // Once, also where it is an operand twice.
                    held[id.index()] = true;
                    free.extend(places[id.index()]);
                }
            }
            let to = match step.to {
                Value::Output(number) => self.inputs + number,
                Value::Computed(id) => *places[id.index()].get_or_insert_with(|| {
                    free.pop().unwrap_or_else(|| {
                        self.registers += 1;
                        first_register + self.registers - 1
                    })
                }),
                Value::Input(_) | Value::Number(_) => unreachable!("nothing is written to these"),
            };
            let operation = step.operation;
            self.instructions.push(Instruction { operation, to: to as u16, operands });
        }
        let all = first_register + self.registers;
        assert!(all <= usize::from(u16::MAX), "a program of {all} values is too long");
    }
}

/// Whether an operation is computed, not an input or a number.
fn is_computed(program: &Program, id: Id) -> bool {
    !matches!(program.ops()[id.index()], Op::Input(_) | Op::Const(_))
}

/// The instructions of a program, products that are used once in a sum together with it.
fn steps(program: &Program, written: usize, numbers: &mut Vec<f32>) -> Vec<Step> {
    let ops = program.ops();
    let mut uses = vec![0; ops.len()];
    for id in ops.iter().flat_map(|op| op.operands()).chain(program.outputs().iter().copied()) {
        uses[id.index()] += 1;
    }
    let product = |id: Id| match ops[id.index()] {
        Op::Binary(Binary::Mul, a, b) if uses[id.index()] == 1 => Some([a, b]),
        _ => None,
    };
    let written_to: Vec<Id> = program.outputs()[..written].to_vec();
    // Products that are part of another instruction.
    let mut merged = vec![false; ops.len()];
    let mut together: Vec<Option<(Operation, Vec<Id>)>> = vec![None; ops.len()];
    for (i, op) in ops.iter().enumerate() {
        let Op::Binary(kind @ (Binary::Add | Binary::Sub), a, b) = *op else { continue };
        let add = kind == Binary::Add;
        let found = match (product(a), product(b)) {
            (Some([w, x]), Some([y, z])) if a != b => {
                merged[a.index()] = true;
                merged[b.index()] = true;
                let operation = if add { Operation::Products } else { Operation::ProductsMinus };
                (operation, vec![w, x, y, z])
            }
            (Some([w, x]), _) if a != b => {
                merged[a.index()] = true;
                let operation = if add { Operation::ProductPlus } else { Operation::ProductMinus };
                (operation, vec![w, x, b])
            }
            (_, Some([y, z])) if a != b => {
                merged[b.index()] = true;
                let operation = if add { Operation::ProductPlus } else { Operation::MinusProduct };
                (operation, vec![y, z, a])
            }
            _ => continue,
        };
        together[i] = Some(found);
    }
    let mut value = |id: Id| match ops[id.index()] {
        Op::Input(number) => Value::Input(number as usize),
        Op::Const(x) => {
            let same = |known: &f32| known.to_bits() == x.to_bits();
            let found = numbers.iter().position(same).unwrap_or_else(|| {
                numbers.push(x);
                numbers.len() - 1
            });
            Value::Number(found)
        }
        _ => Value::Computed(id),
    };
    let mut steps = Vec::new();
    let sum = |steps: &mut Vec<Step>, id: Option<Id>, value: &mut dyn FnMut(Id) -> Value| {
        for (number, output) in program.outputs().iter().enumerate().skip(written) {
            let now = match id {
                Some(id) => *output == id,
                None => !is_computed(program, *output),
            };
            if now {
                let (operation, to) = (Operation::Binary(Binary::Add), Value::Output(number));
                steps.push(Step { operation, to, operands: vec![to, value(*output)] });
            }
        }
    };
    // Inputs that are added to an output as they are.
    sum(&mut steps, None, &mut value);
    for (i, op) in ops.iter().enumerate() {
        let (operation, operands) = match (&together[i], *op) {
            (_, Op::Input(_) | Op::Const(_)) => continue,
            _ if merged[i] => continue,
            (Some((operation, operands)), _) => (*operation, operands.clone()),
            (None, Op::Unary(Unary::Stop, a)) => (Operation::Copy, vec![a]),
            (None, Op::Unary(kind, a)) => (Operation::Unary(kind), vec![a]),
            (None, Op::Binary(kind, a, b)) => (Operation::Binary(kind), vec![a, b]),
        };
        let id = program.id(i);
        let operands = operands.into_iter().map(&mut value).collect();
        steps.push(Step { operation, to: Value::Computed(id), operands });
        sum(&mut steps, Some(id), &mut value);
    }
    // Outputs that are inputs or numbers, or another output as well.
    for (number, id) in written_to.iter().enumerate() {
        if !is_computed(program, *id) || written_to[..number].contains(id) {
            let to = Value::Output(number);
            steps.push(Step { operation: Operation::Copy, to, operands: vec![value(*id)] });
        }
    }
    steps
}

/// Places of one call of a code after another; keeps its memory.
#[derive(Debug)]
pub(crate) struct Machine<'m> {
    places: Vec<*mut Lanes>,
    memory: PhantomData<&'m mut f32>,
}

impl<'m> Machine<'m> {
    /// A machine for one code, which works in `memory`.
    ///
    /// # Panics
    ///
    /// If that is shorter than the code [asks for](Code::memory).
    pub(crate) fn new(code: &Code, memory: &'m mut [f32]) -> Self {
        let size = STRIP * LANES;
        let (memory, _) = memory.split_at_mut(code.memory());
        for (strip, number) in memory.chunks_exact_mut(size).zip(&code.numbers) {
            strip.fill(*number);
        }
        let mut places = vec![std::ptr::null_mut(); code.inputs + code.outputs];
        let strips = memory.chunks_exact_mut(size);
        places.extend(strips.map(|strip| strip.as_mut_ptr().cast::<Lanes>()));
        Self { places, memory: PhantomData }
    }

    /// A call over planes of so many blocks.
    pub(crate) fn call<'a>(&'a mut self, code: &'a Code, blocks: usize) -> Call<'a> {
        Call { code, places: &mut self.places, blocks, inputs: 0, outputs: 0, planes: PhantomData }
    }
}

/// One run of a code: first its inputs in order, then its outputs.
pub(crate) struct Call<'a> {
    code: &'a Code,
    places: &'a mut [*mut Lanes],
    blocks: usize,
    inputs: usize,
    outputs: usize,
    planes: PhantomData<(&'a [f32], &'a mut [f32])>,
}

impl<'a> Call<'a> {
    /// The next input.
    pub(crate) fn input(&mut self, plane: &'a [f32]) {
        assert!(plane.len() >= self.blocks * LANES && self.inputs < self.code.inputs, "an input");
        // Nothing is ever written to an input.
        self.places[self.inputs] = plane.as_ptr().cast_mut().cast();
        self.inputs += 1;
    }

    /// The next inputs, one plane after the other.
    pub(crate) fn inputs(&mut self, planes: &'a [f32]) {
        planes.chunks_exact(self.blocks * LANES).for_each(|plane| self.input(plane));
    }

    /// The next output.
    pub(crate) fn output(&mut self, plane: &'a mut [f32]) {
        assert!(
            plane.len() >= self.blocks * LANES && self.outputs < self.code.outputs,
            "an output"
        );
        self.places[self.code.inputs + self.outputs] = plane.as_mut_ptr().cast();
        self.outputs += 1;
    }

    /// The next outputs, one plane after the other.
    pub(crate) fn outputs(&mut self, planes: &'a mut [f32]) {
        planes.chunks_exact_mut(self.blocks * LANES).for_each(|plane| self.output(plane));
    }

    /// Runs the code.
    pub(crate) fn run(self) {
        let code = self.code;
        assert_eq!((self.inputs, self.outputs), (code.inputs, code.outputs), "all planes");
        run(code, self.places, self.blocks);
    }
}

dispatch! {
    fn run(code: &Code, places: &[*mut Lanes], blocks: usize) = run_kernel
}

#[inline(always)]
fn run_kernel<I: Isa>(isa: I, code: &Code, places: &[*mut Lanes], blocks: usize) {
    let moving = code.inputs + code.outputs;
    for start in (0..blocks).step_by(STRIP) {
        let count = STRIP.min(blocks - start);
        let at = |place: u16| {
            let place = usize::from(place);
            let first = if place < moving { start } else { 0 };
            // SAFETY: planes have `blocks` blocks, and registers `STRIP`.
            unsafe { places[place].add(first) }
        };
        for Instruction { operation, to, operands: [a, b, c, d] } in &code.instructions {
            let to = at(*to);
            let [a, b, c, d] = [a, b, c, d].map(|place| at(*place));
            macro_rules! each {
                (|$($x:ident = $from:ident),+| $result:expr) => {
                    for i in 0..count {
                        // SAFETY: strips of `count` blocks and more. What is read is loaded before anything is written,
                        // and a strip is either another's or the same, block by block.
                        $(let $x = isa.load(unsafe { &*$from.add(i) });)+
                        let result = $result;
                        isa.store(result, unsafe { &mut *to.add(i) });
                    }
                };
            }
            macro_rules! lanes {
                ($f:expr) => {
                    for i in 0..count {
                        // SAFETY: as above.
                        let x: Lanes = unsafe { *a.add(i) };
                        unsafe { *to.add(i) = x.map($f) };
                    }
                };
            }
            let zero = isa.splat(0.0);
            let one = isa.splat(1.0);
            match operation {
                Operation::Copy | Operation::Unary(Unary::Stop) => each!(|x = a| x),
                Operation::Unary(Unary::Neg) => lanes!(|x: f32| -x),
                Operation::Unary(Unary::Abs) => lanes!(Real::abs),
                Operation::Unary(Unary::Exp) => lanes!(Real::exp),
                Operation::Unary(Unary::Expm1) => lanes!(Real::expm1),
                Operation::Unary(Unary::Log) => lanes!(Real::log),
                Operation::Unary(Unary::Sqrt) => lanes!(Real::sqrt),
                Operation::Unary(Unary::Tanh) => lanes!(Real::tanh),
                Operation::Unary(Unary::Sigmoid) => lanes!(Real::sigmoid),
                Operation::Unary(Unary::Spike) => {
                    each!(|x = a| isa.add_where(isa.positive(x), zero, one));
                }
                Operation::Unary(Unary::Surrogate) => unreachable!("ψ comes from outside"),
                Operation::Binary(Binary::Add) => each!(|x = a, y = b| isa.add(x, y)),
                Operation::Binary(Binary::Sub) => each!(|x = a, y = b| isa.sub(x, y)),
                Operation::Binary(Binary::Mul) => each!(|x = a, y = b| isa.mul(x, y)),
                Operation::Binary(Binary::Div) => each!(|x = a, y = b| isa.div(x, y)),
                // Of a number and none, as in the definition: b if it is smaller, else a.
                Operation::Binary(Binary::Min) => {
                    for i in 0..count {
                        // SAFETY: as above.
                        let (x, y): (Lanes, Lanes) = unsafe { (*a.add(i), *b.add(i)) };
                        let smaller = |l: usize| if y[l] < x[l] { y[l] } else { x[l] };
                        unsafe { *to.add(i) = std::array::from_fn(smaller) };
                    }
                }
                Operation::Binary(Binary::Max) => {
                    for i in 0..count {
                        // SAFETY: as above.
                        let (x, y): (Lanes, Lanes) = unsafe { (*a.add(i), *b.add(i)) };
                        let larger = |l: usize| if y[l] > x[l] { y[l] } else { x[l] };
                        unsafe { *to.add(i) = std::array::from_fn(larger) };
                    }
                }
                Operation::Binary(Binary::Greater) => {
                    each!(|x = a, y = b| isa.add_where(isa.positive(isa.sub(x, y)), zero, one));
                }
                Operation::ProductPlus if code.fused => {
                    each!(|x = a, y = b, z = c| isa.mul_add(x, y, z));
                }
                Operation::ProductMinus if code.fused => {
                    each!(|x = a, y = b, z = c| isa.mul_sub(x, y, z));
                }
                Operation::MinusProduct if code.fused => {
                    each!(|x = a, y = b, z = c| isa.sub_mul(x, y, z));
                }
                Operation::Products if code.fused => {
                    each!(|x = a, y = b, z = c, w = d| isa.mul_add(x, y, isa.mul(z, w)));
                }
                Operation::ProductsMinus if code.fused => {
                    each!(|x = a, y = b, z = c, w = d| isa.mul_sub(x, y, isa.mul(z, w)));
                }
                Operation::ProductPlus => {
                    each!(|x = a, y = b, z = c| isa.add(isa.mul(x, y), z));
                }
                Operation::ProductMinus => {
                    each!(|x = a, y = b, z = c| isa.sub(isa.mul(x, y), z));
                }
                Operation::MinusProduct => {
                    each!(|x = a, y = b, z = c| isa.sub(z, isa.mul(x, y)));
                }
                Operation::Products => {
                    each!(|x = a, y = b, z = c, w = d| isa.add(isa.mul(x, y), isa.mul(z, w)));
                }
                Operation::ProductsMinus => {
                    each!(|x = a, y = b, z = c, w = d| isa.sub(isa.mul(x, y), isa.mul(z, w)));
                }
            }
        }
    }
}
