//! Backpropagation through time of a whole network, a tile of sequences at a time.
//!
//! The loss of a batch is the mean of the losses of its sequences. So a few sequences, a *tile*, can run forward through
//! the network and straight back, before the next ones start: only what the tiles under way need is in memory, most of
//! it in cache, and the array of a whole batch's spikes or gradients never exists. Tiles run in parallel; how sequences
//! are put into tiles, and in which order their gradients are summed, depends on the batch alone. Where sequences are of
//! unequal length, the longest of a batch come first: a tile stops with its first row, and at every step the rows that still
//! run are the first ones.
//!
//! A penalty on what a whole batch does is no mean over sequences: the batch runs forward once before, for its slope.
//!
//! | file | holds |
//! | --- | --- |
//! | `columns.rs` | where outputs stand in rows with padding |
//! | `plan.rs` | parameters in the layouts of the kernels |
//! | `stage.rs` | in which order the layers run |
//! | `job.rs` | what a tile works on |
//! | `tile.rs` | a tile on its way through the network and back |
//! | `layer.rs` | a layer of it |
//! | `joint.rs` | what layers pass on over a whole sequence |
//! | `inputs.rs` | what a tile reads of the data |
//! | `decoder.rs` | scores, losses and predictions of a tile |
//! | `gradients.rs` | sums over tiles, and gradients as Burn's optimizers want them |

mod columns;
mod decoder;
mod gradients;
mod inputs;
mod job;
mod joint;
mod layer;
mod plan;
mod stage;
mod tile;

use crate::dataset::{Dataset, UNLABELLED};
use crate::error::{Error, Result};
use crate::learning::{BatchOutcome, Criterion, Learner, Rows, Update};
use crate::lengths::Lengths;
use crate::network::{Network, NetworkConfig};
use crate::pass::Pass;
use barnowl_engine::{CHUNK, ROWS};
use burn::optim::GradientsParams;
use decoder::Reader;
use job::Job;
use layer::LayerGradients;
use plan::{LayerPlan, Parameters};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use stage::Plan;
use std::ops::Range;
use std::sync::Mutex;
use tile::{Stand, Tile};

/// How memory is traded for time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BpttOptions {
    /// Keep the potentials of so many steps only, and the state before every such segment; each segment is computed once
    /// more on the way back. The square root of the number of steps needs the least memory. Gradients are the same, bit
    /// for bit. Rounded up to a multiple of 16. Without effect on networks that do not read
    /// [step by step](NetworkConfig::is_causal). Default: keep those of all steps.
    #[serde(default)]
    pub checkpoint_steps: Option<usize>,
    /// Ends the gradient of the state after every so many steps. Default: not before the first step.
    #[serde(default)]
    pub cut: Option<usize>,
}

impl BpttOptions {
    /// Checks that a network can be treated so.
    pub(super) fn validate(&self, config: &NetworkConfig) -> Result<()> {
        if self.checkpoint_steps == Some(0) {
            return Err(Error::setting("checkpoint_steps", 0).expected("1 or more"));
        }
        if self.cut == Some(0) {
            return Err(Error::setting("cut", 0).expected("1 or more"));
        }
        if let (Some(cut), false) = (self.cut, config.is_causal()) {
            return Err(Error::setting("cut", cut)
                .expected("none: a bidirectional or repeated layer reads whole sequences"));
        }
        Ok(())
    }
}

/// Backpropagation through time for networks of one configuration; keeps its memory from batch to batch.
#[derive(Debug)]
pub struct Bptt {
    config: NetworkConfig,
    options: BpttOptions,
    criterion: Criterion,
    plan: Plan,
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
    /// The spikes of every neuron, by layer, if they are counted.
    by_neuron: Vec<Vec<u64>>,
    /// The first row of every tile, its rows, and their classes or numbers.
    answers: Vec<(usize, usize, Vec<u16>, Vec<f32>)>,
}

impl Bptt {
    /// For networks of this configuration.
    ///
    /// # Errors
    ///
    /// If the configuration is not valid, or gradients are to be cut of a network that does not read
    /// [step by step](NetworkConfig::is_causal).
    pub fn new(config: &NetworkConfig, options: BpttOptions) -> Result<Self> {
        config.validate("network")?;
        options.validate(config)?;
        Ok(Self {
            plan: Plan::of(config),
            config: config.clone(),
            options,
            criterion: Criterion::default(),
            tiles: Mutex::new(Vec::new()),
            gradients: Vec::new(),
            stands: Vec::new(),
        })
    }

