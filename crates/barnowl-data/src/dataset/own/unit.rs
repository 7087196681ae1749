//! The unit of times.

use serde::{Deserialize, Serialize};

/// The unit of a column of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
}

impl TimeUnit {
    pub(super) const ALL: [Self; 4] = [Self::S, Self::Ms, Self::Us, Self::Ns];

    /// How many are a second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        match self {
            Self::S => 1.0,
            Self::Ms => 1e3,
            Self::Us => 1e6,
            Self::Ns => 1e9,
        }
    }

    /// What it is called in a task.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::S => "s",
            Self::Ms => "ms",
            Self::Us => "us",
            Self::Ns => "ns",
        }
    }

    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::S => "seconds",
            Self::Ms => "milliseconds",
            Self::Us => "microseconds",
            Self::Ns => "nanoseconds",
        }
    }

    /// The unit that the heading of a column ends in, such as that of `time_us` or `t [ms]`.
    pub(super) fn of_heading(heading: &str) -> Option<Self> {
        let rest = ["timestamp", "time", "t"].iter().find_map(|start| heading.strip_prefix(start));
        let unit = rest?.trim_matches([' ', '_', '-', '(', ')', '[', ']', '/', '.']);
        Self::ALL.into_iter().find(|known| {
            known.name() == unit || known.plural().starts_with(unit) && unit.len() > 2
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_in_headings() {
        for (heading, unit) in [
            ("time_us", Some(TimeUnit::Us)),
            ("t [ms]", Some(TimeUnit::Ms)),
            ("timestamp (ns)", Some(TimeUnit::Ns)),
            ("time_seconds", Some(TimeUnit::S)),
            ("time", None),
            ("speed", None),
        ] {
            assert_eq!(TimeUnit::of_heading(heading), unit, "{heading}");
        }
    }
}
