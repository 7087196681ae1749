//! Which update rule, with which constants.

use burn::optim::momentum::MomentumConfig;
use burn::optim::{self, DynOptimizer};
use serde::{Deserialize, Serialize};

use super::adam::{Adam, AdamConfig, AdamWConfig};
use super::penalty::{l2_penalty, single};
use super::{AdamaxConfig, RAdamConfig, require};
use crate::error::Result;

/// An update rule and its constants; defaults and meanings are PyTorch's.
///
/// The learning rate η belongs to the step, not to the rule; on which parameters a weight decay acts, to the recipe
/// ([`DecayGroups`](crate::recipe::DecayGroups)). In TOML, every constant may be left out but not `kind`:
///
/// ```toml
/// [optimizer]
/// kind = "adamw"        # adam, adamw, sgd, rmsprop, adagrad, adamax, radam
/// weight_decay = 1e-3
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum OptimizerConfig {
    /// Adam (Kingma & Ba 2015, Algorithm 1; arXiv 1412.6980).
    Adam(AdamConfig),
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019; arXiv 1711.05101).
    AdamW(AdamWConfig),
    /// Stochastic gradient descent, with momentum or Nesterov momentum.
    Sgd(SgdConfig),
    /// RMSprop (Hinton, *Neural Networks for Machine Learning*, lecture 6e).
    RmsProp(RmsPropConfig),
    /// Adagrad (Duchi, Hazan & Singer 2011).
    Adagrad(AdagradConfig),
    /// Adamax (Kingma & Ba 2015, Algorithm 2; arXiv 1412.6980).
    Adamax(AdamaxConfig),
    /// Rectified Adam (Liu et al. 2020; arXiv 1908.03265).
    RAdam(RAdamConfig),
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Adam(AdamConfig::default())
    }
}

/// Constants of stochastic gradient descent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConfig {
    /// Momentum μ: the velocity is `p_t = μ p_{t−1} + g_t`. Default 0, none.
    /// Range: 0 or more, less than 1.
    pub momentum: f64,
    /// Whether the step is `g_t + μ p_t` (Nesterov) instead of `p_t`; needs momentum. Default false.
    pub nesterov: bool,
    /// L2 penalty λ, added to the gradient. Default 0.
    /// Range: 0 to 3.4e38.
    pub weight_decay: f64,
}

/// Constants of RMSprop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RmsPropConfig {
    /// Decay α of the mean square. Default 0.99.
    /// Range: 0 or more, less than 1.
    pub alpha: f64,
    /// Momentum μ of the normalised gradient. Default 0, none.
    /// Range: 0 or more, less than 1.
    pub momentum: f64,
    /// Added to the root of the mean square: ε. Default 10⁻⁸.
    /// Range: 1.2e-38 to 3.4e38.
    pub epsilon: f64,
    /// L2 penalty λ, added to the gradient. Default 0.
    /// Range: 0 to 3.4e38.
    pub weight_decay: f64,
}

