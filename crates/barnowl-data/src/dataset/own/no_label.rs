//! What is written where there is no label.

use serde::{Deserialize, Serialize};

/// A word or number that stands where there is no label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum NoLabel {
    /// Such as −1 or 99.
    Number(f64),
    /// Such as "unknown".
    Word(String),
}

/// What stands where there is no label, whatever the task says.
pub(super) const NOTHING: [&str; 6] = ["", "nan", "na", "n/a", "null", "none"];

impl NoLabel {
    /// Whether a text says that there is no label.
    pub(super) fn is(also: Option<&Self>, text: &str) -> bool {
        if NOTHING.contains(&text.to_ascii_lowercase().as_str()) {
            return true;
        }
        let number = text.parse::<f64>().ok();
        match also {
            _ if number == Some(-1.0) => true,
            Some(Self::Word(word)) => word == text,
            Some(Self::Number(unknown)) => number == Some(*unknown),
            None => false,
        }
    }

    /// Whether a number says that there is no label.
    pub(super) fn is_number(also: Option<&Self>, number: f64) -> bool {
        let other = matches!(also, Some(Self::Number(unknown)) if *unknown == number);
        number.is_nan() || number == -1.0 || other
    }
}
