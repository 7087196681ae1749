//! A program of [`barnowl_model`] as the interpreter runs it: instructions over *planes*, a strip of blocks at a time.
//!
//! An instruction is one loop over the strip, so that choosing it costs little; what it computes stays in the nearest
//! cache until the next one reads it. Products that are used once, in a sum, are one instruction with it, each rounded by
//! itself: results depend neither on the processor nor on what else a program computes. Values are kept in as few registers,
//! strips of memory, as their lives allow.

use super::simd::{Isa, LANES, Lanes, dispatch};
use barnowl_model::{Binary, Operation, Program, Real, Unary, Value};
use std::marker::PhantomData;

/// A program over planes of so many rows, of so many blocks each: its inputs and outputs in order.
pub type Compiled = fn(&[*mut Lanes], usize, usize);

/// Blocks of a strip: enough that the choice of an instruction costs little, few enough that the values of a step stay in
/// the nearest cache.
const STRIP: usize = 16;

/// One loop over a strip. Operands are places in the table of a [`Call`].
#[derive(Debug, Clone, Copy)]
struct Instruction {
    operation: Operation,
    to: u16,
    operands: [u16; 4],
}

/// A program as instructions.
#[derive(Debug, Clone)]
pub struct Code {
    inputs: usize,
    /// Outputs, of which the last ones are sums over rows.
    outputs: usize,
    written: usize,
    /// Numbers that are operands.
    numbers: Vec<f32>,
    registers: usize,
    instructions: Vec<Instruction>,
    /// The same, as Rust that was compiled with the library.
    compiled: Option<Compiled>,
}

impl Code {
    /// The code of a program whose outputs from `written` on are added to what is there. `compiled` is the same, if it was
    /// compiled.
    pub fn new(program: &Program, written: usize, compiled: Option<Compiled>) -> Self {
        let (inputs, outputs) = (program.inputs(), program.outputs().len());
        let instructions = Vec::new();
        let (numbers, registers) = (Vec::new(), 0);
        let mut code =
            Self { inputs, outputs, written, numbers, registers, instructions, compiled };
        if compiled.is_none() {
            code.translate(program, written);
        }
        code
    }

    /// How many numbers a [`Machine`] needs to work in.
    pub fn memory(&self) -> usize {
        (self.numbers.len() + self.registers) * STRIP * LANES
    }

    /// Gives every value a place: inputs, outputs, numbers, then registers, each free again after its last use.
    fn translate(&mut self, program: &Program, written: usize) {
        let steps = program.instructions(written);
        for value in steps.iter().flat_map(|step| &step.operands) {
            if let Value::Number(x) = value
                && !self.numbers.iter().any(|known| known.to_bits() == x.to_bits())
            {
                self.numbers.push(*x);
            }
        }
        let first_number = self.inputs + self.outputs;
        let first_register = first_number + self.numbers.len();
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
        for (number, id) in program.places(written).into_iter().enumerate() {
            if let Some(id) = id {
                places[id.index()] = Some(self.inputs + number);
                held[id.index()] = true;
            }
        }
        let mut free: Vec<usize> = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let mut operands = [0; 4];
            for (operand, value) in operands.iter_mut().zip(&step.operands) {
                let place = match *value {
                    Value::Input(number) => Some(number),
                    Value::Output(number) => Some(self.inputs + number),
                    Value::Number(x) => {
                        let mut numbers = self.numbers.iter();
                        let number = numbers.position(|known| known.to_bits() == x.to_bits());
                        number.map(|number| first_number + number)
                    }
                    Value::Computed(id) => places[id.index()],
                };
                *operand = place.expect("computed before it is used") as u16;
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

/// Places of one call of a code after another; keeps its memory.
#[derive(Debug)]
pub struct Machine<'m> {
    code: &'m Code,
    places: Vec<*mut Lanes>,
    memory: PhantomData<&'m mut f32>,
}

impl<'m> Machine<'m> {
    /// A machine for one code, which works in `memory`.
    ///
    /// # Panics
    ///
    /// If that is shorter than the code [asks for](Code::memory).
    pub fn new(code: &'m Code, memory: &'m mut [f32]) -> Self {
        let size = STRIP * LANES;
        let (memory, _) = memory.split_at_mut(code.memory());
        for (strip, number) in memory.chunks_exact_mut(size).zip(&code.numbers) {
            strip.fill(*number);
        }
        let mut places = vec![std::ptr::null_mut(); code.inputs + code.outputs];
        let strips = memory.chunks_exact_mut(size);
        places.extend(strips.map(|strip| strip.as_mut_ptr().cast::<Lanes>()));
        Self { code, places, memory: PhantomData }
    }

    /// A call over planes of so many rows, of so many blocks each.
    pub fn call<'a>(&'a mut self, rows: usize, stride: usize) -> Call<'a> {
        let (code, places, planes) = (self.code, &mut self.places[..], PhantomData);
        Call { code, places, rows, stride, inputs: 0, outputs: 0, planes }
    }
}

