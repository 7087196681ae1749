//! The adaptive leaky integrate-and-fire (ALIF) neuron, one step of time.
//!
//! ```text
//! α = exp(−dt/τ_m)      ρ = exp(−dt/τ_adp)
//! b_t = ρ b_{t−1} + (1−ρ) s_{t−1}                    adaptation
//! θ_t = b0 + β b_t                                   threshold
//! u_t = α u_{t−1} + (1−α) R I_t − θ_t s_{t−1}        membrane potential, soft reset
//! s_t = 1 if u_t − θ_t > 0 else 0                    spike
//! ```
//!
//! With β = 0 this is a plain LIF neuron. Equations 1–5 of Yin, Corradi & Bohté 2021.

use crate::math::{exp, exp_minus_one};
use crate::surrogate::Surrogate;

/// A decay over one step, kept as the factor and its complement so that neither loses digits for slow neurons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decay {
    /// α = exp(−dt/τ): what stays.
    pub keep: f32,
    /// 1 − α: what comes in.
    pub leak: f32,
}

impl Decay {
    /// The decay of a time constant `tau`, in the units of `dt`.
    ///
    /// `tau` must be positive: the caller checks, since only it knows the name of the parameter. A time constant of
    /// zero, or one that underflows the ratio, gives full decay.
    #[inline(always)]
    #[must_use]
    pub fn from_time_constant(tau: f32, dt: f32) -> Self {
        let exponent = -(dt / tau);
        Self { keep: exp(exponent), leak: -exp_minus_one(exponent) }
    }
}

/// What is the same for all neurons of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// b0: the threshold at rest.
    pub b0: f32,
    /// β: how strongly adaptation raises the threshold; 0 for a plain LIF neuron.
    pub beta: f32,
    /// R: the membrane resistance, which scales the input current; 1 in the paper.
    pub resistance: f32,
}

impl Default for Threshold {
    /// b0 = 0.01, β = 1.8, R = 1: the paper's values for most tasks.
    fn default() -> Self {
        Self { b0: 0.01, beta: 1.8, resistance: 1.0 }
    }
}

/// The parameters of one neuron.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlifParameters {
    /// α of the membrane.
    pub membrane: Decay,
    /// ρ of the adaptation.
    pub adaptation: Decay,
    /// Threshold and resistance.
    pub threshold: Threshold,
}

impl AlifParameters {
    /// A neuron with time constants in the units of `dt`.
    #[must_use]
    pub fn new(tau_m: f32, tau_adp: f32, dt: f32, threshold: Threshold) -> Self {
        Self {
            membrane: Decay::from_time_constant(tau_m, dt),
            adaptation: Decay::from_time_constant(tau_adp, dt),
            threshold,
        }
    }

    /// One step: the input current `I_t` in, the spike `s_t` out.
    #[inline(always)]
    pub fn step(&self, state: &mut AlifState, current: f32) -> bool {
        let s = if state.spike { 1.0 } else { 0.0 };
        state.b = self.adaptation.keep * state.b + self.adaptation.leak * s;
        let theta = self.threshold.b0 + self.threshold.beta * state.b;
        state.u = self.membrane.keep * state.u
            + self.membrane.leak * (self.threshold.resistance * current)
            - theta * s;
        state.spike = Surrogate::spike(state.u - theta);
        state.spike
    }
}

/// The state of one neuron between two steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlifState {
    /// u: the membrane potential.
    pub u: f32,
    /// b: the adaptation.
    pub b: f32,
    /// s: whether the last step spiked.
    pub spike: bool,
}

impl AlifState {
    /// The state at rest: u = 0, no spike, b = b0.
    #[must_use]
    pub const fn at_rest(b0: f32) -> Self {
        Self { u: 0.0, b: b0, spike: false }
    }
}

/// The leaky integrator, `m_t = α m_{t−1} + (1−α) I_t`: the readout that does not spike.
#[inline(always)]
#[must_use]
pub fn integrate(decay: Decay, membrane: f32, current: f32) -> f32 {
    decay.keep * membrane + decay.leak * current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_membrane_keeps_its_leak_accurate() {
        let decay = Decay::from_time_constant(1e6, 1.0);
        let exact = -(-1e-6_f64).exp_m1();
        assert!((f64::from(decay.leak) / exact - 1.0).abs() < 1e-6);
        assert_eq!(Decay::from_time_constant(0.0, 1.0), Decay { keep: 0.0, leak: 1.0 });
    }

    #[test]
    fn three_steps_by_hand() {
        // α = ρ = 1/2 (τ = 1/ln 2), b0 = 0.5, β = 1, I = 2.
        let tau = 1.0 / core::f32::consts::LN_2;
        let threshold = Threshold { b0: 0.5, beta: 1.0, resistance: 1.0 };
        let neuron = AlifParameters::new(tau, tau, 1.0, threshold);
        let mut state = AlifState { u: 0.0, b: 0.0, spike: false };
        // t=1: b = 0, θ = 0.5, u = 1, spike.
        assert!(neuron.step(&mut state, 2.0));
        assert!((state.u - 1.0).abs() < 1e-6 && state.b == 0.0);
        // t=2: b = 0.5, θ = 1, u = 0.5 + 1 − 1 = 0.5, no spike.
        assert!(!neuron.step(&mut state, 2.0));
        assert!((state.u - 0.5).abs() < 1e-6 && (state.b - 0.5).abs() < 1e-6);
        // t=3: b = 0.25, θ = 0.75, u = 0.25 + 1 = 1.25, spike.
        assert!(neuron.step(&mut state, 2.0));
        assert!((state.u - 1.25).abs() < 1e-6 && (state.b - 0.25).abs() < 1e-6);
    }

    #[test]
    fn adaptation_slows_the_spikes() {
        let spikes = |beta| {
            let threshold = Threshold { b0: 0.1, beta, resistance: 1.0 };
            let neuron = AlifParameters::new(20.0, 100.0, 1.0, threshold);
            let mut state = AlifState::at_rest(0.1);
            (0..500).filter(|_| neuron.step(&mut state, 0.6)).count()
        };
        assert!(spikes(1.8) < spikes(0.0) / 2, "{} against {}", spikes(1.8), spikes(0.0));
    }
}
