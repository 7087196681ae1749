//! Backpropagation through time of a whole network, a tile of sequences at a time.
//!
//! The loss of a batch is the mean of the losses of its sequences. So a few sequences, a *tile*, can run forward through
//! the network and straight back, before the next ones start: only what the tiles under way need is in memory, most of
//! it in cache, and the array of a whole batch's spikes or gradients never exists. Tiles run in parallel; how sequences
//! are put into tiles, and in which order their gradients are summed, depends on the batch alone.
//!
//! | file | holds |
//! | --- | --- |
//! | `plan.rs` | parameters in the layouts of the kernels |
//! | `tile.rs` | a tile on its way through the network and back |
//! | `decoder.rs` | scores, losses and predictions of a tile |
//! | `gradients.rs` | sums over tiles, and gradients as Burn's optimizers want them |

mod decoder;
mod gradients;
mod plan;
mod tile;

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::kernel::{CHUNK, ROWS};
use crate::layer::Pass;
use crate::network::{Network, NetworkConfig};
use crate::readout::ReadoutKind;
use burn::optim::GradientsParams;
use decoder::Reader;
use plan::{LayerPlan, Parameters};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;
use tile::{Job, LayerGradients, Tile};

/// How memory is traded for time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BpttOptions {
    /// Keep the potentials of so many steps only, and the state before every such segment; each segment is computed once
    /// more on the way back. The square root of the number of steps needs the least memory. Gradients are the same, bit
    /// for bit. Rounded up to a multiple of 16. Default: keep those of all steps.
    #[serde(default)]
    pub checkpoint_steps: Option<usize>,
}

/// What a network does on a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchOutcome {
    /// The mean loss of the sequences.
    pub loss: f64,
    /// The predicted classes: `[T, B]`, time first, or `[B]`.
    pub classes: Vec<u16>,
    /// Spikes per neuron and step, of every hidden layer.
    pub rates: Vec<f64>,
}

/// Backpropagation through time for networks of one configuration; keeps its memory from batch to batch.
#[derive(Debug)]
pub struct Bptt {
    config: NetworkConfig,
    options: BpttOptions,
    plan: Vec<LayerPlan>,
    tiles: Mutex<Vec<Tile>>,
    gradients: Vec<Vec<LayerGradients>>,
}

/// The most sums of gradients that are kept side by side.
const GROUPS: usize = 16;

/// What a group of tiles has found.
#[derive(Default)]
struct Found {
    loss: f64,
    spikes: Vec<u64>,
    /// Classes of every tile, and the tile's rows.
    classes: Vec<(usize, usize, Vec<u16>)>,
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
        Ok(Self {
            plan: LayerPlan::of(config),
            config: config.clone(),
            options,
            tiles: Mutex::new(Vec::new()),
            gradients: Vec::new(),
        })
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
        pass: Pass,
    ) -> BatchOutcome {
        self.run(network, data, indices, pass, false)
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
        pass: Pass,
    ) -> (BatchOutcome, GradientsParams) {
        let outcome = self.run(network, data, indices, pass, true);
        let count = groups(indices.len());
        (outcome, gradients::collect(network, &self.plan, &self.gradients[..count]))
    }

    fn run(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass,
        train: bool,
    ) -> BatchOutcome {
        let (config, batch, steps) = (&self.config, indices.len(), data.steps());
        let decoder = config.decode;
        assert_eq!(data.channels(), config.inputs, "the data have other channels than the network");
        assert_eq!(
            data.targets().is_per_step(),
            decoder.is_per_step(),
            "a decoder per step needs targets per step, and one per sequence per sequence"
        );
        assert!(decoder.skip < steps, "the decoder skips {} of {steps} steps", decoder.skip);
        let dense = data.inputs().is_real();
        self.plan
            .par_iter_mut()
            .zip(Parameters::of(network).collect::<Vec<_>>())
            .enumerate()
            .for_each(|(place, (layer, parameters))| {
                layer.load(parameters, dense && place == 0, place == 0, train);
            });
        let initial: Vec<Option<Vec<f32>>> = self
            .plan
            .iter()
            .map(|layer| layer.initial.draw(batch * layer.neurons, &mut pass.rng(layer.place)))
            .collect();
        let targets = data.batch_targets(indices);
        let readout = &self.plan[self.plan.len() - 1];
        let reader = |first: usize, rows: usize| Reader {
            decoder,
            classes: readout.neurons,
            width: readout.width,
            steps,
            rows,
            first,
            batch,
            targets: &targets,
        };
        // Without a way back, nothing is kept beyond a chunk.
        let segment = match (train, self.options.checkpoint_steps) {
            (false, _) => CHUNK,
            (true, None) => steps.next_multiple_of(CHUNK),
            (true, Some(steps)) => steps.next_multiple_of(CHUNK),
        };
        let groups = groups(batch);
        if train {
            self.gradients.resize_with(self.gradients.len().max(groups), Vec::new);
        }
        let (plan, tiles) = (&self.plan, &self.tiles);
        let surrogate = config.surrogate.surrogate();
        let (initial, rows, count) = (&initial, rows(batch), tile_count(batch));
        let run_group = |group: usize, gradients: &mut Vec<LayerGradients>| {
            let mut tile = pop(tiles);
            let mut found = Found { spikes: vec![0; plan.len()], ..Found::default() };
            if train {
                gradients.resize_with(plan.len(), LayerGradients::default);
                gradients.iter_mut().zip(plan).for_each(|(to, layer)| to.reset(layer));
            }
            for index in group * count / groups..(group + 1) * count / groups {
                let first = index * rows;
                let rows = rows.min(batch - first);
                let job = Job {
                    plan,
                    data,
                    indices: &indices[first..first + rows],
                    reader: reader(first, rows),
                    surrogate,
                    initial,
                    segment,
                    train,
                };
                tile.run(&job, gradients);
                found.loss += tile.readings.loss;
                found.spikes.iter_mut().zip(&tile.spikes).for_each(|(sum, n)| *sum += n);
                found.classes.push((first, rows, tile.readings.classes.clone()));
            }
            push(tiles, tile);
            found
        };
        let found: Vec<Found> = if train {
            let gradients = self.gradients[..groups].par_iter_mut().enumerate();
            gradients.map(|(group, gradients)| run_group(group, gradients)).collect()
        } else {
            (0..groups).into_par_iter().map(|group| run_group(group, &mut Vec::new())).collect()
        };
        outcome(&self.plan, &found, [steps, batch], decoder.is_per_step())
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
    [steps, batch]: [usize; 2],
    per_step: bool,
) -> BatchOutcome {
    let answers = if per_step { steps } else { 1 };
    let mut classes = vec![0; answers * batch];
    for (first, rows, tile) in found.iter().flat_map(|found| &found.classes) {
        for (t, tile) in tile.chunks_exact(*rows).enumerate() {
            classes[t * batch + first..t * batch + first + rows].copy_from_slice(tile);
        }
    }
    let hidden = &plan[..plan.len() - 1];
    let rates = hidden.iter().enumerate().map(|(place, layer)| {
        let spikes: u64 = found.iter().map(|found| found.spikes[place]).sum();
        spikes as f64 / (steps * batch * layer.neurons) as f64
    });
    BatchOutcome {
        loss: found.iter().map(|found| found.loss).sum::<f64>() / batch as f64,
        classes,
        rates: rates.collect(),
    }
}
