//! Backpropagation through time of a whole network, a tile of sequences at a time.
//!
//! The loss of a batch is the mean of the losses of its sequences. So a few sequences, a *tile*, can run forward through
//! the network and straight back, before the next ones start: only what the tiles under way need is in memory, most of
//! it in cache, and the array of a whole batch's spikes or gradients never exists. Tiles run in parallel; how sequences
//! are put into tiles, and in which order their gradients are summed, depends on the batch alone. Where sequences are of
//! unequal length, the longest of a batch come first: a tile stops with its first row, and at every step the rows that still
//! run are the first ones.
//!
//! | file | holds |
//! | --- | --- |
//! | `plan.rs` | parameters in the layouts of the kernels |
//! | `tile.rs` | a tile on its way through the network and back |
//! | `encoded.rs` | inputs that a trained threshold turns into spikes |
//! | `decoder.rs` | scores, losses and predictions of a tile |
//! | `gradients.rs` | sums over tiles, and gradients as Burn's optimizers want them |

mod decoder;
mod encoded;
mod gradients;
mod plan;
mod tile;

use crate::class_loss::ClassLoss;
use crate::dataset::{Dataset, UNLABELLED};
use crate::error::{Error, Result};
use crate::learning::Rows;
use crate::lengths::Lengths;
use crate::network::{Network, NetworkConfig};
use crate::pass::Pass;
use crate::readout::ReadoutKind;
use barnowl_engine::{CHUNK, ROWS};
use burn::optim::GradientsParams;
use decoder::Reader;
use plan::{LayerPlan, Parameters};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Mutex;
use tile::{Job, LayerGradients, Stand, Tile};

/// How memory is traded for time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BpttOptions {
    /// Keep the potentials of so many steps only, and the state before every such segment; each segment is computed once
    /// more on the way back. The square root of the number of steps needs the least memory. Gradients are the same, bit
    /// for bit. Rounded up to a multiple of 16. Default: keep those of all steps.
    #[serde(default)]
    pub checkpoint_steps: Option<usize>,
    /// Ends the gradient of the state after every so many steps. Default: not before the first step.
    #[serde(default)]
    pub cut: Option<usize>,
}

/// What a network does on a batch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BatchOutcome {
    /// The mean loss of the sequences.
    pub loss: f64,
    /// The predicted classes: `[T, B]`, time first, or `[B]`; [`UNLABELLED`](crate::dataset::UNLABELLED) after the end of a
    /// sequence.
    pub classes: Vec<u16>,
    /// The predicted numbers, where the answer is numbers: `[T, B, K]`, time first, or `[B, K]`; NaN after the end of a sequence.
    pub values: Vec<f32>,
    /// Spikes per neuron and step, of every hidden layer, without padding.
    pub rates: Vec<f64>,
    /// The same of the readout, if it spikes (and is observed).
    pub readout_rate: Option<f64>,
}

/// Backpropagation through time for networks of one configuration; keeps its memory from batch to batch.
#[derive(Debug)]
pub struct Bptt {
    config: NetworkConfig,
    options: BpttOptions,
    class_loss: Option<ClassLoss>,
    plan: Vec<LayerPlan>,
    tiles: Mutex<Vec<Tile>>,
    gradients: Vec<Vec<LayerGradients>>,
    /// Where each tile stands, by group.
    stands: Vec<Vec<Stand>>,
}

/// The most sums of gradients that are kept side by side.
const GROUPS: usize = 16;

/// What a group of tiles has found.
#[derive(Default)]
struct Found {
    loss: f64,
    spikes: Vec<u64>,
    /// The first row of every tile, its rows, and their classes or numbers.
    answers: Vec<(usize, usize, Vec<u16>, Vec<f32>)>,
}

