//! What the cross-entropy of classes is weighed by while a network trains: classes, smoothed labels, hard examples.
//!
//! With p = softmax of the score, K classes, y the right one, w the weights of the classes:
//!
//! ```text
//! L = w_y (1 − p_y)^γ (−log p_y)                      γ: the focal exponent, without smoothing
//! L = Σ_k q_k w_k (−log p_k)                          q_k = (1 − ε) [k = y] + ε / K: ε is the smoothing
//! ```
//!
//! Focal loss: Lin et al. 2017 (arXiv 1708.02002), their equation 5 with α = w; smoothing: Szegedy et al. 2016 (arXiv
//! 1512.00567), section 7. Losses that judge, of validation and test data, are the plain cross-entropy.

use crate::dataset::{Dataset, UNLABELLED};
use crate::error::{Error, Result};
use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// How the cross-entropy of classes is weighed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClassLossConfig {
    /// What errors on each class weigh: `"balanced"`, so that every class weighs the same in the training part, however often it
    /// occurs; or a list, a number a class in their order. Default: 1 each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"balanced")]
    pub class_weights: Option<ClassWeights>,
    /// The share of a label that is spread over all classes: answers become less sure. Default 0.
    /// Range: 0 or more, less than 1.
    #[schemars(example = &0.1)]
    pub label_smoothing: f64,
    /// The focal exponent: steps or sequences that are already right weigh less, the more the larger it is. Default 0.
    /// Range: 0 to 10.
    #[schemars(example = &2.0)]
    pub focal: f64,
}

/// What errors on each class weigh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum ClassWeights {
    /// By a rule.
    Rule(ClassRule),
    /// A number a class.
    List(Vec<f64>),
}

/// A rule for weights of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassRule {
    /// N / (K n_k), with n_k of N labels of class k, and K classes that occur: the mean over all labels is 1.
    Balanced,
}

/// The loss of classes, ready to be computed.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassLoss {
    weights: Vec<f32>,
    smoothing: f32,
    focal: f32,
}

impl ClassLossConfig {
    /// Whether it is the plain cross-entropy.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Checks ranges; `key` names the loss in messages.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str) -> Result<()> {
        if !(0.0..1.0).contains(&self.label_smoothing) {
            return Err(Error::setting(format!("{key}.label_smoothing"), self.label_smoothing)
                .expected("0 or more, less than 1"));
        }
        if !(0.0..=10.0).contains(&self.focal) {
            return Err(Error::setting(format!("{key}.focal"), self.focal).expected("0 to 10"));
        }
        if self.focal > 0.0 && self.label_smoothing > 0.0 {
            return Err(Error::setting(format!("{key}.focal"), self.focal).expected(
                "0 beside label_smoothing: one makes sure answers weigh less, the other makes them unsure",
            ));
        }
        if let Some(ClassWeights::List(weights)) = &self.class_weights
            && let Some(weight) = weights.iter().find(|w| !(**w >= 0.0 && w.is_finite()))
        {
            return Err(Error::setting(format!("{key}.class_weights"), weight)
                .expected("weights of 0 or more"));
        }
        Ok(())
    }

    /// The loss on these training data; none where it is the plain cross-entropy. `key` names the loss in messages.
    ///
    /// # Errors
    ///
    /// If the targets are no classes, or there is not a weight for every class.
    pub fn of(&self, data: &Dataset, key: &str) -> Result<Option<ClassLoss>> {
        if self.is_plain() {
            return Ok(None);
        }
        let names = data.class_names();
        let Some(classes) = data.targets().classes() else {
            return Err(Error::setting(key, self)
                .expected("none: the data have numbers to be found, and no classes"));
        };
        let weights = match &self.class_weights {
            None => vec![1.0; names.len()],
            Some(ClassWeights::List(weights)) if weights.len() == names.len() => {
                weights.iter().map(|weight| *weight as f32).collect()
            }
            Some(ClassWeights::List(weights)) => {
                return Err(Error::setting(format!("{key}.class_weights"), weights)
                    .expected(format!("{} weights, for {}", names.len(), names.join(", "))));
            }
            Some(ClassWeights::Rule(ClassRule::Balanced)) => {
                let mut counts = vec![0_u64; names.len()];
                let labelled = classes.iter().filter(|class| **class != UNLABELLED);
                labelled.for_each(|class| counts[usize::from(*class)] += 1);
                let present = counts.iter().filter(|n| **n > 0).count();
                let all = counts.iter().sum::<u64>() as f64 / present.max(1) as f64;
                // A class that never occurs is not to be answered: by smoothing, its weight would be that of all labels.
                let weight = |n: &u64| if *n == 0 { 0.0 } else { (all / *n as f64) as f32 };
                counts.iter().map(weight).collect()
            }
        };
        let (smoothing, focal) = (self.label_smoothing as f32, self.focal as f32);
        Ok(Some(ClassLoss { weights, smoothing, focal }))
    }
}

