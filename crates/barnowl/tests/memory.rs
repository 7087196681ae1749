//! Training holds no more memory after many steps than after few. A test by itself, since it looks at the whole process.

mod needs;

use barnowl::dataset::{Dataset, Inputs, Targets};
use barnowl::layer::LayerConfig;
use barnowl::learning::{Bptt, BpttOptions, Learner};
use barnowl::loss::{Decoder, DecoderKind};
use barnowl::network::NetworkConfig;
use barnowl::optimizer::{GroupedOptimizer, OptimizerConfig};
use barnowl::pass::Pass;
use barnowl::readout::{ReadoutConfig, ReadoutKind};
use burn::tensor::Device;
use std::process::ExitCode;

fn main() -> ExitCode {
    let find = || resident().ok_or("this system does not say what a process holds".to_owned());
    needs::run(vec![needs::with("steps_leave_nothing_behind", find, steps_leave_nothing_behind)])
}

/// Bytes of this process in memory, where Linux says so.
fn resident() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    pages.split(' ').nth(1)?.parse::<usize>().ok().map(|pages| pages * 4096)
}

fn steps_leave_nothing_behind(_: usize) {
    let config = NetworkConfig {
        inputs: 2,
        layers: vec![LayerConfig::new(4); 3],
        readout: ReadoutConfig::new(ReadoutKind::LeakyIntegrator, 2),
        decode: Decoder::new(DecoderKind::MeanMembrane),
        surrogate: Default::default(),
        encoder: None,
        repeat: 1,
    };
    let names = vec!["a".to_owned(), "b".to_owned()];
    let (inputs, targets) = (Inputs::Real(vec![0.5; 2 * 3 * 2]), Targets::PerSequence(vec![0, 1]));
    let data = Dataset::new([2, 3, 2], names, inputs, targets, "made up").unwrap();
    let mut network = config.init(&Device::flex().autodiff(), 1).unwrap();
    let mut bptt = Bptt::new(&config, BpttOptions::default()).unwrap();
    let mut optimizer = GroupedOptimizer::new(&OptimizerConfig::default());
    let mut train = |steps: usize| {
        for _ in 0..steps {
            let (_, gradients) = bptt.gradients(&network, &data, &[0, 1], Pass::default());
            network = optimizer.step(1e-3, network.clone(), gradients).unwrap().0;
        }
    };
    train(500);
    let before = resident().unwrap();
    train(4000);
    // Each step used to leave 2 KB for every of its 20 parameters: 160 MB.
    let growth = resident().unwrap().saturating_sub(before);
    assert!(growth < 16 << 20, "{growth} bytes more after 4000 steps");
}
