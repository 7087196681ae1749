//! The Adamax update rule.

use burn::optim::decay::WeightDecay;
use burn::optim::{LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::penalty::l2_penalty;

/// Configuration of [`Adamax`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamaxConfig {
    /// Decay β₁ of the first moment. Default 0.9.
    /// Range: 0 or more, less than 1.
    pub beta_1: f64,
    /// Decay β₂ of the infinity norm. Default 0.999.
    /// Range: 0 or more, less than 1.
    pub beta_2: f64,
    /// Added to the gradient's magnitude: ε. Default 10⁻⁸.
    /// Range: 1.2e-38 to 3.4e38.
    pub epsilon: f64,
    /// L2 penalty λ, added to the gradient. Default 0.
    /// Range: 0 to 3.4e38.
    pub weight_decay: f64,
}

impl Default for AdamaxConfig {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

impl AdamaxConfig {
    /// The bare update rule.
    #[must_use]
    pub fn build(&self) -> Adamax {
        Adamax {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            weight_decay: l2_penalty(self.weight_decay).as_ref().map(WeightDecay::new),
        }
    }

    /// The optimizer of a whole module, as Burn's own configurations make it.
    #[must_use]
    pub fn init(&self) -> ModuleOptimizer {
        self.build().into()
    }
}

/// Adamax: Adam with the infinity norm in place of the second moment.
///
/// Kingma & Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015, Algorithm 2 (arXiv 1412.6980):
///
/// ```text
/// g_t = ∇L(θ_{t−1}) + λ θ_{t−1}
/// m_t = β₁ m_{t−1} + (1−β₁) g_t
/// u_t = max(β₂ u_{t−1}, |g_t| + ε)
/// θ_t = θ_{t−1} − η / (1−β₁ᵗ) · m_t / u_t
/// ```
///
/// The ε, which the paper does not have, keeps a gradient of zero from dividing by zero; it stands where PyTorch has
/// it.
#[derive(Clone)]
pub struct Adamax {
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    weight_decay: Option<WeightDecay>,
}

/// What [`Adamax`] remembers of one parameter; the tensors have the parameter's shape.
#[derive(Debug, Clone)]
pub struct AdamaxState<const D: usize> {
    /// Steps taken, t.
    pub time: u32,
    /// First moment m_t.
    pub moment: Tensor<D>,
    /// Exponentially weighted infinity norm u_t.
    pub infinity_norm: Tensor<D>,
}

impl Optimizer for Adamax {
    type State<const D: usize> = AdamaxState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        mut grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        if let Some(weight_decay) = &self.weight_decay {
            grad = weight_decay.transform(grad, tensor.clone());
        }
        let magnitude = grad.clone().abs().add_scalar(self.epsilon);
        let grad = grad.mul_scalar(1.0 - self.beta_1);
        let state = match state {
            None => AdamaxState { time: 1, moment: grad, infinity_norm: magnitude },
            Some(state) => AdamaxState {
                time: state.time + 1,
                moment: state.moment.mul_scalar(self.beta_1) + grad,
                infinity_norm: state.infinity_norm.mul_scalar(self.beta_2).max_pair(magnitude),
            },
        };
        let rate = lr / (1.0 - self.beta_1.powf(state.time.into()));
        let step = state.moment.clone() / state.infinity_norm.clone();
        (tensor - step.mul_scalar(rate), Some(state))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        AdamaxState {
            time: state.time,
            moment: state.moment.to_device(device),
            infinity_norm: state.infinity_norm.to_device(device),
        }
    }
}

// By hand: Burn's derive names paths that exist only inside its own crate.
impl<const D: usize> RecordState for AdamaxState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "time", self.time.into());
        out.push_tensor(prefix, "moment", self.moment.to_data());
        out.push_tensor(prefix, "infinity_norm", self.infinity_norm.to_data());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        Some(Self {
            time: src.take_scalar(prefix, "time")?.try_into().ok()?,
            moment: Tensor::from_data(src.take_tensor(prefix, "moment")?, device),
            infinity_norm: Tensor::from_data(src.take_tensor(prefix, "infinity_norm")?, device),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a constant gradient, m_t / (1−β₁ᵗ) = g and u_t = |g|, so every step is η sign(g).
    #[test]
    fn a_constant_gradient_moves_every_parameter_by_the_learning_rate() {
        let device = Device::flex();
        let rule = AdamaxConfig::default().build();
        let gradient = Tensor::<1>::from_data([1e-3, -2.0, 300.0], &device);
        let mut parameter = Tensor::<1>::zeros([3], &device);
        let mut state = None;
        for _ in 0..20 {
            (parameter, state) = rule.step(0.5, parameter, gradient.clone(), state);
        }
        let values: Vec<f32> = parameter.try_into_vec_as().unwrap();
        for (value, expected) in values.iter().zip([-10.0, 10.0, -10.0]) {
            assert!((value - expected).abs() < 2e-4, "{value} is not {expected}");
        }
    }

    #[test]
    fn a_gradient_of_zero_moves_nothing() {
        let device = Device::flex();
        let rule = AdamaxConfig::default().build();
        let (parameter, _) =
            rule.step(1.0, Tensor::<1>::ones([2], &device), Tensor::zeros([2], &device), None);
        assert_eq!(parameter.try_into_vec_as::<f32>().unwrap(), [1.0, 1.0]);
    }
}