impl Bptt {
    /// For networks of this configuration.
    ///
    /// # Errors
    ///
    /// If the configuration is not valid, or is not [fused](NetworkConfig::is_fused): bidirectional layers, cells that
    /// do not spike and dense readouts are run by [`Network::forward`] only.
    pub fn new(config: &NetworkConfig, options: BpttOptions) -> Result<Self> {
        config.validate("network")?;
        if let Some(layer) = config.layers.iter().position(|layer| layer.bidirectional) {
            return Err(Error::setting(format!("network.layers.{layer}.bidirectional"), true)
                .expected("false: Bptt reads sequences in one direction"));
        }
        if let Some(layer) = config.layers.iter().position(|layer| !layer.cell.is_spiking()) {
            let cell = config.layers[layer].cell;
            return Err(Error::setting(format!("network.layers.{layer}.cell"), cell)
                .expected("alif: Bptt runs spiking neurons"));
        }
        if config.readout.kind == ReadoutKind::Dense {
            return Err(Error::setting("network.readout.kind", "dense")
                .expected("leaky_integrator or alif: Bptt runs readouts of neurons"));
        }
        if options.checkpoint_steps == Some(0) {
            return Err(Error::setting("checkpoint_steps", 0).expected("1 or more"));
        }
        if options.cut == Some(0) {
            return Err(Error::setting("cut", 0).expected("1 or more"));
        }
        Ok(Self {
            plan: LayerPlan::of(config),
            config: config.clone(),
            options,
            class_loss: None,
            tiles: Mutex::new(Vec::new()),
            gradients: Vec::new(),
            stands: Vec::new(),
        })
    }

    /// Weighs the loss of classes that is trained on; without it, and in [`evaluate`](Self::evaluate), it is the plain
    /// cross-entropy.
    pub fn set_class_loss(&mut self, loss: Option<ClassLoss>) {
        self.class_loss = loss;
    }

    /// Runs a network over the sequences `indices` of a data set, without gradients. `pass` says where random initial
    /// states come from.
    ///
    /// # Panics
    ///
    /// If the network is not of the configuration, the data set not of its channels, classes or kind of targets, or an
    /// index out of range.
    pub fn evaluate(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
    ) -> BatchOutcome {
        let sequences = Sequences::of(&self.config, &self.plan, data, indices, pass);
        sequences.filled(self.run(network, &sequences, sequences.whole(), false, false))
    }

    /// Runs a network over the sequences `indices` of a data set, and returns the gradient of their mean loss for every
    /// parameter that is trained.
    ///
    /// # Panics
    ///
    /// As [`Bptt::evaluate`].
    pub fn gradients(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
    ) -> (BatchOutcome, GradientsParams) {
        let sequences = Sequences::of(&self.config, &self.plan, data, indices, pass);
        let outcome = self.run(network, &sequences, sequences.whole(), true, false);
        let count = groups(indices.len());
        let gradients = gradients::collect(network, &self.plan, &self.gradients[..count]);
        (sequences.filled(outcome), gradients)
    }

    /// Truncated backpropagation: runs a network over the sequences `indices` of a data set, `window` steps at a time, and
    /// hands the gradient of each window to `update`, which returns the network that goes on from there.
    ///
    /// The state goes from window to window, its gradient does not. The loss of a window is that of its steps, or, of one
    /// class a sequence, that of the score over all steps so far; sequences that have ended keep their loss, and give no
    /// gradient. Windows of which no step counts leave the network as it is.
    ///
    /// # Errors
    ///
    /// That of `update`: nothing is run after it.
    ///
    /// # Panics
    ///
    /// As [`Bptt::evaluate`], and if a window has no steps.
    pub fn windows(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
        window: usize,
        mut update: impl FnMut(&Network, &BatchOutcome, GradientsParams) -> Result<Network>,
    ) -> Result<(BatchOutcome, Network)> {
        let sequences = Sequences::of(&self.config, &self.plan, data, indices, pass);
        let (decoder, count) = (self.config.decode, groups(indices.len()));
        let (steps, lengths) = (sequences.whole().end, sequences.lengths());
        let (mut network, mut whole) = (network.clone(), BatchOutcome::default());
        for start in (0..steps).step_by(window) {
            let end = steps.min(start + window);
            let train = decoder.counts(&(start..end), lengths);
            let outcome = self.run(&network, &sequences, start..end, train, true);
            if train {
                let gradients = gradients::collect(&network, &self.plan, &self.gradients[..count]);
                network = update(&network, &outcome, gradients)?;
            }
            let share = lengths.within(&(start..end)) as f64 / lengths.within(&(0..steps)) as f64;
            whole.add(outcome, share, decoder.is_per_step());
        }
        Ok((sequences.filled(whole), network))
    }

