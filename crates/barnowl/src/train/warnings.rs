//! What is wrong with data or a run although no number is: said in plain sentences, with what to try.

use super::{EpochReport, Evaluation};
use crate::dataset::{DataCard, Dataset, Split, UNLABELLED};
use crate::layer::LayerConfig;
use crate::network::NetworkConfig;
use crate::words::{agreeing, counted};
use barnowl_model::Start;
use std::collections::BTreeSet;

/// A hidden layer whose neurons spike in more than this share of the steps tells little.
const SATURATED: f64 = 0.9;

/// The warnings of a run so far, each once.
#[derive(Debug, Clone, Default)]
pub struct Warnings {
    /// What each is about, and its text.
    said: Vec<(String, String)>,
}

impl Warnings {
    /// All of them, in their order.
    #[must_use]
    pub fn all(&self) -> Vec<&str> {
        self.said.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Keeps a warning, unless there has been one about the same; returns it if it is new.
    fn add(&mut self, about: impl Into<String>, text: String) -> Option<String> {
        let about = about.into();
        if self.said.iter().any(|(said, _)| *said == about) {
            return None;
        }
        self.said.push((about, text.clone()));
        Some(text)
    }

    /// Looks at the classes of the data; `parts` are training, validation and, if there are any, test data, with what they are
    /// for. Returns what is new.
    pub fn of_data(&mut self, parts: &[(&str, &Dataset)]) -> Vec<String> {
        let mut new = Vec::new();
        for (place, (purpose, data)) in parts.iter().enumerate() {
            let Some(counts) = class_counts(data) else {
                new.extend(self.of_values(purpose, data));
                continue;
            };
            let names = data.class_names();
            let missing: Vec<&str> = (names.iter().zip(&counts))
                .filter(|(_, count)| **count == 0)
                .map(|(name, _)| name.as_str())
                .collect();
            if names.len() - missing.len() == 1 {
                let only = counts.iter().position(|count| *count > 0).unwrap_or_default();
                let text = format!(
                    "the {purpose} data are of one class, {:?}: an accuracy of 1.0 on them means nothing. Check the labels, \
                     or add sequences of other classes",
                    names[only]
                );
                new.extend(self.add(format!("one class, {purpose}"), text));
            } else if !missing.is_empty() {
                let text = format!(
                    "the {purpose} data have no sample of {} of {} classes: {}. {}",
                    missing.len(),
                    names.len(),
                    listed(&missing),
                    if place == 0 {
                        "The network cannot learn what it never sees: add sequences of them, or leave the classes out"
                    } else {
                        "The accuracy says nothing about them; more data, or another train.split_seed where the part is \
                         split off at random, can mend it"
                    }
                );
                new.extend(self.add(format!("classes, {purpose}"), text));
            }
        }
        for (purpose, data) in parts.iter().skip(1) {
            let text = far_values(data).map(|text| format!("in the {purpose} data, {text}"));
            new.extend(text.and_then(|text| self.add(format!("far, {purpose}"), text)));
        }
        let others = parts.iter().skip(1);
        for (purpose, shared) in others.filter_map(|(purpose, data)| {
            let shared = shared_groups(parts[0].1, data);
            (!shared.is_empty()).then_some((purpose, shared))
        }) {
            let text = format!(
                "{}, such as a subject, {} in the training and in the {purpose} data: {}. The accuracy does not tell how the \
                 network does on groups that it has never seen. Put each into one part, or leave each out in turn with \
                 `barnowl study groups`",
                counted(shared.len(), "group"),
                agreeing(shared.len(), "is", "are"),
                listed(&shared)
            );
            new.extend(self.add(format!("groups, {purpose}"), text));
        }
        new
    }

    /// Looks at the numbers that are to be found.
    fn of_values(&mut self, purpose: &str, data: &Dataset) -> Option<String> {
        let mut parts = Vec::new();
        for value in data.summary().values {
            if value.is_unknown() {
                parts.push(format!("{} is not known anywhere", value.name));
            } else if value.is_constant() {
                parts.push(format!("{} is always {}", value.name, value.min));
            }
        }
        if parts.is_empty() {
            return None;
        }
        let text = format!(
            "in the {purpose} data, {}: nothing tells whether such a number is found, and R² leaves it out; where all are so, epochs \
             are chosen by the loss. Look at the targets; more sequences, or another train.split_seed, can mend it",
            parts.join(", ")
        );
        self.add(format!("values, {purpose}"), text)
    }

    /// Looks for parts with sequences that are trained on. Returns what is new.
    pub fn of_repeats(&mut self, card: &DataCard) -> Vec<String> {
        let said = |(part, count): (&String, &usize)| {
            let part = Split::ALL.into_iter().find(|split| split.name() == part)?;
            self.add(format!("repeats, {}", part.name()), repeated(part.purpose(), *count))
        };
        card.repeated.iter().filter_map(said).collect()
    }

    /// Looks at the spikes of the hidden layers in an epoch's validation. Returns what is new.
    pub fn of_epoch(&mut self, network: &NetworkConfig, report: &EpochReport) -> Vec<String> {
        let mut new = Vec::new();
        let layers = || (network.layers.iter().zip(&report.layer_spike_rates)).enumerate();
        // What a silent layer feeds is silent for want of input: advice about it would be about the wrong layer.
        let spiking = layers().filter(|(_, (layer, _))| layer.cell.is_spiking());
        if let Some((i, (layer, _))) = spiking.clone().find(|(_, (_, rate))| **rate == 0.0) {
            let text = format!(
                "no neuron of hidden layer {} spiked in the validation of epoch {}: nothing can be told apart by it. {}",
                i + 1,
                report.epoch,
                more_spikes(i, layer, network.encoder.is_some())
            );
            new.extend(self.add(format!("silent, {i}"), text));
        }
        for (i, (layer, rate)) in spiking.filter(|(_, (_, rate))| **rate > SATURATED) {
            let all_spike = network.layers.iter().all(|layer| layer.cell.is_spiking());
            let text = format!(
                "neurons of hidden layer {} spiked in {:.0} % of the steps in the validation of epoch {}: what spikes always \
                 tells little. {}{}{}",
                i + 1,
                100.0 * rate,
                report.epoch,
                match threshold_setting(i, layer) {
                    Some((key, value)) => format!("Raise {key}, which is {value}, or "),
                    None => "Raise the threshold of its neurons, or ".to_owned(),
                },
                if i == 0 {
                    "scale the inputs down"
                } else {
                    "start with smaller network.layers.*.input_weights"
                },
                if all_spike {
                    ", or set train.rate_penalty = { target = 0.1, weight = 10.0 }"
                } else {
                    ""
                },
            );
            new.extend(self.add(format!("saturated, {i}"), text));
        }
        new
    }

    /// Looks at the answers of the trained network on the data for `purpose`. Returns what is new.
    pub fn of_result(
        &mut self,
        purpose: &str,
        data: &Dataset,
        evaluation: &Evaluation,
    ) -> Vec<String> {
        const REMEDY: &str = "Train longer, try another train.learning_rate, look at the spike rates, and check that labels \
                              and inputs belong together";
        if evaluation.regression.is_some() && evaluation.score <= 0.0 {
            let text = format!(
                "R² on the {purpose} data, {:.4}, is no better than that of always answering the mean, 0. {REMEDY}",
                evaluation.score
            );
            return self.add(format!("result, {purpose}"), text).into_iter().collect();
        }
        let Some(confusion) = &evaluation.confusion else { return Vec::new() };
        let classes = 0..confusion.classes();
        let column = |class| classes.clone().map(|of| confusion.count(of, class)).sum::<u64>();
        let row = |class| classes.clone().map(|as_| confusion.count(class, as_)).sum::<u64>();
        let answered: Vec<usize> = classes.clone().filter(|class| column(*class) > 0).collect();
        let present = classes.clone().filter(|class| row(*class) > 0).count();
        let Some(most) = classes.clone().max_by_key(|class| row(*class)) else {
            return Vec::new();
        };
        // Of a single class there is nothing to tell, and that has been said.
        if present < 2 {
            return Vec::new();
        }
        let total = classes.clone().map(row).sum::<u64>();
        let majority = row(most) as f64 / total as f64;
        let names = data.class_names();
        let text = match answered.as_slice() {
            [only] => format!(
                "the network answers {:?} to all of the {purpose} data: it has learned nothing that tells classes apart. \
                 {REMEDY}",
                names[*only]
            ),
            _ if evaluation.score <= majority => format!(
                "the accuracy on the {purpose} data, {:.4}, is no better than that of always answering the most frequent \
                 class, {:?}: {majority:.4}. {REMEDY}",
                evaluation.score, names[most]
            ),
            _ => return Vec::new(),
        };
        self.add(format!("result, {purpose}"), text).into_iter().collect()
    }
}

/// What makes a hidden layer spike more.
fn more_spikes(i: usize, layer: &LayerConfig, encoded: bool) -> String {
    let mut ways = Vec::new();
    if let Some((key, value)) = threshold_setting(i, layer).filter(|(_, value)| *value > 0.0) {
        let default = if layer.neuron.is_none() { ", by default 0.01" } else { "" };
        ways.push(format!("lower {key} (it is {value}{default})"));
    }
    if i > 0 {
        ways.push(format!("start with larger network.layers.{i}.input_weights"));
    } else if encoded {
        ways.push("lower the threshold of network.encoder".into());
    } else {
        ways.push("scale the inputs up".into());
    }
    let mut text = ways.join(", or ");
    text[..1].make_ascii_uppercase();
    text
}

/// The setting of the threshold at rest of a hidden layer, and its value, if there is one.
fn threshold_setting(i: usize, layer: &LayerConfig) -> Option<(String, f32)> {
    let Some(neuron) = layer.neuron() else {
        return Some((format!("network.layers.{i}.b0"), layer.b0));
    };
    let mut parameters = neuron.parameters.iter();
    let found =
        parameters.find(|p| ["theta", "b0", "threshold"].contains(&p.name.text.as_str()))?;
    match found.start {
        Start::Value(value) => {
            Some((format!("network.layers.{i}.parameters.{}.start", found.name.text), value))
        }
        Start::Uniform(..) | Start::Normal(..) => None,
    }
}

/// What to say of channels whose values are far from those of the training data, if there are any.
#[must_use]
pub fn far_values(data: &Dataset) -> Option<String> {
    let far = data.far_channels();
    (!far.is_empty()).then(|| {
        format!(
            "values are far from those of the training data, in the root mean square: {}. Are they in another unit?",
            far.join(", ")
        )
    })
}

/// What to say of so many sequences of the data for `purpose` that were trained on.
#[must_use]
pub fn repeated(purpose: &str, count: usize) -> String {
    format!(
        "{} of the {purpose} data {} in the training data too, value by value: the accuracy on them does not tell how the network \
         does on data that it has never seen. Leave them out of one of the two",
        counted(count, "sequence"),
        agreeing(count, "is", "are"),
    )
}

/// The groups that have sequences in both of two parts, by name.
fn shared_groups<'a>(a: &'a Dataset, b: &'a Dataset) -> Vec<&'a str> {
    let of = |data: &'a Dataset| -> BTreeSet<&'a str> {
        let groups = data.groups().unwrap_or_default().iter();
        groups.map(|place| data.group_names()[*place as usize].as_str()).collect()
    };
    of(a).intersection(&of(b)).copied().collect()
}

/// Samples of each class: sequences, or steps with a label.
fn class_counts(data: &Dataset) -> Option<Vec<usize>> {
    let mut counts = vec![0; data.class_names().len()];
    for class in data.targets().classes()?.iter().filter(|class| **class != UNLABELLED) {
        if let Some(count) = counts.get_mut(usize::from(*class)) {
            *count += 1;
        }
    }
    Some(counts)
}

/// Names, the first few.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 10;
    let shown = names[..names.len().min(MOST)].join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Inputs, Targets};
    use crate::metric::{ConfusionMatrix, Prediction, ScoreKind};
    use crate::recipe::TrainConfig;
    use crate::train::{Control, Observer, Trainer, evaluate};
    use burn::tensor::Device;

    fn data(classes: &[u16], scale: f32) -> Dataset {
        let values = (0..classes.len() * 20 * 2)
            .map(|i| scale * (((i * 37) % 19) as f32 / 9.0 - 1.0))
            .collect();
        let names = ["still", "walk", "run"].map(String::from).to_vec();
        let targets = Targets::PerSequence(classes.to_vec());
        let shape = [classes.len(), 20, 2];
        Dataset::new(shape, names, Inputs::Real(values), targets, "made").unwrap()
    }

    /// A network of two layers.
    fn network(layers: &str) -> NetworkConfig {
        toml::from_str(&format!(
            "inputs = 2\nlayers = [{layers}]\nreadout = {{ kind = 'leaky_integrator', size = 3 }}\n\
             decode = {{ kind = 'mean_membrane' }}"
        ))
        .unwrap()
    }

    #[derive(Default)]
    struct Hear(Warnings, Vec<String>);

    impl Observer for Hear {
        fn epoch(&mut self, report: &EpochReport, trainer: &Trainer) -> crate::error::Result<()> {
            self.1.extend(self.0.of_epoch(trainer.network_config(), report));
            Ok(())
        }

        fn batch(&mut self, _: &super::super::BatchReport) -> Control {
            Control::Continue
        }
    }

    /// What is said of three epochs.
    fn trained(layers: &str, scale: f32) -> Vec<String> {
        let data = data(&[0, 1, 2, 0, 1, 2], scale);
        let train = TrainConfig { epochs: 3, learning_rate: 1e-4, ..TrainConfig::default() };
        let mut trainer = Trainer::new(&network(layers), &train, &Device::flex()).unwrap();
        let mut hear = Hear::default();
        trainer.run(&data, &data, &mut hear).unwrap();
        hear.1
    }

    #[test]
    fn a_silent_network_is_told_what_to_try_once_and_what_was_tried_helps() {
        let silent = trained("{ size = 6, b0 = 9.0 }, { size = 5 }", 1.0);
        assert_eq!(silent.len(), 1, "{silent:?}");
        assert!(silent[0].contains("hidden layer 1 spiked in the validation of epoch 1"));
        assert!(silent[0].contains("Lower network.layers.0.b0 (it is 9"), "{silent:?}");
        assert!(silent[0].contains("scale the inputs up"), "{silent:?}");
        assert!(trained("{ size = 6 }, { size = 5 }", 1.0).is_empty());
        assert!(trained("{ size = 6, b0 = 9.0 }, { size = 5 }", 1e3).is_empty());
        // The second layer alone.
        let silent = trained("{ size = 6 }, { size = 5, b0 = 9.0 }", 1.0);
        assert!(silent[0].contains("Lower network.layers.1.b0"), "{silent:?}");
        assert!(silent[0].contains("network.layers.1.input_weights"), "{silent:?}");
        // Cells without thresholds have none to lower.
        assert!(
            trained("{ size = 6, cell = 'lstm' }, { size = 5, cell = 'relu' }", 0.0).is_empty()
        );
    }

    #[test]
    fn a_saturated_layer_is_named() {
        let mut warnings = Warnings::default();
        let report = |rates: [f64; 2]| EpochReport {
            train_loss_per_step: None,
            valid_loss_per_step: None,
            epoch: 4,
            train_loss: 1.0,
            judged_by: ScoreKind::Accuracy,
            train_score: 0.5,
            valid_loss: 1.0,
            valid_score: 0.5,
            spike_rate: 0.5,
            layer_spike_rates: rates.to_vec(),
            learning_rate: 0.1,
            best: true,
        };
        let spiking = network("{ size = 6 }, { size = 5 }");
        assert!(warnings.of_epoch(&spiking, &report([0.5, 0.89])).is_empty());
        let said = warnings.of_epoch(&spiking, &report([0.5, 0.95]));
        assert!(said[0].contains("hidden layer 2 spiked in 95 %"), "{said:?}");
        assert!(said[0].contains("train.rate_penalty"), "{said:?}");
        assert!(warnings.of_epoch(&spiking, &report([0.5, 0.95])).is_empty());
        // A penalty is for networks of spiking cells alone.
        let mixed = network("{ size = 6 }, { size = 5, cell = 'gru' }");
        let said = warnings.of_epoch(&mixed, &report([0.95, 1.0]));
        assert!(said.len() == 1 && !said[0].contains("rate_penalty"), "{said:?}");
        assert_eq!(warnings.all().len(), 2);
    }

    #[test]
    fn groups_of_two_parts_are_named() {
        let of = |groups: [&str; 3]| {
            data(&[0, 1, 2], 1.0).with_groups(&groups.map(String::from)).unwrap()
        };
        let train = of(["anna", "bo", "bo"]);
        let said =
            |test: &Dataset| Warnings::default().of_data(&[("training", &train), ("test", test)]);
        let found = said(&of(["cy", "bo", "cy"]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains(
                "1 group, such as a subject, is in the training and in the test data: bo."
            ),
            "{found:?}"
        );
        assert!(said(&of(["cy", "dee", "cy"])).is_empty());
        assert!(said(&data(&[0, 1, 2], 1.0)).is_empty());
        // Names of groups without a sequence, as after a split, count for nothing.
        let without = said(&of(["cy", "bo", "cy"]).subset(&[0, 2]).unwrap());
        assert!(without.iter().all(|text| !text.contains("groups")), "{without:?}");
    }

    #[test]
    fn classes_that_are_missing_are_named() {
        let mut warnings = Warnings::default();
        let (all, some, one) = (data(&[0, 1, 2], 1.0), data(&[0, 2], 1.0), data(&[1, 1], 1.0));
        assert!(warnings.of_data(&[("training", &all), ("test", &all)]).is_empty());
        let said = warnings.of_data(&[("training", &all), ("validation", &some), ("test", &one)]);
        assert!(said[0].contains("validation data have no sample of 1 of 3 classes: walk"));
        assert!(said[1].contains("test data are of one class, \"walk\""), "{said:?}");
    }

    #[test]
    fn answers_that_tell_nothing_are_named() {
        let with = |counts: [[u64; 2]; 2]| {
            let data = data(&[0, 1], 1.0);
            let mut confusion = ConfusionMatrix::new(3);
            let mut right = 0;
            let mut total = 0;
            for (of, row) in counts.into_iter().enumerate() {
                for (as_, count) in row.into_iter().enumerate() {
                    (0..count).for_each(|_| confusion.add(of, as_));
                    total += count;
                    right += if of == as_ { count } else { 0 };
                }
            }
            let accuracy = right as f64 / total as f64;
            let network = network("{ size = 6 }");
            let found = evaluate(&network.init(&Device::flex(), 1).unwrap(), &network, &data, 2);
            let evaluation = Evaluation {
                score: accuracy,
                judged_by: ScoreKind::Accuracy,
                regression: None,
                confusion: Some(confusion),
                prediction: Prediction::default(),
                ..found.unwrap()
            };
            Warnings::default().of_result("test", &data, &evaluation)
        };
        assert!(with([[6, 0], [4, 0]])[0].contains("answers \"still\" to all of the test data"));
        let said = with([[3, 3], [3, 1]]);
        assert!(said[0].contains("0.4000") && said[0].contains("\"still\": 0.6000"), "{said:?}");
        assert!(with([[5, 1], [1, 3]]).is_empty());
        // One class: nothing to tell.
        assert!(with([[5, 0], [0, 0]]).is_empty());
    }
}