impl Default for RmsPropConfig {
    fn default() -> Self {
        Self { alpha: 0.99, momentum: 0.0, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

/// Constants of Adagrad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdagradConfig {
    /// Decay δ of the learning rate: η / (1 + (t−1) δ) at step t. Default 0.
    /// Range: 0 to 3.4e38.
    pub lr_decay: f64,
    /// Added to the root of the sum of squares: ε. Default 10⁻¹⁰.
    /// Range: 1.2e-38 to 3.4e38.
    pub epsilon: f64,
    /// L2 penalty λ, added to the gradient. Default 0.
    /// Range: 0 to 3.4e38.
    pub weight_decay: f64,
}

impl Default for AdagradConfig {
    fn default() -> Self {
        Self { lr_decay: 0.0, epsilon: 1e-10, weight_decay: 0.0 }
    }
}

impl OptimizerConfig {
    /// Checks the range of every constant; `section` is the name of the table in messages, such as `"optimizer"`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::error::ErrorKind::Config), naming the key, its value and the allowed range.
    pub fn validate(&self, section: &str) -> Result<()> {
        // Burn computes in single precision: a decay that rounds to one there would divide by zero.
        let decay = |name, value: f64| {
            let allowed = value >= 0.0 && single(value) < 1.0;
            require(allowed, section, name, value, "a number in [0, 1)")
        };
        let positive = |name, value: f64| {
            let allowed = single(value).is_finite() && single(value) >= f32::MIN_POSITIVE;
            require(allowed, section, name, value, "a number from 1.2e-38 to 3.4e38")
        };
        let penalty = |name, value: f64| {
            let allowed = value >= 0.0 && single(value).is_finite();
            require(allowed, section, name, value, "a number from 0 to 3.4e38")
        };
        let moments = |beta_1, beta_2, epsilon, weight_decay| {
            decay("beta_1", beta_1)?;
            decay("beta_2", beta_2)?;
            positive("epsilon", epsilon)?;
            penalty("weight_decay", weight_decay)
        };
        match self {
            Self::Adam(c) => moments(c.beta_1, c.beta_2, c.epsilon, c.weight_decay),
            Self::AdamW(c) => moments(c.beta_1, c.beta_2, c.epsilon, c.weight_decay),
            Self::Adamax(c) => moments(c.beta_1, c.beta_2, c.epsilon, c.weight_decay),
            Self::RAdam(c) => moments(c.beta_1, c.beta_2, c.epsilon, c.weight_decay),
            Self::Sgd(c) => {
                decay("momentum", c.momentum)?;
                let allowed = !c.nesterov || c.momentum > 0.0;
                require(allowed, section, "nesterov", c.nesterov, "false without momentum")?;
                penalty("weight_decay", c.weight_decay)
            }
            Self::RmsProp(c) => {
                decay("alpha", c.alpha)?;
                decay("momentum", c.momentum)?;
                positive("epsilon", c.epsilon)?;
                penalty("weight_decay", c.weight_decay)
            }
            Self::Adagrad(c) => {
                penalty("lr_decay", c.lr_decay)?;
                positive("epsilon", c.epsilon)?;
                penalty("weight_decay", c.weight_decay)
            }
        }
    }

    /// The weight decay λ.
    #[must_use]
    pub fn weight_decay(&self) -> f64 {
        match self {
            Self::Adam(c) => c.weight_decay,
            Self::AdamW(c) => c.weight_decay,
            Self::Sgd(c) => c.weight_decay,
            Self::RmsProp(c) => c.weight_decay,
            Self::Adagrad(c) => c.weight_decay,
            Self::Adamax(c) => c.weight_decay,
            Self::RAdam(c) => c.weight_decay,
        }
    }

    /// The same rule with another weight decay.
    #[must_use]
    pub fn with_weight_decay(mut self, weight_decay: f64) -> Self {
        *match &mut self {
            Self::Adam(c) => &mut c.weight_decay,
            Self::AdamW(c) => &mut c.weight_decay,
            Self::Sgd(c) => &mut c.weight_decay,
            Self::RmsProp(c) => &mut c.weight_decay,
            Self::Adagrad(c) => &mut c.weight_decay,
            Self::Adamax(c) => &mut c.weight_decay,
            Self::RAdam(c) => &mut c.weight_decay,
        } = weight_decay;
        self
    }

    /// The update rule for a single parameter.
    #[must_use]
    pub fn build(&self) -> Box<dyn DynOptimizer> {
        match self {
            Self::Adam(c) => Box::new(Adam::from(c)),
            Self::AdamW(c) => Box::new(Adam::from(c)),
            Self::Sgd(c) => Box::new(
                optim::SgdConfig::new()
                    .with_momentum((c.momentum > 0.0).then_some(MomentumConfig {
                        momentum: c.momentum,
                        dampening: 0.0,
                        nesterov: c.nesterov,
                    }))
                    .with_weight_decay(l2_penalty(c.weight_decay))
                    .build(),
            ),
            Self::RmsProp(c) => Box::new(
                optim::RmsPropConfig::new()
                    .with_alpha(single(c.alpha))
                    .with_momentum(single(c.momentum))
                    .with_epsilon(single(c.epsilon))
                    .with_weight_decay(l2_penalty(c.weight_decay))
                    .build(),
            ),
            Self::Adagrad(c) => Box::new(
                optim::AdaGradConfig::new()
                    .with_lr_decay(c.lr_decay)
                    .with_epsilon(single(c.epsilon))
                    .with_weight_decay(l2_penalty(c.weight_decay))
                    .build(),
            ),
            Self::Adamax(c) => Box::new(c.build()),
            Self::RAdam(c) => Box::new(c.build()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<OptimizerConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_kind_alone_is_a_whole_configuration() {
        for kind in ["adam", "adamw", "sgd", "rmsprop", "adagrad", "adamax", "radam"] {
            let config = parse(&format!("kind = '{kind}'")).unwrap();
            config.validate("optimizer").unwrap();
            let written = toml::to_string(&config).unwrap();
            assert!(written.contains(kind), "{written}");
            assert_eq!(parse(&written).unwrap(), config);
        }
    }

    #[test]
    fn an_integer_is_a_number() {
        let config = parse("kind = 'adamw'\nweight_decay = 1").unwrap();
        let expected = AdamWConfig { weight_decay: 1.0, ..AdamWConfig::default() };
        assert_eq!(config, OptimizerConfig::AdamW(expected));
    }

    #[test]
    fn unknown_kinds_and_keys_are_refused_by_name() {
        let error = parse("kind = 'adamm'").unwrap_err().to_string();
        assert!(error.contains("adamm") && error.contains("radam"), "{error}");
        let error = parse("kind = 'adam'\nmomentum = 0.9").unwrap_err().to_string();
        assert!(error.contains("momentum") && error.contains("beta_1"), "{error}");
    }

    #[test]
    fn values_out_of_range_are_refused_by_key() {
        for (text, key) in [
            ("kind = 'adam'\nbeta_1 = 1", "optimizer.beta_1 = 1.0"),
            ("kind = 'adam'\nbeta_2 = 0.999999999999", "optimizer.beta_2"),
            ("kind = 'adam'\nepsilon = 0", "optimizer.epsilon = 0.0"),
            ("kind = 'adamw'\nepsilon = 1e-60", "optimizer.epsilon = 1e-60"),
            ("kind = 'adamw'\nweight_decay = -0.1", "optimizer.weight_decay = -0.1"),
            ("kind = 'adamax'\nbeta_2 = nan", "optimizer.beta_2 = NaN"),
            ("kind = 'radam'\nweight_decay = inf", "optimizer.weight_decay = inf"),
            ("kind = 'sgd'\nnesterov = true", "optimizer.nesterov = true"),
            ("kind = 'sgd'\nmomentum = -0.5", "optimizer.momentum = -0.5"),
            ("kind = 'rmsprop'\nalpha = 2", "optimizer.alpha = 2.0"),
            ("kind = 'adagrad'\nlr_decay = -1", "optimizer.lr_decay = -1.0"),
        ] {
            let error = parse(text).unwrap().validate("optimizer").unwrap_err();
            assert_eq!(error.kind(), crate::error::ErrorKind::Config);
            assert!(error.to_string().starts_with(key), "{error}");
        }
    }
}
