//! Time constants that training without bounds has left behind: impossible ones, and those that are possible and odd.
//!
//! The published networks of Yin, Corradi & Bohté (2021) have both: adaptation constants below zero (`timit`), whose
//! adaptation would grow without end, and membranes that forget everything within a step (`ssc`).

use crate::exchange::TensorMap;
use crate::network::NetworkConfig;
use crate::neuron::{TAU_MAX, TAU_MIN};
use crate::parameters::is_time_constant;
use serde::Serialize;
use std::fmt;

/// Elements that a message names.
const SHOWN: usize = 6;

/// Some elements of a tensor of time constants.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Elements {
    /// The name of the tensor.
    pub tensor: String,
    /// How many elements it has.
    pub of: usize,
    /// Index and value of those meant.
    pub values: Vec<(usize, f32)>,
}

/// `readout.tau_m, elements 3 (0.04), 5 (0.02) and 12 more of 35`.
impl fmt::Display for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            self.values.iter().take(SHOWN).map(|(index, value)| format!("{index} ({value})"));
        write!(f, "{}, elements {}", self.tensor, shown.collect::<Vec<_>>().join(", "))?;
        if self.values.len() > SHOWN {
            write!(f, " and {} more", self.values.len() - SHOWN)?;
        }
        write!(f, " of {}", self.of)
    }
}

/// Elements that were repaired.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repair {
    /// What they were.
    #[serde(flatten)]
    pub elements: Elements,
    /// What they are now, in the same order.
    pub now: Vec<f32>,
}

/// `layers.0.tau_adp, elements 3 (-55, now 10000000) of 8`.
impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Elements { tensor, of, values } = &self.elements;
        let shown = values.iter().zip(&self.now).take(SHOWN);
        let shown = shown.map(|((index, was), now)| format!("{index} ({was}, now {now})"));
        write!(f, "{tensor}, elements {}", shown.collect::<Vec<_>>().join(", "))?;
        if values.len() > SHOWN {
            write!(f, " and {} more", values.len() - SHOWN)?;
        }
        write!(f, " of {of}")
    }
}

/// Time constants, under our names, that no neuron can have: zero, negative or not a number.
#[must_use]
pub fn impossible_time_constants(tensors: &TensorMap) -> Vec<Elements> {
    choose(tensors, |_, tau| !(tau > 0.0 && tau.is_finite()))
}

/// Time constants that are positive and shorter than a step: the neuron runs, but forgets within a step all but
/// `exp(−dt/τ)`, less than 37 in 100.
#[must_use]
pub fn short_time_constants(config: &NetworkConfig, tensors: &TensorMap) -> Vec<Elements> {
    choose(tensors, |name, tau| tau > 0.0 && f64::from(tau) < step(config, name))
}

/// Sets time constants that no neuron can have, or that are out of the range of trained ones, to those in range whose decay
/// `exp(−dt/τ)` is nearest, and returns what was changed. Below zero, the decay is above 1, a growth without end: the nearest
/// is the longest time constant. NaN, which is near to nothing, becomes the median of the others of its tensor.
pub fn repair_time_constants(config: &NetworkConfig, tensors: &mut TensorMap) -> Vec<Repair> {
    let range = |name: &str| {
        let dt = step(config, name);
        ((TAU_MIN * dt) as f32, (TAU_MAX * dt) as f32)
    };
    let repaired = choose(tensors, |name, tau| {
        let (low, high) = range(name);
        !(low..=high).contains(&tau)
    });
    let mend = |elements: Elements| {
        let (low, high) = range(&elements.tensor);
        let all = match tensors.get_mut(&elements.tensor) {
            Some(tensor) => &mut tensor.values[..],
            None => &mut [],
        };
        let mut others: Vec<f32> =
            all.iter().copied().filter(|tau| (low..=high).contains(tau)).collect();
        others.sort_by(f32::total_cmp);
        let median = others.get(others.len() / 2).copied().unwrap_or(high);
        let nearest = |tau: f32| match tau {
            tau if tau.is_nan() => median,
            tau if tau < 0.0 => high,
            tau => tau.clamp(low, high),
        };
        let now: Vec<f32> = elements.values.iter().map(|(_, tau)| nearest(*tau)).collect();
        elements.values.iter().zip(&now).for_each(|((index, _), now)| all[*index] = *now);
        Repair { elements, now }
    };
    repaired.into_iter().map(mend).collect()
}

