//! Answers as tables: a line a sequence or step, with names and probabilities.

use barnowl::dataset::{Dataset, UNLABELLED};
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
    /// Writes the answers into a file: CSV, JSON or a NumPy array of the classes or numbers, by the end of its name.
    ///
    /// # Errors
    ///
    /// If the name has another end, or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        if !has_end(path, "npy") {
            return write(path, || self.csv(), || self.json(), ".csv, .json, .npy");
        }
        let mut shape = vec![self.data.samples()];
        shape.extend(self.per_step().then(|| self.data.steps()));
        let prediction = &self.answers.prediction;
        if self.is_real() {
            shape.push(self.answers.classes);
            return npy::write_f32(path, &shape, &prediction.values);
        }
        npy::write_u16(path, &shape, &prediction.classes)
    }

    fn per_step(&self) -> bool {
        self.data.targets().is_per_step()
    }

    /// Whether the answers are numbers, and no classes.
    fn is_real(&self) -> bool {
        self.data.targets().is_real()
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
        match self.data.targets().classes() {
            Some(all) if all[at] != UNLABELLED => self.name(all[at]),
            _ => "",
        }
    }

    /// The numbers that were to be found, in the unit of the data; none where one is not known.
    fn targets(&self, at: usize) -> impl Iterator<Item = Option<f32>> {
        let all = self.data.targets().values().unwrap_or_default();
        let by = self.data.target_normalization();
        (0..self.answers.classes).map(move |place| {
            let value = *all.get(at * self.answers.classes + place)?;
            (!value.is_nan()).then(|| by.map_or(value, |by| by.undo(place, value)))
        })
    }

    /// The numbers that were found.
    fn values(&self, at: usize) -> &[f32] {
        &self.answers.prediction.values[at * self.answers.classes..][..self.answers.classes]
    }

    /// The answers as a table: `sequence`, of a class a step `step` and, where time has a scale, `time` in seconds, `class`, and
    /// a column `p(NAME)` for the probability of every class. Of numbers, each has a column of its own name, and, where they were
    /// known, one `target(NAME)` before.
    pub fn csv(&self) -> String {
        let mut head = vec!["sequence".to_owned()];
        if self.per_step() {
            head.push("step".into());
            head.extend(self.sampling_rate.map(|_| "time".to_owned()));
        }
        let names = self.data.class_names().iter();
        if self.is_real() {
            if self.labelled {
                head.extend(names.clone().map(|name| field(&format!("target({name})"))));
            }
            head.extend(names.map(|name| field(name)));
        } else {
            head.extend(self.labelled.then(|| "label".to_owned()));
            head.push("class".into());
            head.extend(names.map(|name| field(&format!("p({name})"))));
        }
        let mut text = head.join(",") + "\n";
        for (sample, step) in self.places() {
            let at = self.at(sample, step);
            let mut row = vec![field(&self.data.sequence_name(sample))];
            if self.per_step() {
                row.push(step.to_string());
                row.extend(self.sampling_rate.map(|rate| (step as f64 / rate).to_string()));
            }
            if self.is_real() {
                if self.labelled {
                    let shown =
                        |target: Option<f32>| target.map_or(String::new(), |y| y.to_string());
                    row.extend(self.targets(at).map(shown));
                }
                row.extend(self.values(at).iter().map(f32::to_string));
                text += &(row.join(",") + "\n");
                continue;
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
            if self.is_real() {
                let names = self.data.class_names().iter().cloned();
                if self.labelled {
                    let named = names.clone().zip(self.targets(at));
                    let named: Map<String, Value> =
                        named.map(|(name, y)| (name, json!(y))).collect();
                    row.insert("targets".into(), Value::Object(named));
                }
                let named = names.zip(self.values(at));
                let named: Map<String, Value> = named.map(|(name, y)| (name, json!(y))).collect();
                row.insert("values".into(), Value::Object(named));
                return Value::Object(row);
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

    /// What the windows or steps of each file answer.
    pub fn votes(&self, file_of: impl Fn(&str) -> String) -> Votes<'_> {
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
        Votes { classes: self.data.class_names(), files }
    }
}

/// One answer a file: the class that most of its windows or steps answer, and the share of each.
pub struct Votes<'a> {
    classes: &'a [String],
    /// The name of each, and how many answer each class.
    files: Vec<(String, Vec<usize>)>,
}

impl Votes<'_> {
    /// Writes the votes into a file: CSV or JSON, by the end of its name.
    ///
    /// # Errors
    ///
    /// If the name has another end, or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        write(path, || self.csv(), || self.json(), ".csv, .json")
    }

    /// Of each file, its name, the class that won, how many voted, and the share of every class.
    fn rows(&self) -> impl Iterator<Item = (&str, &str, usize, Vec<f64>)> {
        self.files.iter().map(|(file, votes)| {
            let all: usize = votes.iter().sum();
            // The first of equals.
            let most = votes.iter().max().copied().unwrap_or(0);
            let best = votes.iter().position(|count| *count == most).unwrap_or(0);
            let class = self.classes.get(best).map_or("", String::as_str);
            let shares = votes.iter().map(|n| *n as f64 / all.max(1) as f64).collect();
            (file.as_str(), class, all, shares)
        })
    }

    /// As a table: `file`, `class`, `votes`, and a column `share(NAME)` for every class.
    pub fn csv(&self) -> String {
        let mut text = "file,class,votes".to_owned();
        let names = self.classes.iter();
        names.for_each(|name| text += &format!(",{}", field(&format!("share({name})"))));
        text.push('\n');
        for (file, class, all, shares) in self.rows() {
            text += &format!("{},{},{all}", field(file), field(class));
            shares.iter().for_each(|share| text += &format!(",{share:.4}"));
            text.push('\n');
        }
        text
    }

    /// The same as a list of objects.
    pub fn json(&self) -> Value {
        let row = |(file, class, votes, shares): (&str, &str, usize, Vec<f64>)| {
            let named = self.classes.iter().cloned().zip(shares);
            let shares: Map<String, Value> =
                named.map(|(name, share)| (name, json!(share))).collect();
            json!({ "file": file, "class": class, "votes": votes, "shares": shares })
        };
        Value::Array(self.rows().map(row).collect())
    }
}

fn has_end(path: &Path, end: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(end))
}

/// Writes a table as CSV or JSON, by the end of the file's name, which is to be one of `ends`.
fn write(
    path: &Path,
    csv: impl Fn() -> String,
    json: impl Fn() -> Value,
    ends: &str,
) -> Result<()> {
    if has_end(path, "csv") {
        return file::write_atomic_bytes(path, csv().as_bytes());
    }
    if has_end(path, "json") {
        return file::write_atomic_bytes(path, format!("{}\n", json()).as_bytes());
    }
    Err(Error::config(format!("{} ends in none of {ends}", path.display()))
        .expected("a name that says what is to be written"))
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
