//! What all launches of kernels need: tensors, arguments, and how neurons are spread over units.

use burn::backend::Slice;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

/// The most units of a cube that are asked for; more neurons than that share units.
const UNITS: usize = 256;

/// How many terms of a dense product stand in the body of its loop. Mesa's software driver ends every loop of a kernel after
/// 65,535 turns of all of them together, without a word: a step must not take too many.
pub(super) const UNROLLED: usize = 8;

/// An uninitialised tensor on the device of another.
pub(super) fn empty<const D: usize>(like: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, Shape::from(shape), DType::F32)
}

/// A kernel's argument: the values in the order of the shape.
pub(super) fn argument(tensor: &CubeTensor) -> BufferArg {
    into_contiguous(tensor.clone()).into_buffer_arg()
}

/// T, B and H of a current.
pub(super) fn dims(current: &CubeTensor) -> [usize; 3] {
    current.meta.shape().dims()
}

/// Cubes and their size for a kernel with one unit an element.
pub(super) fn element_wise(elements: usize) -> (CubeCount, CubeDim) {
    let units = 64;
    (CubeCount::new_1d(elements.div_ceil(units) as u32), CubeDim::new_1d(units as u32))
}

/// Units of a cube and neurons of a unit.
pub(super) fn spread(client: &cubecl::client::Client, neurons: usize) -> [usize; 2] {
    let most = UNITS.min(client.properties().hardware.max_units_per_cube as usize);
    let units = neurons.next_multiple_of(32).min(most);
    [units, neurons.div_ceil(units)]
}

/// Whether `[H, H]` weights fit into shared memory beside `words` of four bytes.
pub(super) fn fits(client: &cubecl::client::Client, neurons: usize, words: usize) -> bool {
    (neurons * neurons + words) * 4 <= client.properties().hardware.max_shared_memory_size
}

/// A part of a flat tensor, in a shape.
pub(super) fn part<const D: usize>(
    flat: &CubeTensor,
    from: usize,
    shape: [usize; D],
) -> CubeTensor {
    let length: usize = shape.iter().product();
    let slice = CubeBackend::float_slice(flat.clone(), &[Slice::from(from..from + length)]);
    CubeBackend::float_reshape(slice, Shape::from(shape))
}
