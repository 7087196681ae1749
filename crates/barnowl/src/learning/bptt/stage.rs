//! In which order the layers of a network run: its stages, and what goes from one to the next.
//!
//! Layers that read one another step by step run chunk by chunk together; they are a *stage*. A network without
//! bidirectional layers, whose hidden layers run at the steps of the data, is a single one. Neurons that read a sequence from
//! its end want all of what they read first, and the mean over the repeated steps of a step of the data is one of all of them:
//! there a stage ends, and what it has passed on is kept for the whole sequence, a *joint*, for the next stages to read.

use super::columns::Columns;
use super::plan::LayerPlan;
use crate::network::NetworkConfig;
use crate::pass::stream;
use barnowl_engine::neurons::Output;
use std::ops::Range;

/// Layers that run chunk by chunk together.
#[derive(Debug)]
pub(super) struct Stage {
    /// The layers, one above the other.
    pub(super) layers: Range<usize>,
    /// The joint that the first of them reads; the data, if none.
    pub(super) reads: Option<usize>,
    /// Whether they read each sequence from its end.
    pub(super) backward: bool,
    /// Their steps at each step of the data.
    pub(super) repeat: usize,
}

impl Stage {
    /// Where step `k` of a sequence of `length` steps of the data stands in what is read; none after its end.
    pub(super) fn place(&self, k: usize, length: usize) -> Option<usize> {
        let steps = length * self.repeat;
        (k < steps).then(|| if self.backward { steps - 1 - k } else { k })
    }

    /// A window of the data in its own steps.
    pub(super) fn window(&self, window: &Range<usize>) -> Range<usize> {
        window.start * self.repeat..window.end * self.repeat
    }

    /// Whether it reads the data as they are.
    pub(super) fn is_plain(&self) -> bool {
        !self.backward && self.repeat == 1
    }
}

/// What some layers pass on, side by side, over a whole sequence.
#[derive(Debug)]
pub(super) struct Joint {
    /// The layers. A second one reads from the end.
    pub(super) layers: Range<usize>,
    /// The steps of the layers at each step of the data.
    pub(super) repeat: usize,
    /// Whether it is the mean of these, a real number at each step of the data.
    pub(super) mean: bool,
    pub(super) columns: Columns,
    /// Whether these are real numbers.
    pub(super) numbers: bool,
}

impl Joint {
    /// Where the outputs of one of its layers begin.
    pub(super) fn column(&self, layer: usize, plan: &[LayerPlan]) -> usize {
        plan[self.layers.start..layer].iter().map(|layer| layer.shape.width).sum()
    }

    /// Where step `t`, of a row of `length` steps, is among those of one of its layers; and the other way round. None after
    /// the end.
    pub(super) fn step(&self, layer: usize, t: usize, length: usize) -> Option<usize> {
        let backward = layer > self.layers.start;
        (t < length).then(|| if backward { length - 1 - t } else { t })
    }

    /// Its steps at each step of the data.
    pub(super) fn clock(&self) -> usize {
        if self.mean { 1 } else { self.repeat }
    }
}

/// The layers of a network, in the order of their modules, and how they run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) layers: Vec<LayerPlan>,
    pub(super) stages: Vec<Stage>,
    pub(super) joints: Vec<Joint>,
}

impl Plan {
    pub(super) fn of(config: &NetworkConfig) -> Self {
        let mut plan = Self { layers: Vec::new(), stages: Vec::new(), joints: Vec::new() };
        // Whether the last stage goes on.
        let mut open = false;
        for (place, layer) in config.layers.iter().enumerate() {
            if layer.bidirectional && open {
                plan.join(1, config.repeat);
                open = false;
            }
            let inputs = plan.columns(open, config);
            let directions = 1 + usize::from(layer.bidirectional);
            for direction in 0..directions {
                let stream = stream(place) + direction as u64;
                let layer = LayerPlan::hidden(layer, place, inputs.clone(), stream);
                plan.push(layer, open, direction == 1, config.repeat);
            }
            if layer.bidirectional {
                plan.join(2, config.repeat);
            }
            open = !layer.bidirectional;
        }
        if config.repeat > 1 {
            if open {
                plan.join(1, config.repeat);
                open = false;
            }
            if let Some(joint) = plan.joints.last_mut() {
                (joint.mean, joint.numbers) = (true, true);
            }
        }
        let (place, inputs) = (config.layers.len(), plan.columns(open, config));
        let readout = LayerPlan::readout(&config.readout, place, inputs, stream(place));
        plan.push(readout, open, false, 1);
        plan
    }

