//! A study's runs as tables and a picture: every run in CSV and JSON, every variant as mean ± s.d. over its seeds.

use super::plan::Plan;
use super::record::{End, RunRecord, named};
use barnowl::error::{Error, Result};
use barnowl::file;
use barnowl::metric::{ScoreKind, Spread};
use barnowl::report::{Comparison, ComparisonRow, comparison};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// What a variant came to.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub variant: String,
    pub settings: Vec<String>,
    pub finished: usize,
    pub diverged: usize,
    pub stopped: usize,
    /// Over the runs that finished.
    #[serde(rename = "valid_accuracy")]
    pub valid_score: Option<Spread>,
    /// Over the runs that finished; in a search, of the best variant only.
    #[serde(rename = "test_accuracy")]
    pub test_score: Option<Spread>,
    pub spike_rate: Option<Spread>,
    pub seconds: Option<Spread>,
    /// Of the network: weights, biases and time constants.
    pub parameters: Option<usize>,
}

/// A study's result.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    pub title: &'a str,
    pub task: &'a str,
    pub seeds: &'a [u64],
    /// In the order of the plan; in a search the best on validation first.
    pub variants: Vec<Row>,
    /// Of a cross-validation: over its parts, each by its mean over the seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_parts: Option<Row>,
    pub runs: &'a [RunRecord],
    #[serde(skip)]
    search: bool,
}

impl<'a> Summary<'a> {
    pub fn of(plan: &'a Plan, runs: &'a [RunRecord]) -> Self {
        let row = |variant: &super::plan::Variant| {
            let own = || runs.iter().filter(|run| run.variant == variant.name);
            let count = |end| own().filter(|run| run.end == end).count();
            let finished = || own().filter(|run| run.end == End::Finished);
            Row {
                variant: variant.name.clone(),
                settings: variant.set.clone(),
                finished: count(End::Finished),
                diverged: count(End::Diverged),
                stopped: count(End::Stopped),
                valid_score: Spread::of(finished().filter_map(|run| run.valid_score)),
                test_score: Spread::of(finished().filter_map(|run| run.test_score)),
                spike_rate: Spread::of(finished().filter_map(|run| run.spike_rate)),
                seconds: Spread::of(finished().filter_map(|run| run.seconds)),
                parameters: own().find_map(|run| run.parameters),
            }
        };
        let mut variants: Vec<Row> = plan.variants.iter().map(row).collect();
        if plan.search {
            // A variant that lost a run ranks below those that lost none.
            let rank = |row: &Row| {
                let mean = row.valid_score.map_or(f64::NEG_INFINITY, |spread| spread.mean);
                (row.diverged + row.stopped, -mean)
            };
            variants.sort_by(|a, b| {
                let (a, b) = (rank(a), rank(b));
                a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
            });
            // One look at the test data: that of the winner.
            variants.iter_mut().skip(1).for_each(|row| row.test_score = None);
        }
        let over_parts = plan.cross_validation.then(|| over_parts(&variants));
        Self {
            over_parts,
            title: &plan.title,
            task: &plan.task,
            seeds: &plan.seeds,
            variants,
            runs,
            search: plan.search,
        }
    }

    /// The table in Markdown, aligned so that it reads well in a terminal too. Parameters are told where they differ.
    pub fn table(&self) -> String {
        let first = self.variants.first().and_then(|row| row.parameters);
        let sizes_differ = self.variants.iter().any(|row| row.parameters != first);
        let runs = |row: &Row| {
            let mut runs = row.finished.to_string();
            for (count, word) in [(row.diverged, "diverged"), (row.stopped, "stopped")] {
                if count > 0 {
                    let _ = write!(runs, ", {count} {word}");
                }
            }
            runs
        };
        let parameters =
            |row: &Row| row.parameters.map_or("–".into(), |parameters| parameters.to_string());
        let column = |head: &str, cell: &dyn Fn(&Row) -> String| -> Vec<String> {
            let rows = self.variants.iter().chain(&self.over_parts);
            [head.to_owned()].into_iter().chain(rows.map(cell)).collect()
        };
        let mut columns = vec![
            column("variant", &|row| row.variant.clone()),
            column(&format!("validation {}", self.kind().name()), &|row| text(row.valid_score, 4)),
            column(&self.judged(), &|row| text(row.test_score, 4)),
            column("spikes/neuron/step", &|row| text(row.spike_rate, 3)),
            column("runs", &runs),
        ];
        if sizes_differ {
            columns.insert(1, column("parameters", &parameters));
        }
        for column in &mut columns {
            let width = column.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
            column.iter_mut().for_each(|cell| *cell = format!("{cell:<width$}"));
            column.insert(1, "-".repeat(width));
        }
        let mut table = String::new();
        for line in 0..columns[0].len() {
            let cells: Vec<&str> = columns.iter().map(|column| column[line].as_str()).collect();
            let _ = writeln!(table, "| {} |", cells.join(" | "));
        }
        table
    }

