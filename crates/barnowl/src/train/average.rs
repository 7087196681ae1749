//! A moving average of the parameters.

use crate::network::{Network, NetworkConfig};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::kind::BridgeTensor;

/// The exponential moving average θ̄ of a network's parameters θ over the updates t = 1, 2, … of a run:
///
/// ```text
/// θ̄_t = θ̄_{t−1} + w_t (θ_t − θ̄_{t−1}),  w_t = (1−d) / (1−dᵗ)
/// ```
///
/// This is the average with its bias corrected (Kingma & Ba 2015, section 7.2; arXiv 1412.6980), Σ dᵗ⁻ⁱ θ_i over Σ dᵗ⁻ⁱ: all
/// updates of a short run count alike. An average that starts at θ₁ would still be mostly θ₁ after 1/(1−d) updates.
///
/// What is averaged is what is trained (log τ, not τ): the range of each is an interval, which an average does not leave.
#[derive(Debug, Clone)]
pub(super) struct Average {
    /// d
    decay: f64,
    /// t
    updates: u64,
    /// θ̄_t, without autodiff; none before the first update.
    network: Option<Network>,
}

impl Average {
    /// An average of nothing yet.
    pub(super) fn new(decay: f64) -> Self {
        Self { decay, updates: 0, network: None }
    }

    /// Goes on with what a checkpoint has kept.
    pub(super) fn restore(&mut self, updates: u64, network: Network) {
        (self.updates, self.network) = (updates, Some(network));
    }

    pub(super) fn updates(&self) -> u64 {
        self.updates
    }

    pub(super) fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// Takes in the network after an update.
    pub(super) fn add(&mut self, network: &Network, config: &NetworkConfig) {
        self.updates += 1;
        let network = network.valid();
        self.network = Some(match self.network.take() {
            None => network,
            Some(average) => {
                let mut average = towards(average, &network, self.weight());
                // Rounding may carry a value past the end of its range.
                average.project(config);
                average
            }
        });
    }

    /// w_t
    fn weight(&self) -> f64 {
        (1.0 - self.decay) / (1.0 - self.decay.powf(self.updates as f64))
    }
}

/// `average + weight · (network − average)`, of networks of one configuration.
fn towards(average: Network, network: &Network, weight: f64) -> Network {
    let mut parameters = Parameters(Vec::new());
    network.visit(&mut parameters);
    average.map(&mut Towards { parameters: parameters.0.into_iter(), weight })
}

/// All parameters, in the order in which a module shows them.
struct Parameters(Vec<BridgeTensor>);

impl ModuleVisitor for Parameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().into_bridge());
    }
}

struct Towards {
    parameters: std::vec::IntoIter<BridgeTensor>,
    weight: f64,
}

impl ModuleMapper for Towards {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, average, mapper) = param.consume();
        let parameter = self.parameters.next().expect("the networks have the same parameters");
        let parameter = Tensor::<D>::from_bridge(parameter);
        let moved = average.clone() + (parameter - average) * self.weight;
        Param::from_mapped_value(id, moved, mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::TensorMap;
    use crate::parameters::TimeConstantForm;
    use burn::tensor::Device;

    fn config() -> NetworkConfig {
        toml::from_str(
            "inputs = 2\nencoder = { kind = 'trained_threshold' }\n\
             layers = [{ size = 6 }, { size = 4, neuron = 'tc_lif' }]\n\
             readout = { size = 2 }\ndecode = { kind = 'mean_membrane' }",
        )
        .unwrap()
    }

    fn tensors(network: &Network) -> TensorMap {
        network.tensors(&config(), TimeConstantForm::Log)
    }

    /// Networks as three updates might leave them.
    fn networks() -> [Network; 3] {
        [1, 2, 3].map(|seed| config().init(&Device::flex().autodiff(), seed).unwrap())
    }

    #[test]
    fn the_average_is_what_its_formula_says() {
        let networks = networks();
        let of = networks.each_ref().map(tensors);
        let mut average = Average::new(0.5);
        assert!(average.network().is_none());
        let shares: [&[f64]; 3] =
            [&[1.0], &[1.0 / 3.0, 2.0 / 3.0], &[1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0]];
        for (network, shares) in networks.iter().zip(shares) {
            average.add(network, &config());
            assert_eq!(average.updates(), shares.len() as u64);
            let found = tensors(average.network().unwrap());
            assert_eq!(found.len(), of[0].len());
            for (name, tensor) in found {
                for (i, value) in tensor.values.iter().enumerate() {
                    let term =
                        |(share, of): (&f64, &TensorMap)| share * f64::from(of[&name].values[i]);
                    let expected: f64 = shares.iter().zip(&of).map(term).sum();
                    assert!(
                        (f64::from(*value) - expected).abs() < 1e-6,
                        "{name}: {value} is not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_does_not_change_is_its_own_average() {
        let [network, ..] = networks();
        let mut average = Average::new(0.999);
        for _ in 0..20 {
            average.add(&network, &config());
        }
        assert_eq!(tensors(average.network().unwrap()), tensors(&network));
    }

    #[test]
    fn a_restored_average_goes_on_bit_for_bit() {
        let [first, second, third] = networks();
        let mut whole = Average::new(0.9);
        for network in [&first, &second, &third] {
            whole.add(network, &config());
        }
        let mut half = Average::new(0.9);
        for network in [&first, &second] {
            half.add(network, &config());
        }
        let (kept, form) = (tensors(half.network().unwrap()), TimeConstantForm::Log);
        let mut again = Average::new(0.9);
        let network = Network::from_tensors(&config(), &kept, form, &Device::flex()).unwrap();
        again.restore(half.updates(), network);
        again.add(&third, &config());
        assert_eq!(tensors(again.network().unwrap()), tensors(whole.network().unwrap()));
    }
}