/// One run of a code: first its inputs in order, then its outputs.
pub struct Call<'a> {
    code: &'a Code,
    places: &'a mut [*mut Lanes],
    rows: usize,
    /// Blocks of a row.
    stride: usize,
    inputs: usize,
    outputs: usize,
    planes: PhantomData<(&'a [f32], &'a mut [f32])>,
}

impl<'a> Call<'a> {
    /// Numbers of a plane.
    fn plane(&self) -> usize {
        self.rows * self.stride * LANES
    }

    /// The next input.
    pub fn input(&mut self, plane: &'a [f32]) {
        assert!(plane.len() >= self.plane() && self.inputs < self.code.inputs, "an input");
        // Nothing is ever written to an input.
        self.places[self.inputs] = plane.as_ptr().cast_mut().cast();
        self.inputs += 1;
    }

    /// The next inputs, one plane after the other.
    pub fn inputs(&mut self, planes: &'a [f32]) {
        planes.chunks_exact(self.plane()).for_each(|plane| self.input(plane));
    }

    /// The next output.
    pub fn output(&mut self, plane: &'a mut [f32]) {
        assert!(plane.len() >= self.plane() && self.outputs < self.code.written, "an output");
        self.places[self.code.inputs + self.outputs] = plane.as_mut_ptr().cast();
        self.outputs += 1;
    }

    /// The next outputs, one plane after the other.
    pub fn outputs(&mut self, planes: &'a mut [f32]) {
        planes.chunks_exact_mut(self.plane()).for_each(|plane| self.output(plane));
    }

    /// The outputs that are sums over rows, one row after the other.
    pub fn sums(&mut self, rows: &'a mut [f32]) {
        for row in rows.chunks_exact_mut(self.stride * LANES) {
            let is_sum = (self.code.written..self.code.outputs).contains(&self.outputs);
            assert!(is_sum, "a sum");
            self.places[self.code.inputs + self.outputs] = row.as_mut_ptr().cast();
            self.outputs += 1;
        }
    }

    /// Runs the code.
    pub fn run(self) {
        let code = self.code;
        assert_eq!((self.inputs, self.outputs), (code.inputs, code.outputs), "all planes");
        match code.compiled {
            Some(compiled) => compiled(self.places, self.rows, self.stride),
            None => run(code, self.places, self.rows * self.stride, self.stride),
        }
    }
}

/// A function of every lane.
#[inline(always)]
pub(super) fn each_lane<I: Isa>(isa: I, x: I::Block, f: impl Fn(f32) -> f32) -> I::Block {
    let mut lanes: Lanes = [0.0; LANES];
    isa.store(x, &mut lanes);
    isa.load(&lanes.map(f))
}

/// The smaller of each pair; of a number and none, as programs define it: b if it is smaller, else a.
#[inline(always)]
pub(super) fn smaller<I: Isa>(isa: I, a: I::Block, b: I::Block) -> I::Block {
    choose(isa, a, b, |a, b| if b < a { b } else { a })
}

