//! One layer's parameters, one tile's state, and the step that both passes share.

use super::super::AlifArguments;
use super::simd::{Isa, LANES, Lanes, blocks, blocks_mut, padded};
use barnowl_neuron::{Decay, Threshold};
use burn::backend::Flex;

/// The parameters of a layer, padded to whole blocks of lanes. The neurons of the padding stay silent.
pub(super) struct Layer {
    /// H.
    pub(super) neurons: usize,
    /// H rounded up to whole blocks.
    pub(super) width: usize,
    /// α, 1−α, ρ, 1−ρ: `[width]` each.
    pub(super) alpha: Vec<f32>,
    pub(super) leak: Vec<f32>,
    pub(super) rho: Vec<f32>,
    pub(super) gain: Vec<f32>,
    pub(super) threshold: Threshold,
    /// Recurrent weights `[H, width]`, a row per presynaptic neuron.
    pub(super) recurrent: Option<Vec<f32>>,
}

impl Layer {
    /// The layer of an operation's arguments.
    pub(super) fn new(arguments: &AlifArguments<Flex>, neurons: usize) -> Self {
        let width = padded(neurons);
        let decays = |tau: &burn_flex::FlexTensor| {
            let tau = tau.to_contiguous();
            let (mut keep, mut leak) = (vec![0.0; width], vec![0.0; width]);
            for (i, &tau) in tau.storage::<f32>().iter().enumerate() {
                let decay = Decay::from_time_constant(tau, 1.0);
                (keep[i], leak[i]) = (decay.keep, decay.leak);
            }
            (keep, leak)
        };
        let (alpha, leak) = decays(&arguments.tau_m);
        let (rho, gain) = decays(&arguments.tau_adp);
        let recurrent = arguments.recurrent.as_ref().map(|weight| {
            let weight = weight.to_contiguous();
            let mut rows = vec![0.0; neurons * width];
            for (row, weights) in
                rows.chunks_exact_mut(width).zip(weight.storage::<f32>().chunks_exact(neurons))
            {
                row[..neurons].copy_from_slice(weights);
            }
            rows
        });
        Self {
            neurons,
            width,
            alpha,
            leak,
            rho,
            gain,
            threshold: arguments.options.threshold,
            recurrent,
        }
    }
}

/// How the batch is cut into tiles: by the shape alone, never by the number of threads.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    pub(super) steps: usize,
    pub(super) batch: usize,
    pub(super) rows: usize,
}

impl Tiles {
    /// Rows per tile: enough to use each row of weights several times, few enough that a small batch still fills the
    /// cores.
    const MOST_ROWS: usize = 8;

    pub(super) fn new(steps: usize, batch: usize) -> Self {
        let rows = batch.div_ceil(8).clamp(1, Self::MOST_ROWS);
        Self { steps, batch, rows }
    }

    pub(super) fn count(&self) -> usize {
        self.batch.div_ceil(self.rows)
    }

    /// First row and number of rows of a tile.
    pub(super) fn range(&self, tile: usize) -> (usize, usize) {
        let first = tile * self.rows;
        (first, self.rows.min(self.batch - first))
    }
}

/// Steps of a chunk: the backward pass holds this many steps of a tile's potentials in cache at a time.
pub(super) const CHUNK: usize = 16;

/// The neurons of one batch row that spiked at the last step.
#[derive(Clone)]
pub(super) struct Spikes {
    indices: Vec<u16>,
    count: usize,
}

impl Spikes {
    pub(super) fn new(width: usize) -> Self {
        assert!(width <= usize::from(u16::MAX), "a layer has at most 65,000 neurons");
        Self { indices: vec![0; width], count: 0 }
    }

    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// Adds the neurons `first + i` for every bit `i` of `mask`.
    #[inline(always)]
    fn push_mask(&mut self, first: usize, mut mask: u16) {
        while mask != 0 {
            // In bounds: there are `width` indices, and each neuron spikes at most once a step.
            self.indices[self.count] = (first + mask.trailing_zeros() as usize) as u16;
            self.count += 1;
            mask &= mask - 1;
        }
    }

    /// The spikes of a row of zeros and ones.
    pub(super) fn read(&mut self, spikes: &[f32]) {
        self.clear();
        for (i, block) in blocks(spikes).iter().enumerate() {
            self.push_mask(i * LANES, mask(block));
        }
    }

    #[inline(always)]
    pub(super) fn as_slice(&self) -> &[u16] {
        &self.indices[..self.count]
    }
}

/// Bit `i` says whether lane `i` is positive.
#[inline(always)]
fn mask(block: &Lanes) -> u16 {
    let mut bits = [0_u16; LANES];
    for i in 0..LANES {
        bits[i] = u16::from(block[i] > 0.0) << i;
    }
    bits.iter().fold(0, |mask, bit| mask | bit)
}

/// u, b, s and the spike lists of a tile: `[rows, width]` each.
pub(super) struct State {
    pub(super) u: Vec<f32>,
    pub(super) b: Vec<f32>,
    pub(super) s: Vec<f32>,
    pub(super) spikes: Vec<Spikes>,
}

