//! How the time of a training step grows: one thing varies, the others stay.
//!
//! Networks are measured in turns, a few steps of each and then again from the start, so that a slow minute of the machine
//! falls on all of them. Of each, the fastest step counts: how time grows is a question about the work, not about who
//! else is at the machine. The table has the median beside it.

use super::asked::options;
use super::shapes::Shape;
use super::trial::{Times, Trial};
use crate::args::Bench;
use crate::print::{print_json, print_line};
use barnowl::device::guard;
use barnowl::error::{Error, Result};
use barnowl::file::write_atomic_bytes;
use barnowl::layer::LayerConfig;
use barnowl::loss::{Decoder, DecoderKind};
use barnowl::network::NetworkConfig;
use barnowl::readout::{ReadoutConfig, ReadoutKind};
use barnowl::report::{self, ScalingPanel, ScalingPlot, ScalingPoint};
use barnowl::words::counted;
use burn::tensor::Device;
use rayon::ThreadPool;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;

const INPUTS: usize = 40;
const DENSITY: f64 = 0.02;
const CLASSES: usize = 10;

/// Steps of a network that are timed in its turn.
const TURN: u32 = 5;

/// What a step is measured at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Setting {
    /// Time steps of a sequence.
    steps: usize,
    batch: usize,
    /// Neurons of the hidden layer.
    hidden: usize,
    /// Spikes wanted per hidden neuron and step.
    rate: f64,
    threads: usize,
}

/// What varies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Axis {
    Steps,
    Batch,
    Hidden,
    Rate,
    Threads,
}

/// A step, measured.
#[derive(Debug, Clone, Copy, Serialize)]
struct Point {
    /// What varies, where it stands; of the spike rate, what was measured.
    value: f64,
    seconds_per_step: f64,
    fastest_step: f64,
    samples_per_second: f64,
    spike_rate: f64,
    #[serde(skip)]
    base: bool,
}

/// The points of one axis.
#[derive(Debug, Serialize)]
struct Series {
    varies: Axis,
    /// The slope of the straight line through the fastest steps, both axes logarithmic: 1 if time grows in proportion.
    exponent: f64,
    points: Vec<Point>,
}

/// A network on its own threads, and how long its steps took.
struct Runner {
    setting: Setting,
    pool: ThreadPool,
    device: Device,
    trial: Trial,
    seconds: Vec<f64>,
}

pub fn run(args: &Bench, file: &Path, device: &Device) -> Result<()> {
    let data = check(file)?;
    let base = Setting {
        steps: 250,
        batch: 32,
        hidden: 128,
        rate: 0.1,
        threads: rayon::current_num_threads(),
    };
    let axes = axes(base);
    let mut settings: Vec<Setting> = Vec::new();
    for setting in axes.iter().flat_map(|(_, settings)| settings) {
        if !settings.contains(setting) {
            settings.push(*setting);
        }
    }
    eprintln!("{} networks, {} steps of each to time", settings.len(), TURN * args.steps);
    let runner = |setting| Runner::new(setting, args, device);
    let mut runners: Vec<Runner> = settings.into_iter().map(runner).collect::<Result<_>>()?;
    for _ in 0..args.steps {
        runners = runners.into_iter().map(Runner::turn).collect::<Result<_>>()?;
    }
    let series: Vec<Series> =
        axes.iter().map(|(axis, settings)| series(*axis, settings, base, &runners)).collect();
    let result = serde_json::json!({
        "base": base,
        "inputs": INPUTS,
        "density": DENSITY,
        "classes": CLASSES,
        "timed_steps": TURN * args.steps,
        "checkpoint_steps": args.checkpoint_steps,
        "series": series,
    });
    let text = serde_json::to_string_pretty(&result)
        .map_err(|error| Error::format(format!("the result cannot be written as JSON: {error}")))?;
    write_atomic_bytes(file, report::scaling(&plot(&series, base)).as_bytes())?;
    write_atomic_bytes(&data, format!("{text}\n").as_bytes())?;
    if args.output.json {
        return print_json(&result);
    }
    print_line(&format!("{}\nwritten: {}, {}", table(&series), file.display(), data.display()))
}

