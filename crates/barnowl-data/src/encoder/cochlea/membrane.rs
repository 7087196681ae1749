//! The basilar membrane: a hydrodynamic model in shallow water (Sieroka, Dosch & Rupp 2006, doi:10.1121/1.2204438).
//!
//! At the place x, in cm from the oval window, and the angular frequency ω, with stiffness S, damping R and u = exp(−αx/2):
//!
//! ```text
//! S = C₀ u² − a        R = R₀ u        ξ = S − m ω² − iωR        g = ω √(ρ / (h ξ))
//! G(x) = 2 g(0) / α + ∫₀ˣ g dx'        p(x) = √(G/g) H₀⁽¹⁾(G)
//! velocity = 2ω/ξ(x) · p(x)/p(0) · z · sound
//! z = i √(2C₀/h) H₀⁽²⁾(k) / H₁⁽²⁾(k),  k = 2ω/α √(2 / (h C₀))
//! ```
//!
//! With κ = √(a + mω²) and f(x) = (−2√ξ + i(2κ² + iωR) / κ) / u, the integral is −2iω / (α κ √h) · ln(f(0) / f(x)).

use super::hankel::scaled_hankel;
use rayon::prelude::*;
use realfft::num_complex::{Complex32, Complex64};
use realfft::{ComplexToReal, RealFftPlanner};
use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The stiffness decays by α, in 1/cm.
const ALPHA: f64 = 3.0;
/// The length of the membrane, in cm.
const LENGTH: f64 = 3.5;
/// C₀, the stiffness at the oval window, in g s⁻² cm⁻².
const STIFFNESS: f64 = 1e9;
/// a, by which the stiffness is less, in the same unit.
const SOFTENING: f64 = 3500.0;
/// ρ, the density of the fluid, in g cm⁻³.
const DENSITY: f64 = 1.0;
/// h, the height of the channels, in cm.
const HEIGHT: f64 = 0.1;
/// m, the mass of the membrane, in g cm⁻².
const MASS: f64 = 0.05;
/// δ: R₀ = δ √(C₀ m).
const DAMPING: f64 = 0.15;

/// Sounds are filled up with silence to whole multiples of so many seconds, so that few lengths need a response.
const BLOCK: f64 = 0.25;

/// How places respond to frequencies.
pub(super) struct Membrane {
    channels: usize,
    rate: u32,
    velocity_rate: u32,
    /// By blocks of the sound: the response, `[channels, frequencies]`.
    responses: Mutex<BTreeMap<usize, Arc<Vec<Complex32>>>>,
}

impl fmt::Debug for Membrane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membrane").field("channels", &self.channels).finish_non_exhaustive()
    }
}

/// How the membrane moves under a sound.
pub(super) struct Velocity {
    spectrum: Vec<Complex64>,
    response: Arc<Vec<Complex32>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    steps: usize,
}

impl Membrane {
    pub(super) fn new(channels: usize, rate: u32, velocity_rate: u32) -> Self {
        Self { channels, rate, velocity_rate, responses: Mutex::new(BTreeMap::new()) }
    }

    pub(super) fn move_by(&self, sound: &[f64]) -> Velocity {
        let (rate, velocity_rate) = (self.rate as usize, self.velocity_rate as usize);
        let common = gcd(rate, velocity_rate);
        // Samples of sound and steps of velocity that last equally long; twice, so that both lengths are even.
        let (samples, steps) = (2 * rate / common, 2 * velocity_rate / common);
        let per_block = ((BLOCK * rate as f64 / samples as f64).ceil() as usize).max(1);
        let blocks = sound.len().div_ceil(samples * per_block).max(1);
        let (samples, all_steps) = (samples * per_block * blocks, steps * per_block * blocks);

        let mut planner = RealFftPlanner::<f64>::new();
        let forward = planner.plan_fft_forward(samples);
        let mut input = forward.make_input_vec();
        input[..sound.len()].copy_from_slice(sound);
        let mut spectrum = forward.make_output_vec();
        // All lengths are those that the plan asked for.
        let done = forward.process(&mut input, &mut spectrum);
        debug_assert!(done.is_ok());
        // The mean of a sound moves nothing, nor does what lies above half of either rate.
        spectrum.truncate(samples.min(all_steps) / 2);
        spectrum[0] = Complex64::ZERO;
        let response = self.response(blocks, spectrum.len(), self.rate as f64 / samples as f64);
        spectrum.iter_mut().for_each(|x| *x /= samples as f64);
        Velocity {
            spectrum,
            response,
            inverse: planner.plan_fft_inverse(all_steps),
            steps: sound.len() * velocity_rate / rate,
        }
    }

