//! Adam and AdamW in one pass over memory.
//!
//! Burn's rules take a dozen element-wise operations with a new array each. A network of 160,000 parameters spends as
//! long in them as in a tenth of its backpropagation through time.

use crate::device::is_cpu;
use barnowl_engine::simd::{Isa, dispatch};
use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Constants of Adam.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
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

impl Default for AdamConfig {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

/// Constants of AdamW.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWConfig {
    /// Decay β₁ of the first moment. Default 0.9.
    /// Range: 0 or more, less than 1.
    pub beta_1: f64,
    /// Decay β₂ of the second moment. Default 0.999.
    /// Range: 0 or more, less than 1.
    pub beta_2: f64,
    /// Added to the root of the second moment: ε. Default 10⁻⁸.
    /// Range: 1.2e-38 to 3.4e38.
    pub epsilon: f64,
    /// Decoupled decay λ: every step first scales the parameter by 1 − ηλ. Default 0.01.
    /// Range: 0 to 3.4e38.
    pub weight_decay: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.01 }
    }
}

/// Adam (Kingma & Ba 2015, Algorithm 1; arXiv 1412.6980), and AdamW (Loshchilov & Hutter 2019; arXiv 1711.05101):
///
/// ```text
/// g_t = ∇L(θ_{t−1}) + λ θ_{t−1}                       (Adam)
/// θ'  = θ_{t−1} − η λ θ_{t−1}                         (AdamW)
/// m_t = β₁ m_{t−1} + (1−β₁) g_t
/// v_t = β₂ v_{t−1} + (1−β₂) g_t²
/// θ_t = θ' − η / (1−β₁ᵗ) · m_t / (√(v_t / (1−β₂ᵗ)) + ε)
/// ```
#[derive(Debug, Clone)]
pub struct Adam {
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    weight_decay: f64,
    decoupled: bool,
}

impl From<&AdamConfig> for Adam {
    fn from(config: &AdamConfig) -> Self {
        let AdamConfig { beta_1, beta_2, epsilon, weight_decay } = *config;
        Self { beta_1, beta_2, epsilon, weight_decay, decoupled: false }
    }
}

impl From<&AdamWConfig> for Adam {
    fn from(config: &AdamWConfig) -> Self {
        let AdamWConfig { beta_1, beta_2, epsilon, weight_decay } = *config;
        Self { beta_1, beta_2, epsilon, weight_decay, decoupled: true }
    }
}

/// What [`Adam`] remembers of one parameter; the tensors have the parameter's shape.
#[derive(Debug, Clone)]
pub struct AdamState<const D: usize> {
    /// Steps taken, t.
    pub time: u32,
    /// First moment m_t.
    pub moment_1: Tensor<D>,
    /// Second moment v_t.
    pub moment_2: Tensor<D>,
}

/// The constants of one step, in single precision.
#[derive(Clone, Copy)]
struct Step {
    beta_1: f32,
    rest_1: f32,
    beta_2: f32,
    rest_2: f32,
    /// η / (1−β₁ᵗ)
    rate: f32,
    /// 1 / √(1−β₂ᵗ)
    correction: f32,
    epsilon: f32,
    /// λ of a penalty, and 1 − ηλ of a decay.
    penalty: f32,
    decay: f32,
}

impl Adam {
    fn constants(&self, rate: f64, time: u32) -> Step {
        let t = f64::from(time);
        let (penalty, decay) = match self.decoupled {
            false => (self.weight_decay, 1.0),
            true => (0.0, 1.0 - rate * self.weight_decay),
        };
        Step {
            beta_1: self.beta_1 as f32,
            rest_1: (1.0 - self.beta_1) as f32,
            beta_2: self.beta_2 as f32,
            rest_2: (1.0 - self.beta_2) as f32,
            rate: (rate / (1.0 - self.beta_1.powf(t))) as f32,
            correction: (1.0 / (1.0 - self.beta_2.powf(t)).sqrt()) as f32,
            epsilon: self.epsilon as f32,
            penalty: penalty as f32,
            decay: decay as f32,
        }
    }
}

