//! What a study runs: variants of a task, each on every seed; from a TOML file, a grid or a random search.

use barnowl::error::{Error, Result};
use barnowl::file;
use barnowl::task::TaskConfig;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use toml::Value;

/// A study: what differs, and what all runs have in common.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    pub title: String,
    /// The name of a task or the path of a TOML file.
    pub task: String,
    pub seeds: Vec<u64>,
    pub variants: Vec<Variant>,
    pub median_stopping: Option<MedianStopping>,
    /// Whether variants are ranked by validation accuracy and only the best one's test accuracy counts.
    pub search: bool,
    /// Whether variants are parts of the same data, each held out once, so that their mean is the result.
    pub cross_validation: bool,
}

/// One point of a study: a name and the settings that make it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    pub name: String,
    /// Settings such as `train.batch=32`.
    pub set: Vec<String>,
}

/// Stops a run whose best validation accuracy is below the median of the other runs' at the same epoch (the rule of
/// Golovin et al. 2017, Google Vizier). First seeds are compared; a variant whose first seed is stopped has no other run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MedianStopping {
    /// The epochs that every run may have.
    pub after: usize,
    /// The least number of other runs to compare with.
    #[serde(default = "three")]
    pub least: usize,
}

fn three() -> usize {
    3
}

impl MedianStopping {
    /// Why a run whose best accuracy so far is `best` should stop after an epoch, if it should.
    pub fn verdict(self, epoch: usize, best: f64, others: &[f64]) -> Option<String> {
        if epoch < self.after || others.len() < self.least {
            return None;
        }
        let mut sorted = others.to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0;
        (best < median)
            .then(|| format!("stopped at epoch {epoch}: {best:.4} is below the median {median:.4}"))
    }
}

/// The file of `barnowl sweep`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SweepFile {
    task: String,
    #[serde(default = "one_seed")]
    seeds: Vec<u64>,
    /// Settings of all runs.
    #[serde(default)]
    set: Vec<String>,
    #[serde(default)]
    variants: Vec<Variant>,
    /// Every combination of these values.
    #[serde(default)]
    grid: BTreeMap<String, Vec<Value>>,
    random: Option<Random>,
    median_stopping: Option<MedianStopping>,
}

fn one_seed() -> Vec<u64> {
    vec![1]
}

/// Settings drawn at random.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Random {
    samples: usize,
    #[serde(default)]
    seed: u64,
    keys: BTreeMap<String, Range>,
}

/// What a key is drawn from.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Range {
    Choice {
        choices: Vec<Value>,
    },
    Interval {
        low: f64,
        high: f64,
        /// Uniform in the logarithm.
        #[serde(default)]
        log: bool,
        #[serde(default)]
        integer: bool,
    },
}

impl Range {
    fn check(&self, key: &str) -> Result<()> {
        match self {
            Self::Choice { choices } if choices.is_empty() => {
                Err(Error::setting(format!("random.keys.{key}.choices"), choices)
                    .expected("at least one value"))
            }
            Self::Interval { low, high, log, .. } => {
                let finite = low.is_finite() && high.is_finite() && low <= high;
                if finite && (!log || *low > 0.0) {
                    return Ok(());
                }
                let expected = if *log { "0 < low ≤ high" } else { "low ≤ high" };
                Err(Error::setting(format!("random.keys.{key}"), (low, high)).expected(expected))
            }
            Self::Choice { .. } => Ok(()),
        }
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> Value {
        match self {
            Self::Choice { choices } => choices[rng.random_range(0..choices.len())].clone(),
            Self::Interval { low, high, log, integer } => {
                let share = rng.random::<f64>();
                let value = match log {
                    true => (low.ln() + share * (high.ln() - low.ln())).exp(),
                    false => low + share * (high - low),
                };
                match integer {
                    true => Value::Integer(value.round() as i64),
                    // Three digits: what is written in a table is what was run.
                    false => Value::Float(format!("{value:.2e}").parse().unwrap_or(value)),
                }
            }
        }
    }
}

/// A value in few words: of a table, its kind and then its other values.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(" "),
        Value::Table(table) => {
            let kind = table.get("kind");
            let others = table.iter().filter(|(key, _)| *key != "kind").map(|(_, value)| value);
            kind.into_iter().chain(others).map(shown).collect::<Vec<_>>().join(" ")
        }
        value => value.to_string(),
    }
}

