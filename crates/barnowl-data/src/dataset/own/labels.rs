//! Labels as people write them: names or numbers, and many ways to say that there is none.

use super::common::MOST_CLASSES;
use super::context::Context;
use super::no_label::{NOTHING, NoLabel};
use crate::dataset::UNLABELLED;
use barnowl_base::error::{Error, Result};
use std::collections::BTreeMap;

/// A class by its number.
pub(super) fn numbered(number: f64) -> Option<u16> {
    let whole = (0.0..MOST_CLASSES as f64).contains(&number) && number.fract() == 0.0;
    whole.then_some(number as u16)
}

/// The classes that labels stand for.
pub(super) enum Classes {
    /// By name, in this order. Where names are numbers, a number is a name, `1.0` that of the class `1`; else it is a place among
    /// the classes that are `listed`, such as in `classes.txt`.
    Named { names: Vec<String>, listed: Vec<String> },
    /// By number alone.
    Numbered,
}

impl Classes {
    /// Of labels whose names are known; of others, by what is written: numbers, or else names, in alphabetical order.
    pub(super) fn of<'a>(
        context: &Context<'_>,
        labels: impl Iterator<Item = &'a str> + Clone,
    ) -> Self {
        let listed = context.listed.to_vec();
        if !context.names.is_empty() {
            return Self::Named { names: context.names.to_vec(), listed };
        }
        let no_label = context.no_label;
        let mut given = labels.filter(|text| !NoLabel::is(no_label, text));
        // Numbers that are no classes are refused as such, not taken for names.
        if given.clone().all(|text| text.parse::<f64>().is_ok()) {
            return Self::Numbered;
        }
        let mut found = Vec::new();
        for text in given.by_ref() {
            if let Err(place) = found.binary_search_by(|known: &String| known.as_str().cmp(text)) {
                found.insert(place, text.to_owned());
            }
        }
        Self::Named { names: found, listed }
    }

    /// The class of a label; [`UNLABELLED`] if it says that there is none.
    ///
    /// # Errors
    ///
    /// If it is no class.
    pub(super) fn class(&self, text: &str, no_label: Option<&NoLabel>) -> Result<u16> {
        // A class may be called none, or −1.
        if let Self::Named { names, .. } = self
            && let Some(place) = names.iter().position(|name| name == text)
        {
            return Ok(place as u16);
        }
        if NoLabel::is(no_label, text) {
            return Ok(UNLABELLED);
        }
        let number = text.parse::<f64>().ok();
        number.and_then(|number| self.of_number(number)).ok_or_else(|| self.unknown(text))
    }

    /// The class of a number, if it is one.
    pub(super) fn of_number(&self, number: f64) -> Option<u16> {
        let Self::Named { names, listed } = self else { return numbered(number) };
        let place = |wanted: &dyn Fn(&str) -> bool| {
            names.iter().position(|name| wanted(name)).map(|place| place as u16)
        };
        let is_number = |name: &String| name.parse().is_ok_and(f64::is_finite);
        if names.iter().any(is_number) {
            return place(&|name| name.parse() == Ok(number));
        }
        let meant = listed.get(usize::from(numbered(number)?))?;
        place(&|name| name == meant)
    }

    /// What is wrong with a label that is no class.
    pub(super) fn unknown(&self, text: &str) -> Error {
        let error = Error::format(format!("the label is {text:?}"));
        let Self::Named { names, .. } = self else {
            return error.expected(
                "a whole number from 0, as the other labels are, or nothing where there is no label",
            );
        };
        let error = error.expected(format!("one of {}", names.join(", ")));
        match text.parse::<f64>() {
            Ok(_) => error.remedy(
                "write the name, or list the classes in the order of the numbers: in classes.txt, a line each, or in an array \
                 class_names",
            ),
            Err(_) => error.remedy(
                "correct the label, or add the class: to classes.txt if there is one, else to the training part",
            ),
        }
    }
}

/// What to say of words that are taken for no label, where nobody has said that they are.
pub(super) fn taken_for_none<'a>(
    context: &Context<'_>,
    labels: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let mut words = BTreeMap::<&str, usize>::new();
    for text in labels {
        let is_word = !text.is_empty() && !text.eq_ignore_ascii_case("nan");
        let is_class = context.names.iter().any(|name| name == text);
        let is_said = matches!(context.no_label, Some(NoLabel::Word(word)) if word == text);
        if is_word && !is_class && !is_said && NOTHING.contains(&text.to_ascii_lowercase().as_str())
        {
            *words.entry(text).or_default() += 1;
        }
    }
    let named: Vec<String> =
        words.iter().map(|(word, count)| format!("{word:?} ({count})")).collect();
    (!named.is_empty()).then(|| {
        format!(
            "{} is taken for no label; if it is a class, name all classes in classes.txt, a line each",
            named.join(", ")
        )
    })
}

/// What to say of classes that are `listed` in another order than that of their `names`: a number is a place in the list.
pub(super) fn other_order(listed: &[String], names: &[String]) -> Option<String> {
    let order = listed.iter().map(|name| names.iter().position(|known| known == name));
    (!order.is_sorted()).then(|| {
        format!(
            "numbers are places in the list of classes of these data, {}, and not in that of the training data, {}",
            listed.join(", "),
            names.join(", ")
        )
    })
}

