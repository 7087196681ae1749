//! What the generator makes.

use barnowl_base::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The generator's settings; the defaults have the sampling rate, heart rates, wave durations and event
/// densities of the encoded QT Database, and a third of its size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratorConfig {
    /// The same seed gives the same data, bit for bit.
    /// Range: 0 to 9223372036854775807.
    pub seed: u64,
    /// Sequences to train on.
    /// Range: 1 to 1000000000.
    pub train_samples: usize,
    /// Sequences to test on; of other random streams than those to train on.
    /// Range: 1 to 1000000000.
    pub test_samples: usize,
    /// Steps of a sequence.
    /// Range: 1 to 1000000000.
    pub steps: usize,
    /// Steps a second; at 125 or more no class is ever shorter than a step.
    /// Range: 125 to 10000.
    pub sampling_rate: f64,
    /// Lowest mean heart rate of a sequence, in beats a minute.
    /// Range: 30 to 150.
    pub heart_rate_min: f64,
    /// Highest mean heart rate of a sequence, in beats a minute.
    /// Range: 30 to 150.
    pub heart_rate_max: f64,
    /// Standard deviation of the RR interval within a sequence, as a share of its mean.
    /// Range: 0 to 0.1.
    pub rr_variability: f64,
    /// Power of the RR intervals at low (0.1 Hz) over that at high (respiratory) frequency.
    /// Range: 0 to 100.
    pub lf_hf_ratio: f64,
    /// How far position, width and amplitude of the waves vary between sequences: 0 not at all, 1 as far as is
    /// physiologically plausible.
    /// Range: 0 to 1.
    pub morphology: f64,
    /// Share of leads whose P wave is small.
    /// Range: 0 to 1.
    pub small_p: f64,
    /// Share of leads whose T wave is nearly flat.
    /// Range: 0 to 1.
    pub flat_t: f64,
    /// Share of leads whose T wave points downwards.
    /// Range: 0 to 1, with flat_t at most 1.
    pub inverted_t: f64,
    /// Standard deviation of the white noise, in mV, of the middle sequence; sequences have half to 1.5 times as much.
    /// Range: 0 to 1 mV.
    pub noise: f64,
    /// Amplitude of the baseline's wander at the respiratory frequency, in mV.
    /// Range: 0 to 1 mV.
    pub baseline_wander: f64,
    /// Amplitude of the mains hum at 50 Hz, in mV.
    /// Range: 0 to 1 mV.
    pub mains: f64,
    /// Height of a level of the level-crossing encoder, in standard deviations of the lead.
    /// Range: 0.01 to 10.
    pub threshold: f32,
    /// Gives the two leads as real numbers, each brought to mean 0 and standard deviation 1, rather than as events of four
    /// channels. Default false.
    pub signals: bool,
}

impl Default for GeneratorConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            train_samples: 240,
            test_samples: 100,
            steps: 1301,
            sampling_rate: 250.0,
            heart_rate_min: 46.0,
            heart_rate_max: 105.0,
            rr_variability: 0.04,
            lf_hf_ratio: 0.5,
            morphology: 1.0,
            small_p: 0.2,
            flat_t: 0.15,
            inverted_t: 0.15,
            noise: 0.02,
            baseline_wander: 0.15,
            mains: 0.01,
            threshold: 0.4,
            signals: false,
        }
    }
}

/// Steps of all sequences of a split together: 4 GB of events.
const MAX_STEPS: usize = 1_000_000_000;

impl GeneratorConfig {
    /// Checks every range; `key` is the place of the configuration, such as `dataset.generator`.
    ///
    /// # Errors
    ///
    /// Names the key, its value and what is allowed.
    pub fn validate(&self, key: &str) -> Result<()> {
        let counts = [
            ("train_samples", self.train_samples),
            ("test_samples", self.test_samples),
            ("steps", self.steps),
        ];
        for (name, value) in counts {
            if value == 0 {
                return Err(Error::setting(format!("{key}.{name}"), value).expected("at least 1"));
            }
        }
        let samples = self.train_samples.max(self.test_samples);
        if samples.checked_mul(self.steps).is_none_or(|steps| steps > MAX_STEPS) {
            return Err(Error::setting(format!("{key}.steps"), self.steps)
                .expected(format!("at most {MAX_STEPS} steps in all of {samples} sequences")));
        }
        let ranges = [
            ("sampling_rate", self.sampling_rate, 125.0, 10_000.0),
            ("heart_rate_min", self.heart_rate_min, 30.0, 150.0),
            ("heart_rate_max", self.heart_rate_max, 30.0, 150.0),
            ("rr_variability", self.rr_variability, 0.0, 0.1),
            ("lf_hf_ratio", self.lf_hf_ratio, 0.0, 100.0),
            ("morphology", self.morphology, 0.0, 1.0),
            ("small_p", self.small_p, 0.0, 1.0),
            ("flat_t", self.flat_t, 0.0, 1.0),
            ("inverted_t", self.inverted_t, 0.0, 1.0 - self.flat_t.clamp(0.0, 1.0)),
            ("noise", self.noise, 0.0, 1.0),
            ("baseline_wander", self.baseline_wander, 0.0, 1.0),
            ("mains", self.mains, 0.0, 1.0),
            ("threshold", f64::from(self.threshold), 0.01, 10.0),
        ];
        for (name, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                return Err(Error::setting(format!("{key}.{name}"), value)
                    .expected(format!("{low} to {high}")));
            }
        }
        if self.heart_rate_min > self.heart_rate_max {
            return Err(Error::setting(format!("{key}.heart_rate_min"), self.heart_rate_min)
                .expected(format!("at most heart_rate_max = {}", self.heart_rate_max)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(change: impl FnOnce(&mut GeneratorConfig)) -> String {
        let mut config = GeneratorConfig::default();
        change(&mut config);
        let error = config.validate("dataset.generator").unwrap_err();
        assert!(error.key().is_some_and(|key| key.starts_with("dataset.generator.")));
        error.to_string()
    }

    #[test]
    fn the_defaults_are_valid() {
        GeneratorConfig::default().validate("generator").unwrap();
    }

    #[test]
    fn values_out_of_range_are_named_with_the_range() {
        assert_eq!(message(|c| c.noise = -0.1), "dataset.generator.noise = -0.1; expected 0 to 1");
        assert_eq!(
            message(|c| c.test_samples = 0),
            "dataset.generator.test_samples = 0; expected at least 1"
        );
        assert!(message(|c| c.sampling_rate = f64::NAN).contains("sampling_rate = NaN"));
        assert!(message(|c| c.threshold = 0.0).contains("threshold = 0"));
        assert!(message(|c| c.steps = usize::MAX).contains(".steps"));
        assert!(message(|c| (c.flat_t, c.inverted_t) = (0.6, 0.6)).contains("0 to 0.4"));
        assert!(message(|c| c.heart_rate_min = 120.0).contains("heart_rate_max = 105"));
    }

    #[test]
    fn unknown_keys_are_refused_and_missing_ones_have_defaults() {
        let config: GeneratorConfig = toml::from_str("noise = 0.5").unwrap();
        assert_eq!(config, GeneratorConfig { noise: 0.5, ..GeneratorConfig::default() });
        assert!(toml::from_str::<GeneratorConfig>("nois = 0.5").is_err());
    }
}
