//! On which parameters weight decay acts.

use crate::error::{Error, Result};
use crate::optimizer::{GroupedOptimizer, OptimizerConfig};
use burn::module::ParamGroup;
use serde::{Deserialize, Serialize};

/// How much of the optimizer's `weight_decay` acts on each kind of parameter: 1 all of it, 0 none. Unless it is said
/// otherwise, all of it acts on weights, and none on what has no reason to be near zero: a time constant is trained by its
/// logarithm, so that decay would draw it towards a single step.
///
/// ```toml
/// [train]
/// optimizer = { kind = "adamw", weight_decay = 0.01 }
/// decay = { input = 0, readout = 0 }      # on recurrent weights only
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DecayGroups {
    /// Weights from the inputs, or the layer before, to a hidden layer. Default 1.
    /// Range: 0 or more.
    pub input: f64,
    /// Weights within a hidden layer. Default 1.
    /// Range: 0 or more.
    pub recurrent: f64,
    /// Weights to the readout. Default 1.
    /// Range: 0 or more.
    pub readout: f64,
    /// Biases. Default 0.
    /// Range: 0 or more.
    pub biases: f64,
    /// Logarithms of time constants. Default 0.
    /// Range: 0 or more.
    pub time_constants: f64,
    /// Parameters of neurons that run from their equations. Default 0.
    /// Range: 0 or more.
    pub neurons: f64,
    /// The threshold of the inputs, where they are encoded. Default 0.
    /// Range: 0 or more.
    pub encoder: f64,
}

impl Default for DecayGroups {
    fn default() -> Self {
        Self {
            input: 1.0,
            recurrent: 1.0,
            readout: 1.0,
            biases: 0.0,
            time_constants: 0.0,
            neurons: 0.0,
            encoder: 0.0,
        }
    }
}