    /// The response to the multiples of a frequency in Hz.
    fn response(&self, blocks: usize, frequencies: usize, frequency: f64) -> Arc<Vec<Complex32>> {
        // A thread that panicked while it held the lock has written nothing.
        let mut responses = self.responses.lock().unwrap_or_else(PoisonError::into_inner);
        let computed = responses.entry(blocks).or_insert_with(|| {
            let waves: Vec<Wave> =
                (1..frequencies).map(|k| Wave::new(TAU * frequency * k as f64)).collect();
            let mut response = vec![Complex32::ZERO; self.channels * frequencies];
            let last = (self.channels - 1) as f64;
            response.par_chunks_exact_mut(frequencies).enumerate().for_each(|(channel, row)| {
                let x = LENGTH * channel as f64 / last;
                for (to, wave) in row[1..].iter_mut().zip(&waves) {
                    let velocity = wave.velocity(x);
                    *to = Complex32::new(velocity.re as f32, velocity.im as f32);
                }
            });
            Arc::new(response)
        });
        Arc::clone(computed)
    }
}

impl Velocity {
    /// The velocity of a place at every step.
    pub(super) fn at(&self, channel: usize) -> Vec<f64> {
        let response = &self.response[channel * self.spectrum.len()..][..self.spectrum.len()];
        let mut input = self.inverse.make_input_vec();
        for ((to, x), v) in input.iter_mut().zip(&self.spectrum).zip(response) {
            *to = x * Complex64::new(v.re.into(), v.im.into());
        }
        let mut output = self.inverse.make_output_vec();
        let done = self.inverse.process(&mut input, &mut output);
        debug_assert!(done.is_ok());
        // What lies beyond the sound is the silence that it was filled up with.
        output.truncate(self.steps);
        output
    }
}

/// What is the same at all places for a frequency.
struct Wave {
    omega: f64,
    kappa: f64,
    g: Complex64,
    f: Complex64,
    phase: Complex64,
    /// z / p(0), but for the exponential of H₀⁽¹⁾.
    source: Complex64,
}

impl Wave {
    fn new(omega: f64) -> Self {
        let kappa = (SOFTENING + MASS * omega * omega).sqrt();
        let mut wave = Self {
            omega,
            kappa,
            g: Complex64::ZERO,
            f: Complex64::ZERO,
            phase: Complex64::ZERO,
            source: Complex64::ZERO,
        };
        let xi = wave.xi(1.0);
        wave.g = wave.g(xi);
        wave.f = wave.f(xi, 1.0);
        wave.phase = wave.g * (2.0 / ALPHA);
        let k = 2.0 * omega / ALPHA * (2.0 / (HEIGHT * STIFFNESS)).sqrt();
        let order_0 = Complex64::new(libm::j0(k), -libm::y0(k));
        let order_1 = Complex64::new(libm::j1(k), -libm::y1(k));
        let z = Complex64::I * (2.0 * STIFFNESS / HEIGHT).sqrt() * order_0 / order_1;
        wave.source = z / ((wave.phase / wave.g).sqrt() * scaled_hankel(wave.phase));
        wave
    }

    fn xi(&self, u: f64) -> Complex64 {
        let damping = DAMPING * (STIFFNESS * MASS).sqrt() * u;
        let stiffness = STIFFNESS * u * u - SOFTENING;
        Complex64::new(stiffness - MASS * self.omega * self.omega, -self.omega * damping)
    }

    fn g(&self, xi: Complex64) -> Complex64 {
        self.omega * (DENSITY / (HEIGHT * xi)).sqrt()
    }

    fn f(&self, xi: Complex64, u: f64) -> Complex64 {
        let damping = DAMPING * (STIFFNESS * MASS).sqrt() * u;
        let inner = Complex64::new(2.0 * self.kappa * self.kappa, self.omega * damping);
        (Complex64::I * inner / self.kappa - 2.0 * xi.sqrt()) / u
    }

    /// The velocity at a place under a sound of amplitude 1.
    fn velocity(&self, x: f64) -> Complex64 {
        let u = (-ALPHA * x / 2.0).exp();
        let xi = self.xi(u);
        let integral = -2.0 * Complex64::I * self.omega / (ALPHA * self.kappa * HEIGHT.sqrt())
            * (self.f / self.f(xi, u)).ln();
        let phase = self.phase + integral;
        let p = (phase / self.g(xi)).sqrt() * scaled_hankel(phase);
        2.0 * self.omega / xi * p * (Complex64::I * integral).exp() * self.source
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
