//! Turns with other frameworks: one step of each, then a few of Barnowl's, and again.
//!
//! Two programs that are timed one after the other are timed on two machines if others use it as well: its clock and
//! its caches are not the same a minute later. Taking turns, all of them meet the same minute, and a ratio is taken
//! within a round.

use super::asked::{options, shapes};
use super::memory::{Watch, gigabytes};
use super::neurons;
use super::process::Peer;
use super::trial::{Times, Trial, WARMUP, median};
use crate::args::{Bench, PeerName, PeerScript, ShapeName};
use crate::print::{print_json, print_line};
use barnowl::error::{Error, Result};
use barnowl::neuron::SurrogateConfig;
use barnowl::words::counted;
use burn::tensor::Device;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// A turn is as many steps one after the other as take so many seconds, of Barnowl and of every peer; their median counts. A
/// single short step, after a pause and another's turn, would be one of cold caches and sleeping threads, which training is
/// not.
const TURN: f64 = 0.5;

/// Waited after a peer's turn: its threads look out for more work for a while, up to 0.2 s in Intel's OpenMP, and would
/// take the processors from whoever is next.
const PAUSE: Duration = Duration::from_millis(250);

/// A shape, timed.
#[derive(Debug, Serialize)]
struct Turns {
    shape: &'static str,
    /// Of the hidden layers.
    neuron: String,
    threads: usize,
    rounds: u32,
    barnowl: Row,
    peers: Vec<Row>,
    failed: Vec<Failed>,
}

/// A framework, timed.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    version: Option<String>,
    seconds_per_step: f64,
    fastest_step: f64,
    /// The peer's seconds over Barnowl's in the same round: median, least and most.
    ratio: f64,
    ratio_least: f64,
    ratio_most: f64,
    /// The peer's fastest step over Barnowl's: what is left where other programs take processors away, which threads
    /// that wait for each other in a loop, as OpenMP's do, suffer from most.
    ratio_of_fastest: f64,
    /// Of its process, in bytes; of this one since the shape began, where the system can tell.
    peak_memory: Option<u64>,
}

/// A framework that was not timed.
#[derive(Debug, Serialize)]
struct Failed {
    name: String,
    reason: String,
}

/// A peer among the turns.
struct Runner {
    name: String,
    peer: Peer,
    seconds: Vec<f64>,
}

pub fn run(args: &Bench, python: &Path, device: &Device) -> Result<()> {
    // Not smnist, unless it is named: PyTorch takes 12 GB for it.
    let mut shapes = shapes(args, &[ShapeName::Ecg, ShapeName::Shd, ShapeName::Gsc]);
    let neuron = neuron(args)?;
    if let Some(surrogate) = surrogate(neuron) {
        let layers = shapes.iter_mut().flat_map(|shape| &mut shape.network.layers);
        layers.for_each(|layer| {
            *layer = neurons::with(layer, neuron, neuron);
            layer.surrogate = Some(surrogate);
        });
    }
    let mut results = Vec::new();
    for shape in shapes {
        let mut failed = Vec::new();
        let mut runners = start(args, python, shape.name, neuron, &mut failed)?;
        let trial = Trial::new(&shape, options(args), device)?;
        let watch = Watch::begin();
        let (mut trial, _) = trial.train(WARMUP, 1)?;
        let mut own = Vec::new();
        for round in 1..=args.steps {
            eprintln!("{}: round {round} of {}", shape.name, args.steps);
            take_turns(&mut runners, &mut failed)?;
            let mut seconds: Vec<f64> = Vec::new();
            while seconds.iter().sum::<f64>() < TURN {
                let took;
                (trial, took) = trial.step()?;
                seconds.push(took);
            }
            own.push(median(&mut seconds));
        }
        let turns = Turns {
            shape: shape.name,
            neuron: neuron.to_owned(),
            threads: rayon::current_num_threads(),
            rounds: args.steps,
            barnowl: row("barnowl", &own, &own, watch.end().peak_memory)
                .version(env!("CARGO_PKG_VERSION")),
            peers: runners
                .iter()
                .map(|runner| {
                    let row = row(&runner.name, &runner.seconds, &own, runner.peer.peak_memory());
                    Row { version: runner.peer.version.clone(), ..row }
                })
                .collect(),
            failed,
        };
        drop(runners);
        if !args.output.json {
            print_line(&table(&turns))?;
        }
        results.push(turns);
    }
    if args.output.json {
        print_json(&serde_json::json!({ "peers": results }))?;
    }
    Ok(())
}

