//! Trains the ECG network on arrays of your own: here, which of two channels fired last.
//!
//! `cargo run --release -p barnowl --example own_data`

use barnowl::dataset::{Dataset, Targets};
use barnowl::error::Result;
use barnowl::layer::LayerConfig;
use barnowl::loss::{Decoder, DecoderKind};
use barnowl::network::NetworkConfig;
use barnowl::readout::{ReadoutConfig, ReadoutKind};
use barnowl::recipe::TrainConfig;
use barnowl::train::{evaluate, fit};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `samples` sequences of 100 steps and 2 channels; the class of a step is the channel that fired last.
fn data(samples: usize, seed: u64) -> Result<Dataset> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut events, mut classes) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        let mut last = 0;
        for _ in 0..100 {
            let fires = rng.random_bool(0.1).then(|| rng.random_range(0..2));
            last = fires.unwrap_or(last);
            events.extend([0, 1].map(|channel| i8::from(fires == Some(channel))));
            classes.push(last);
        }
    }
    let names = vec!["left".into(), "right".into()];
    let targets = Targets::PerStep(classes);
    Dataset::from_spikes([samples, 100, 2], names, &events, targets, "random events")
}

fn main() -> Result<()> {
    let network = NetworkConfig {
        inputs: 2,
        layers: vec![LayerConfig { b0: 0.1, beta: 0.0, ..LayerConfig::new(36) }],
        readout: ReadoutConfig::new(ReadoutKind::Alif, 2),
        decode: Decoder::new(DecoderKind::PerStep).with_skip(10),
        surrogate: Default::default(),
        encoder: None,
        repeat: 1,
    };
    let recipe = TrainConfig { epochs: 30, batch: 16, learning_rate: 0.02, ..Default::default() };
    let (train, valid) = data(200, 1)?.split(0.1, 1)?;
    let (trained, epochs) = fit(&network, &recipe, &train, &valid)?;
    let test = evaluate(&trained, &network, &data(100, 2)?, 64)?;
    println!("best of {} epochs: {:?}", epochs.len(), epochs.iter().rposition(|e| e.best));
    println!("test accuracy {:.3}, spike rate {:.3}", test.score, test.spike_rate.overall);
    Ok(())
}
