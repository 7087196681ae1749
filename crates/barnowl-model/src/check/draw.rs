//! Numbers that look random and are the same every time.

use crate::source::{Parameter, Start, Transform};

/// SplitMix64: Steele, Lea & Flood 2014, OOPSLA, 453-472.
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Evenly between 0 and 1.
    pub(super) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly between −1 and 1.
    pub(super) fn signed(&mut self) -> f64 {
        2.0 * self.unit() - 1.0
    }

    /// A value that training may give a parameter: anywhere within an interval, else about where it starts.
    pub(super) fn parameter(&mut self, parameter: &Parameter) -> f64 {
        let (low, high) = (f64::from(parameter.range.0), f64::from(parameter.range.1));
        let drawn = match parameter.start {
            _ if parameter.transform == Transform::Interval => low + self.unit() * (high - low),
            Start::Value(value) if !parameter.trained => f64::from(value),
            Start::Value(0.0) => 0.5 * self.signed(),
            Start::Value(value) => f64::from(value) * libm::exp2(self.signed()),
            Start::Uniform(from, to) => f64::from(from) + self.unit() * f64::from(to - from),
            Start::Normal(mean, deviation) => {
                f64::from(mean) + 2.0 * self.signed() * f64::from(deviation)
            }
        };
        if parameter.allows(drawn as f32) { drawn } else { f64::from(parameter.middle()) }
    }
}