/// The time constants that `is_meant`, given the tensor's name and a value.
fn choose(tensors: &TensorMap, is_meant: impl Fn(&str, f32) -> bool) -> Vec<Elements> {
    let mut chosen = Vec::new();
    for (name, tensor) in tensors.iter().filter(|(name, _)| is_time_constant(name)) {
        let values = tensor.values.iter().copied().enumerate();
        let values: Vec<_> = values.filter(|(_, tau)| is_meant(name, *tau)).collect();
        if !values.is_empty() {
            chosen.push(Elements { tensor: name.clone(), of: tensor.values.len(), values });
        }
    }
    chosen
}

/// The length of a step of the layer that a tensor belongs to, in the units of its time constants.
fn step(config: &NetworkConfig, name: &str) -> f64 {
    let layer = name.strip_prefix("layers.").and_then(|rest| rest.split('.').next());
    let layer = layer.and_then(|index| config.layers.get(index.parse::<usize>().ok()?));
    layer.map_or(config.readout.dt, |layer| layer.dt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::NamedTensor;
    use crate::layer::LayerConfig;
    use crate::loss::{Decoder, DecoderKind};
    use crate::readout::{ReadoutConfig, ReadoutKind};

    #[test]
    fn every_bad_element_is_named_and_set_to_the_nearest() {
        let config = NetworkConfig {
            inputs: 1,
            layers: vec![LayerConfig { dt: 2.0, ..LayerConfig::new(5) }],
            readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 2),
            decode: Decoder::new(DecoderKind::LastMembrane),
            surrogate: Default::default(),
            encoder: None,
            repeat: 1,
        };
        let tensor = |values: &[f32]| NamedTensor::new([values.len()], values.to_vec());
        let mut tensors = TensorMap::from([
            ("layers.0.tau_adp".to_owned(), tensor(&[-55.0, 100.0, f32::NAN, 0.0, 1e9])),
            ("layers.0.tau_m".to_owned(), tensor(&[1.0, 20.0, 3.0, 4.0, 5.0])),
            ("layers.0.input.bias".to_owned(), tensor(&[-1.0; 5])),
            ("readout.tau_m".to_owned(), tensor(&[0.04, 1.5])),
        ]);
        let named = |found: &[Elements]| -> Vec<(String, Vec<usize>)> {
            let places = |e: &Elements| e.values.iter().map(|(i, _)| *i).collect();
            found.iter().map(|e| (e.tensor.clone(), places(e))).collect()
        };
        let expect = |name: &str, places: &[usize]| (name.to_owned(), places.to_vec());
        let impossible = impossible_time_constants(&tensors);
        assert_eq!(named(&impossible), [expect("layers.0.tau_adp", &[0, 2, 3])]);
        let text = impossible[0].to_string();
        assert_eq!(text, "layers.0.tau_adp, elements 0 (-55), 2 (NaN), 3 (0) of 5");
        let short = short_time_constants(&config, &tensors);
        let expected = [expect("layers.0.tau_m", &[0]), expect("readout.tau_m", &[0])];
        assert_eq!(named(&short), expected);
        let repaired = repair_time_constants(&config, &mut tensors);
        let before: Vec<Elements> = repaired.iter().map(|r| r.elements.clone()).collect();
        assert_eq!(named(&before), [expect("layers.0.tau_adp", &[0, 2, 3, 4])]);
        let text = repaired[0].to_string();
        assert!(text.contains("elements 0 (-55, now 20000000), 2 (NaN, now 100)"), "{text}");
        let values = &tensors["layers.0.tau_adp"].values;
        assert_eq!(values[..], [2e7, 100.0, 100.0, 0.002, 2e7]);
        assert_eq!(tensors["layers.0.input.bias"].values, [-1.0; 5]);
        assert!(repair_time_constants(&config, &mut tensors).is_empty());
    }
}
