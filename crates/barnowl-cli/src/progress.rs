//! The progress bar of training.

use barnowl::train::{BatchReport, EpochReport};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// A bar over all mini-batches of a run, on standard error.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    epochs: usize,
    started: Instant,
    samples: usize,
    best: f64,
}

impl Progress {
    /// A bar for a run of `epochs`, of which `done` are complete.
    pub fn new(epochs: usize, batches: usize, done: usize) -> Self {
        let bar = bar((epochs * batches) as u64);
        bar.set_position((done * batches) as u64);
        bar.reset_eta();
        Self { bar, epochs, started: Instant::now(), samples: 0, best: f64::NAN }
    }

    pub fn batch(&mut self, report: &BatchReport) {
        self.samples += report.samples;
        let rate = self.samples as f64 / self.started.elapsed().as_secs_f64();
        self.bar.set_message(format!(
            "epoch {}/{} · {} · {} {} · valid {} · spikes {:.3} · {rate:.0} samples/s",
            report.epoch,
            self.epochs,
            loss(report.loss, report.loss_per_step),
            report.judged_by.name(),
            if report.score.is_nan() { "–".into() } else { format!("{:.3}", report.score) },
            if self.best.is_nan() { "–".into() } else { format!("{:.4}", self.best) },
            report.spike_rate,
        ));
        self.bar.inc(1);
    }

    pub fn epoch(&mut self, report: &EpochReport) {
        if report.best {
            self.best = report.valid_score;
        }
        // Where there is no terminal for the bar, a line now and then says that the run is alive.
        if self.bar.is_hidden() && (report.epoch.is_multiple_of(10) || report.epoch == self.epochs)
        {
            eprintln!(
                "epoch {}/{}: {}, {} {:.4}, valid {:.4}, spike rate {:.3}",
                report.epoch,
                self.epochs,
                loss(report.train_loss, report.train_loss_per_step),
                report.judged_by.name(),
                report.train_score,
                report.valid_score,
                report.spike_rate,
            );
        }
    }

    /// A line above the bar.
    pub fn say(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A loss, and of what it is.
fn loss(per_sequence: f64, per_step: Option<f64>) -> String {
    match per_step {
        Some(loss) => format!("loss {loss:.4} per step"),
        None => format!("loss {per_sequence:.4}"),
    }
}

/// A bar that says how long it has taken and how long is left.
pub fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let left = |state: &ProgressState, to: &mut dyn Write| {
        // A formatter cannot report an error, and writing to a string makes none.
        let _ = write!(to, "{}", human(state.eta()));
    };
    let template = "{bar:20.cyan} {elapsed_precise}, {left} left · {wide_msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("left", left).progress_chars("━╸─"));
    }
    bar
}

/// Seconds, minutes or hours, whichever reads best.
pub fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}
