//! The known name that was probably meant, for messages about an unknown one.

/// The candidate that the fewest edits turn into `name`, if they are less than half of its characters; of two, the first.
///
/// An edit inserts, deletes or replaces a character, or swaps two neighbours.
///
/// ```
/// use barnowl_base::nearest::nearest;
///
/// assert_eq!(nearest("h2h.wieght", ["i2h.bias", "h2h.weight"]), Some("h2h.weight"));
/// assert_eq!(nearest("embedding", ["i2h.bias", "h2h.weight"]), None);
/// ```
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(edits, candidate)| 2 * edits < candidate.chars().count())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_edits_are_a_slip_and_many_another_name() {
        let known = ["tau_m_h", "tau_adp_h", "τ_m", "lr"];
        for (name, meant) in [
            ("tau_m_h", Some("tau_m_h")),
            ("taum_h", Some("tau_m_h")),
            ("tua_adp_h", Some("tau_adp_h")),
            ("τm", Some("τ_m")),
            ("embedding", None),
            ("", None),
            ("rl", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
    }

    #[test]
    fn of_two_as_near_the_first_is_named() {
        assert_eq!(nearest("axx", ["aax", "abx"]), Some("aax"));
        assert_eq!(nearest("axx", ["abx", "aax"]), Some("abx"));
        assert_eq!(nearest("a", []), None);
    }
}
