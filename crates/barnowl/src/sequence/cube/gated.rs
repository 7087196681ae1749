//! Kernels of tanh, LSTM and GRU cells: as in `alif.rs`, one launch runs a layer through all of time, and a cube owns one
//! sequence.

use super::super::GatedCell;
use super::launch::UNROLLED;
use cubecl::prelude::*;

/// What a kernel is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Layout {
    /// H.
    pub(super) neurons: usize,
    /// Units of a cube.
    pub(super) units: usize,
    /// Cells of a unit, `units` apart.
    pub(super) columns: usize,
    /// Which cell.
    pub(super) kind: Kind,
    /// Whether the backward pass is to follow.
    pub(super) trace: bool,
}

/// [`GatedCell`], as a kernel's constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Tanh,
    Lstm,
    Gru,
}

impl Kind {
    pub(super) fn of(cell: GatedCell) -> Self {
        match cell {
            GatedCell::Tanh => Self::Tanh,
            GatedCell::Lstm => Self::Lstm,
            GatedCell::Gru => Self::Gru,
        }
    }

    /// G.
    fn gates(self) -> usize {
        match self {
            Self::Tanh => 1,
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }

    /// The planes `[T, B, H]` of the trace: of tanh h; of LSTM i, f, g, o, c, h; of GRU r, z, n, U_n h + b_n, h.
    pub(super) fn planes(self) -> usize {
        match self {
            Self::Tanh => 1,
            Self::Gru => 5,
            Self::Lstm => 6,
        }
    }

    /// Whether W x and U h + b have gradients of their own.
    pub(super) fn is_distinct(self) -> bool {
        self == Self::Gru
    }
}

#[cube]
fn sigmoid(a: f32) -> f32 {
    1.0f32 / (1.0f32 + f32::exp(-a))
}

/// tanh whose exponential does not overflow.
#[cube]
fn tanh(a: f32) -> f32 {
    let e = f32::exp(-2.0f32 * f32::abs(a));
    let mut t = (1.0f32 - e) / (1.0f32 + e);
    if a < 0.0f32 {
        t = -t;
    }
    t
}

/// The equations of [`gated_sequence`](super::super::gated_sequence).
///
/// `current` `[T, B, G · H]`; `weights` `[H, G · H]`; `bias` `[G · H]`; `output` `[T, B, H]`; `trace` as
/// [`Kind::planes`] says.
#[cube(launch)]
pub(super) fn forward(
    current: &[f32],
    weights: &[f32],
    bias: &[f32],
    output: &mut [f32],
    trace: &mut [f32],
    steps: u32,
    batch: u32,
    #[comptime] layout: Layout,
) {
    let neurons = comptime!(layout.neurons);
    let units = comptime!(layout.units);
    let columns = comptime!(layout.columns);
    let gates = comptime!(layout.kind.gates());
    let wide = comptime!(neurons * layout.kind.gates());
    let steps = steps as usize;
    let span = batch as usize * neurons;
    let size = steps * span;
    let row = CUBE_POS_X as usize;
    let unit = UNIT_POS_X as usize;

    // h of the step before and of this one.
    let mut shared = Shared::<[f32]>::new_slice(comptime!(2 * neurons));
    let mut at = unit;
    while at < comptime!(2 * neurons) {
        shared[at] = 0.0f32;
        at += units;
    }
    sync_cube();
    let mut c = Array::<f32>::new(columns);
    #[unroll]
    for k in 0..columns {
        c[k] = 0.0f32;
    }
    let mut inner = Array::<f32>::new(gates);
    let mut outer = Array::<f32>::new(gates);

    for t in 0..steps {
        let before = (t % 2) * neurons;
        let now = ((t + 1) % 2) * neurons;
        #[unroll]
        for k in 0..columns {
            let column = unit + k * units;
            if column < neurons {
                #[unroll]
                for g in 0..gates {
                    inner[g] = bias[g * neurons + column];
                    outer[g] = current[(t * batch as usize + row) * wide + g * neurons + column];
                }
                for part in 0..comptime!(neurons.div_ceil(UNROLLED)) {
                    #[unroll]
                    for q in 0..UNROLLED {
                        let j = part * UNROLLED + q;
                        if j < neurons {
                            let h = shared[before + j];
                            #[unroll]
                            for g in 0..gates {
                                inner[g] += h * weights[j * wide + g * neurons + column];
                            }
                        }
                    }
                }
                let at = t * span + row * neurons + column;
                let h = if comptime!(layout.kind == Kind::Tanh) {
                    let h = tanh(outer[0] + inner[0]);
                    if comptime!(layout.trace) {
                        trace[at] = h;
                    }
                    h
                } else if comptime!(layout.kind == Kind::Lstm) {
                    let i = sigmoid(outer[0] + inner[0]);
                    let f = sigmoid(outer[1] + inner[1]);
                    let n = tanh(outer[2] + inner[2]);
                    let o = sigmoid(outer[3] + inner[3]);
                    c[k] = f * c[k] + i * n;
                    let h = o * tanh(c[k]);
                    if comptime!(layout.trace) {
                        trace[at] = i;
                        trace[size + at] = f;
                        trace[2 * size + at] = n;
                        trace[3 * size + at] = o;
                        trace[4 * size + at] = c[k];
                        trace[5 * size + at] = h;
                    }
                    h
                } else {
                    let r = sigmoid(outer[0] + inner[0]);
                    let z = sigmoid(outer[1] + inner[1]);
                    let n = tanh(outer[2] + r * inner[2]);
                    let h = n + z * (shared[before + column] - n);
                    if comptime!(layout.trace) {
                        trace[at] = r;
                        trace[size + at] = z;
                        trace[2 * size + at] = n;
                        trace[3 * size + at] = inner[2];
                        trace[4 * size + at] = h;
                    }
                    h
                };
                output[at] = h;
                shared[now + column] = h;
            }
        }
        sync_cube();
    }
}

/// The way back. `transposed` `[G · H, H]`; `found`: the gradient of W x `[T, B, G · H]`, then, where it
/// [differs](Kind::is_distinct), that of U h + b, then h_{t−1} `[T, B, H]`.
#[cube(launch)]
pub(super) fn backward(
    gradient: &[f32],
    transposed: &[f32],
    trace: &[f32],
    found: &mut [f32],
    steps: u32,
    batch: u32,
    #[comptime] layout: Layout,
) {
    let neurons = comptime!(layout.neurons);
    let units = comptime!(layout.units);
    let columns = comptime!(layout.columns);
    let gates = comptime!(layout.kind.gates());
    let wide = comptime!(neurons * layout.kind.gates());
    let steps = steps as usize;
    let batch = batch as usize;
    let span = batch * neurons;
    let size = steps * span;
    let row = CUBE_POS_X as usize;
    let unit = UNIT_POS_X as usize;
    // Where h_{t−1} begins.
    let previous = size * comptime!(gates * if layout.kind.is_distinct() { 2 } else { 1 });

    let mut shared = Shared::<[f32]>::new_slice(comptime!(2 * wide));
    // ∂L/∂h and ∂L/∂c from the step after.
    let mut carry_h = Array::<f32>::new(columns);
    let mut carry_c = Array::<f32>::new(columns);
    #[unroll]
    for k in 0..columns {
        carry_h[k] = 0.0f32;
        carry_c[k] = 0.0f32;
    }
    let mut outer = Array::<f32>::new(gates);
    let mut inner = Array::<f32>::new(gates);

    for back in 0..steps {
        let t = steps - 1 - back;
        let buffer = (back % 2) * wide;
        #[unroll]
        for k in 0..columns {
            let column = unit + k * units;
            if column < neurons {
                let at = t * span + row * neurons + column;
                let last = comptime!(layout.kind.planes() - 1) * size;
                let dh = gradient[at] + carry_h[k];
                let mut h_before = 0.0f32;
                if t > 0 {
                    h_before = trace[last + at - span];
                }
                carry_h[k] = 0.0f32;
                if comptime!(layout.kind == Kind::Tanh) {
                    let h = trace[at];
                    outer[0] = dh * (1.0f32 - h * h);
                    inner[0] = outer[0];
                } else if comptime!(layout.kind == Kind::Lstm) {
                    let i = trace[at];
                    let f = trace[size + at];
                    let n = trace[2 * size + at];
                    let o = trace[3 * size + at];
                    let tc = tanh(trace[4 * size + at]);
                    let mut c_before = 0.0f32;
                    if t > 0 {
                        c_before = trace[4 * size + at - span];
                    }
                    let dc = carry_c[k] + dh * o * (1.0f32 - tc * tc);
                    outer[0] = dc * n * i * (1.0f32 - i);
                    outer[1] = dc * c_before * f * (1.0f32 - f);
                    outer[2] = dc * i * (1.0f32 - n * n);
                    outer[3] = dh * tc * o * (1.0f32 - o);
                    carry_c[k] = dc * f;
                    #[unroll]
                    for g in 0..gates {
                        inner[g] = outer[g];
                    }
                } else {
                    let r = trace[at];
                    let z = trace[size + at];
                    let n = trace[2 * size + at];
                    let inner_n = trace[3 * size + at];
                    let da_n = dh * (1.0f32 - z) * (1.0f32 - n * n);
                    outer[0] = da_n * inner_n * r * (1.0f32 - r);
                    outer[1] = dh * (h_before - n) * z * (1.0f32 - z);
                    outer[2] = da_n;
                    inner[0] = outer[0];
                    inner[1] = outer[1];
                    inner[2] = da_n * r;
                    carry_h[k] = dh * z;
                }
                #[unroll]
                for g in 0..gates {
                    let to = (t * batch + row) * wide + g * neurons + column;
                    found[to] = outer[g];
                    if comptime!(layout.kind.is_distinct()) {
                        found[size * gates + to] = inner[g];
                    }
                    shared[buffer + g * neurons + column] = inner[g];
                }
                found[previous + at] = h_before;
            }
        }
        sync_cube();
        #[unroll]
        for k in 0..columns {
            let column = unit + k * units;
            if column < neurons {
                for part in 0..comptime!(wide.div_ceil(UNROLLED)) {
                    #[unroll]
                    for q in 0..UNROLLED {
                        let j = part * UNROLLED + q;
                        if j < wide {
                            carry_h[k] += shared[buffer + j] * transposed[j * neurons + column];
                        }
                    }
                }
            }
        }
    }
}
