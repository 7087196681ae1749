//! Answers as tables: a line a sequence or step, with names and probabilities.

use barnowl::dataset::{Dataset, Targets, UNLABELLED};
use barnowl::error::{Error, Result};
use barnowl::exchange::npy;
use barnowl::file;
use barnowl::train::Answers;
use serde_json::{Map, Value, json};
use std::path::Path;

/// What a table of answers is made of.
pub struct Table<'a> {
    pub data: &'a Dataset,
    pub answers: &'a Answers,
    /// Steps a second, where time has a scale.
    pub sampling_rate: Option<f64>,
    /// Whether the right answers stand beside.
    pub labelled: bool,
}

impl Table<'_> {
    /// Writes the answers into a file: CSV, JSON or a NumPy array of the classes, by the end of its name.
    ///
    /// # Errors
    ///
    /// If the name has another end, or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let end = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match end.as_str() {
            "csv" => file::write_atomic_bytes(path, self.csv().as_bytes()),
            "json" => file::write_atomic_bytes(path, format!("{}\n", self.json()).as_bytes()),
            "npy" => {
                let classes = &self.answers.prediction.classes;
                let shape: &[usize] = match self.data.targets() {
                    Targets::PerStep(_) => &[self.data.samples(), self.data.steps()],
                    Targets::PerSequence(_) => &[self.data.samples()],
                };
                npy::write_u16(path, shape, classes)
            }
            _ => {
                Err(Error::config(format!("{} ends in none of .csv, .json, .npy", path.display()))
                    .expected("a name that says what is to be written"))
            }
        }
    }

    fn per_step(&self) -> bool {
        self.data.targets().is_per_step()
    }

    /// The place of every answer: sequence and step.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let steps = |sample| if self.per_step() { self.data.length(sample) } else { 1 };
        (0..self.data.samples())
            .flat_map(move |sample| (0..steps(sample)).map(move |step| (sample, step)))
    }

    fn name(&self, class: u16) -> &str {
        self.data.class_names().get(usize::from(class)).map_or("", String::as_str)
    }

    fn at(&self, sample: usize, step: usize) -> usize {
        sample * self.answers.prediction.steps + step
    }

    fn label(&self, at: usize) -> &str {
        let (Targets::PerStep(all) | Targets::PerSequence(all)) = self.data.targets();
        if all[at] == UNLABELLED { "" } else { self.name(all[at]) }
    }

    /// The answers as a table: `sequence`, of a class a step `step` and, where time has a scale, `time` in seconds, `class`, and
    /// a column `p(NAME)` for the probability of every class.
    pub fn csv(&self) -> String {
        let mut head = vec!["sequence".to_owned()];
        if self.per_step() {
            head.push("step".into());
            head.extend(self.sampling_rate.map(|_| "time".to_owned()));
        }
        head.extend(self.labelled.then(|| "label".to_owned()));
        head.push("class".into());
        head.extend(self.data.class_names().iter().map(|name| field(&format!("p({name})"))));
        let mut text = head.join(",") + "\n";
        for (sample, step) in self.places() {
            let at = self.at(sample, step);
            let mut row = vec![field(&self.data.sequence_name(sample))];
            if self.per_step() {
                row.push(step.to_string());
                row.extend(self.sampling_rate.map(|rate| (step as f64 / rate).to_string()));
            }
            if self.labelled {
                row.push(field(self.label(at)));
            }
            row.push(field(self.name(self.answers.prediction.classes[at])));
            row.extend(self.probabilities(at).iter().map(|p| format!("{p:.6}")));
            text += &(row.join(",") + "\n");
        }
        text
    }

    fn probabilities(&self, at: usize) -> &[f32] {
        let count = self.answers.classes;
        &self.answers.probabilities[at * count..(at + 1) * count]
    }

    /// The same as a list of objects.
    pub fn json(&self) -> Value {
        let row = |(sample, step): (usize, usize)| {
            let at = self.at(sample, step);
            let mut row = Map::new();
            row.insert("sequence".into(), json!(self.data.sequence_name(sample)));
            if self.per_step() {
                row.insert("step".into(), json!(step));
                if let Some(rate) = self.sampling_rate {
                    row.insert("time".into(), json!(step as f64 / rate));
                }
            }
            if self.labelled {
                row.insert("label".into(), json!(self.label(at)));
            }
            row.insert("class".into(), json!(self.name(self.answers.prediction.classes[at])));
            let named = self.data.class_names().iter().cloned().zip(self.probabilities(at));
            let named: Map<String, Value> = named.map(|(name, p)| (name, json!(p))).collect();
            row.insert("probabilities".into(), Value::Object(named));
            Value::Object(row)
        };
        Value::Array(self.places().map(row).collect())
    }

    /// One line a file: the class that most of its windows or steps answer, and the share of each.
    pub fn votes(&self, file_of: impl Fn(&str) -> String) -> String {
        let mut files: Vec<(String, Vec<usize>)> = Vec::new();
        for (sample, step) in self.places() {
            let name = file_of(&self.data.sequence_name(sample));
            if files.last().is_none_or(|(last, _)| *last != name) {
                files.push((name, vec![0; self.answers.classes]));
            }
            let class = self.answers.prediction.classes[self.at(sample, step)];
            if let Some((_, votes)) = files.last_mut()
                && let Some(count) = votes.get_mut(usize::from(class))
            {
                *count += 1;
            }
        }
        let names = self.data.class_names();
        let mut text = "file,class,votes".to_owned();
        names.iter().for_each(|name| text += &format!(",{}", field(&format!("share({name})"))));
        text.push('\n');
        for (file, votes) in files {
            let all: usize = votes.iter().sum();
            // The first of equals.
            let most = votes.iter().max().copied().unwrap_or(0);
            let best = votes.iter().position(|count| *count == most).unwrap_or(0);
            text += &format!("{},{},{all}", field(&file), field(self.name(best as u16)));
            votes.iter().for_each(|n| text += &format!(",{:.4}", *n as f64 / all.max(1) as f64));
            text.push('\n');
        }
        text
    }
}

/// A field of CSV, in quotes where it needs them.
fn field(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_signs_of_csv_are_quoted() {
        assert_eq!(field("a"), "a");
        assert_eq!(field("a, \"b\""), "\"a, \"\"b\"\"\"");
    }
}
