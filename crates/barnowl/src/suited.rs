//! Whether data suit a network: said before anything is trained or judged, in the words of the task.

use crate::dataset::{Dataset, Targets, UNLABELLED};
use crate::error::{Error, Result};
use crate::network::NetworkConfig;
use crate::objective::Answer;
use crate::words::counted;

impl NetworkConfig {
    /// Whether a data set fits the network.
    ///
    /// # Errors
    ///
    /// If channels, classes, steps or the kind of targets differ.
    pub fn check(&self, dataset: &Dataset) -> Result<()> {
        if dataset.channels() != self.inputs {
            return Err(self.other_channels(dataset));
        }
        if dataset.targets().is_real() != self.decode.answer.is_real() {
            return Err(self.other_targets(dataset));
        }
        if dataset.class_names().len() != self.readout.size {
            return Err(match dataset.targets().classes() {
                Some(all) => self.other_classes(dataset, all),
                None => self.other_values(dataset),
            });
        }
        if dataset.targets().is_per_step() != self.decode.is_per_step() {
            return Err(self.other_labels(dataset));
        }
        let shortest = (0..dataset.samples()).min_by_key(|sample| dataset.length(*sample));
        let shortest = shortest.unwrap_or_default();
        let steps = dataset.length(shortest);
        if self.decode.skip >= steps {
            let error = Error::setting("network.decode.skip", self.decode.skip);
            return Err(match dataset.lengths() {
                None => {
                    error.expected(format!("less than the {} of the data", counted(steps, "step")))
                }
                Some(_) => error.expected(format!(
                    "less than the {} of the shortest sequence, {}",
                    counted(steps, "step"),
                    dataset.sequence_name(shortest)
                )),
            });
        }
        Ok(())
    }

    fn other_channels(&self, dataset: &Dataset) -> Error {
        let channels = dataset.channels();
        let error = Error::mismatch(format!(
            "the data have {}, the network has {}",
            counted(channels, "channel"),
            counted(self.inputs, "input")
        ));
        if dataset.steps() == self.inputs {
            let shape = [dataset.samples(), dataset.steps(), channels];
            return error
                .also(format_args!("the data are {shape:?}"))
                .expected("sequences, steps, channels: [N, T, C]")
                .remedy("steps and channels seem to be exchanged: write x.transpose(0, 2, 1)");
        }
        let error = match dataset.channel_names() {
            [] => error,
            names => error.also(format_args!("the channels are {}", listed(names))),
        };
        error.remedy(
            "use data of the task that the model was trained on, or set network.inputs, if all of them are inputs; columns of \
             tables that are none are left out by dataset.ignore",
        )
    }

    /// Classes for numbers, or the reverse.
    fn other_targets(&self, dataset: &Dataset) -> Error {
        let answer = self.decode.answer.name();
        match dataset.targets().is_real() {
            true => Error::mismatch(format!(
                "the data have numbers to be found, and the network answers with a {answer}"
            ))
            .remedy("set network.decode.answer = \"values\""),
            false => Error::mismatch(format!(
                "the data have classes, and the network answers with {answer} (network.decode.answer)"
            ))
            .remedy(
                "set network.decode.answer = \"class\"; or give numbers to be found: dataset.targets = \"values\" of data of \
                 your own, or forecast = 10 for the inputs ten steps later",
            ),
        }
    }

    fn other_values(&self, dataset: &Dataset) -> Error {
        let names = dataset.class_names();
        Error::mismatch(format!(
            "the data have {} to be found, the readout has {}",
            counted(names.len(), "number"),
            counted(self.readout.size, "neuron")
        ))
        .also(format_args!("the numbers are {}", listed(names)))
        .remedy(format!("set network.readout.size = {}", names.len()))
    }

    fn other_classes(&self, dataset: &Dataset, all: &[u16]) -> Error {
        let (names, size) = (dataset.class_names(), self.readout.size);
        let error = Error::mismatch(format!(
            "the data have {}, the readout has {}",
            counted(names.len(), "class"),
            counted(size, "neuron")
        ))
        .also(format_args!("the classes are {}", listed(names)));
        let beyond = |class: &u16| *class != UNLABELLED && usize::from(*class) >= size;
        let per = all.len() / dataset.samples();
        let error = match all.iter().position(beyond) {
            Some(at) => error.also(format_args!(
                "sequence {} is of class {} ({})",
                at / per,
                all[at],
                dataset.origin()
            )),
            None => error,
        };
        let mut remedy =
            "set network.readout.size to the number of classes, if the labels are right".to_owned();
        if let Some(word) = no_label(names, all).filter(|_| names.len() > size) {
            remedy +=
                &format!("; if {word} says that there is no label, set dataset.no_label = {word}");
        }
        error.remedy(remedy)
    }