impl State {
    /// Row `row`.
    #[inline(always)]
    pub(super) fn row(&self, row: usize, width: usize) -> Row<'_> {
        let at = row * width..(row + 1) * width;
        Row { u: &self.u[at.clone()], b: &self.b[at.clone()], s: &self.s[at] }
    }

    /// Row `row`, to be written.
    #[inline(always)]
    pub(super) fn row_mut(&mut self, row: usize, width: usize) -> RowMut<'_> {
        let at = row * width..(row + 1) * width;
        RowMut {
            u: &mut self.u[at.clone()],
            b: &mut self.b[at.clone()],
            s: &mut self.s[at],
            spikes: &mut self.spikes[row],
        }
    }

    pub(super) fn new(rows: usize, width: usize) -> Self {
        Self {
            u: vec![0.0; rows * width],
            b: vec![0.0; rows * width],
            s: vec![0.0; rows * width],
            spikes: vec![Spikes::new(width); rows],
        }
    }

    /// Reads the rows of a tile from a state `[3, B, H]`.
    pub(super) fn load(&mut self, layer: &Layer, state: &[f32], batch: usize, first: usize) {
        let (neurons, width) = (layer.neurons, layer.width);
        for (part, values) in [&mut self.u, &mut self.b, &mut self.s].into_iter().enumerate() {
            for (row, values) in values.chunks_exact_mut(width).enumerate() {
                let start = (part * batch + first + row) * neurons;
                if row + first < batch {
                    values[..neurons].copy_from_slice(&state[start..start + neurons]);
                }
            }
        }
        for (spikes, s) in self.spikes.iter_mut().zip(self.s.chunks_exact(width)) {
            spikes.read(s);
        }
    }
}

/// `current += Σ_j s_j W_j`: one row of weights per spike, summed in registers.
#[inline(always)]
pub(super) fn gather<I: Isa>(isa: I, weights: &[f32], spikes: &[u16], current: &mut [f32]) {
    let width = current.len();
    let mut column = 0;
    while column + 4 * LANES <= width {
        add_rows::<I, 4>(isa, weights, spikes, column, current);
        column += 4 * LANES;
    }
    match (width - column) / LANES {
        3 => add_rows::<I, 3>(isa, weights, spikes, column, current),
        2 => add_rows::<I, 2>(isa, weights, spikes, column, current),
        1 => add_rows::<I, 1>(isa, weights, spikes, column, current),
        _ => {}
    }
}

#[inline(always)]
fn add_rows<I: Isa, const V: usize>(
    isa: I,
    weights: &[f32],
    spikes: &[u16],
    column: usize,
    current: &mut [f32],
) {
    let width = current.len();
    let current = &mut blocks_mut(&mut current[column..column + V * LANES])[..V];
    let mut sum = [isa.splat(0.0); V];
    for v in 0..V {
        sum[v] = isa.load(&current[v]);
    }
    for &j in spikes {
        let start = usize::from(j) * width + column;
        let row = &blocks(&weights[start..start + V * LANES])[..V];
        for v in 0..V {
            sum[v] = isa.add(sum[v], isa.load(&row[v]));
        }
    }
    for v in 0..V {
        isa.store(sum[v], &mut current[v]);
    }
}

/// u, b and s of one row at one step.
pub(super) struct Row<'a> {
    pub(super) u: &'a [f32],
    pub(super) b: &'a [f32],
    pub(super) s: &'a [f32],
}

/// u, b, s and the list of spikes of one row at the next step.
pub(super) struct RowMut<'a> {
    pub(super) u: &'a mut [f32],
    pub(super) b: &'a mut [f32],
    pub(super) s: &'a mut [f32],
    pub(super) spikes: &'a mut Spikes,
}

/// One step of one row.
///
/// ```text
/// b_t = ρ b_{t−1} + (1−ρ) s_{t−1}
/// θ_t = b0 + β b_t
/// u_t = α u_{t−1} + (1−α) R I_t − θ_t s_{t−1}
/// s_t = 1 if u_t − θ_t > 0 else 0
/// ```
#[inline(always)]
pub(super) fn step_row(layer: &Layer, current: &[f32], before: &Row<'_>, after: RowMut<'_>) {
    let Threshold { b0, beta, resistance } = layer.threshold;
    let count = layer.width / LANES;
    let current = &blocks(current)[..count];
    let alpha = &blocks(&layer.alpha)[..count];
    let leak = &blocks(&layer.leak)[..count];
    let rho = &blocks(&layer.rho)[..count];
    let gain = &blocks(&layer.gain)[..count];
    let u_before = &blocks(before.u)[..count];
    let b_before = &blocks(before.b)[..count];
    let s_before = &blocks(before.s)[..count];
    let u = &mut blocks_mut(after.u)[..count];
    let b = &mut blocks_mut(after.b)[..count];
    let s = &mut blocks_mut(after.s)[..count];
    after.spikes.clear();
    for k in 0..count {
        for i in 0..LANES {
            let spike = s_before[k][i];
            b[k][i] = rho[k][i] * b_before[k][i] + gain[k][i] * spike;
            let theta = b0 + beta * b[k][i];
            u[k][i] = alpha[k][i] * u_before[k][i] + leak[k][i] * (resistance * current[k][i])
                - theta * spike;
            s[k][i] = if u[k][i] - theta > 0.0 { 1.0 } else { 0.0 };
        }
        let mut fired = mask(&s[k]);
        let last = layer.neurons - k * LANES;
        if last < LANES {
            // A threshold of zero or below would make the padding spike.
            fired &= (1 << last) - 1;
        }
        after.spikes.push_mask(k * LANES, fired);
    }
}
