//! Ranges of numbers, as the documentation of a setting states them: `1 or more`, `0 to 1`, `more than 0, at most 60 s`.

use std::fmt;

/// Which numbers are allowed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Range {
    /// As it is stated.
    text: String,
    low: Option<Bound>,
    high: Option<Bound>,
    /// Whether a number without end is one of them.
    infinite: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Bound {
    at: f64,
    /// Whether the bound itself is allowed.
    included: bool,
}

impl Range {
    /// Reads what is stated: clauses with commas between them, words of a unit behind the numbers.
    pub(super) fn parse(text: &str) -> Self {
        let mut range = Self { text: text.to_owned(), low: None, high: None, infinite: false };
        for clause in text.split(", ") {
            let words: Vec<&str> = clause.split(' ').collect();
            let number = |word: usize| words.get(word).and_then(|word| word.parse::<f64>().ok());
            let bound = |at, included| Some(Bound { at, included });
            match (words.as_slice(), number(0), number(2)) {
                (["or", "inf", ..], ..) => range.infinite = true,
                (["more", "than", ..], _, Some(at)) => range.low = bound(at, false),
                (["less", "than", ..], _, Some(at)) => range.high = bound(at, false),
                (["at", "most", ..], _, Some(at)) => range.high = bound(at, true),
                ([_, "or", "more", ..], Some(at), _) => range.low = bound(at, true),
                ([_, "to", ..], Some(low), Some(high)) => {
                    range.low = bound(low, true);
                    range.high = bound(high, true);
                }
                _ => {}
            }
        }
        range
    }

    /// Whether the text says at least one bound.
    #[cfg(test)]
    pub(super) fn is_stated(&self) -> bool {
        self.low.is_some() || self.high.is_some()
    }

    pub(super) fn contains(&self, value: f64) -> bool {
        let above = |low: Bound| value > low.at || (low.included && value == low.at);
        let below = |high: Bound| value < high.at || (high.included && value == high.at);
        (value.is_finite() || (self.infinite && value == f64::INFINITY))
            && self.low.is_none_or(above)
            && self.high.is_none_or(below)
    }

    /// A number within, for an example.
    pub(super) fn example(&self) -> f64 {
        let ends = [Some(1.0), self.low.map(|low| low.at), self.high.map(|high| high.at)];
        let middle = self.low.zip(self.high).map(|(low, high)| (low.at + high.at) / 2.0);
        let beyond = self.low.map(|low| low.at + 1.0);
        let candidates = ends.into_iter().chain([middle, beyond]).flatten();
        candidates.into_iter().find(|value| self.contains(*value)).unwrap_or(1.0)
    }

    /// Numbers at and just beyond the ends, for tests: those that are allowed, and those that are not.
    #[cfg(test)]
    pub(super) fn edges(&self) -> [Vec<f64>; 2] {
        let ends = [self.low, self.high].into_iter().flatten().map(|bound| bound.at);
        let around = ends.flat_map(|at| [at - 1.0, at - 1e-3, at, at + 1e-3, at + 1.0]);
        let (inside, outside) = around.partition(|value| self.contains(*value));
        [inside, outside]
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_is_what_is_checked() {
        for (text, inside, outside) in [
            ("1 or more", vec![1.0, 7.0], vec![0.0, f64::NAN, f64::INFINITY]),
            ("0 to 1", vec![0.0, 1.0], vec![-0.1, 1.1]),
            ("more than 0, at most 60 s", vec![0.1, 60.0], vec![0.0, 60.1]),
            ("0 or more, less than 1", vec![0.0, 0.9], vec![-1.0, 1.0]),
            ("more than 1, or inf", vec![1.1, f64::INFINITY], vec![1.0, f64::NEG_INFINITY]),
        ] {
            let range = Range::parse(text);
            assert!(range.is_stated());
            assert!(inside.iter().all(|value| range.contains(*value)), "{text}");
            assert!(!outside.iter().any(|value| range.contains(*value)), "{text}");
            assert!(range.contains(range.example()), "{text}");
        }
    }
}
