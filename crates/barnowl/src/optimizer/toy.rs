//! A module of two parameters for the tests of this directory.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

/// A weight and two time constants.
#[derive(Module, Debug)]
pub(super) struct Toy {
    pub(super) weight: Param<Tensor<2>>,
    pub(super) log_tau: Param<Tensor<1>>,
}

impl Toy {
    /// New parameters with new ids, as in a new process.
    pub(super) fn new(weight: [f32; 6], log_tau: [f32; 2]) -> Self {
        let device = Device::flex().autodiff();
        Self {
            weight: Param::from_data(TensorData::new(weight.to_vec(), [3, 2]), &device),
            log_tau: Param::from_data(log_tau, &device),
        }
    }

    /// The same values under new ids.
    pub(super) fn rebuilt(&self) -> Self {
        let device = Device::flex().autodiff();
        Self {
            weight: Param::from_data(self.weight.val().into_data(), &device),
            log_tau: Param::from_data(self.log_tau.val().into_data(), &device),
        }
    }

    /// Gradients as a backward pass would leave them.
    pub(super) fn gradients(&self, weight: [f32; 6], log_tau: [f32; 2]) -> GradientsParams {
        let device = Device::flex();
        let weight = TensorData::new(weight.to_vec(), [3, 2]);
        let mut gradients = GradientsParams::new();
        gradients.register(self.weight.id, Tensor::<2>::from_data(weight, &device));
        gradients.register(self.log_tau.id, Tensor::<1>::from_data(log_tau, &device));
        gradients
    }

    /// The bit patterns of all values.
    pub(super) fn bits(&self) -> Vec<u32> {
        [bits(self.weight.val()), bits(self.log_tau.val())].concat()
    }
}

/// The bit patterns of the elements.
pub(super) fn bits<const D: usize>(tensor: Tensor<D>) -> Vec<u32> {
    let values: Vec<f32> = tensor.try_into_vec_as().expect("f32 in memory");
    values.into_iter().map(f32::to_bits).collect()
}
