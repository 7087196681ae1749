//! Streams samples one by one through a recurrent layer and a readout, in buffers on the stack: what a device does.
//!
//! `cargo run --release -p barnowl-neuron --example stream`

use barnowl_neuron::{
    AlifLayer, AlifParameters, AlifState, Decay, IntegratorLayer, Threshold, Weights,
};

const NEURONS: usize = 4;

fn main() {
    // On a device these are constants in flash memory; here, a ring of neurons driven by one input.
    let input = [0.9, 0.0, 0.0, 0.0];
    let ring: [f32; NEURONS * NEURONS] =
        std::array::from_fn(|i| if i % NEURONS == (i / NEURONS + 1) % NEURONS { 1.2 } else { 0.0 });
    let readout: [f32; NEURONS] = [0.0, 0.0, 0.0, 1.0];
    let threshold = Threshold { b0: 0.1, beta: 1.8, ..Threshold::default() };
    let neurons = [AlifParameters::new(5.0, 40.0, 1.0, threshold); NEURONS];

    let layer = AlifLayer {
        input: Weights::new(&input, NEURONS).expect("one row of four"),
        bias: &[0.0; NEURONS],
        recurrent: Weights::new(&ring, NEURONS),
        neurons: &neurons,
    };
    let out = IntegratorLayer {
        input: Weights::new(&readout, 1).expect("four rows of one"),
        bias: &[0.0],
        decays: &[Decay::from_time_constant(10.0, 1.0)],
    };

    let mut state = [AlifState::at_rest(threshold.b0); NEURONS];
    let (mut current, mut spikes) = ([0.0; NEURONS], [0.0; NEURONS]);
    let (mut membrane, mut scratch) = ([0.0], [0.0]);
    for step in 0..60 {
        let sample = if step % 20 < 5 { 1.0 } else { 0.0 };
        layer.step(&[sample], &mut state, &mut current, &mut spikes);
        out.step(&spikes, &mut membrane, &mut scratch);
        let picture: String = spikes.iter().map(|&s| if s > 0.0 { '|' } else { '·' }).collect();
        println!("{step:3}  input {sample}  spikes {picture}  readout {:.3}", membrane[0]);
    }
}
