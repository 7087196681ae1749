//! Dense products outside of the recurrence, in full single precision.
//!
//! Burn's own would take tensor cores where there are any, which round what they read to 10 bits: enough to turn a spike.

use super::launch::{dims, empty};
use burn::backend::ops::FloatTensorOps;
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::launch_ref;
use cubek::matmul::multi_level;
use cubek::matmul::strategy::Strategy;
use cubek::std::InputBinding;

type B = CubeBackend;

/// `[P, M, K]` times `[P, K, N]`: `[P, M, N]`.
fn batched(a: CubeTensor, b: CubeTensor) -> CubeTensor {
    let [pieces, rows, _] = dims(&a);
    let [_, _, columns] = dims(&b);
    let product = empty(&a, [pieces, rows, columns]);
    let single = f32::elem_type_native();
    let elements = MatmulGlobalElems { lhs: single, rhs: single, out: single };
    let result = launch_ref(
        &Strategy::MultiLevel(multi_level::Strategy::SimpleUnit(Default::default())),
        &product.client,
        InputBinding::new(a.binding(), single),
        InputBinding::new(b.binding(), single),
        product.clone().binding(),
        &mut MatmulElems::from_globals(&elements),
    );
    if let Err(error) = result {
        panic!("the device cannot compute a product of matrices: {error:?}");
    }
    product
}

/// `[M, K]` times `[K, N]`.
pub(super) fn product(a: CubeTensor, b: CubeTensor) -> CubeTensor {
    let [rows, inner] = a.meta.shape().dims();
    let [_, columns] = b.meta.shape().dims();
    let a = B::float_reshape(a, Shape::from([1, rows, inner]));
    let b = B::float_reshape(b, Shape::from([1, inner, columns]));
    B::float_reshape(batched(a, b), Shape::from([rows, columns]))
}

/// The product of the transpose of `[R, M]` and `[R, N]`: `[M, N]`, by [`pieces`] of the rows.
pub(super) fn over_rows(a: CubeTensor, b: CubeTensor) -> CubeTensor {
    let [rows, inputs] = a.meta.shape().dims();
    let [_, outputs] = b.meta.shape().dims();
    let pieces = pieces(rows, [inputs, outputs]);
    let a = B::float_reshape(a, Shape::from([pieces, rows / pieces, inputs]));
    let b = B::float_reshape(b, Shape::from([pieces, rows / pieces, outputs]));
    let products = batched(B::float_swap_dims(a, 1, 2), b);
    B::float_reshape(B::float_sum_dim(products, 0), Shape::from([inputs, outputs]))
}

/// The same of two sequences `[T, B, M]` and `[T, B, N]`.
pub(super) fn over_time(a: CubeTensor, b: CubeTensor) -> CubeTensor {
    let rows = |tensor: CubeTensor| {
        let [steps, batch, columns] = dims(&tensor);
        B::float_reshape(tensor, Shape::from([steps * batch, columns]))
    };
    over_rows(rows(a), rows(b))
}

/// How many sums over parts of `rows` make up the gradient of `[inputs, outputs]` weights: a divisor of `rows`. One sum over
/// all of them would have few results, each of them long, and leave most of the device idle; too many would take more memory
/// than they are worth.
fn pieces(rows: usize, [inputs, outputs]: [usize; 2]) -> usize {
    // Results are computed in squares of about 64 × 64, a few hundred of which keep a large device busy.
    let squares = inputs.div_ceil(64) * outputs.div_ceil(64);
    let wanted = (512 / squares).clamp(1, 64);
    (1..=wanted.min(rows)).rev().find(|pieces| rows.is_multiple_of(*pieces)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn pieces_divide_the_rows() {
        assert_eq!(pieces(83_200, [4, 36]), 64);
        assert_eq!(pieces(101 * 32, [120, 256]), 32);
        assert_eq!(pieces(83_200, [2048, 2048]), 1);
        assert_eq!(pieces(1_009, [4, 36]), 1);
        assert_eq!(pieces(3, [4, 36]), 3);
    }
}