    /// Runs a window of time. `carry` if it is one of several: it goes on where the one before ended.
    fn run(
        &mut self,
        network: &Network,
        sequences: &Sequences<'_>,
        window: Range<usize>,
        train: bool,
        carry: bool,
    ) -> BatchOutcome {
        let Sequences { data, indices, factors, rows: batch_rows, initial, .. } = sequences;
        let (config, batch) = (&self.config, indices.len());
        let decoder = config.decode;
        let threshold = network.encoder.as_ref().map(plan::threshold);
        let dense = data.inputs().is_real() && threshold.is_none();
        let flows_back = threshold.is_some();
        self.plan
            .par_iter_mut()
            .zip(Parameters::of(network).collect::<Vec<_>>())
            .enumerate()
            .for_each(|(place, (layer, parameters))| {
                let first = place == 0;
                layer.load(parameters, dense && first, first && !flows_back, train);
            });
        let readout = &self.plan[self.plan.len() - 1];
        let class_loss = self.class_loss.as_ref().filter(|_| train);
        let reader = |first: usize, rows: usize| {
            let lengths = batch_rows.lengths.as_deref().map(|all| &all[first..first + rows]);
            let longest = lengths.map_or(batch_rows.steps, |lengths| lengths[0]);
            Reader {
                decoder,
                classes: readout.neurons,
                width: readout.width,
                lengths,
                steps: batch_rows.steps,
                window: window.start..window.end.min(longest).max(window.start),
                rows,
                first,
                batch,
                targets: &batch_rows.targets,
                values: &batch_rows.values,
                class_loss,
            }
        };
        // Without a way back, nothing is kept beyond a chunk.
        let segment = match (train, self.options.checkpoint_steps) {
            (false, _) => CHUNK,
            (true, None) => window.len().next_multiple_of(CHUNK),
            (true, Some(steps)) => steps.next_multiple_of(CHUNK),
        };
        let groups = groups(batch);
        self.gradients.resize_with(self.gradients.len().max(groups), Vec::new);
        self.stands.resize_with(self.stands.len().max(groups), Vec::new);
        let cut = self.options.cut.unwrap_or(usize::MAX);
        let (plan, tiles) = (&self.plan, &self.tiles);
        let surrogate = config.surrogate.surrogate();
        let (rows, count) = (rows(batch), tile_count(batch));
        let run_group =
            |group: usize, gradients: &mut Vec<LayerGradients>, stands: &mut Vec<Stand>| {
                let mut tile = pop(tiles);
                let mut found = Found { spikes: vec![0; plan.len()], ..Found::default() };
                if train {
                    gradients.resize_with(plan.len(), LayerGradients::default);
                    gradients.iter_mut().zip(plan).for_each(|(to, layer)| to.reset(layer));
                }
                let tiles_of = group * count / groups..(group + 1) * count / groups;
                if carry {
                    stands.resize_with(tiles_of.len(), Stand::default);
                }
                for (place, index) in tiles_of.enumerate() {
                    let first = index * rows;
                    let rows = rows.min(batch - first);
                    let job = Job {
                        plan,
                        data,
                        factors: factors.as_deref(),
                        indices: &indices[first..first + rows],
                        reader: reader(first, rows),
                        surrogate,
                        threshold,
                        initial,
                        segment,
                        cut,
                        train,
                    };
                    tile.run(&job, gradients, stands.get_mut(place).filter(|_| carry));
                    found.loss += tile.readings.loss;
                    found.spikes.iter_mut().zip(&tile.spikes).for_each(|(sum, n)| *sum += n);
                    let (classes, values) = (&tile.readings.classes, &tile.readings.values);
                    found.answers.push((first, rows, classes.clone(), values.clone()));
                }
                push(tiles, tile);
                found
            };
        let groups = self.gradients[..groups].par_iter_mut().zip(&mut self.stands[..groups]);
        let found: Vec<Found> = groups
            .enumerate()
            .map(|(group, (gradients, stands))| run_group(group, gradients, stands))
            .collect();
        outcome(&self.plan, &found, &window, sequences)
    }
}

/// What a run works on, the same for all windows of it.
struct Sequences<'a> {
    data: &'a Dataset,
    /// The longest sequences first.
    indices: Vec<usize>,
    /// The place of each in the batch.
    places: Vec<usize>,
    /// What the inputs of each channel are multiplied by, if by anything.
    factors: Option<Vec<f32>>,
    rows: Rows,
    /// The membrane potentials before the first step, `[B, neurons]` for every layer that does not start at zero.
    initial: Vec<Option<Vec<f32>>>,
}

impl<'a> Sequences<'a> {
    fn of(
        config: &NetworkConfig,
        plan: &[LayerPlan],
        data: &'a Dataset,
        given: &[usize],
        pass: Pass<'_>,
    ) -> Self {
        let mut places: Vec<usize> = (0..given.len()).collect();
        places.sort_by_key(|place| std::cmp::Reverse(data.length(given[*place])));
        let indices: Vec<usize> = places.iter().map(|place| given[*place]).collect();
        let rows = Rows::of(config, data, &indices);
        let pass = Pass { sequences: Some(&indices), ..pass };
        let draw = |layer: &LayerPlan| {
            pass.membrane(layer.initial, layer.stream, [indices.len(), layer.neurons])
        };
        Self {
            data,
            factors: data.batch_factors(given),
            initial: plan.iter().map(draw).collect(),
            rows,
            places,
            indices,
        }
    }

