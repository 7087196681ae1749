//! The phones of TIMIT, and the classes that they are scored as.

/// The 61 phones of the transcriptions, in alphabetical order: the classes of the network.
pub const PHONES: [&str; 61] = [
    "aa", "ae", "ah", "ao", "aw", "ax", "ax-h", "axr", "ay", "b", "bcl", "ch", "d", "dcl", "dh",
    "dx", "eh", "el", "em", "en", "eng", "epi", "er", "ey", "f", "g", "gcl", "h#", "hh", "hv",
    "ih", "ix", "iy", "jh", "k", "kcl", "l", "m", "n", "ng", "nx", "ow", "oy", "p", "pau", "pcl",
    "q", "r", "s", "sh", "t", "tcl", "th", "uh", "uw", "ux", "v", "w", "y", "z", "zh",
];

/// The phone that stands for a phone among the 39 that results are given for (Lee & Hon 1989,
/// doi:10.1109/29.46546); none for the glottal stop `q`, which is left out.
#[must_use]
pub fn fold(phone: &str) -> Option<&str> {
    Some(match phone {
        "q" => return None,
        "ao" => "aa",
        "ax" | "ax-h" => "ah",
        "axr" => "er",
        "hv" => "hh",
        "ix" => "ih",
        "el" => "l",
        "em" => "m",
        "en" | "nx" => "n",
        "eng" => "ng",
        "zh" => "sh",
        "ux" => "uw",
        "pcl" | "tcl" | "kcl" | "bcl" | "dcl" | "gcl" | "h#" | "pau" | "epi" => "sil",
        other => other,
    })
}

/// The accuracy over 39 classes: the share of frames whose phone and predicted phone fold into the same one; frames of `q`
/// are left out. `counts` says how many frames of one phone (by number) were given another.
#[must_use]
pub fn folded_accuracy(counts: impl Fn(usize, usize) -> u64) -> f64 {
    let (mut right, mut counted) = (0, 0);
    for (target, phone) in PHONES.iter().enumerate() {
        let Some(folded) = fold(phone) else { continue };
        for (found, other) in PHONES.iter().enumerate() {
            let count = counts(target, found);
            counted += count;
            right += if fold(other) == Some(folded) { count } else { 0 };
        }
    }
    right as f64 / counted as f64
}

/// The number of a phone.
#[must_use]
pub fn number(phone: &str) -> Option<u16> {
    PHONES.binary_search(&phone).ok().map(|place| place as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn confusions_within_a_class_are_none_when_folded() {
        let of = |phone: &str| usize::from(number(phone).unwrap());
        // aa as ao is right, q is left out, s as z is wrong, pau as h# is right.
        let count = |target: usize, found: usize| match (PHONES[target], PHONES[found]) {
            ("aa", "ao") => 3,
            ("q", "t") => 7,
            ("s", "z") => 2,
            ("pau", "h#") => 5,
            _ => 0,
        };
        assert_eq!(count(of("aa"), of("ao")), 3);
        assert_eq!(folded_accuracy(count), 0.8);
    }

    #[test]
    fn sixty_one_phones_fold_into_thirty_nine() {
        assert!(PHONES.is_sorted());
        let folded: BTreeSet<&str> = PHONES.iter().filter_map(|phone| fold(phone)).collect();
        assert_eq!(folded.len(), 39);
        assert_eq!(number("aa"), Some(0));
        assert_eq!(number("zh"), Some(60));
        assert_eq!(number("xx"), None);
    }
}
