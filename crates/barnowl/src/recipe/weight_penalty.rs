//! Penalties on weights.

use crate::error::{Error, Result};
use crate::network::Network;
use burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Adds `Σ l1 |w| + l2 w²` over the weights of a kind to the loss that is trained on. Unlike weight decay, it is in the
/// gradient, and goes through the optimizer. It is added at every update: where the weights change after every window of time, once
/// a window.
///
/// ```toml
/// [train.weight_penalty]
/// recurrent = { l1 = 1e-4 }
/// readout = { l2 = 1e-3 }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WeightPenalties {
    /// On weights from the inputs, or the layer before, to a hidden layer. Default none.
    #[serde(skip_serializing_if = "WeightPenalty::is_none")]
    pub input: WeightPenalty,
    /// On weights within a hidden layer. Default none.
    #[serde(skip_serializing_if = "WeightPenalty::is_none")]
    pub recurrent: WeightPenalty,
    /// On weights to the readout. Default none.
    #[serde(skip_serializing_if = "WeightPenalty::is_none")]
    pub readout: WeightPenalty,
}

/// What the weights of a kind cost.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WeightPenalty {
    /// By their absolute values: it makes weights zero that do little. Default 0.
    /// Range: 0 or more.
    pub l1: f64,
    /// By their squares. Default 0.
    /// Range: 0 or more.
    pub l2: f64,
}

impl WeightPenalty {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl WeightPenalties {
    /// Whether nothing is said, so that nothing needs to be written.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Every kind with its name and the paths of its parameters; of the kinds that a parameter is of, the last one counts.
    fn kinds(&self) -> [(&'static str, &'static [&'static str], WeightPenalty); 3] {
        [
            ("input", &[".input.weight"], self.input),
            ("recurrent", &[".recurrent.weight"], self.recurrent),
            ("readout", &["readout", ".weight"], self.readout),
        ]
    }

    /// Checks ranges; `key` names the table in messages.
    pub(super) fn validate(&self, key: &str) -> Result<()> {
        for (kind, _, WeightPenalty { l1, l2 }) in self.kinds() {
            for (name, value) in [("l1", l1), ("l2", l2)] {
                if !(value >= 0.0 && value.is_finite()) {
                    return Err(
                        Error::setting(format!("{key}.{kind}.{name}"), value).expected("0 or more")
                    );
                }
            }
        }
        Ok(())
    }

    /// The gradients of a network with that of the penalties: `l1 sign(w) + 2 l2 w`.
    pub(crate) fn add_to(&self, gradients: GradientsParams, network: &Network) -> GradientsParams {
        if self.is_default() {
            return gradients;
        }
        let groups = self
            .kinds()
            .map(|(_, path, penalty)| (ParamGroup::from_predicates(path.to_vec()), penalty));
        let mut add = Add { gradients, groups, path: Vec::new() };
        network.visit(&mut add);
        add.gradients
    }
}

struct Add {
    gradients: GradientsParams,
    groups: [(ParamGroup, WeightPenalty); 3],
    path: Vec<String>,
}

impl ModuleVisitor for Add {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        let found = self.groups.iter().rfind(|(group, _)| group.matches(&param.id, Some(&path)));
        let Some((_, penalty)) = found.filter(|(_, penalty)| !penalty.is_none()) else {
            return;
        };
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return;
        };
        let w = param.val().inner();
        let slope = w.clone().sign() * penalty.l1 + w * (2.0 * penalty.l2);
        self.gradients.register::<D>(param.id, gradient + slope);
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Dataset, Inputs, Targets};
    use crate::learning::{BpttOptions, backpropagation};
    use crate::network::NetworkConfig;
    use crate::pass::Pass;
    use burn::tensor::Device;
    use std::collections::BTreeMap;

    /// Values by path.
    struct Values<'a>(Option<&'a mut GradientsParams>, Vec<String>, BTreeMap<String, Vec<f32>>);

    impl ModuleVisitor for Values<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = match &mut self.0 {
                Some(gradients) => gradients.remove::<D>(param.id).unwrap(),
                None => param.val().inner(),
            };
            self.2.insert(self.1.join("."), value.into_data().iter().collect());
        }

        fn enter_module(&mut self, name: &str, _: &str) {
            self.1.push(name.to_owned());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.1.pop();
        }
    }

    fn values(
        network: &Network,
        gradients: Option<&mut GradientsParams>,
    ) -> BTreeMap<String, Vec<f32>> {
        let mut values = Values(gradients, Vec::new(), BTreeMap::new());
        network.visit(&mut values);
        values.2
    }

    #[test]
    fn weights_of_each_kind_have_their_own() {
        let config: NetworkConfig = toml::from_str(
            "inputs = 2\nlayers = [{ size = 6 }, { size = 5 }]\nreadout = { size = 2 }\n\
             decode = { kind = 'mean_membrane' }",
        )
        .unwrap();
        let names = ["a", "b"].map(String::from).to_vec();
        let inputs = Inputs::Real((0..48).map(|i| (i % 7) as f32 - 3.0).collect());
        let targets = Targets::PerSequence(vec![0, 1]);
        let data = Dataset::new([2, 12, 2], names, inputs, targets, "made").unwrap();
        let device = Device::flex().autodiff();
        let network = config.init(&device, 3).unwrap();
        let mut learner = backpropagation(&config, BpttOptions::default(), &device).unwrap();
        let mut gradients = || learner.gradients(&network, &data, &[0, 1], Pass::default()).1;
        let weights = values(&network, None);
        let plain = values(&network, Some(&mut gradients()));
        let penalties = WeightPenalties {
            recurrent: WeightPenalty { l1: 0.5, l2: 0.0 },
            readout: WeightPenalty { l1: 0.25, l2: 2.0 },
            ..WeightPenalties::default()
        };
        let with = values(&network, Some(&mut penalties.add_to(gradients(), &network)));
        let mut seen = 0;
        for (path, with) in &with {
            let [l1, l2] = match path {
                _ if path.contains("readout") && path.ends_with("weight") => [0.25, 2.0],
                _ if path.ends_with("recurrent.weight") => [0.5, 0.0],
                _ => [0.0, 0.0],
            };
            seen += usize::from(l1 > 0.0);
            for ((with, plain), w) in with.iter().zip(&plain[path]).zip(&weights[path]) {
                let expected = plain + l1 * w.signum() + 2.0 * l2 * w;
                assert!((with - expected).abs() < 1e-6, "{path}: {with} and not {expected}");
            }
        }
        assert_eq!(seen, 3);
        let wrong = WeightPenalties {
            input: WeightPenalty { l1: -1.0, l2: 0.0 },
            ..WeightPenalties::default()
        };
        let error = wrong.validate("train.weight_penalty").unwrap_err();
        assert_eq!(error.key(), Some("train.weight_penalty.input.l1"));
    }
}