/// Where the numbers go, beside the picture. What cannot be written is better known before a minute of measuring.
fn check(file: &Path) -> Result<std::path::PathBuf> {
    if file.extension().is_none_or(|extension| extension != "svg") {
        return Err(Error::setting("--scaling", file)
            .expected("the name of a file that ends in .svg")
            .remedy("the numbers go into a file of the same name that ends in .json"));
    }
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(Error::setting("--scaling", file)
                .expected("a folder that exists")
                .remedy(format!("there is no folder {}: create it first", folder.display())))
        }
        _ => Ok(file.with_extension("json")),
    }
}

/// Every axis and its settings; the base is one of each.
fn axes(base: Setting) -> [(Axis, Vec<Setting>); 5] {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let powers = std::iter::successors(Some(1), |threads| Some(2 * threads));
    let mut threads: Vec<usize> = powers.take_while(|threads| *threads < available).collect();
    threads.extend([available, base.threads]);
    threads.sort_unstable();
    threads.dedup();
    [
        (Axis::Steps, [125, 250, 500, 1000].map(|steps| Setting { steps, ..base }).into()),
        (Axis::Batch, [8, 16, 32, 64, 128].map(|batch| Setting { batch, ..base }).into()),
        (Axis::Hidden, [32, 64, 128, 256, 512].map(|hidden| Setting { hidden, ..base }).into()),
        (Axis::Rate, [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].map(|rate| Setting { rate, ..base }).into()),
        (Axis::Threads, threads.iter().map(|&threads| Setting { threads, ..base }).collect()),
    ]
}

impl Runner {
    fn new(setting: Setting, args: &Bench, device: &Device) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(setting.threads).build();
        let pool = pool.map_err(|error| {
            Error::config(format!("{} threads cannot be started: {error}", setting.threads))
                .remedy("choose fewer with --threads")
        })?;
        let (shape, device) = (setting.shape(), device.clone());
        // In the pool's own thread: a panic is the thread's in which it is.
        let trial =
            pool.install(|| guard(&device, || Trial::new(&shape, options(args), &device)))?;
        Ok(Self { setting, pool, device, trial, seconds: Vec::new() })
    }

    /// A step that fills the caches, after others have had them, and some against the clock.
    fn turn(mut self) -> Result<Self> {
        for place in 0..=TURN {
            let seconds;
            (self.trial, seconds) = {
                let trial = self.trial;
                self.pool.install(|| guard(&self.device, || trial.step()))?
            };
            if place > 0 {
                self.seconds.push(seconds);
            }
        }
        Ok(self)
    }
}

impl Setting {
    fn shape(self) -> Shape {
        Shape {
            name: "scaling",
            network: NetworkConfig {
                inputs: INPUTS,
                layers: vec![LayerConfig::new(self.hidden)],
                readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, CLASSES),
                decode: Decoder::new(DecoderKind::SoftmaxSum),
                surrogate: Default::default(),
                encoder: None,
                repeat: 1,
            },
            batch: self.batch,
            steps: self.steps,
            density: DENSITY,
            rate: self.rate,
            // The spikes of long sequences must not differ from those of short ones.
            calibrated_steps: self.steps,
        }
    }
}

fn series(axis: Axis, settings: &[Setting], base: Setting, runners: &[Runner]) -> Series {
    let runner = |setting: &Setting| runners.iter().find(|runner| runner.setting == *setting);
    let point = |runner: &Runner| {
        let (setting, times) = (runner.setting, Times::of(runner.seconds.clone()));
        let spike_rate = runner.trial.rates.first().copied().unwrap_or(f64::NAN);
        Point {
            value: match axis {
                Axis::Steps => setting.steps as f64,
                Axis::Batch => setting.batch as f64,
                Axis::Hidden => setting.hidden as f64,
                Axis::Rate => spike_rate,
                Axis::Threads => setting.threads as f64,
            },
            seconds_per_step: times.median,
            fastest_step: times.fastest,
            samples_per_second: setting.batch as f64 / times.median,
            spike_rate,
            base: setting == base,
        }
    };
    let points: Vec<Point> = settings.iter().filter_map(runner).map(point).collect();
    Series { varies: axis, exponent: exponent(&points), points }
}