impl Adam {
    /// The step in tensor operations: no number leaves the device.
    fn step_on_device<const D: usize>(
        &self,
        rate: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let state = state.unwrap_or_else(|| AdamState {
            time: 0,
            moment_1: parameter.zeros_like(),
            moment_2: parameter.zeros_like(),
        });
        let time = state.time + 1;
        let step = self.constants(rate, time);
        let gradient = match step.penalty {
            0.0 => gradient,
            penalty => gradient + parameter.clone() * penalty,
        };
        let moment_1 = state.moment_1 * step.beta_1 + gradient.clone() * step.rest_1;
        let moment_2 = state.moment_2 * step.beta_2 + gradient.square() * step.rest_2;
        let width = moment_2.clone().sqrt() * step.correction + step.epsilon;
        let parameter = parameter * step.decay - moment_1.clone() * step.rate / width;
        (parameter, Some(AdamState { time, moment_1, moment_2 }))
    }
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let (device, shape) = (tensor.device(), tensor.dims());
        if !is_cpu(&device) {
            return self.step_on_device(rate, tensor, gradient, state);
        }
        let mut parameter = values(tensor);
        let gradient = values(gradient);
        let (time, mut moment_1, mut moment_2) = match state {
            None => (1, vec![0.0; parameter.len()], vec![0.0; parameter.len()]),
            Some(state) => (state.time + 1, values(state.moment_1), values(state.moment_2)),
        };
        let step = self.constants(rate, time);
        // Large enough to be worth a thread's while, in pieces that do not depend on how many there are.
        const PIECE: usize = 1 << 14;
        parameter
            .par_chunks_mut(PIECE)
            .zip(gradient.par_chunks(PIECE))
            .zip(moment_1.par_chunks_mut(PIECE).zip(moment_2.par_chunks_mut(PIECE)))
            .for_each(|((parameter, gradient), (moment_1, moment_2))| {
                update(step, parameter, gradient, moment_1, moment_2);
            });
        let tensor = |values| Tensor::from_data(TensorData::new(values, shape), &device);
        let state = AdamState { time, moment_1: tensor(moment_1), moment_2: tensor(moment_2) };
        (tensor(parameter), Some(state))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        AdamState {
            time: state.time,
            moment_1: state.moment_1.to_device(device),
            moment_2: state.moment_2.to_device(device),
        }
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data_as::<f32>().try_into_vec().expect("converted to f32 in this line")
}

dispatch! {
    fn update(step: Step, parameter: &mut [f32], gradient: &[f32], moment_1: &mut [f32], moment_2: &mut [f32]) = update_kernel
}

/// Element-wise, so the compiler vectorises it.
#[inline(always)]
fn update_kernel<I: Isa>(
    _: I,
    step: Step,
    parameter: &mut [f32],
    gradient: &[f32],
    moment_1: &mut [f32],
    moment_2: &mut [f32],
) {
    let length = parameter.len();
    let (gradient, moment_1) = (&gradient[..length], &mut moment_1[..length]);
    let moment_2 = &mut moment_2[..length];
    for i in 0..length {
        let g = gradient[i] + step.penalty * parameter[i];
        moment_1[i] = step.beta_1 * moment_1[i] + step.rest_1 * g;
        moment_2[i] = step.beta_2 * moment_2[i] + step.rest_2 * (g * g);
        let scale = moment_2[i].sqrt() * step.correction + step.epsilon;
        parameter[i] = step.decay * parameter[i] - step.rate * (moment_1[i] / scale);
    }
}

// By hand: Burn's derive names paths that exist only inside its own crate. The names are those of Burn's own Adam.
impl<const D: usize> RecordState for AdamState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        let prefix = &format!("{prefix}.momentum");
        out.push_scalar(prefix, "time", self.time.into());
        out.push_tensor(prefix, "moment_1", self.moment_1.to_data());
        out.push_tensor(prefix, "moment_2", self.moment_2.to_data());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let prefix = &format!("{prefix}.momentum");
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

    /// With a constant gradient, m_t / (1−β₁ᵗ) = g and v_t / (1−β₂ᵗ) = g², so every step is η sign(g).
    #[test]
    fn a_constant_gradient_moves_every_parameter_by_the_learning_rate() {
        let device = Device::flex();
        let rule = Adam::from(&AdamConfig::default());
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
    fn the_number_of_threads_does_not_change_a_bit() {
        let device = Device::flex();
        let rule = Adam::from(&AdamWConfig::default());
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let numbers: Vec<f32> = (0..40_000).map(|i| (i % 97) as f32 - 48.0).collect();
                let numbers = Tensor::<1>::from_floats(&numbers[..], &device);
                let (parameter, state) = rule.step(0.1, numbers.clone(), numbers.clone(), None);
                let (parameter, _) = rule.step(0.1, parameter, numbers, state);
                values(parameter)
            })
        };
        assert_eq!(on(1), on(3));
    }
}