    /// All steps of the longest sequence.
    fn whole(&self) -> Range<usize> {
        0..self.rows.steps
    }

    fn lengths(&self) -> Lengths<'_> {
        self.rows.lengths(self.indices.len())
    }

    /// The outcome with answers per step up to T of the data set, where no sequence reaches it.
    fn filled(&self, mut outcome: BatchOutcome) -> BatchOutcome {
        if self.data.targets().is_per_step() {
            let entries = self.data.steps() * self.indices.len();
            match self.data.targets().is_real() {
                true => outcome.values.resize(entries * self.data.class_names().len(), f32::NAN),
                false => outcome.classes.resize(entries, UNLABELLED),
            }
        }
        outcome
    }
}

impl BatchOutcome {
    /// Adds a window that is so large a share of the sequence.
    pub(super) fn add(&mut self, window: Self, share: f64, per_step: bool) {
        self.rates.resize(window.rates.len(), 0.0);
        self.rates.iter_mut().zip(&window.rates).for_each(|(sum, rate)| *sum += rate * share);
        if let Some(rate) = window.readout_rate {
            *self.readout_rate.get_or_insert(0.0) += rate * share;
        }
        if per_step {
            self.loss += window.loss;
            self.classes.extend(window.classes);
            self.values.extend(window.values);
        } else {
            (self.loss, self.classes) = (window.loss, window.classes);
            self.values = window.values;
        }
    }
}

/// Rows of a tile: by the batch alone, never by the number of threads.
fn rows(batch: usize) -> usize {
    batch.div_ceil(ROWS / 2).clamp(1, ROWS)
}

fn tile_count(batch: usize) -> usize {
    batch.div_ceil(rows(batch))
}

fn groups(batch: usize) -> usize {
    tile_count(batch).min(GROUPS)
}

/// A tile's arrays that no one is using; those of a thread that panicked are as good as any, since every run sets them.
fn pop(tiles: &Mutex<Vec<Tile>>) -> Tile {
    let mut tiles = tiles.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    tiles.pop().unwrap_or_default()
}

fn push(tiles: &Mutex<Vec<Tile>>, tile: Tile) {
    tiles.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(tile);
}

/// Puts together what the groups have found, in their order.
fn outcome(
    plan: &[LayerPlan],
    found: &[Found],
    window: &Range<usize>,
    sequences: &Sequences<'_>,
) -> BatchOutcome {
    let (lengths, batch) = (sequences.lengths(), sequences.indices.len());
    let per_step = sequences.data.targets().is_per_step();
    let answers = if per_step { window.len() } else { 1 };
    let (is_real, outputs) = (sequences.data.targets().is_real(), plan[plan.len() - 1].neurons);
    let mut classes = vec![UNLABELLED; if is_real { 0 } else { answers * batch }];
    let mut values = vec![f32::NAN; if is_real { answers * batch * outputs } else { 0 }];
    for (first, rows, of_classes, of_values) in found.iter().flat_map(|found| &found.answers) {
        let steps = of_classes.len().max(of_values.len() / outputs) / rows;
        for (t, row) in (0..steps).flat_map(|t| (0..*rows).map(move |row| (t, row))) {
            if per_step && window.start + t >= lengths.row(first + row) {
                continue;
            }
            let (from, to) = (t * rows + row, t * batch + sequences.places[first + row]);
            match is_real {
                true => values[to * outputs..(to + 1) * outputs]
                    .copy_from_slice(&of_values[from * outputs..(from + 1) * outputs]),
                false => classes[to] = of_classes[from],
            }
        }
    }
    let steps = lengths.within(window);
    let rate = |(place, layer): (usize, &LayerPlan)| {
        let spikes: u64 = found.iter().map(|found| found.spikes[place]).sum();
        spikes as f64 / (steps * layer.neurons) as f64
    };
    let mut rates: Vec<f64> = plan.iter().enumerate().map(rate).collect();
    let readout = rates.pop().filter(|_| plan[plan.len() - 1].shape().spiking);
    BatchOutcome {
        loss: found.iter().map(|found| found.loss).sum::<f64>() / batch as f64,
        classes,
        values,
        rates,
        readout_rate: readout,
    }
}