/// The slope of the line of least squares through the logarithms; NaN, `null` in JSON, for a single point.
fn exponent(points: &[Point]) -> f64 {
    let logs = || points.iter().map(|point| (point.value.ln(), point.fastest_step.ln()));
    let count = points.len() as f64;
    let mean_x = logs().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logs().map(|(_, y)| y).sum::<f64>() / count;
    let covariance: f64 = logs().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}

impl Axis {
    fn title(self) -> &'static str {
        match self {
            Self::Steps => "Time steps T",
            Self::Batch => "Batch B",
            Self::Hidden => "Hidden neurons H",
            Self::Rate => "Spike rate",
            Self::Threads => "Threads",
        }
    }

    /// What a line through the base is worth comparing with: work in proportion to T, B and H², shared by threads.
    fn slope(self) -> Option<f64> {
        match self {
            Self::Steps | Self::Batch => Some(1.0),
            Self::Hidden => Some(2.0),
            Self::Rate => None,
            Self::Threads => Some(-1.0),
        }
    }
}

fn plot(series: &[Series], base: Setting) -> ScalingPlot {
    let panel = |series: &Series| ScalingPanel {
        title: series.varies.title().into(),
        slope: series.varies.slope(),
        exponent: series.exponent,
        points: series
            .points
            .iter()
            .map(|point| ScalingPoint {
                value: point.value,
                seconds: point.fastest_step,
                base: point.base,
            })
            .collect(),
    };
    ScalingPlot {
        title: "How long a training step takes while one thing varies".into(),
        notes: vec![
            format!("One recurrent layer, {CLASSES} classes,"),
            format!("{INPUTS} inputs that spike at a rate of {DENSITY}."),
            String::new(),
            "Ringed, the same in all panels:".into(),
            format!("{} steps, batch {}, {} neurons,", base.steps, base.batch, base.hidden),
            format!("spike rate {}, {}.", base.rate, counted(base.threads, "thread")),
        ],
        panels: series.iter().map(panel).collect(),
    }
}

fn table(series: &[Series]) -> String {
    // Writing to a string makes no error.
    let mut text = String::new();
    for series in series {
        let title = series.varies.title();
        let _ = writeln!(text, "{title:18} ms a step    fastest   samples/s   spike rate");
        for point in &series.points {
            let value = if series.varies == Axis::Rate {
                format!("{:.3}", point.value)
            } else {
                format!("{:.0}", point.value)
            };
            let _ = writeln!(
                text,
                "{value:>17}{} {:>9.2} {:>10.2} {:>11.0} {:>12.3}",
                if point.base { "*" } else { " " },
                1e3 * point.seconds_per_step,
                1e3 * point.fastest_step,
                point.samples_per_second,
                point.spike_rate,
            );
        }
        if series.exponent.is_finite() {
            let _ = writeln!(text, "  the fastest grow with exponent {:.2}", series.exponent);
        }
        text.push('\n');
    }
    text + "* the base, the same in each list"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponent_of_a_power_is_found() {
        let point = |value: f64| Point {
            value,
            seconds_per_step: 0.0,
            fastest_step: 0.3 * value.powf(1.5),
            samples_per_second: 0.0,
            spike_rate: 0.0,
            base: false,
        };
        assert!((exponent(&[1.0, 7.0, 50.0].map(point)) - 1.5).abs() < 1e-9);
        assert!(exponent(&[point(3.0)]).is_nan());
    }
}
