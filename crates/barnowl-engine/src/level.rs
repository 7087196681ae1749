//! Which instruction set the kernels use.

use barnowl_base::error::{Error, Result};
use std::sync::OnceLock;

/// The environment variable that asks for an instruction set below the best.
const VARIABLE: &str = "BARNOWL_SIMD";

/// An instruction set, from the least to the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Whatever the target has without asking: SSE2, NEON, …
    Portable,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 with fused multiply-add.
    Avx512,
}

impl Level {
    const ALL: [(&str, Self); 3] =
        [("portable", Self::Portable), ("avx2", Self::Avx2), ("avx512", Self::Avx512)];

    /// The best of this processor.
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let fused = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if fused
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                return Self::Avx512;
            }
            if fused {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// The level that the environment asks for, if any.
    fn requested() -> Result<Option<Self>> {
        let Some(value) = std::env::var_os(VARIABLE) else {
            return Ok(None);
        };
        let found = Self::ALL.iter().find(|(name, _)| value == *name);
        found.map(|(_, level)| Some(*level)).ok_or_else(|| {
            Error::setting(VARIABLE, value.to_string_lossy())
                .expected("portable, avx2 or avx512")
                .remedy("leave it out for the best instruction set of this processor")
        })
    }
}

/// The level of this process: never above what the processor has, so that code compiled for it may run.
#[inline]
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        let best = Level::detect();
        // A value that makes no sense is refused by `instruction_set`, which programs call at their start.
        Level::requested().ok().flatten().map_or(best, |level| level.min(best))
    })
}

/// The instruction set that the CPU kernels of this process use: `avx512`, `avx2` or `portable`.
///
/// It is the best that the processor has. The environment variable `BARNOWL_SIMD` may ask for one below it, to get the
/// same bits as a lesser machine or to test; it is read once.
///
/// # Errors
///
/// If `BARNOWL_SIMD` names none of them.
pub fn instruction_set() -> Result<&'static str> {
    Level::requested()?;
    let name = Level::ALL.iter().find(|(_, level)| *level == self::level());
    Ok(name.map_or("portable", |(name, _)| name))
}