    fn other_labels(&self, dataset: &Dataset) -> Error {
        let kind = self.decode.kind.name();
        let remedy_of_values = "set network.decode.kind = \"per_step\" for numbers at every step, or one of an answer a sequence, \
                                such as \"last_membrane\", for numbers of a sequence";
        match dataset.targets() {
            Targets::ValuesPerStep(_) => Error::mismatch(format!(
                "the data have numbers at every step, and the decoder {kind} gives one answer a sequence"
            ))
            .remedy(remedy_of_values),
            Targets::ValuesPerSequence(_) => Error::mismatch(format!(
                "the data have numbers of a sequence, and the decoder {kind} answers at every step"
            ))
            .remedy(remedy_of_values),
            Targets::PerStep(_) => Error::mismatch(format!(
                "the data have a label at every step, and the decoder {kind} gives one class a sequence"
            ))
            .remedy(
                "set network.decode.kind = \"per_step\"; or give one label a sequence: tables in the folders of their classes, \
                 without a column label, or an array y [N]",
            ),
            Targets::PerSequence(_) => Error::mismatch(format!(
                "the data have one label a sequence, and the decoder {kind} gives a class at every step"
            ))
            .remedy(
                "set network.decode.kind to one of a class a sequence, such as \"mean_membrane\"; or give a label at every \
                 step: a column label, or an array y [N, T]",
            ),
        }
    }

    /// Whether a network can be trained or judged on a data set: whether it [fits](Self::check), and a step that counts has a
    /// label.
    ///
    /// # Errors
    ///
    /// As [`NetworkConfig::check`], and if none has.
    pub fn check_labelled(&self, dataset: &Dataset) -> Result<()> {
        self.check(dataset)?;
        let (steps, skip) = (dataset.steps(), self.decode.skip);
        let counts = match dataset.targets() {
            Targets::PerSequence(_) => true,
            Targets::PerStep(classes) => classes
                .chunks_exact(steps)
                .any(|classes| classes[skip..].iter().any(|class| *class != UNLABELLED)),
            Targets::ValuesPerSequence(values) => values.iter().any(|value| !value.is_nan()),
            Targets::ValuesPerStep(values) => values
                .chunks_exact(steps * self.readout.size)
                .any(|values| values[skip * self.readout.size..].iter().any(|x| !x.is_nan())),
        };
        if !counts {
            return Err(Error::mismatch(format!(
                "no step with a label counts: from step {skip} on (network.decode.skip), none of the {} sequences has one",
                dataset.samples()
            ))
            .remedy(
                "give labels to some steps, or lower network.decode.skip if labels come before it",
            ));
        }
        let is_label = |value: &&f32| **value == 0.0 || **value == 1.0 || value.is_nan();
        match (self.decode.answer, dataset.targets().values()) {
            (Answer::Labels, Some(values)) => match values.iter().find(|value| !is_label(value)) {
                None => Ok(()),
                Some(value) => Err(Error::mismatch(format!("a label is {value}"))
                    .expected("0 or 1, since network.decode.answer is \"labels\"; NaN where it is not known")
                    .remedy("for other numbers, set network.decode.answer = \"values\"")),
            },
            _ => Ok(()),
        }
    }
}

/// Names, the first few.
fn listed(names: &[String]) -> String {
    const MOST: usize = 12;
    let shown = names[..names.len().min(MOST)].join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The class that likely says that there is no label, as the setting has it: a word of that meaning, or a number far beyond all
/// others.
fn no_label(names: &[String], all: &[u16]) -> Option<String> {
    const WORDS: [&str; 12] = [
        "?",
        "-",
        "--",
        "unknown",
        "unlabeled",
        "unlabelled",
        "undefined",
        "missing",
        "nothing",
        "no label",
        "no_label",
        "nolabel",
    ];
    let word = names.iter().find(|name| WORDS.contains(&name.to_lowercase().as_str()));
    let counted = names.iter().enumerate().all(|(place, name)| *name == place.to_string());
    word.map(|word| format!("{word:?}")).or_else(|| {
        let largest = *all.iter().filter(|class| **class != UNLABELLED).max()?;
        let others = all.iter().filter(|class| **class < largest).max()?;
        (counted && largest > others + 2).then(|| largest.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_that_there_is_no_label_is_told_from_classes() {
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let said = |of: &[&str], all: &[u16]| no_label(&names(of), all);
        assert_eq!(said(&["run", "Unknown", "walk"], &[0, 1, 2]).unwrap(), "\"Unknown\"");
        assert_eq!(said(&["run", "walk"], &[0, 1]), None);
        let numbers: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        assert_eq!(no_label(&numbers, &[0, 1, 99, UNLABELLED]).unwrap(), "99");
        assert_eq!(no_label(&numbers[..4], &[0, 1, 3]), None);
        assert_eq!(listed(&numbers), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 88 more");
    }
}