/// The neurons of the hidden layers that some framework has.
const NEURONS: [&str; 3] = ["alif", "adlif_se", "brf"];

/// The neuron of the hidden layers that was asked for.
fn neuron(args: &Bench) -> Result<&str> {
    let error = |given: &str| {
        Error::setting("--neuron", given)
            .expected(format!("with --peers, one of {}", NEURONS.join(", ")))
            .remedy("leave --peers out to time other neurons, or several")
    };
    match &args.neuron[..] {
        [] => Ok(NEURONS[0]),
        [one] if NEURONS.contains(&one.as_str()) => Ok(one),
        other => Err(error(&other.join(", "))),
    }
}

/// The surrogate gradient of a neuron's authors, as in `reference/shapes.py`; none for adaptive neurons, which have the
/// network's.
fn surrogate(neuron: &str) -> Option<SurrogateConfig> {
    match neuron {
        "adlif_se" => Some(SurrogateConfig::Exponential { gamma: 1.0, steepness: 5.0 }),
        "brf" => {
            let (gamma, sigma, height, scale) = (0.5, 0.5, 0.15, 6.0);
            Some(SurrogateConfig::DoubleGaussian { gamma, sigma, height, scale })
        }
        _ => None,
    }
}

/// Starts the scripts one after the other, so that none warms up against another. Says which one does not start.
fn start(
    args: &Bench,
    python: &Path,
    shape: &str,
    neuron: &str,
    failed: &mut Vec<Failed>,
) -> Result<Vec<Runner>> {
    let default = [PeerName::Pytorch, PeerName::Jax];
    let all = if args.peer.is_empty() { &default[..] } else { &args.peer };
    let mut runners = Vec::new();
    for name in all {
        let about = name.script();
        let name = about.name.to_owned();
        if !about.neurons.contains(&neuron) {
            // Nobody has asked for it.
            if !args.peer.is_empty() {
                report(Failed { name, reason: format!("its script has no {neuron}") }, failed);
            }
            continue;
        }
        let script = args.reference.join(format!("time_{}.py", about.script));
        let limit = Duration::from_secs(args.peer_limit.into());
        if about.options.contains(&"--compile") {
            let limit = limit.as_secs();
            eprintln!(
                "{shape}: {name} starts and compiles; left out after {limit} s (--peer-limit)"
            );
        } else {
            eprintln!("{shape}: {name} starts");
        }
        match Peer::start(python, &script, &options_of(args, &about, shape, neuron), limit) {
            Ok(peer) => runners.push(Runner { name, peer, seconds: Vec::new() }),
            Err(reason) => {
                let reason = installable(reason, python, about.packages);
                report(Failed { name, reason }, failed);
            }
        }
    }
    if runners.is_empty() {
        return Err(none_left("no peer starts", failed));
    }
    Ok(runners)
}

/// What a script is told: the shape with the sizes of this command line.
fn options_of(args: &Bench, about: &PeerScript, shape: &str, neuron: &str) -> Vec<String> {
    let threads = rayon::current_num_threads().to_string();
    let mut options = vec![shape.to_owned(), "--threads".into(), threads];
    let sizes = [("--batch", args.batch), ("--length", args.length), ("--hidden", args.hidden)];
    for (flag, size) in sizes {
        options.extend(size.into_iter().flat_map(|size| [flag.to_owned(), size.to_string()]));
    }
    if neuron != NEURONS[0] {
        options.extend(["--neuron".to_owned(), neuron.to_owned()]);
    }
    options.extend(about.options.iter().map(|&option| option.to_owned()));
    options
}

/// Why a script does not start; with what installs its framework where that is missing.
fn installable(reason: String, python: &Path, packages: &str) -> String {
    if reason.contains("No module named") {
        format!("{reason}; install it: {} -m pip install {packages}", python.display())
    } else {
        reason
    }
}