    /// What the scores are.
    fn kind(&self) -> ScoreKind {
        self.runs.first().map_or(ScoreKind::Accuracy, |run| run.judged_by)
    }

    /// What the scores after the training are: of the test data, or of the groups or folds that each run held out.
    fn judged(&self) -> String {
        let score = self.kind().name();
        if self.over_parts.is_some() {
            format!("{score} held out")
        } else {
            format!("test {score}")
        }
    }

    /// Every run as comma-separated values (RFC 4180).
    fn csv(&self) -> String {
        let score = self.kind().key();
        let judged = match self.over_parts {
            Some(_) => format!("{score}_held_out"),
            None => format!("test_{score}"),
        };
        let mut text = format!(
            "variant,seed,end,epochs,best_epoch,valid_{score},{judged},spike_rate,seconds,parameters,folder\n"
        );
        for run in self.runs {
            let number =
                |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
            let end = match run.end {
                End::Finished => "finished",
                End::Diverged => "diverged",
                End::Stopped => "stopped",
            };
            let epoch = run.best_epoch.map_or(String::new(), |epoch| epoch.to_string());
            let cells = [
                quoted(&run.variant),
                run.seed.to_string(),
                end.into(),
                run.epochs.to_string(),
                epoch,
                number(run.valid_score),
                number(run.test_score),
                number(run.spike_rate),
                number(run.seconds),
                run.parameters.map_or(String::new(), |count| count.to_string()),
                quoted(&run.folder.to_string_lossy()),
            ];
            text += &cells.join(",");
            text.push('\n');
        }
        text
    }

    fn plot(&self) -> String {
        let row = |row: &Row| {
            let shown = if self.search { row.valid_score } else { row.test_score };
            let values = self
                .runs
                .iter()
                .filter(|run| run.variant == row.variant && run.end == End::Finished);
            let value = |run: &RunRecord| {
                if self.search { run.valid_score } else { run.test_score }
            };
            ComparisonRow {
                name: row.variant.clone(),
                values: values.filter_map(value).collect(),
                mean: shown.map(|spread| spread.mean),
                sd: shown.and_then(|spread| spread.sd),
            }
        };
        // Of a long search, what leads.
        let rows: Vec<ComparisonRow> = self.variants.iter().take(40).map(row).collect();
        let axis = match self.search {
            true => format!("validation {}", self.kind().name()),
            false => self.judged(),
        };
        let least = if self.kind() == ScoreKind::Accuracy { 0.0 } else { f64::NEG_INFINITY };
        let (title, limits) = (self.title.to_owned(), (least, 1.0));
        comparison(&Comparison { title, axis, limits, rows })
    }

    /// All of it, with scores under their own names.
    ///
    /// # Errors
    ///
    /// If a number has no form in JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::to_value(self)
            .map(|summary| named(summary, self.kind()))
            .map_err(|error| Error::format(format!("the summary cannot be written: {error}")))
    }

    /// Writes `runs.csv`, `summary.json`, `summary.md` and `summary.svg`.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let json = format!("{:#}", self.json()?);
        for (name, text) in [
            ("runs.csv", self.csv()),
            ("summary.json", json),
            ("summary.md", format!("# {}\n\n{}", self.title, self.table())),
            ("summary.svg", self.plot()),
        ] {
            file::write_atomic_bytes(folder.join(name), text.as_bytes())?;
        }
        Ok(())
    }
}

/// The mean of the parts of a cross-validation, and how far they differ.
fn over_parts(parts: &[Row]) -> Row {
    let over = |of: fn(&Row) -> Option<Spread>| {
        Spread::of(parts.iter().filter_map(|row| of(row).map(|spread| spread.mean)))
    };
    let sum = |of: fn(&Row) -> usize| parts.iter().map(of).sum();
    Row {
        variant: format!("mean of {}", parts.len()),
        settings: Vec::new(),
        finished: sum(|row| row.finished),
        diverged: sum(|row| row.diverged),
        stopped: sum(|row| row.stopped),
        valid_score: over(|row| row.valid_score),
        test_score: over(|row| row.test_score),
        spike_rate: over(|row| row.spike_rate),
        seconds: over(|row| row.seconds),
        parameters: parts.first().and_then(|row| row.parameters),
    }
}

