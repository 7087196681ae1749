//! The nearest of some names, for hints.

/// The name that is most like `word`, if one is: a slip or two apart, or one begins with the other.
pub(super) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let word = plain(word);
    let distance = |name: &str| {
        let name = plain(name);
        let begins = word.len() >= 3 && (name.starts_with(&word) || word.starts_with(&name));
        let slips = strsim::damerau_levenshtein(&word, &name);
        let most = (word.chars().count().max(name.chars().count()) / 3).max(1);
        (begins || slips <= most).then_some(slips)
    };
    let near = names.into_iter().filter_map(|name| Some((distance(name)?, name)));
    near.min_by_key(|(slips, _)| *slips).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_seen_and_another_word_is_not() {
        let names = ["epochs", "batch", "learning_rate", "adamw"];
        assert_eq!(nearest("epoch", names), Some("epochs"));
        assert_eq!(nearest("learning-rate", names), Some("learning_rate"));
        assert_eq!(nearest("AdamW", names), Some("adamw"));
        assert_eq!(nearest("zebra", names), None);
    }
}