    /// Runs a window of time, of a penalty twice: its gradient at every spike is known when all have been counted.
    fn train(&mut self, network: &Network, sequences: &Sequences<'_>, run: &Run) -> BatchOutcome {
        let penalties = self.criterion.penalties;
        if penalties.is_empty() || !run.train {
            return self.run(network, sequences, run, None).0;
        }
        let counting = Run { train: false, leave: false, count: true, ..run.clone() };
        let spikes = self.run(network, sequences, &counting, None).1;
        let lengths = sequences.lengths();
        let steps = lengths.within(&run.window) as f64;
        let share = (steps / lengths.within(&sequences.whole()) as f64) as f32;
        let mut slopes = vec![Vec::new(); self.plan.layers.len()];
        for place in 0..self.config.layers.len() {
            // Neurons of both directions are one layer.
            let cells = self.plan.layers.iter().enumerate().filter(|(_, cell)| cell.place == place);
            let cells: Vec<(usize, usize)> =
                cells.map(|(at, cell)| (at, cell.shape.neurons)).collect();
            let of = |(at, neurons): &(usize, usize)| &spikes[*at][..*neurons];
            let all: Vec<u64> = cells.iter().flat_map(of).copied().collect();
            let steps = steps * self.config.repeat as f64;
            let mut found = penalties.slopes(&all, steps).into_iter().map(|g| share * g);
            for (at, neurons) in cells {
                // Only spikes are counted: other cells' outputs have no rate.
                let spiking = self.plan.layers[at].shape.is_spiking();
                slopes[at].extend(found.by_ref().take(neurons).filter(|_| spiking));
            }
        }
        self.run(network, sequences, run, Some(&slopes)).0
    }

    /// Runs a window of time; also returns the spikes of every neuron, if they are counted. `counted` is ∂L/∂s of every spike
    /// of a neuron, by layer, of what counts these.
    fn run(
        &mut self,
        network: &Network,
        sequences: &Sequences<'_>,
        run: &Run,
        counted: Option<&[Vec<f32>]>,
    ) -> (BatchOutcome, Vec<Vec<u64>>) {
        let Run { ref window, train, carry, leave, count: counts } = *run;
        let Sequences { data, indices, factors, rows: batch_rows, initial, .. } = sequences;
        let (config, batch) = (&self.config, indices.len());
        let decoder = config.decode;
        let threshold = network.encoder.as_ref().map(plan::threshold);
        let reads: Vec<(bool, bool)> = (self.plan.stages.iter())
            .flat_map(|stage| stage.layers.clone().map(move |layer| (stage, layer)))
            .map(|(stage, layer)| {
                let numbers = data.inputs().is_real() && threshold.is_none();
                let data = stage.reads.is_none() && layer == stage.layers.start;
                let ends = data && threshold.is_none();
                (self.plan.reads_numbers(stage, layer, numbers), ends)
            })
            .collect();
        let modules = reads.into_iter().zip(Parameters::of(network));
        self.plan
            .layers
            .par_iter_mut()
            .zip(modules.collect::<Vec<_>>())
            .for_each(|(layer, ((dense, ends), module))| layer.load(module, dense, ends, train));
        let readout = self.plan.readout().shape;
        let class_loss = self.criterion.classes.as_ref().filter(|_| train);
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
                let layers = &plan.layers;
                let mut found = Found { spikes: vec![0; layers.len()], ..Found::default() };
                if train {
                    gradients.resize_with(layers.len(), LayerGradients::default);
                    gradients.iter_mut().zip(layers).for_each(|(to, layer)| to.reset(layer));
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
                        counted,
                        counts,
                        train,
                    };
                    let stand = stands.get_mut(place).filter(|_| carry);
                    tile.run(&job, gradients, stand, leave);
                    found.loss += tile.readings.loss;
                    found.spikes.iter_mut().zip(&tile.spikes).for_each(|(sum, n)| *sum += n);
                    found.by_neuron.resize(tile.by_neuron.len(), Vec::new());
                    for (sums, spikes) in found.by_neuron.iter_mut().zip(&tile.by_neuron) {
                        sums.resize(spikes.len(), 0);
                        sums.iter_mut().zip(spikes).for_each(|(sum, n)| *sum += n);
                    }
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
        let mut by_neuron: Vec<Vec<u64>> = Vec::new();
        for found in &found {
            by_neuron.resize(found.by_neuron.len(), Vec::new());
            for (sums, spikes) in by_neuron.iter_mut().zip(&found.by_neuron) {
                sums.resize(spikes.len(), 0);
                sums.iter_mut().zip(spikes).for_each(|(sum, n)| *sum += n);
            }
        }
        (outcome(&self.config, &self.plan, &found, window, sequences), by_neuron)
    }
}

