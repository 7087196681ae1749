//! The gradients of a network as plain numbers, in the order of its parameters.

use barnowl::network::Network;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

struct Collect {
    given: GradientsParams,
    found: Vec<Option<Vec<f32>>>,
    /// How many values each parameter has.
    sizes: Vec<usize>,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.given.get::<D>(param.id);
        self.found.push(gradient.map(|gradient| gradient.to_data().try_to_vec().unwrap()));
        self.sizes.push(param.val().dims().iter().product());
    }
}

fn visited(network: &Network, given: GradientsParams) -> Collect {
    let mut collect = Collect { given, found: Vec::new(), sizes: Vec::new() };
    network.visit(&mut collect);
    collect
}

/// Of every parameter, zeros where nothing reaches it.
pub fn collect(network: &Network, gradients: GradientsParams) -> Vec<Vec<f32>> {
    let Collect { found, sizes, .. } = visited(network, gradients);
    let pairs = found.into_iter().zip(sizes);
    pairs.map(|(found, size)| found.unwrap_or_else(|| vec![0.0; size])).collect()
}

/// Of every parameter; each must have one.
pub fn collect_all(network: &Network, gradients: GradientsParams) -> Vec<Vec<f32>> {
    let found = visited(network, gradients).found.into_iter();
    found.map(|found| found.expect("every parameter has a gradient")).collect()
}
