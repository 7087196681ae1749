//! The dynamical system: a limit cycle in the plane, and a potential for each lead that the waves push up and down.

use super::morphology::{Beat, LEADS, WAVES};
use libm::{atan2, cos, exp, sin};
use std::f64::consts::{PI, TAU};

/// The state (x, y, z_1, z_2).
type State = [f64; 2 + LEADS];

/// The equations of McSharry et al. (2003), with one potential z a lead:
///
/// ```text
/// dx/dt = a x − ω y          a = 1 − (x² + y²)^½
/// dy/dt = a y + ω x          ω = 2π / RR(t)
/// dz/dt = −Σ_i a_i Δθ_i exp(−Δθ_i² / 2 b_i²) − (z − z_0(t))
/// ```
///
/// with Δθ_i = θ − θ_i wrapped into [−π, π), θ = atan2(y, x). At the angular velocity ω a wave alone gives a Gaussian
/// of height a_i b_i² / ω, which is how a_i follows from the amplitude.
#[derive(Debug, Clone)]
pub(super) struct Heart {
    state: State,
    waves: [Force; WAVES],
}

/// What a wave does to the potentials.
#[derive(Debug, Clone, Copy)]
struct Force {
    /// θ_i.
    angle: f64,
    /// 1 / 2 b_i².
    sharpness: f64,
    /// a_i in each lead, in mV/s.
    strength: [f64; LEADS],
}

impl Heart {
    /// A heart on its limit cycle at the given phase; `velocity` is the mean of ω, in rad/s.
    pub(super) fn new(beat: &Beat, velocity: f64, phase: f64) -> Self {
        let waves = std::array::from_fn(|i| {
            let square = beat.widths[i] * beat.widths[i];
            Force {
                angle: beat.angles[i],
                sharpness: 0.5 / square,
                strength: beat.amplitudes.map(|amplitude| amplitude[i] * velocity / square),
            }
        });
        Self { state: [cos(phase), sin(phase), 0.0, 0.0], waves }
    }

    /// θ, in radians; the R peak is at 0.
    pub(super) fn phase(&self) -> f64 {
        atan2(self.state[1], self.state[0])
    }

    /// z of each lead, in mV.
    pub(super) fn potentials(&self) -> [f64; LEADS] {
        [self.state[2], self.state[3]]
    }

    /// One step of the classical fourth-order Runge–Kutta method of `dt` seconds, with ω and z_0 constant over it.
    pub(super) fn step(&mut self, dt: f64, velocity: f64, baseline: f64) {
        let ahead = |slope: &State, dt: f64| -> State {
            std::array::from_fn(|i| self.state[i] + dt * slope[i])
        };
        let slope = |state: &State| self.slope(state, velocity, baseline);
        let k1 = slope(&self.state);
        let k2 = slope(&ahead(&k1, dt / 2.0));
        let k3 = slope(&ahead(&k2, dt / 2.0));
        let k4 = slope(&ahead(&k3, dt));
        let mean = std::array::from_fn(|i| (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]) / 6.0);
        self.state = ahead(&mean, dt);
    }

    /// The time derivative of the state.
    fn slope(&self, &[x, y, z1, z2]: &State, velocity: f64, baseline: f64) -> State {
        let a = 1.0 - libm::sqrt(x * x + y * y);
        let phase = atan2(y, x);
        let mut dz = [baseline - z1, baseline - z2];
        for wave in &self.waves {
            let distance = wrap(phase - wave.angle);
            let push = distance * exp(-distance * distance * wave.sharpness);
            for (dz, strength) in dz.iter_mut().zip(wave.strength) {
                *dz -= strength * push;
            }
        }
        [a * x - velocity * y, a * y + velocity * x, dz[0], dz[1]]
    }
}

/// An angle between −2π and 2π, moved into [−π, π).
fn wrap(angle: f64) -> f64 {
    if angle < -PI {
        angle + TAU
    } else if angle >= PI {
        angle - TAU
    } else {
        angle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::ecg_model::GeneratorConfig;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn beat() -> Beat {
        let config = GeneratorConfig {
            morphology: 0.0,
            small_p: 0.0,
            flat_t: 0.0,
            inverted_t: 0.0,
            ..GeneratorConfig::default()
        };
        Beat::draw(&config, 60.0, &mut ChaCha8Rng::seed_from_u64(0))
    }

    /// Phase and potentials over one second, a beat, in steps of `dt`, after `dt`-independent transients.
    fn trace(dt: f64) -> Vec<(f64, [f64; LEADS])> {
        let mut heart = Heart::new(&beat(), TAU, PI);
        let steps = (1.0 / dt).round() as usize;
        (0..steps)
            .map(|_| {
                heart.step(dt, TAU, 0.0);
                (heart.phase(), heart.potentials())
            })
            .collect()
    }

    #[test]
    fn a_beat_takes_one_interval_and_peaks_at_r() {
        let trace = trace(0.004);
        let last = trace[trace.len() - 1].0;
        assert!((last.abs() - PI).abs() < 1e-6, "{last}");
        let peak = trace.iter().max_by(|a, b| a.1[0].total_cmp(&b.1[0])).unwrap();
        assert!(peak.0.abs() < TAU * 0.005, "the highest potential is at {}", peak.0);
        assert!((peak.1[0] - 1.1).abs() < 0.1, "R is {} mV high", peak.1[0]);
    }

    #[test]
    fn halving_the_step_changes_little() {
        let (coarse, fine) = (trace(0.004), trace(0.002));
        for (a, b) in coarse.iter().zip(fine.iter().skip(1).step_by(2)) {
            assert!((a.1[0] - b.1[0]).abs() < 2e-4, "{} and {}", a.1[0], b.1[0]);
        }
    }

    #[test]
    fn the_cycle_attracts() {
        let mut heart = Heart::new(&beat(), TAU, 0.0);
        heart.state[0] = 0.2;
        (0..2500).for_each(|_| heart.step(0.004, TAU, 0.0));
        let radius = libm::sqrt(heart.state[0].powi(2) + heart.state[1].powi(2));
        assert!((radius - 1.0).abs() < 1e-3, "{radius}");
    }

    #[test]
    fn the_baseline_draws_the_potential() {
        let mut still = beat();
        still.amplitudes = [[0.0; WAVES]; LEADS];
        let mut heart = Heart::new(&still, TAU, 0.0);
        (0..2500).for_each(|_| heart.step(0.004, TAU, 0.3));
        assert!((heart.potentials()[1] - 0.3).abs() < 1e-4);
    }
}