impl Learner for Bptt {
    fn set_criterion(&mut self, criterion: Criterion) {
        self.criterion = criterion;
    }

    fn evaluate(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
    ) -> BatchOutcome {
        let sequences = Sequences::of(&self.config, &self.plan, data, indices, pass);
        let whole = Run {
            window: sequences.whole(),
            train: false,
            carry: false,
            leave: false,
            count: false,
        };
        sequences.filled(self.run(network, &sequences, &whole, None).0)
    }

    fn gradients(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
    ) -> (BatchOutcome, GradientsParams) {
        let sequences = Sequences::of(&self.config, &self.plan, data, indices, pass);
        let whole = Run {
            window: sequences.whole(),
            train: true,
            carry: false,
            leave: false,
            count: false,
        };
        let outcome = self.train(network, &sequences, &whole);
        let count = groups(indices.len());
        let gradients = gradients::collect(network, &self.plan.layers, &self.gradients[..count]);
        (sequences.filled(outcome), gradients)
    }

    fn windows(
        &mut self,
        network: &Network,
        data: &Dataset,
        indices: &[usize],
        pass: Pass<'_>,
        window: usize,
        update: &mut Update<'_>,
    ) -> Result<(BatchOutcome, Network)> {
        assert!(self.config.is_causal(), "a network that is not causal reads whole sequences");
        let sequences = Sequences::of(&self.config, &self.plan, data, indices, pass);
        let (decoder, count) = (self.config.decode, groups(indices.len()));
        let (steps, lengths) = (sequences.whole().end, sequences.lengths());
        let (mut network, mut whole) = (network.clone(), BatchOutcome::default());
        for start in (0..steps).step_by(window) {
            let end = steps.min(start + window);
            let train = decoder.counts(&(start..end), lengths);
            let run = Run { window: start..end, train, carry: true, leave: true, count: false };
            let outcome = self.train(&network, &sequences, &run);
            if train {
                let gradients = &self.gradients[..count];
                let gradients = gradients::collect(&network, &self.plan.layers, gradients);
                network = update(&network, &outcome, gradients)?;
            }
            let share = lengths.within(&(start..end)) as f64 / lengths.within(&(0..steps)) as f64;
            whole.add(outcome, share, decoder.is_per_step());
        }
        Ok((sequences.filled(whole), network))
    }
}

/// A run over a window of time.
#[derive(Clone)]
struct Run {
    window: Range<usize>,
    /// Whether it runs back.
    train: bool,
    /// Whether it is one of several: it goes on where the one before ended.
    carry: bool,
    /// Whether the one after it goes on where it ends.
    leave: bool,
    /// Whether the spikes of every neuron are counted.
    count: bool,
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
        plan: &Plan,
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
            pass.membrane(layer.initial, layer.stream, [indices.len(), layer.shape.neurons])
        };
        Self {
            data,
            factors: data.batch_factors(given),
            initial: plan.layers.iter().map(draw).collect(),
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
    config: &NetworkConfig,
    plan: &Plan,
    found: &[Found],
    window: &Range<usize>,
    sequences: &Sequences<'_>,
) -> BatchOutcome {
    let (lengths, batch) = (sequences.lengths(), sequences.indices.len());
    let per_step = sequences.data.targets().is_per_step();
    let answers = if per_step { window.len() } else { 1 };
    let (is_real, outputs) = (sequences.data.targets().is_real(), config.readout.size);
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
    let rate = |place: usize, entries: usize| {
        let of = |(at, layer): (usize, &LayerPlan)| {
            let spikes = |found: &Found| found.spikes[at];
            (layer.place == place).then(|| found.iter().map(spikes).sum::<u64>())
        };
        let spikes: u64 = plan.layers.iter().enumerate().filter_map(of).sum();
        spikes as f64 / entries as f64
    };
    let hidden = config.layers.iter().enumerate();
    let rates =
        hidden.map(|(place, layer)| rate(place, steps * config.repeat * layer.outputs())).collect();
    let spiking = plan.readout().shape.is_spiking();
    let readout = spiking.then(|| rate(config.layers.len(), steps * outputs));
    BatchOutcome {
        loss: found.iter().map(|found| found.loss).sum::<f64>() / batch as f64,
        classes,
        values,
        rates,
        readout_rate: readout,
    }
}
