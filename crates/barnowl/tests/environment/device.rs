//! Training on another device than the processor: the same losses. `BARNOWL_TEST_DEVICE` says which (`wgpu`, in a build
//! that knows it); without it there is nothing to compare.

use crate::needs;
use barnowl::device;
use barnowl::task::TaskConfig;
use barnowl::train::{BatchReport, Control, Observer, Trainer, evaluate};
use burn::tensor::Device;
use libtest_mimic::Trial;

/// Keeps the losses of the first mini-batches, then stops.
struct First(Vec<f64>);

const BATCHES: usize = 4;

impl Observer for First {
    fn batch(&mut self, report: &BatchReport) -> Control {
        self.0.push(report.loss);
        if self.0.len() == BATCHES { Control::Stop } else { Control::Continue }
    }
}

/// The losses of the first steps of a task, and that of the trained network on validation data.
fn losses(task: &TaskConfig, device: &Device) -> Vec<f64> {
    let (data, valid) = task.training_data(None).unwrap();
    let mut trainer = Trainer::new(&task.network, &task.train, device).unwrap();
    let mut first = First(Vec::new());
    trainer.run(&data, &valid, &mut first).unwrap();
    let some: Vec<usize> = (0..8).collect();
    let valid = valid.subset(&some).unwrap();
    first.0.push(evaluate(trainer.network(), &task.network, &valid, 8).unwrap().loss);
    first.0
}

/// The tests.
pub fn tests() -> Vec<Trial> {
    let device = || needs::variable("BARNOWL_TEST_DEVICE");
    vec![needs::with("device::ecg_trains_alike", device, ecg_trains_alike)]
}

fn ecg_trains_alike(name: String) {
    let other = device::open(&name).unwrap();
    let cases: [&[&str]; 3] = [
        &["network.cell=alif", "train.learning_rate=0.05"],
        &["network.cell=lstm", "train.learning_rate=0.001"],
        // Weights that change after every window, by a rate in which an order of sums would show.
        &[
            "train.truncation={window=500}",
            "train.rate_penalty={target=0.1, weight=10.0}",
            "train.learning_rate=0.005",
        ],
    ];
    for case in cases {
        let mut settings: Vec<String> = case.iter().map(|s| (*s).to_owned()).collect();
        settings.push("train.batch=16".into());
        let task = TaskConfig::load("ecg", &settings).unwrap();
        let expected = losses(&task, &Device::flex());
        let found = losses(&task, &other);
        for (found, expected) in found.iter().zip(&expected) {
            let off = (found - expected).abs();
            assert!(off <= 1e-3 * expected, "{case:?}: {found} and not {expected}");
        }
        // Training has done something.
        assert!(expected[BATCHES - 1] < expected[0]);
        let again = losses(&task, &other);
        assert_eq!(found, again, "{case:?}: the same seed, the same bits");
    }
}
