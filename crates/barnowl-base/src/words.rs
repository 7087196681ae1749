//! Counts as they are said: `1 step`, `2 steps`.

use std::fmt::Display;

/// A count and its noun, in the plural unless the count is 1.
///
/// ```
/// # use barnowl_base::words::counted;
/// assert_eq!(counted(1, "training sequence"), "1 training sequence");
/// assert_eq!([counted(0, "class"), counted(2, "step")], ["0 classes", "2 steps"]);
/// ```
#[must_use]
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let ending = match noun {
        _ if count == N::from(1) => "",
        "series" => "",
        noun if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{count} {noun}{ending}")
}

/// `one` of a single thing, `many` of any other number: a verb that goes with a count.
#[must_use]
pub fn agreeing<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}