impl Plan {
    /// Reads the file of a sweep.
    ///
    /// # Errors
    ///
    /// Names file and line, or the key that is out of range.
    pub fn read(path: &Path) -> Result<Self> {
        let text = file::read_text(path)?;
        let sweep: SweepFile = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| {
                1 + text.as_bytes()[..span.start.min(text.len())]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count()
            });
            let found = Error::config(error.message().trim().replace('\n', ", ")).in_file(path);
            line.into_iter().fold(found, Error::at_line)
        })?;
        Self::of(sweep).map_err(|error| error.in_file(path))
    }

    fn of(sweep: SweepFile) -> Result<Self> {
        if sweep.seeds.is_empty() {
            return Err(Error::setting("seeds", &sweep.seeds).expected("at least one seed"));
        }
        let mut variants = sweep.variants;
        if variants.is_empty() {
            variants.push(Variant { name: String::new(), set: Vec::new() });
        }
        for (key, values) in &sweep.grid {
            if values.is_empty() {
                return Err(
                    Error::setting(format!("grid.{key}"), values).expected("at least one value")
                );
            }
            let with = |variant: &Variant| -> Vec<Variant> {
                values.iter().map(|value| variant.with(key, value)).collect()
            };
            variants = variants.iter().flat_map(with).collect();
        }
        if let Some(random) = &sweep.random {
            if random.samples == 0 {
                return Err(Error::setting("random.samples", 0).expected("1 or more"));
            }
            random.keys.iter().try_for_each(|(key, range)| range.check(key))?;
            let mut rng = ChaCha8Rng::seed_from_u64(random.seed);
            let mut drawn = Vec::new();
            for _ in 0..random.samples {
                let values: Vec<(&String, Value)> =
                    random.keys.iter().map(|(key, range)| (key, range.draw(&mut rng))).collect();
                drawn.extend(variants.iter().map(|variant| {
                    values
                        .iter()
                        .fold(variant.clone(), |variant, (key, value)| variant.with(key, value))
                }));
            }
            variants = drawn;
        }
        for variant in &mut variants {
            variant.set.splice(0..0, sweep.set.iter().cloned());
            if variant.name.is_empty() {
                variant.name = "as the task has it".into();
            }
        }
        let plan = Self {
            title: format!("Sweep of {}", sweep.task),
            task: sweep.task,
            seeds: sweep.seeds,
            variants,
            median_stopping: sweep.median_stopping,
            search: true,
            cross_validation: false,
        };
        plan.check()?;
        Ok(plan)
    }

    /// Adds settings to those of every variant, before them.
    pub fn with_settings(mut self, settings: &[String]) -> Self {
        for variant in &mut self.variants {
            variant.set.splice(0..0, settings.iter().cloned());
        }
        self
    }

    /// Refuses names that two variants share, and settings that the task refuses: now, not after hours.
    ///
    /// # Errors
    ///
    /// Names the variant.
    pub fn check(&self) -> Result<()> {
        let mut seeds = HashSet::new();
        if !self.seeds.iter().all(|seed| seeds.insert(seed)) {
            return Err(Error::setting("seeds", &self.seeds).expected("every seed once"));
        }
        let mut names = HashSet::new();
        let mut judged_by = None;
        for variant in &self.variants {
            if !names.insert(variant.folder()) {
                return Err(Error::config(format!("two variants are called {:?}", variant.name))
                    .remedy("give every variant a name of its own"));
            }
            for seed in &self.seeds {
                let task = self.task_of(variant, *seed)?;
                let kind = task.network.decode.answer.judged_by();
                if *judged_by.get_or_insert(kind) != kind {
                    return Err(Error::setting(
                        "network.decode.answer",
                        task.network.decode.answer,
                    )
                    .during(format!("variant {}", variant.name))
                    .expected(
                        "answers of one kind in all variants: an accuracy and an R² do not compare",
                    ));
                }
            }
        }
        Ok(())
    }

    /// All runs, seed by seed: after the first seed there is something to compare.
    pub fn runs(&self) -> impl Iterator<Item = (&Variant, u64)> {
        self.seeds.iter().flat_map(|seed| self.variants.iter().map(|variant| (variant, *seed)))
    }

    /// The task of one run.
    ///
    /// # Errors
    ///
    /// If the task refuses a setting.
    pub fn task_of(&self, variant: &Variant, seed: u64) -> Result<TaskConfig> {
        let mut settings = variant.set.clone();
        settings.push(format!("train.seed={seed}"));
        TaskConfig::load(&self.task, &settings)
            .map_err(|error| error.during(format!("variant {:?}", variant.name)))
    }
}

impl Variant {
    pub fn new(name: impl Into<String>, set: impl IntoIterator<Item = String>) -> Self {
        Self { name: name.into(), set: set.into_iter().collect() }
    }

    /// The variant with one setting more; its name says so by the end of the key.
    fn with(&self, key: &str, value: &Value) -> Self {
        let mut more = self.clone();
        more.set.push(format!("{key}={value}"));
        let short = key.rsplit('.').next().unwrap_or(key);
        let part = format!("{short}={}", shown(value));
        more.name = if self.name.is_empty() { part } else { format!("{}, {part}", self.name) };
        more
    }

