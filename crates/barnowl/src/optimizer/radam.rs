//! The RAdam update rule.

use burn::optim::decay::WeightDecay;
use burn::optim::{LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::penalty::l2_penalty;

/// Length ρ_t of the approximated moving average from which the adaptive rate is used.
const ADAPTIVE_FROM: f64 = 5.0;

/// Configuration of [`RAdam`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RAdamConfig {
    /// Decay β₁ of the first moment. Default 0.9.
    /// Range: 0 or more, less than 1.
    pub beta_1: f64,
    /// Decay β₂ of the second moment. Default 0.999.
    /// Range: 0 or more, less than 1.
    pub beta_2: f64,
    /// Added to the root of the second moment: ε. Default 10⁻⁸.
    /// Range: 1.2e-38 to 3.4e38.
    pub epsilon: f64,
    /// L2 penalty λ, added to the gradient. Default 0.
    /// Range: 0 to 3.4e38.
    pub weight_decay: f64,
}

impl Default for RAdamConfig {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

impl RAdamConfig {
    /// The bare update rule.
    #[must_use]
    pub fn build(&self) -> RAdam {
        RAdam {
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

/// RAdam: Adam whose adaptive rate is held back until its variance is known.
///
/// Liu et al., *On the Variance of the Adaptive Learning Rate and Beyond*, ICLR 2020, Algorithm 2 (arXiv 1908.03265):
///
/// ```text
/// g_t = ∇L(θ_{t−1}) + λ θ_{t−1}
/// m_t = β₁ m_{t−1} + (1−β₁) g_t            m̂_t = m_t / (1−β₁ᵗ)
/// v_t = β₂ v_{t−1} + (1−β₂) g_t²
/// ρ_∞ = 2/(1−β₂) − 1                       ρ_t = ρ_∞ − 2 t β₂ᵗ / (1−β₂ᵗ)
/// r_t = √[(ρ_t−4)(ρ_t−2) ρ_∞ / ((ρ_∞−4)(ρ_∞−2) ρ_t)]
/// θ_t = θ_{t−1} − η m̂_t · r_t √(1−β₂ᵗ) / (√v_t + ε)    where ρ_t > 5
/// θ_t = θ_{t−1} − η m̂_t                                otherwise
/// ```
///
/// The paper switches at ρ_t > 4; PyTorch, like the authors' code, at 5, and so does this.
#[derive(Clone)]
pub struct RAdam {
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    weight_decay: Option<WeightDecay>,
}

/// What [`RAdam`] remembers of one parameter; the tensors have the parameter's shape.
#[derive(Debug, Clone)]
pub struct RAdamState<const D: usize> {
    /// Steps taken, t.
    pub time: u32,
    /// First moment m_t.
    pub moment_1: Tensor<D>,
    /// Second moment v_t.
    pub moment_2: Tensor<D>,
}

impl RAdam {
    /// r_t √(1−β₂ᵗ), or `None` while the moving average is too short for the adaptive rate.
    fn rectification(&self, time: u32) -> Option<f64> {
        let t = f64::from(time);
        let decayed = self.beta_2.powf(t);
        let rho_inf = 2.0 / (1.0 - self.beta_2) - 1.0;
        let rho = rho_inf - 2.0 * t * decayed / (1.0 - decayed);
        (rho > ADAPTIVE_FROM).then(|| {
            let variance =
                (rho - 4.0) * (rho - 2.0) * rho_inf / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho);
            (variance * (1.0 - decayed)).sqrt()
        })
    }
}

impl Optimizer for RAdam {
    type State<const D: usize> = RAdamState<D>;

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
        let square = grad.clone().square().mul_scalar(1.0 - self.beta_2);
        let grad = grad.mul_scalar(1.0 - self.beta_1);
        let state = match state {
            None => RAdamState { time: 1, moment_1: grad, moment_2: square },
            Some(state) => RAdamState {
                time: state.time + 1,
                moment_1: state.moment_1.mul_scalar(self.beta_1) + grad,
                moment_2: state.moment_2.mul_scalar(self.beta_2) + square,
            },
        };
        let rate = lr / (1.0 - self.beta_1.powf(state.time.into()));
        let moment = state.moment_1.clone();
        let step = match self.rectification(state.time) {
            Some(rectification) => {
                let root = state.moment_2.clone().sqrt().add_scalar(self.epsilon);
                moment.mul_scalar(rate * rectification) / root
            }
            None => moment.mul_scalar(rate),
        };
        (tensor - step, Some(state))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        RAdamState {
            time: state.time,
            moment_1: state.moment_1.to_device(device),
            moment_2: state.moment_2.to_device(device),
        }
    }
}

// By hand: Burn's derive names paths that exist only inside its own crate.
impl<const D: usize> RecordState for RAdamState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "time", self.time.into());
        out.push_tensor(prefix, "moment_1", self.moment_1.to_data());
        out.push_tensor(prefix, "moment_2", self.moment_2.to_data());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        Some(Self {
            time: src.take_scalar(prefix, "time")?.try_into().ok()?,
            moment_1: Tensor::from_data(src.take_tensor(prefix, "moment_1")?, device),
            moment_2: Tensor::from_data(src.take_tensor(prefix, "moment_2")?, device),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With β₂ = 0.999 the paper's rule starts to adapt at the sixth step, and r_t then grows towards one.
    #[test]
    fn the_rectification_sets_in_at_the_sixth_step_and_grows_to_one() {
        let rule = RAdamConfig::default().build();
        let values: Vec<_> = (1..=20_000).map(|t| rule.rectification(t)).collect();
        assert!(values[..5].iter().all(Option::is_none));
        assert!(values[5..].iter().all(Option::is_some));
        assert!(values[5..].is_sorted());
        let last = values[19_999].unwrap();
        assert!(last <= 1.0 && last > 0.999_99, "r_t is {last}");
    }

    /// A moving average shorter than five steps never becomes adaptive.
    #[test]
    fn a_fast_second_moment_never_adapts() {
        let rule = RAdamConfig { beta_2: 0.5, ..RAdamConfig::default() }.build();
        assert!((1..1000).all(|t| rule.rectification(t).is_none()));
    }
}