impl ClassLoss {
    /// The mean weight of the labels of a data set: 1 of balanced ones.
    #[must_use]
    pub fn mean_weight(&self, data: &Dataset) -> f64 {
        let classes = data.targets().classes().unwrap_or_default().iter();
        let weights = classes.filter(|class| **class != UNLABELLED);
        let weights = weights.map(|class| f64::from(self.weights[usize::from(*class)]));
        let (count, sum) = weights.fold((0_u64, 0.0), |(n, sum), weight| (n + 1, sum + weight));
        sum / count.max(1) as f64
    }

    /// The loss of an entry with these scores, whose log Σ exp is `log_sum`; `p`, their softmax times `scale`, becomes the
    /// gradient times `scale`.
    pub(crate) fn entry(
        &self,
        scores: &[f32],
        log_sum: f32,
        y: usize,
        scale: f32,
        p: &mut [f32],
    ) -> f64 {
        let log_p = |k: usize| scores[k] - log_sum;
        if self.focal > 0.0 {
            let (log_y, weight) = (log_p(y), self.weights[y]);
            let p_y = log_y.exp();
            let wrong = (1.0 - p_y).max(LEAST_WRONG);
            let factor = wrong.powf(self.focal);
            // −p_y dL/dp_y, by which each p_k − [k = y] is multiplied.
            let slope = weight * (factor - self.focal * p_y * log_y * wrong.powf(self.focal - 1.0));
            p[y] -= scale;
            p.iter_mut().for_each(|p| *p *= slope);
            return f64::from(-weight * factor * log_y);
        }
        let share = self.smoothing / scores.len() as f32;
        let part =
            |k: usize| self.weights[k] * if k == y { 1.0 - self.smoothing + share } else { share };
        let (mut loss, mut all) = (0.0, 0.0);
        for k in 0..scores.len() {
            all += part(k);
            loss -= f64::from(part(k) * log_p(k));
        }
        p.iter_mut().enumerate().for_each(|(k, p)| *p = *p * all - part(k) * scale);
        loss
    }

    /// The loss of every entry `[entries]` with log-probabilities `[entries, K]`; 0 where the class is below 0.
    pub(crate) fn losses(&self, log_p: Tensor<2>, y: Tensor<1, Int>) -> Tensor<1> {
        let [_, classes] = log_p.dims();
        let device = log_p.device();
        let labelled: Tensor<2> = y.clone().greater_equal_elem(0).float().unsqueeze_dim(1);
        let y: Tensor<2, Int> = y.clamp_min(0).unsqueeze_dim(1);
        let weights = TensorData::new(self.weights.clone(), [1, classes]);
        let weights = Tensor::<2>::from_data(weights, &device);
        let log_y = log_p.clone().gather(1, y.clone());
        let places = Tensor::<1, Int>::arange(0..classes as i64, &device).unsqueeze_dim::<2>(0);
        let is_y = places.equal(y).float();
        if self.focal > 0.0 {
            let weight = (is_y * weights).sum_dim(1);
            let wrong = (-log_y.clone().exp() + 1.0).clamp_min(LEAST_WRONG);
            let losses = -(wrong.powf_scalar(self.focal) * log_y) * weight * labelled;
            return losses.squeeze_dim(1);
        }
        let share = self.smoothing / classes as f32;
        let parts = (is_y * (1.0 - self.smoothing) + share) * weights;
        let losses = -(log_p * parts).sum_dim(1) * labelled;
        losses.squeeze_dim(1)
    }
}