    /// Where a run of this variant lies in the folder of the study.
    pub fn run_folder(&self, seed: u64) -> PathBuf {
        Path::new("runs").join(self.folder()).join(format!("seed-{seed}"))
    }

    /// A name for a folder: letters, digits and a few signs that no file system minds.
    fn folder(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '=');
        let mut name = String::new();
        for c in self.name.chars().flat_map(ascii) {
            // A name that begins with a dot is hidden, or a way out of the folder.
            if plain(c) && !(c == '.' && name.is_empty()) {
                name.push(c);
            } else if !name.ends_with('_') {
                name.push('_');
            }
        }
        if name.len() > 100 {
            // As long as file systems and people can take, and still a name of its own.
            let hash = self.name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
            name.truncate(90);
            let _ = write!(name, "-{:08x}", hash as u32);
        }
        name
    }
}

/// The Greek letters of neurons, spelt out.
fn ascii(c: char) -> std::vec::IntoIter<char> {
    let spelt = match c {
        'τ' => "tau",
        'β' => "beta",
        c => return vec![c].into_iter(),
    };
    spelt.chars().collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Result<Plan> {
        Plan::of(toml::from_str(text).unwrap())
    }

    #[test]
    fn a_grid_is_every_combination() {
        let plan = plan(
            "task = \"ecg\"\nset = [\"train.epochs=3\"]\n[grid]\n\"train.batch\" = [8, 16]\n\
             \"train.schedule.kind\" = [\"constant\", \"cosine\"]",
        )
        .unwrap();
        let names: Vec<&str> = plan.variants.iter().map(|variant| &*variant.name).collect();
        assert_eq!(
            names,
            [
                "batch=8, kind=constant",
                "batch=8, kind=cosine",
                "batch=16, kind=constant",
                "batch=16, kind=cosine",
            ]
        );
        let task = plan.task_of(&plan.variants[3], 5).unwrap().train;
        assert_eq!((task.batch, task.epochs, task.seed), (16, 3, 5));
        let long = Variant::new("x".repeat(150), []);
        let other = Variant::new("x".repeat(149) + "y", []);
        assert_eq!(Variant::new("..", []).folder(), "_.");
        assert!(long.folder().len() <= 100 && long.folder() != other.folder());
    }

    #[test]
    fn a_random_search_draws_the_same_within_its_ranges() {
        let text = "task = \"ecg\"\n[random]\nsamples = 40\nseed = 3\n[random.keys]\n\
             \"train.learning_rate\" = { low = 1e-3, high = 0.1, log = true }\n\
             \"train.batch\" = { low = 8, high = 64, integer = true }\n\
             \"train.schedule.kind\" = { choices = [\"constant\", \"cosine\"] }";
        let first = plan(text).unwrap();
        assert_eq!(first.variants, plan(text).unwrap().variants);
        assert_eq!(first.variants.len(), 40);
        for variant in &first.variants {
            let train = first.task_of(variant, 1).unwrap().train;
            assert!((1e-3..=0.1).contains(&train.learning_rate));
            assert!((8..=64).contains(&train.batch));
        }
    }

    #[test]
    fn what_cannot_run_is_refused_before_anything_runs() {
        for (text, part) in [
            ("task = \"ecg\"\nseeds = []", "seeds"),
            ("task = \"ecg\"\nseeds = [2, 2]", "seeds"),
            ("task = \"nothing\"", "nothing"),
            ("task = \"ecg\"\n[grid]\n\"train.batch\" = []", "grid.train.batch"),
            ("task = \"ecg\"\n[grid]\n\"train.batch\" = [8, 0]", "train.batch"),
            ("task = \"ecg\"\n[grid]\n\"train.batch\" = [8, 8]", "batch=8"),
            (
                "task = \"ecg\"\n[random]\nsamples = 1\nkeys = { \"train.batch\" = { low = 0, high = 1, log = true } }",
                "random.keys.train.batch",
            ),
        ] {
            let error = plan(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn the_median_stops_the_lower_half() {
        let rule = MedianStopping { after: 5, least: 3 };
        assert!(rule.verdict(5, 0.4, &[0.5, 0.6, 0.3]).is_some());
        assert!(rule.verdict(5, 0.5, &[0.5, 0.6, 0.3]).is_none());
        assert!(rule.verdict(5, 0.54, &[0.5, 0.6, 0.3, 0.9]).is_some());
        assert!(rule.verdict(5, 0.56, &[0.5, 0.6, 0.3, 0.9]).is_none());
        // Too early, or too few to compare with.
        assert!(rule.verdict(4, 0.0, &[0.5, 0.6, 0.3]).is_none());
        assert!(rule.verdict(5, 0.0, &[0.5, 0.6]).is_none());
    }
}