/// A turn of every peer. A peer that fails is out from then on.
fn take_turns(runners: &mut Vec<Runner>, failed: &mut Vec<Failed>) -> Result<()> {
    let turn = |peer: &mut Peer| {
        let mut seconds: Vec<f64> = Vec::new();
        while seconds.iter().sum::<f64>() < TURN {
            seconds.push(peer.step()?);
        }
        Ok(median(&mut seconds))
    };
    let mut place = 0;
    while let Some(runner) = runners.get_mut(place) {
        match turn(&mut runner.peer) {
            Ok(seconds) => {
                runner.seconds.push(seconds);
                place += 1;
            }
            Err(reason) => {
                let Runner { name, .. } = runners.remove(place);
                report(Failed { name, reason }, failed);
            }
        }
        std::thread::sleep(PAUSE);
    }
    if runners.is_empty() {
        return Err(none_left("no peer is left", failed));
    }
    Ok(())
}

fn report(failure: Failed, failed: &mut Vec<Failed>) {
    eprintln!("{} is left out: {}", failure.name, failure.reason);
    failed.push(failure);
}

fn none_left(problem: &str, failed: &[Failed]) -> Error {
    let reasons: Vec<String> =
        failed.iter().map(|failed| format!("{}: {}", failed.name, failed.reason)).collect();
    Error::config(format!("--peers: {problem} ({})", reasons.join("; ")))
        .expected("a Python that has the frameworks, and their scripts in the folder --reference")
        .remedy("install reference/requirements.txt, or choose other frameworks with --peer")
}

/// A framework's steps against Barnowl's of the same rounds.
fn row(name: &str, seconds: &[f64], own: &[f64], peak_memory: Option<u64>) -> Row {
    let times = Times::of(seconds.to_vec());
    let mut ratios: Vec<f64> = seconds.iter().zip(own).map(|(peer, own)| peer / own).collect();
    let ratio = median(&mut ratios);
    Row {
        name: name.to_owned(),
        version: None,
        seconds_per_step: times.median,
        fastest_step: times.fastest,
        ratio,
        ratio_least: ratios.first().copied().unwrap_or(f64::NAN),
        ratio_most: ratios.last().copied().unwrap_or(f64::NAN),
        ratio_of_fastest: times.fastest / fastest(own),
        peak_memory,
    }
}

fn fastest(seconds: &[f64]) -> f64 {
    seconds.iter().copied().fold(f64::INFINITY, f64::min)
}

impl Row {
    fn version(self, version: &str) -> Self {
        Self { version: Some(version.to_owned()), ..self }
    }

    fn full_name(&self) -> String {
        format!("{} {}", self.name, self.version.as_deref().unwrap_or_default())
    }
}

fn table(turns: &Turns) -> String {
    let rows = || [&turns.barnowl].into_iter().chain(&turns.peers);
    let title = format!(
        "{}, {}, {}, {}",
        turns.shape,
        turns.neuron,
        counted(turns.threads, "thread"),
        counted(turns.rounds, "round")
    );
    let width = rows().map(|row| row.full_name().chars().count()).max().unwrap_or(0);
    let width = width.max(title.chars().count());
    // Writing to a string makes no error.
    let mut text = format!(
        "\n{title:width$}   ms a step    fastest    GB   ÷ barnowl   of the fastest   (least to most)"
    );
    for (place, row) in rows().enumerate() {
        let _ = write!(
            text,
            "\n{:width$}  {:>10.2} {:>10.2} {:>5}",
            row.full_name(),
            1e3 * row.seconds_per_step,
            1e3 * row.fastest_step,
            gigabytes(row.peak_memory),
        );
        if place > 0 {
            let _ = write!(
                text,
                "   {:>9.1} {:>16.1}   ({:.1} to {:.1})",
                row.ratio, row.ratio_of_fastest, row.ratio_least, row.ratio_most,
            );
        }
    }
    for Failed { name, reason } in &turns.failed {
        let _ = write!(text, "\n{name:width$}  left out: {reason}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_within_a_round() {
        // The machine is three times as slow in the second round, for both.
        let row = row("peer", &[1.0, 3.0, 1.1], &[0.1, 0.3, 0.1], None);
        assert!((row.ratio - 10.0).abs() < 1e-9, "{}", row.ratio);
        assert!((row.ratio_most - 11.0).abs() < 1e-9 && (row.ratio_least - 10.0).abs() < 1e-9);
        assert!((row.ratio_of_fastest - 10.0).abs() < 1e-9);
        assert_eq!((row.seconds_per_step, row.fastest_step), (1.1, 1.0));
    }
}
