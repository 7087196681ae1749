//! tanh, LSTM and GRU units, element by element.
//!
//! Gates stand in PyTorch's order: i, f, g, o of an LSTM and r, z, n of a GRU. Every one has an input `a = outer + inner`.

use super::dense::{BackwardStep, DenseCell, ForwardStep};
use super::simd::{Isa, LANES, Lanes, exp};

/// tanh units: `h_t = tanh(a)`.
#[derive(Debug, Default)]
pub struct Tanh;

/// Long short-term memory.
///
/// ```text
/// i, f, o = σ(a)    g = tanh(a)    c_t = f c_{t−1} + i g    h_t = o tanh(c_t)
/// ```
#[derive(Debug, Default)]
pub struct Lstm;

/// Gated recurrent units.
///
/// ```text
/// r, z = σ(a)    n = tanh(outer_n + r inner_n)    h_t = n + z (h_{t−1} − n)
/// ```
#[derive(Debug, Default)]
pub struct Gru;

/// `1 / (1 + exp(−x))`.
#[inline(always)]
fn sigmoid<I: Isa, const N: usize>(isa: I, x: [I::Block; N]) -> [I::Block; N] {
    let (zero, one) = (isa.splat(0.0), isa.splat(1.0));
    let e = exp(isa, x.map(|x| isa.sub(zero, x)));
    e.map(|e| isa.div(one, isa.add(one, e)))
}

/// `1 − 2 / (1 + exp(2x))`.
#[inline(always)]
fn tanh<I: Isa, const N: usize>(isa: I, x: [I::Block; N]) -> [I::Block; N] {
    let (one, two) = (isa.splat(1.0), isa.splat(2.0));
    let e = exp(isa, x.map(|x| isa.add(x, x)));
    e.map(|e| isa.sub(one, isa.div(two, isa.add(one, e))))
}

/// `g s (1 − s)`: the gradient of a sigmoid's input, from that of its value s.
#[inline(always)]
fn through_sigmoid<I: Isa>(isa: I, g: I::Block, s: I::Block) -> I::Block {
    isa.mul(g, isa.sub_mul(s, s, s))
}

/// `g (1 − t²)`: the same of a tanh.
#[inline(always)]
fn through_tanh<I: Isa>(isa: I, g: I::Block, t: I::Block) -> I::Block {
    isa.mul(g, isa.sub_mul(t, t, isa.splat(1.0)))
}

/// Block `i` of the first `N` planes.
#[inline(always)]
fn read<I: Isa, const N: usize>(isa: I, planes: &[Lanes], i: usize, plane: usize) -> [I::Block; N] {
    std::array::from_fn(|p| isa.load(&planes[p * plane + i]))
}

#[inline(always)]
fn write<I: Isa, const N: usize>(
    isa: I,
    planes: &mut [Lanes],
    i: usize,
    plane: usize,
    values: [I::Block; N],
) {
    for (p, value) in values.into_iter().enumerate() {
        isa.store(value, &mut planes[p * plane + i]);
    }
}

impl DenseCell for Tanh {
    const GATES: usize = 1;
    const KEPT: usize = 0;
    const CARRY: usize = 0;
    const SUMS: usize = 0;
    const DISTINCT: bool = false;

    #[inline(always)]
    fn forward<I: Isa>(&self, isa: I, row: ForwardStep<'_, Lanes>) {
        for ((h, outer), inner) in row.h.iter_mut().zip(row.outer).zip(row.inner) {
            let [value] = tanh(isa, [isa.add(isa.load(outer), isa.load(inner))]);
            isa.store(value, h);
        }
    }

    #[inline(always)]
    fn backward<I: Isa>(&self, isa: I, row: BackwardStep<'_, Lanes>) {
        for ((h, dh), outer) in row.h.iter().zip(row.dh).zip(row.outer) {
            isa.store(through_tanh(isa, isa.load(dh), isa.load(h)), outer);
            *dh = [0.0; LANES];
        }
    }
}

impl DenseCell for Lstm {
    const GATES: usize = 4;
    /// i, f, g, o, c.
    const KEPT: usize = 5;
    /// ∂L/∂c.
    const CARRY: usize = 1;
    const SUMS: usize = 0;
    const DISTINCT: bool = false;