/// Refuses classes that are numbered from 1, and names those of which there is nothing.
///
/// # Errors
///
/// If there are no names, and nothing is of class 0.
pub(super) fn check_numbers(classes: &[Vec<u16>]) -> Result<Vec<String>> {
    let mut counts: Vec<usize> = Vec::new();
    for class in classes.iter().flatten().filter(|class| **class != UNLABELLED) {
        let class = usize::from(*class);
        counts.resize(counts.len().max(class + 1), 0);
        counts[class] += 1;
    }
    let absent: Vec<usize> = (0..counts.len()).filter(|class| counts[*class] == 0).collect();
    if absent.first() == Some(&0) {
        let least = counts.iter().position(|count| *count > 0).unwrap_or(0);
        return Err(Error::format(format!(
            "the labels are {least} to {}, and nothing is of class 0",
            counts.len() - 1
        ))
        .expected("classes that count from 0")
        .remedy(format!(
            "take {least} from every label (NumPy: y = y - {least}); if there is a class 0 without an example, name the \
             classes in classes.txt, a line each"
        )));
    }
    Ok(absent
        .iter()
        .map(|class| format!("nothing in the training part is of class {class}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::TargetKind;
    use super::*;

    #[test]
    fn labels_by_name_number_or_not_at_all() {
        let owned = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let classes = |names: &[&str], listed: &[&str], labels: &[&'static str]| {
            let context = Context {
                targets: &TargetKind::Classes,
                names: &owned(names),
                listed: &owned(listed),
                channels: &[],
                no_label: None,
                groups: None,
                ignore: &[],
                ends: None,
            };
            Classes::of(&context, labels.iter().copied())
        };
        let numbered = classes(&[], &[], &["0", "1.0", "", "2", "-1"]);
        let of = |classes: &Classes, text: &str| classes.class(text, None).unwrap();
        assert_eq!([of(&numbered, "1.0"), of(&numbered, "2")], [1, 2]);
        for nothing in ["", "nan", "NaN", "-1", "-1.0", "None", "NA"] {
            assert_eq!(of(&numbered, nothing), UNLABELLED, "{nothing}");
        }
        let named = classes(&[], &[], &["walk", "jump", "", "walk"]);
        assert_eq!([of(&named, "jump"), of(&named, "walk")], [0, 1]);
        let list = ["walk", "none", "jump"];
        let given = classes(&list, &list, &[]);
        assert_eq!([of(&given, "none"), of(&given, "2.0")], [1, 2], "a class may be called none");
        let refused =
            |classes: &Classes, text: &str| classes.class(text, None).unwrap_err().to_string();
        assert!(refused(&given, "run").contains("one of walk, none, jump"));
        assert!(refused(&given, "3").contains("\"3\""));
        assert!(refused(&numbered, "1.5").contains("whole number from 0"));
        // A number is no place among names that nobody has numbered.
        assert!(refused(&named, "0").contains("list the classes"));
        // What a number stands for is said by the list of its own folder.
        let other = classes(&["jump", "none", "walk"], &list, &[]);
        assert_eq!([of(&other, "0"), of(&other, "2")], [2, 0]);
        let digits = classes(&["2", "1"], &[], &[]);
        assert_eq!([of(&digits, "1.0"), of(&digits, "2")], [1, 0]);
        assert!(refused(&digits, "0").contains("one of 2, 1"));
        // Names that are numbers are never places too: 1 would be two classes.
        let from_one = classes(&["1", "2", "3"], &["1", "2", "3"], &[]);
        assert_eq!([of(&from_one, "1"), of(&from_one, "3.0")], [0, 2]);
        assert!(refused(&from_one, "0").contains("one of 1, 2, 3"));
        let unknown = NoLabel::Word("?".into());
        assert_eq!(named.class("?", Some(&unknown)).unwrap(), UNLABELLED);
        let unknown = NoLabel::Number(99.0);
        assert_eq!(numbered.class("99", Some(&unknown)).unwrap(), UNLABELLED);
    }

    #[test]
    fn words_that_say_nothing_are_named() {
        let said = |names: &[String], no_label: Option<&NoLabel>| {
            let (listed, channels, groups, ignore, ends) = (&[], &[], None, &[], None);
            let targets = &TargetKind::Classes;
            let context =
                Context { targets, names, listed, channels, no_label, groups, ignore, ends };
            taken_for_none(&context, ["None", "walk", "", "nan", "-1", "None"].into_iter())
        };
        assert!(said(&[], None).unwrap().starts_with("\"None\" (2) is taken for no label"));
        assert_eq!(said(&["None".to_owned()], None), None);
        assert_eq!(said(&[], Some(&NoLabel::Word("None".into()))), None);
    }

    #[test]
    fn numbers_from_one_are_refused() {
        let error = check_numbers(&[vec![1, 2], vec![UNLABELLED, 1]]).unwrap_err().to_string();
        assert!(error.contains("1 to 2") && error.contains("y = y - 1"), "{error}");
        assert_eq!(
            check_numbers(&[vec![0], vec![2]]).unwrap(),
            ["nothing in the training part is of class 1"]
        );
        assert!(check_numbers(&[vec![UNLABELLED]]).unwrap().is_empty());
    }
}
