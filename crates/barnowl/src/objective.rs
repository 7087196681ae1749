//! What a score is compared with: classes, real numbers, or labels of which several may hold.
//!
//! | answer | of a score z, or of K of them | loss of an entry with target y |
//! | --- | --- | --- |
//! | `class` | the class of the largest z | −log softmax(z)_y |
//! | `values` | z | (1/K) Σ (z − y)² |
//! | `labels` | the probability σ(z) of each label | (1/K) Σ [log(1 + exp z) − y z] |
//!
//! An entry is a step of a sequence, or a sequence. What is not known, a class below 0 or a number that is NaN, adds nothing.

use crate::metric::ScoreKind;
use burn::tensor::Tensor;
use burn::tensor::activation::{log_sigmoid, sigmoid};
use serde::{Deserialize, Serialize};

/// What the score of a decoder is taken for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// One of several classes, by the largest score; trained by cross-entropy.
    #[default]
    Class,
    /// As many real numbers as the readout has neurons, the scores themselves; trained by the mean squared error.
    Values,
    /// Labels of which any number may hold, each with the probability σ(score); trained by binary cross-entropy.
    Labels,
}

impl Answer {
    /// What it is called in a task.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Values => "values",
            Self::Labels => "labels",
        }
    }

    /// Whether its targets are numbers, and no classes.
    #[must_use]
    pub fn is_real(self) -> bool {
        self.objective().is_some()
    }

    /// What it is judged by: the share of right classes or labels, or R².
    #[must_use]
    pub fn judged_by(self) -> ScoreKind {
        match self {
            Self::Class | Self::Labels => ScoreKind::Accuracy,
            Self::Values => ScoreKind::R2,
        }
    }

    /// Whether it is that of a task that says nothing of it.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What it is trained towards, if its targets are numbers.
    pub(crate) fn objective(self) -> Option<&'static dyn Objective> {
        match self {
            Self::Class => None,
            Self::Values => Some(&SquaredError),
            Self::Labels => Some(&BinaryCrossEntropy),
        }
    }
}

/// A loss whose targets are numbers, the same for every entry and every number.
pub(crate) trait Objective: Sync {
    /// The loss of a score, and its derivative.
    fn loss(&self, score: f32, target: f32) -> (f64, f32);

    /// The answer that a score stands for.
    fn answer(&self, score: f32) -> f32;

    /// The loss of scores `[rows, K]`, each by itself; to be summed.
    fn losses(&self, score: Tensor<2>, target: Tensor<2>) -> Tensor<2>;

    /// The answers of scores `[rows, K]`.
    fn answers(&self, score: Tensor<2>) -> Tensor<2>;
}

/// (z − y)²
struct SquaredError;

impl Objective for SquaredError {
    fn loss(&self, score: f32, target: f32) -> (f64, f32) {
        let error = score - target;
        (f64::from(error) * f64::from(error), 2.0 * error)
    }

    fn answer(&self, score: f32) -> f32 {
        score
    }

    fn losses(&self, score: Tensor<2>, target: Tensor<2>) -> Tensor<2> {
        let error = score - target;
        error.clone() * error
    }

    fn answers(&self, score: Tensor<2>) -> Tensor<2> {
        score
    }
}

/// log(1 + exp z) − y z, as −y log σ(z) − (1 − y) log σ(−z), which is finite for every z.
struct BinaryCrossEntropy;

impl Objective for BinaryCrossEntropy {
    fn loss(&self, score: f32, target: f32) -> (f64, f32) {
        let (z, y) = (f64::from(score), f64::from(target));
        (z.max(0.0) - y * z + (-z.abs()).exp().ln_1p(), self.answer(score) - target)
    }

    fn answer(&self, score: f32) -> f32 {
        // Of a large −z, exp is infinite, and the probability 0.
        1.0 / (1.0 + (-score).exp())
    }

    fn losses(&self, score: Tensor<2>, target: Tensor<2>) -> Tensor<2> {
        // Not by max(z, 0) and |z|: their slopes at 0 are a matter of taste, and a silent readout is at 0.
        let (yes, no) = (log_sigmoid(score.clone()), log_sigmoid(-score));
        -(target.clone() * yes + (-target + 1.0) * no)
    }

    fn answers(&self, score: Tensor<2>) -> Tensor<2> {
        sigmoid(score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn derivatives_are_those_of_finite_differences_and_tensors_agree() {
        for objective in [Answer::Values, Answer::Labels].map(|answer| answer.objective().unwrap())
        {
            for (score, target) in
                [(0.3, 1.0), (-2.5, 0.0), (4.0, 1.0), (0.0, 0.0), (0.0, 1.0), (-0.7, 1.0)]
            {
                let h = 1e-3_f32;
                let of = |z: f32| objective.loss(z, target).0;
                let expected = (of(score + h) - of(score - h)) / f64::from(2.0 * h);
                let (loss, found) = objective.loss(score, target);
                assert!((f64::from(found) - expected).abs() < 1e-3, "{found} and not {expected}");
                let tensor = |x: f32| {
                    Tensor::<2>::from_data(TensorData::new(vec![x], [1, 1]), &Device::flex())
                };
                let by_tensors: f32 = objective.losses(tensor(score), tensor(target)).into_scalar();
                assert!((f64::from(by_tensors) - loss).abs() < 1e-5);
                let device = Device::flex().autodiff();
                let leaf =
                    |x: f32| Tensor::<2>::from_data(TensorData::new(vec![x], [1, 1]), &device);
                let z = leaf(score).require_grad();
                let gradients = objective.losses(z.clone(), leaf(target)).sum().backward();
                let by_tensors: f32 = z.grad(&gradients).unwrap().into_scalar();
                assert!(
                    (by_tensors - found).abs() < 1e-5,
                    "{by_tensors} and not {found} at {score}"
                );
                let answer: f32 = objective.answers(tensor(score)).into_scalar();
                assert!((answer - objective.answer(score)).abs() < 1e-6);
            }
        }
        let labels = Answer::Labels.objective().unwrap();
        for score in [-1e4, 1e4] {
            assert!(labels.loss(score, 0.5).0.is_finite() && labels.answer(score).is_finite());
        }
    }
}