    #[inline(always)]
    fn forward<I: Isa>(&self, isa: I, row: ForwardStep<'_, Lanes>) {
        let plane = row.h.len();
        for b in 0..plane {
            let outer: [_; 4] = read(isa, row.outer, b, plane);
            let inner: [_; 4] = read(isa, row.inner, b, plane);
            let a: [I::Block; 4] = std::array::from_fn(|p| isa.add(outer[p], inner[p]));
            let [i, f, o] = sigmoid(isa, [a[0], a[1], a[3]]);
            let [g] = tanh(isa, [a[2]]);
            let before = isa.load(&row.kept_before[4 * plane + b]);
            let c = isa.mul_add(f, before, isa.mul(i, g));
            let [t] = tanh(isa, [c]);
            isa.store(isa.mul(o, t), &mut row.h[b]);
            write(isa, row.kept, b, plane, [i, f, g, o, c]);
        }
    }

    #[inline(always)]
    fn backward<I: Isa>(&self, isa: I, row: BackwardStep<'_, Lanes>) {
        let plane = row.h.len();
        for b in 0..plane {
            let [i, f, g, o, c] = read(isa, row.kept, b, plane);
            let before = isa.load(&row.kept_before[4 * plane + b]);
            let [t] = tanh(isa, [c]);
            let dh = isa.load(&row.dh[b]);
            let dc = isa.add(isa.load(&row.carry[b]), through_tanh(isa, isa.mul(dh, o), t));
            let gates = [
                through_sigmoid(isa, isa.mul(dc, g), i),
                through_sigmoid(isa, isa.mul(dc, before), f),
                through_tanh(isa, isa.mul(dc, i), g),
                through_sigmoid(isa, isa.mul(dh, t), o),
            ];
            write(isa, row.outer, b, plane, gates);
            isa.store(isa.mul(dc, f), &mut row.carry[b]);
            row.dh[b] = [0.0; LANES];
        }
    }
}

impl DenseCell for Gru {
    const GATES: usize = 3;
    /// r, z, n, inner_n.
    const KEPT: usize = 4;
    const CARRY: usize = 0;
    const SUMS: usize = 0;
    /// r stands between n's two inputs.
    const DISTINCT: bool = true;

    #[inline(always)]
    fn forward<I: Isa>(&self, isa: I, row: ForwardStep<'_, Lanes>) {
        let plane = row.h.len();
        for b in 0..plane {
            let outer: [_; 3] = read(isa, row.outer, b, plane);
            let inner: [_; 3] = read(isa, row.inner, b, plane);
            let a = [0, 1].map(|p| isa.add(outer[p], inner[p]));
            let [r, z] = sigmoid(isa, a);
            let [n] = tanh(isa, [isa.mul_add(r, inner[2], outer[2])]);
            let before = isa.load(&row.h_before[b]);
            isa.store(isa.mul_add(z, isa.sub(before, n), n), &mut row.h[b]);
            write(isa, row.kept, b, plane, [r, z, n, inner[2]]);
        }
    }

    #[inline(always)]
    fn backward<I: Isa>(&self, isa: I, row: BackwardStep<'_, Lanes>) {
        let plane = row.h.len();
        for b in 0..plane {
            let [r, z, n, inner] = read(isa, row.kept, b, plane);
            let before = isa.load(&row.h_before[b]);
            let dh = isa.load(&row.dh[b]);
            // h_t = n (1 − z) + z h_{t−1}
            let da_n = through_tanh(isa, isa.sub_mul(dh, z, dh), n);
            let da_z = through_sigmoid(isa, isa.mul(dh, isa.sub(before, n)), z);
            let da_r = through_sigmoid(isa, isa.mul(da_n, inner), r);
            write(isa, row.outer, b, plane, [da_r, da_z, da_n]);
            write(isa, row.inner, b, plane, [da_r, da_z, isa.mul(da_n, r)]);
            isa.store(isa.mul(dh, z), &mut row.dh[b]);
        }
    }
}