impl DecayGroups {
    /// Whether nothing is said, so that nothing needs to be written.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Every kind with its name and its share; of the kinds that a parameter is of, the last one counts.
    fn kinds(&self) -> [(&'static str, &'static [&'static str], f64); 7] {
        [
            ("input", &[".input.weight"], self.input),
            ("recurrent", &[".recurrent.weight"], self.recurrent),
            ("readout", &["readout", ".weight"], self.readout),
            ("biases", &[".bias"], self.biases),
            ("time_constants", &["log_tau"], self.time_constants),
            ("encoder", &["encoder.threshold"], self.encoder),
            ("neurons", &[".parameters."], self.neurons),
        ]
    }

    /// Checks ranges; `key` names the table in messages.
    pub(super) fn validate(&self, key: &str, optimizer: &OptimizerConfig) -> Result<()> {
        for (name, _, share) in self.kinds() {
            let decays = (share * optimizer.weight_decay()) as f32;
            if !(share >= 0.0 && share.is_finite() && decays.is_finite()) {
                return Err(Error::setting(format!("{key}.{name}"), share)
                    .expected("0 or more: a share of optimizer.weight_decay"));
            }
        }
        if optimizer.weight_decay() == 0.0 && !self.is_default() {
            return Err(Error::setting(key, "{ … }")
                .expected("none, since nothing decays: the optimizer has no weight_decay")
                .remedy(
                    "set train.optimizer = { kind = \"adamw\", weight_decay = 0.01 }, for example",
                ));
        }
        Ok(())
    }

    /// An optimizer whose weight decay acts as it is said here.
    pub(crate) fn optimizer(&self, config: &OptimizerConfig) -> GroupedOptimizer {
        let mut optimizer = GroupedOptimizer::new(config);
        if config.weight_decay() == 0.0 {
            return optimizer;
        }
        for (_, path, share) in self.kinds() {
            let rule = config.clone().with_weight_decay(share * config.weight_decay());
            let group = ParamGroup::from_predicates(path.to_vec());
            optimizer = optimizer.with_rule(group, rule.build());
        }
        optimizer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Dataset, Inputs, Targets};
    use crate::exchange::TensorMap;
    use crate::network::NetworkConfig;
    use crate::optimizer::AdamWConfig;
    use crate::parameters::TimeConstantForm;
    use crate::recipe::TrainConfig;
    use crate::train::{Silent, Trainer};
    use burn::tensor::Device;

    const RATE: f64 = 0.01;
    const DECAY: f64 = 5.0;

    fn network() -> NetworkConfig {
        toml::from_str(
            "inputs = 2\nencoder = { kind = 'trained_threshold' }\nlayers = [{ size = 6 }, { size = 5 }, { size = 4, neuron = 'tc_lif' }]\n\
             readout = { size = 2 }\ndecode = { kind = 'mean_membrane' }",
        )
        .unwrap()
    }

    /// The parameters after one step by one batch.
    fn after_a_step(optimizer: OptimizerConfig, decay: DecayGroups) -> TensorMap {
        let values = (0..4 * 12 * 2).map(|i| ((i * 37) % 19) as f32 / 5.0 - 1.5).collect();
        let names = ["a", "b"].map(String::from).to_vec();
        let targets = Targets::PerSequence(vec![0, 1, 0, 1]);
        let data = Dataset::new([4, 12, 2], names, Inputs::Real(values), targets, "made").unwrap();
        let train = TrainConfig {
            epochs: 1,
            batch: 4,
            learning_rate: RATE,
            optimizer,
            decay,
            ..TrainConfig::default()
        };
        train.validate("train").unwrap();
        let mut trainer = Trainer::new(&network(), &train, &Device::flex()).unwrap();
        trainer.run(&data, &data, &mut Silent).unwrap();
        trainer.network().tensors(trainer.network_config(), TimeConstantForm::Log)
    }

    fn adamw(weight_decay: f64) -> OptimizerConfig {
        OptimizerConfig::AdamW(AdamWConfig { weight_decay, ..AdamWConfig::default() })
    }

    /// AdamW with decay is AdamW without, and −ηλθ beside it: to be seen in `of`, and nowhere else.
    fn acts_on(decay: DecayGroups, of: &dyn Fn(&str) -> bool) {
        let start = network().init(&Device::flex(), 1).unwrap();
        let start = start.tensors(&network(), TimeConstantForm::Log);
        let plain = after_a_step(adamw(0.0), DecayGroups::default());
        let decayed = after_a_step(adamw(DECAY), decay);
        let mut seen = 0;
        for (name, tensor) in &decayed {
            let plain = &plain[name].values;
            if !of(name) {
                assert_eq!(&tensor.values, plain, "{name} has decayed");
                continue;
            }
            seen += 1;
            for ((value, plain), start) in tensor.values.iter().zip(plain).zip(&start[name].values)
            {
                let expected = plain - (RATE * DECAY) as f32 * start;
                assert!((value - expected).abs() < 1e-6, "{name}: {value} is not {expected}");
            }
        }
        assert!(seen > 0);
    }

    #[test]
    fn weights_decay_by_the_formula_and_nothing_else_does() {
        acts_on(DecayGroups::default(), &|name| name.ends_with(".weight"));
    }

    #[test]
    fn every_kind_of_parameter_can_be_chosen() {
        let none = DecayGroups { input: 0.0, recurrent: 0.0, readout: 0.0, ..Default::default() };
        let hidden = |name: &str| name.starts_with("layers.");
        acts_on(DecayGroups { input: 1.0, ..none }, &|name| {
            hidden(name) && name.ends_with("input.weight")
        });
        acts_on(DecayGroups { recurrent: 1.0, ..none }, &|name| name.contains("recurrent.weight"));
        acts_on(DecayGroups { readout: 1.0, ..none }, &|name| name == "readout.input.weight");
        acts_on(DecayGroups { biases: 1.0, ..none }, &|name| name.ends_with(".bias"));
        acts_on(DecayGroups { time_constants: 1.0, ..none }, &|name| name.contains("log_tau"));
        acts_on(DecayGroups { neurons: 1.0, ..none }, &|name| {
            name.ends_with(".c1") || name.ends_with(".c2")
        });
    }

    #[test]
    fn a_penalty_too_leaves_time_constants_alone() {
        for kind in ["adam", "sgd", "rmsprop", "adagrad", "adamax", "radam"] {
            let rule = |decay: &str| toml::from_str(&format!("kind = '{kind}'{decay}")).unwrap();
            let plain = after_a_step(rule(""), DecayGroups::default());
            let decayed = after_a_step(rule("\nweight_decay = 5.0"), DecayGroups::default());
            for (name, tensor) in &decayed {
                let same = tensor.values == plain[name].values;
                assert_eq!(same, !name.ends_with(".weight"), "{kind}, {name}");
            }
        }
    }

    #[test]
    fn shares_that_cannot_be_are_refused() {
        let refused = |optimizer, decay| {
            let train = TrainConfig { optimizer, decay, ..TrainConfig::default() };
            train.validate("train").unwrap_err().to_string()
        };
        let biases = |biases| DecayGroups { biases, ..DecayGroups::default() };
        let error = refused(adamw(0.1), biases(-1.0));
        assert!(error.starts_with("train.decay.biases = -1.0"), "{error}");
        let error = refused(OptimizerConfig::default(), biases(1.0));
        assert!(error.contains("nothing decays"), "{error}");
    }
}