/// The larger of each pair, likewise.
#[inline(always)]
pub(super) fn larger<I: Isa>(isa: I, a: I::Block, b: I::Block) -> I::Block {
    choose(isa, a, b, |a, b| if b > a { b } else { a })
}

#[inline(always)]
fn choose<I: Isa>(isa: I, a: I::Block, b: I::Block, f: impl Fn(f32, f32) -> f32) -> I::Block {
    let (mut x, mut y): (Lanes, Lanes) = ([0.0; LANES], [0.0; LANES]);
    isa.store(a, &mut x);
    isa.store(b, &mut y);
    isa.load(&std::array::from_fn(|lane| f(x[lane], y[lane])))
}

dispatch! {
    fn run(code: &Code, places: &[*mut Lanes], blocks: usize, stride: usize) = run_kernel
}

#[inline(always)]
fn run_kernel<I: Isa>(isa: I, code: &Code, places: &[*mut Lanes], blocks: usize, stride: usize) {
    // Sums have one row, in which each strip finds its columns.
    let moving = code.inputs + code.written;
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
                        unsafe {
                            $(let $x = isa.load(&*$from.add(i));)+
                            isa.store($result, &mut *to.add(i));
                        }
                    }
                };
            }
            let zero = isa.splat(0.0);
            let one = isa.splat(1.0);
            match operation {
                Operation::Copy | Operation::Unary(Unary::Stop) => each!(|x = a| x),
                Operation::Unary(Unary::Neg) => each!(|x = a| each_lane(isa, x, |x| -x)),
                Operation::Unary(Unary::Abs) => each!(|x = a| each_lane(isa, x, Real::abs)),
                Operation::Unary(Unary::Exp) => each!(|x = a| each_lane(isa, x, Real::exp)),
                Operation::Unary(Unary::Expm1) => each!(|x = a| each_lane(isa, x, Real::expm1)),
                Operation::Unary(Unary::Log) => each!(|x = a| each_lane(isa, x, Real::log)),
                Operation::Unary(Unary::Sqrt) => each!(|x = a| each_lane(isa, x, Real::sqrt)),
                Operation::Unary(Unary::Tanh) => each!(|x = a| each_lane(isa, x, Real::tanh)),
                Operation::Unary(Unary::Sigmoid) => each!(|x = a| each_lane(isa, x, Real::sigmoid)),
                Operation::Unary(Unary::Spike) => {
                    each!(|x = a| isa.add_where(isa.positive(x), zero, one));
                }
                Operation::Unary(Unary::Surrogate) => unreachable!("ψ comes from outside"),
                Operation::Sum => {
                    let mut column = start % stride;
                    for i in 0..count {
                        // SAFETY: a strip of `count` blocks and more, and a row of `stride`.
                        let (x, sum) = unsafe { (&*a.add(i), &mut *to.add(column)) };
                        isa.store(isa.add(isa.load(sum), isa.load(x)), sum);
                        column = if column + 1 == stride { 0 } else { column + 1 };
                    }
                }
                Operation::Binary(Binary::Add) => each!(|x = a, y = b| isa.add(x, y)),
                Operation::Binary(Binary::Sub) => each!(|x = a, y = b| isa.sub(x, y)),
                Operation::Binary(Binary::Mul) => each!(|x = a, y = b| isa.mul(x, y)),
                Operation::Binary(Binary::Div) => each!(|x = a, y = b| isa.div(x, y)),
                Operation::Binary(Binary::Min) => each!(|x = a, y = b| smaller(isa, x, y)),
                Operation::Binary(Binary::Max) => each!(|x = a, y = b| larger(isa, x, y)),
                Operation::Binary(Binary::Greater) => {
                    each!(|x = a, y = b| isa.add_where(isa.positive(isa.sub(x, y)), zero, one));
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
