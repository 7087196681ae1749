//! What a network costs before anything is trained: one far beyond reason should not start without a word.

use super::TaskConfig;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::LayerConfig;

/// A weight, its gradient and two moments of the optimizer, of 4 bytes each.
const BYTES: u64 = 16;
/// No machine has so much memory: 16 TiB.
const MOST_BYTES: u64 = 1 << 44;
/// More weights than this are worth a word.
const MANY: u64 = 20_000_000;
/// Operations a second when orthogonal weights are drawn, about.
const SPEED: f64 = 1e9;
/// Seconds that are worth a word.
const LONG: f64 = 20.0;

impl TaskConfig {
    /// What to tell the user before a network is trained that is larger than most: how many weights, how much memory, and
    /// what takes long.
    ///
    /// # Errors
    ///
    /// If no machine has the memory.
    pub fn warnings(&self) -> Result<Vec<String>> {
        let weights = self.network.weights() as u64;
        let bytes = weights.saturating_mul(BYTES);
        let size = format!(
            "the network has {} weights: training needs {} of memory for them, their gradients and the optimizer",
            rounded(weights as f64, &["", " thousand", " million", " billion", " trillion"]),
            rounded(bytes as f64, &[" B", " kB", " MB", " GB", " TB"]),
        );
        if bytes > MOST_BYTES {
            let most = self.network.layers.iter().enumerate().max_by_key(|(_, layer)| layer.size);
            let place = most.map_or(0, |(place, _)| place);
            return Err(Error::config(size)
                .with_key(format!("network.layers.{place}.size"))
                .expected("less than any machine has")
                .remedy(format!("lower network.layers.{place}.size")));
        }
        let mut warnings = Vec::new();
        if weights > MANY {
            warnings.push(format!("{size}, and every step will be slow"));
        }
        for (place, layer) in self.network.layers.iter().enumerate() {
            let seconds = drawing(layer);
            if seconds > LONG {
                warnings.push(format!(
                    "drawing the orthogonal weights of network.layers.{place} takes about {}; \
                     network.layers.{place}.recurrent_weights = \"xavier_uniform\" takes none",
                    time(seconds)
                ));
            }
        }
        Ok(warnings)
    }
}

/// Seconds to draw the recurrent weights: every vector is made orthogonal to every other, twice.
fn drawing(layer: &LayerConfig) -> f64 {
    let orthogonal = matches!(layer.recurrent_weights, Initializer::Orthogonal { .. });
    if layer.recurrent && orthogonal { 4.0 * (layer.size as f64).powi(3) / SPEED } else { 0.0 }
}

/// A number in thousands, with the word for them.
fn rounded(mut number: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while number >= 1000.0 && unit + 1 < units.len() {
        number /= 1000.0;
        unit += 1;
    }
    let digits = if number < 10.0 && unit > 0 { 1 } else { 0 };
    format!("{number:.digits$}{}", units[unit])
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} seconds"),
        s if s < 7200.0 => format!("{:.0} minutes", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} hours", s / 3600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(settings: &[&str]) -> Result<Vec<String>> {
        let settings: Vec<String> = settings.iter().map(|&setting| setting.into()).collect();
        TaskConfig::load("ecg", &settings)?.warnings()
    }

    #[test]
    fn a_network_beyond_reason_is_told_before_it_is_made() {
        for (name, _) in super::super::BUILT_IN {
            assert!(TaskConfig::load(name, &[]).unwrap().warnings().unwrap().is_empty(), "{name}");
        }
        let found = warnings(&["network.layers.0.size=65000"]).unwrap();
        assert!(
            found[0].contains("4.2 billion weights") && found[0].contains("68 GB"),
            "{found:?}"
        );
        assert!(found[1].contains("13 days"), "{found:?}");
        let found = warnings(&["network.layers.0.size=6000"]).unwrap();
        assert!(found[0].contains("36 million weights"), "{found:?}");
        let layers = vec!["{ size = 65000 }"; 200].join(", ");
        let message = warnings(&[&format!("network.layers=[{layers}]")]).unwrap_err().to_string();
        assert!(message.contains("lower network.layers."), "{message}");
    }
}