fn text(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or("–".into(), |spread| format!("{spread:.digits$}"))
}

/// A field of a CSV file, in quotes where it needs them.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Variant;
    use super::*;

    fn record(variant: &str, seed: u64, end: End, valid: f64, test: f64) -> RunRecord {
        RunRecord {
            judged_by: ScoreKind::Accuracy,
            variant: variant.into(),
            seed,
            folder: format!("runs/{variant}/seed-{seed}").into(),
            end,
            epochs: 3,
            best_epoch: Some(2),
            valid_score: Some(valid),
            test_score: (end == End::Finished).then_some(test),
            spike_rate: Some(0.25),
            seconds: Some(1.5),
            parameters: Some(if variant == "d" { 70 } else { 50 }),
            note: None,
        }
    }

    fn plan(search: bool) -> Plan {
        let variant = |name: &str| Variant::new(name, []);
        Plan {
            title: "A study".into(),
            task: "ecg".into(),
            seeds: vec![1, 2],
            variants: ["a", "b, \"c\"", "d"].map(variant).into(),
            median_stopping: None,
            search,
            cross_validation: false,
        }
    }

    fn runs() -> Vec<RunRecord> {
        vec![
            record("a", 1, End::Finished, 0.5, 0.4),
            record("a", 2, End::Finished, 0.7, 0.8),
            record("b, \"c\"", 1, End::Finished, 0.8, 0.3),
            record("b, \"c\"", 2, End::Finished, 0.8, 0.3),
            record("d", 1, End::Diverged, 0.9, 0.0),
            record("d", 2, End::Finished, 0.9, 0.9),
        ]
    }

    #[test]
    fn means_and_deviations_over_seeds() {
        let (plan, runs) = (plan(false), runs());
        let summary = Summary::of(&plan, &runs);
        let Some(test) = summary.variants[0].test_score else { panic!("it was tested") };
        assert!((test.mean - 0.6).abs() < 1e-12);
        assert!((test.sd.unwrap() - 0.08_f64.sqrt()).abs() < 1e-12);
        let table = summary.table();
        assert!(table.contains("| 0.6000 ± 0.2828"), "{table}");
        assert!(table.contains("| 1, 1 diverged"), "{table}");
        assert!(summary.csv().contains("\n\"b, \"\"c\"\"\",1,finished,3,2,0.8,0.3,0.25,1.5,50,"));
        assert!(table.contains("| d       | 70         |"), "{table}");
        let same = Summary::of(&plan, &runs[..4]);
        assert!(
            !Summary { variants: same.variants[..2].to_vec(), ..same }
                .table()
                .contains("parameters")
        );
    }

    #[test]
    fn a_cross_validation_ends_with_the_mean_of_its_parts() {
        let (plan, runs) = (Plan { cross_validation: true, ..plan(false) }, runs());
        let summary = Summary::of(&plan, &runs);
        let found = summary.over_parts.as_ref().unwrap().test_score.unwrap();
        // Of 0.6, 0.3 and 0.9.
        assert!((found.mean - 0.6).abs() < 1e-12 && (found.sd.unwrap() - 0.3).abs() < 1e-12);
        let table = summary.table();
        assert!(table.contains("accuracy held out"), "{table}");
        assert!(summary.csv().contains(",accuracy_held_out,"), "{}", summary.csv());
        assert!(summary.plot().contains("accuracy held out"));
        assert!(table.lines().last().unwrap().contains("mean of 3"), "{table}");
        assert!(table.lines().last().unwrap().contains("0.6000 ± 0.3000"), "{table}");
    }

    #[test]
    fn a_search_ranks_by_validation_and_tests_the_winner_alone() {
        let (plan, runs) = (plan(true), runs());
        let summary = Summary::of(&plan, &runs);
        let names: Vec<&str> = summary.variants.iter().map(|row| &*row.variant).collect();
        // d would lead, had it not lost a run.
        assert_eq!(names, ["b, \"c\"", "a", "d"]);
        let tested: Vec<bool> =
            summary.variants.iter().map(|row| row.test_score.is_some()).collect();
        assert_eq!(tested, [true, false, false]);
    }
}