/// 1 − p_y is no less: its powers below 1 have no slope at 0.
const LEAST_WRONG: f32 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Inputs, Targets};
    use burn::tensor::Device;
    use burn::tensor::activation::log_softmax;

    fn data(classes: &[u16]) -> Dataset {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let inputs = Inputs::Real(vec![0.0; classes.len()]);
        let targets = Targets::PerSequence(classes.to_vec());
        Dataset::new([classes.len(), 1, 1], names, inputs, targets, "").unwrap()
    }

    #[test]
    fn weights_are_balanced_or_listed() {
        let config = |text: &str| toml::from_str::<ClassLossConfig>(text).unwrap();
        let data = data(&[0, 0, 0, 1, UNLABELLED]);
        let loss = config("class_weights = 'balanced'").of(&data, "loss").unwrap().unwrap();
        assert_eq!(loss.weights, [2.0 / 3.0, 2.0, 0.0]);
        assert!((loss.mean_weight(&data) - 1.0).abs() < 1e-6);
        let loss = config("class_weights = [1, 2, 0.5]").of(&data, "loss").unwrap().unwrap();
        assert_eq!(loss.weights, [1.0, 2.0, 0.5]);
        assert_eq!(config("").of(&data, "loss").unwrap(), None);
        let error = config("class_weights = [1]").of(&data, "loss").unwrap_err().to_string();
        assert!(error.contains("3 weights, for a, b, c"), "{error}");
        for (text, part) in [
            ("label_smoothing = 1", "label_smoothing"),
            ("focal = -1", "focal"),
            ("focal = 1\nlabel_smoothing = 0.1", "beside label_smoothing"),
            ("class_weights = [1, -1, 1]", "0 or more"),
        ] {
            let error = config(text).validate("train.loss").unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn gradients_are_those_of_finite_differences_and_tensors_agree() {
        let losses = [
            ClassLoss { weights: vec![1.0, 2.0, 0.5], smoothing: 0.0, focal: 0.0 },
            ClassLoss { weights: vec![1.0, 2.0, 0.5], smoothing: 0.3, focal: 0.0 },
            ClassLoss { weights: vec![1.0, 2.0, 0.5], smoothing: 0.0, focal: 2.0 },
            ClassLoss { weights: vec![1.0; 3], smoothing: 0.0, focal: 0.5 },
        ];
        let scores = [0.3_f32, -1.2, 0.9];
        let log_sum = |z: &[f32]| z.iter().map(|z| z.exp()).sum::<f32>().ln();
        let scale = 0.25;
        for loss in losses {
            for y in 0..3 {
                let run = |z: [f32; 3]| {
                    let sum = log_sum(&z);
                    let mut p: Vec<f32> = z.iter().map(|z| scale * (z - sum).exp()).collect();
                    (loss.entry(&z, sum, y, scale, &mut p), p)
                };
                let (value, gradient) = run(scores);
                for k in 0..3 {
                    let h = 1e-2;
                    let moved = |by: f32| {
                        let mut z = scores;
                        z[k] += by;
                        run(z).0
                    };
                    let expected = (moved(h) - moved(-h)) / f64::from(2.0 * h);
                    let found = f64::from(gradient[k] / scale);
                    assert!(
                        (found - expected).abs() < 2e-3,
                        "{loss:?} {y} {k}: {found} {expected}"
                    );
                }
                let z = Tensor::<2>::from_data(
                    TensorData::new(scores.to_vec(), [1, 3]),
                    &Device::flex(),
                );
                let target = Tensor::<1, Int>::from_data([y as i32], &Device::flex());
                let by_tensors: f32 = loss.losses(log_softmax(z.clone(), 1), target).into_scalar();
                assert!((f64::from(by_tensors) - value).abs() < 1e-5);
                let none = Tensor::<1, Int>::from_data([-1], &Device::flex());
                let zero: f32 = loss.losses(log_softmax(z, 1), none).into_scalar();
                assert_eq!(zero, 0.0);
            }
        }
    }

    #[test]
    fn a_sure_answer_has_finite_numbers() {
        for focal in [0.5, 1.0, 3.0] {
            let loss = ClassLoss { weights: vec![1.0; 2], smoothing: 0.0, focal };
            for (scores, y) in [([90.0, -90.0], 0), ([90.0, -90.0], 1)] {
                let mut p = [1.0, 0.0];
                let value = loss.entry(&scores, 90.0, y, 1.0, &mut p);
                assert!(
                    value.is_finite() && p.iter().all(|g| g.is_finite()),
                    "{focal} {y}: {value} {p:?}"
                );
            }
        }
    }
}
