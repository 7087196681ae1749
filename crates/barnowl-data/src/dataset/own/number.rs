//! Numbers that are to be found, as they are written: what says that one is not known, and what they are called.

use super::no_label::{NOTHING, NoLabel};
use super::target_kind::{TARGET, twice};
use barnowl_base::error::{Error, Result};
use barnowl_base::words::agreeing;

/// A number as it is kept; NaN where it is not known. None if it is infinite, or too large for single precision.
pub(super) fn number(no_label: Option<&NoLabel>, number: f64) -> Option<f32> {
    let single = number as f32;
    // An array of single precision holds 99.9 as 99.90000153.
    let is =
        |unknown: f64| number == unknown || f64::from(single) == number && single == unknown as f32;
    let is_unknown = matches!(no_label, Some(NoLabel::Number(unknown)) if is(*unknown));
    match number.is_nan() || is_unknown {
        true => Some(f32::NAN),
        false => single.is_finite().then_some(single),
    }
}

/// Whether a text says that a number is not known.
pub(super) fn is_unknown(no_label: Option<&NoLabel>, text: &str) -> bool {
    let is_word = matches!(no_label, Some(NoLabel::Word(word)) if word == text);
    is_word || NOTHING.contains(&text.to_ascii_lowercase().as_str())
}

/// What so many numbers are called that have no names.
pub(super) fn plain_names(count: usize) -> Vec<String> {
    match count {
        1 => vec![TARGET.to_owned()],
        _ => (0..count).map(|place| place.to_string()).collect(),
    }
}

/// Where the numbers that are `found` stand among those that are `wanted`, by their names.
///
/// # Errors
///
/// If they are not the same; `others` are those that are wanted.
pub(super) fn places(found: &[String], wanted: &[String], others: &str) -> Result<Vec<usize>> {
    let place = |name: &String| found.iter().position(|other| other == name);
    let places: Option<Vec<usize>> = wanted.iter().map(place).collect();
    places.filter(|places| places.len() == found.len()).ok_or_else(|| {
        let are = agreeing(found.len(), "number to be found is", "numbers to be found are");
        Error::mismatch(format!("the {are} {}", found.join(", ")))
            .expected(format!("{}, as {others}", wanted.join(", ")))
    })
}

/// Refuses names of numbers that are empty, or there twice.
pub(super) fn check_names(names: &[String]) -> Result<()> {
    if names.iter().any(|name| name.trim().is_empty()) {
        return Err(Error::format("the name of a number to be found is empty").expected("a name"));
    }
    match twice(names) {
        None => Ok(()),
        Some(name) => Err(Error::format(format!("two numbers to be found are called {name}"))
            .expected("a name of its own for each")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_no_number() {
        let of = |unknown: f64, x| number(Some(&NoLabel::Number(unknown)), x);
        assert!(number(None, f64::NAN).is_some_and(f32::is_nan));
        assert_eq!(number(None, -1.0), Some(-1.0), "−1 is a number");
        assert_eq!([number(None, f64::INFINITY), number(None, 1e300)], [None, None]);
        assert!(of(99.9, 99.9).is_some_and(f32::is_nan));
        assert!(of(99.9, f64::from(99.9_f32)).is_some_and(f32::is_nan));
        assert_eq!(of(99.9, 99.91), Some(99.91));
        let word = NoLabel::Word("?".into());
        assert!(is_unknown(Some(&word), "?") && !is_unknown(None, "?"));
        assert!(is_unknown(None, "") && is_unknown(None, "NaN") && !is_unknown(None, "-1"));
    }
}