    /// Adds a layer: to the last stage if that goes on, else as a new one.
    fn push(&mut self, layer: LayerPlan, open: bool, backward: bool, repeat: usize) {
        let at = self.layers.len();
        self.layers.push(layer);
        match self.stages.last_mut().filter(|_| open) {
            Some(stage) => stage.layers.end += 1,
            None => {
                let reads = self.joints.len().checked_sub(1);
                self.stages.push(Stage { layers: at..at + 1, reads, backward, repeat });
            }
        }
    }

    /// Ends the last stages: what their last `count` layers pass on is joined.
    fn join(&mut self, count: usize, repeat: usize) {
        let layers = self.layers.len() - count..self.layers.len();
        let shapes = self.layers[layers.clone()].iter().map(|layer| &layer.shape);
        let columns = Columns::side_by_side(shapes);
        let numbers = self.layers[layers.start].shape.output == Output::Numbers;
        self.joints.push(Joint { layers, repeat, mean: false, columns, numbers });
    }

    /// What the next layer reads.
    fn columns(&self, open: bool, config: &NetworkConfig) -> Columns {
        match (self.layers.last(), self.joints.last()) {
            (Some(layer), _) if open => Columns::of(&layer.shape),
            (_, Some(joint)) => joint.columns.clone(),
            _ => Columns::packed(config.inputs),
        }
    }

    /// Whether what a layer reads are real numbers, given whether the data are.
    pub(super) fn reads_numbers(&self, stage: &Stage, layer: usize, data: bool) -> bool {
        match (layer == stage.layers.start, stage.reads) {
            (false, _) => self.layers[layer - 1].shape.output == Output::Numbers,
            (true, Some(joint)) => self.joints[joint].numbers,
            (true, None) => data,
        }
    }

    /// The layer that is decoded.
    pub(super) fn readout(&self) -> &LayerPlan {
        &self.layers[self.layers.len() - 1]
    }

    /// Whether all layers run together, so that a window of time can be run after the other.
    pub(super) fn is_one_stage(&self) -> bool {
        self.stages.len() == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::CellKind;
    use crate::layer::LayerConfig;
    use crate::loss::{Decoder, DecoderKind};
    use crate::readout::{ReadoutConfig, ReadoutKind};

    fn plan(layers: &[(usize, bool)], repeat: usize, cell: CellKind) -> Plan {
        let layer = |(size, bidirectional): &(usize, bool)| LayerConfig {
            bidirectional: *bidirectional,
            cell,
            ..LayerConfig::new(*size)
        };
        Plan::of(&NetworkConfig {
            inputs: 3,
            layers: layers.iter().map(layer).collect(),
            readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 2),
            decode: Decoder::new(DecoderKind::MeanMembrane),
            surrogate: Default::default(),
            encoder: None,
            repeat,
        })
    }

    fn stages(plan: &Plan) -> Vec<(Range<usize>, Option<usize>, bool)> {
        let of = |stage: &Stage| (stage.layers.clone(), stage.reads, stage.backward);
        plan.stages.iter().map(of).collect()
    }

    #[test]
    fn layers_of_one_direction_run_together() {
        let plan = plan(&[(5, false), (6, false)], 1, CellKind::Alif);
        assert_eq!(stages(&plan), [(0..3, None, false)]);
        assert!(plan.joints.is_empty() && plan.is_one_stage());
        assert_eq!(plan.layers[2].inputs, Columns::packed(6));
    }

    #[test]
    fn a_bidirectional_layer_is_two_stages_of_its_own() {
        let plan = plan(&[(5, false), (20, true), (6, false)], 1, CellKind::Alif);
        let expected = [
            (0..1, None, false),
            (1..2, Some(0), false),
            (2..3, Some(0), true),
            (3..5, Some(1), false),
        ];
        assert_eq!(stages(&plan), expected);
        // 20 neurons take 32 places: the others read 20 of each half.
        let inputs = &plan.layers[3].inputs;
        assert_eq!([inputs.count(), inputs.width()], [40, 64]);
        assert_eq!(inputs.places().nth(20), Some(32));
        assert_eq!(plan.joints[1].column(2, &plan.layers), 32);
    }

    #[test]
    fn the_readout_of_repeated_steps_reads_their_mean() {
        let plan = plan(&[(5, false)], 3, CellKind::Alif);
        assert_eq!(stages(&plan), [(0..1, None, false), (1..2, Some(0), false)]);
        assert_eq!([plan.stages[0].repeat, plan.stages[1].repeat], [3, 1]);
        assert!(plan.joints[0].mean && plan.joints[0].numbers);
        assert_eq!(plan.joints[0].clock(), 1);
    }

    #[test]
    fn a_step_from_the_end_counts_from_each_row_s_own() {
        let stage = Stage { layers: 0..1, reads: None, backward: true, repeat: 2 };
        assert_eq!(stage.place(0, 3), Some(5));
        assert_eq!(stage.place(5, 3), Some(0));
        assert_eq!(stage.place(6, 3), None);
    }
}
